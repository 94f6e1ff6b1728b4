#!/usr/bin/env bash
# yaml-language-server 2.0.0 completes keys from a schema with snippets that editors read otherwise than it means them.
#
# Guess:  a `default` of a schema is inserted as it is, each at a tab stop of its own.
# Does:   1. An optional field with `oneOf` branches that have neither type nor title gets the key's own name as its value, twice.
#         2. Where a list's items have a default, its tab stop has the number of the next field's: whoever types over one value types
#            over both.
#         3. The default of a required field inside an inserted mapping is not escaped: `$Input.amount` is a variable of the snippet
#            grammar, and editors insert `Input.amount`. Inserted for the field alone, the same default is escaped.
# Seen:   Seconds: ${1:Seconds}
#         Retry:\n  - Errors:\n      - ${1:FnF.ALL}\n    MaxAttempts: ${1:3}
#         Branches:\n  - Condition: ${1:$Input.amount > 100}
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund yaml-language-server@2.0.0 > /dev/null
cat > schema.json <<'JSON'
{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "state",
  "type": "object",
  "properties": {
    "Name": {"type": "string"},
    "Seconds": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
    "Retry": {
      "type": "array",
      "items": {
        "type": "object",
        "required": ["Errors", "MaxAttempts"],
        "properties": {
          "Errors": {"type": "array", "items": {"type": "string", "default": "FnF.ALL"}},
          "MaxAttempts": {"type": "integer", "default": 3}
        }
      }
    },
    "Branches": {
      "type": "array",
      "items": {
        "type": "object",
        "required": ["Condition"],
        "properties": {"Condition": {"type": "string", "default": "$Input.amount > 100"}}
      }
    }
  },
  "oneOf": [
    {"required": ["Seconds"], "properties": {"Seconds": {"not": {"type": "null"}}}},
    {"required": ["Until"], "properties": {"Until": {"not": {"type": "null"}}}}
  ]
}
JSON
cat > finding.mjs <<'JS'
import { spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';

const server = spawn('node', ['node_modules/yaml-language-server/bin/yaml-language-server', '--stdio']);
const settings = { schemas: { [pathToFileURL('schema.json')]: ['*.yaml'] }, completion: true, validate: true };
const file = pathToFileURL('a.yaml').href;
const send = (message) => {
  const body = JSON.stringify({ jsonrpc: '2.0', ...message });
  server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
};
let rest = Buffer.alloc(0);
server.stdout.on('data', (data) => {
  rest = Buffer.concat([rest, data]);
  for (;;) {
    const head = rest.indexOf('\r\n\r\n');
    const length = head < 0 ? 0 : Number(/Content-Length: (\d+)/.exec(rest.subarray(0, head))[1]);
    if (head < 0 || rest.length < head + 4 + length) return;
    const message = JSON.parse(rest.subarray(head + 4, head + 4 + length));
    rest = rest.subarray(head + 4 + length);
    take(message);
  }
});
function take(message) {
  if (message.method === 'workspace/configuration') {
    send({ id: message.id, result: message.params.items.map((item) => (item.section === 'yaml' ? settings : {})) });
  } else if (message.method && message.id !== undefined) {
    send({ id: message.id, result: null });
  } else if (message.method === 'textDocument/publishDiagnostics') {
    send({ id: 2, method: 'textDocument/completion', params: { textDocument: { uri: file }, position: { line: 1, character: 0 } } });
  } else if (message.id === 1) {
    send({ method: 'initialized', params: {} });
    send({ method: 'textDocument/didOpen', params: { textDocument: { uri: file, languageId: 'yaml', version: 1, text: 'Name: A\n' } } });
  } else if (message.id === 2) {
    const found = Object.fromEntries(message.result.items.map((item) => [item.label, item.insertText]));
    const seen = ['Seconds', 'Retry', 'Branches'].map((label) => JSON.stringify(found[label]).slice(1, -1));
    console.log(seen.join('\n'));
    server.kill();
    process.exit(seen.join('\n') === WANTED.join('\n') ? 0 : 1);
  }
}
const WANTED = [
  'Seconds: ${1:Seconds}',
  'Retry:\\n  - Errors:\\n      - ${1:FnF.ALL}\\n    MaxAttempts: ${1:3}',
  'Branches:\\n  - Condition: ${1:$Input.amount > 100}',
];
const completion = { completionItem: { snippetSupport: true } };
const capabilities = { workspace: { configuration: true }, textDocument: { completion } };
send({ id: 1, method: 'initialize', params: { processId: null, rootUri: null, capabilities } });
JS
timeout 60 node finding.mjs
