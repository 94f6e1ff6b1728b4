#!/usr/bin/env bash
# @alicloud/pop-core 1.8.0 sends parameters that are undefined, and objects as "[object Object]".
#
# Guess:  what is undefined is left out, as JSON.stringify, URLSearchParams users and @alicloud/openapi-client (0.4.15) do it, so
#         that `client.request('ListFlows', {NextToken: token})` begins a list while there is no token yet.
# Does:   the text `undefined` or `null` goes out, signed, as the parameter's value; an object goes out as `[object Object]`.
#         A service that checks its tokens refuses the first page; one that does not takes the word for a name.
# Seen:   Empty=&Enable=false&NextToken=undefined&Nothing=null&Obj=[object Object]
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
const server = http.createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ RequestId: 'r', Seen: request.url }));
});
server.listen(0, '127.0.0.1', async () => {
  const endpoint = `http://127.0.0.1:${server.address().port}`;
  const client = new Core({ accessKeyId: 'a', accessKeySecret: 'b', endpoint, apiVersion: '2019-03-15' });
  const given = { NextToken: undefined, Nothing: null, Enable: false, Empty: '', Obj: { a: 1 } };
  const query = new URL(endpoint + (await client.request('ListFlows', given)).Seen).searchParams;
  const sent = Object.keys(given).sort().map((name) => `${name}=${query.get(name)}`).join('&');
  console.log(sent);
  process.exit(sent === 'Empty=&Enable=false&NextToken=undefined&Nothing=null&Obj=[object Object]' ? 0 : 1);
});
JS
node finding.js
