// Does what `fun deploy` does about a flow: makeFlow of @alicloud/fun. Usage: node make-flow.js PORT FLOW-AS-JSON
//
// Funcraft has no setting for the endpoint, it calls https://ACCOUNT.REGION.fnf.aliyuncs.com. In place of a name server and the
// port 443, connections to that name go to PORT of this machine; certificates are judged by the name, as ever.

'use strict';

const tls = require('tls');

const connect = tls.connect;
tls.connect = (options, ...rest) => {
  const here = /\.fnf\.aliyuncs\.com$/.test(options.host) ? { host: '127.0.0.1', port: Number(process.argv[2]) } : {};
  return connect({ ...options, ...here, servername: options.host }, ...rest);
};
const { makeFlow } = require('@alicloud/fun/lib/deploy/deploy-support');

makeFlow(JSON.parse(process.argv[3])).catch((error) => {
  console.error(`${error.code}: ${error.message}`);
  process.exit(1);
});
