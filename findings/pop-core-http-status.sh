#!/usr/bin/env bash
# @alicloud/pop-core 1.8.0 does not look at the HTTP status: `Code` in the body alone makes an error.
#
# Guess:  an answer of 500 or 503 rejects the promise, and one of 200 resolves it.
# Does:   an answer of 503 whose JSON has no `Code` resolves, with the error's body as the result; an answer of 200 that has a
#         field `Code` of its own (a state, a country) rejects with an Error named after it, unless it is 200, OK or Success.
# Seen:   503 {"RequestId":"r","Message":"try later"} -> resolved
#         500 {} -> resolved
#         200 {"RequestId":"r","Code":"Running"} -> rejected RunningError
#         400 {"RequestId":"r","Code":"OK"} -> resolved
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund @alicloud/pop-core@1.8.0 > /dev/null
cat > finding.js <<'JS'
const http = require('http');
const Core = require('@alicloud/pop-core');
const answers = [
  [503, { RequestId: 'r', Message: 'try later' }],
  [500, {}],
  [200, { RequestId: 'r', Code: 'Running' }],
  [400, { RequestId: 'r', Code: 'OK' }],
];
const waiting = [...answers];
const server = http.createServer((request, response) => {
  const [status, body] = waiting.shift();
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
});
server.listen(0, '127.0.0.1', async () => {
  const endpoint = `http://127.0.0.1:${server.address().port}`;
  const client = new Core({ accessKeyId: 'a', accessKeySecret: 'b', endpoint, apiVersion: '2019-03-15' });
  const found = [];
  for (const [status, body] of answers) {
    found.push(await client.request('ListFlows', {}).then(() => 'resolved', (error) => `rejected ${error.name}`));
    console.log(status, JSON.stringify(body), '->', found[found.length - 1]);
  }
  process.exit(found.join() === 'resolved,resolved,rejected RunningError,resolved' ? 0 : 1);
});
JS
node finding.js
