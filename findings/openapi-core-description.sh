#!/usr/bin/env bash
# @alicloud/openapi-core 1.0.8: the description of an error without one is the text "undefined".
#
# Guess:  error.description is undefined where the answer has no Description, as most services' errors have none, so
#         `error.description ?? error.message` shows the message.
# Does:   it is the string "undefined", as `${err["Description"]}` makes it; the id of the request, where an answer lacks it, too.
# Seen:   description "undefined", requestId "undefined", message FlowNotExists: code: 404, no such flow request id: undefined
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund @alicloud/openapi-core@1.0.8 > /dev/null
cat > finding.js <<'JS'
const http = require('http');
const { default: Client, $OpenApiUtil } = require('@alicloud/openapi-core');
const { RuntimeOptions } = require('@darabonba/typescript');
const server = http.createServer((request, response) => {
  response.writeHead(404, { 'content-type': 'application/json' });
  response.end('{"Code": "FlowNotExists", "Message": "no such flow"}');
});
server.listen(0, '127.0.0.1', async () => {
  const endpoint = `127.0.0.1:${server.address().port}`;
  const client = new Client(
    new $OpenApiUtil.Config({ accessKeyId: 'a', accessKeySecret: 'b', endpoint, protocol: 'http' }),
  );
  const params = new $OpenApiUtil.Params({
    action: 'DescribeFlow', version: '2019-03-15', protocol: 'HTTP', pathname: '/', method: 'GET', authType: 'AK', style: 'RPC',
    reqBodyType: 'formData', bodyType: 'json',
  });
  const error = await client.callApi(params, new $OpenApiUtil.OpenApiRequest({}), new RuntimeOptions({})).catch((e) => e);
  const { description, requestId, message } = error;
  console.log(`description ${JSON.stringify(description)}, requestId ${JSON.stringify(requestId)}, message ${message}`);
  process.exit(description === 'undefined' && requestId === 'undefined' ? 0 : 1);
});
JS
node finding.js
