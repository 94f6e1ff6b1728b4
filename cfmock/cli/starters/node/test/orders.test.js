// test/orders.test.js
// Tests of a program that calls CloudFlow, against cfmock: npm install && npm test
'use strict';

const assert = require('node:assert');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const readline = require('node:readline');
const { after, before, beforeEach, test } = require('node:test');
const Client = require('@alicloud/fnf-2019-03-15');

let server;
let url; // of the server, http://127.0.0.1:PORT

before(async () => {
  server = spawn('cfmock', ['serve', 'fixtures', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(readline.createInterface({ input: server.stdout }), 'line');
  url = line.replace('cfmock ready ', '');
});
after(() => server.kill());
beforeEach(() => admin('POST', 'reset'));

/** Calls the admin API and returns its answer. */
async function admin(method, path, body) {
  const answer = await fetch(`${url}/_cfmock/${path}`, { method, body: body && JSON.stringify(body) });
  assert.strictEqual(answer.status, 200);
  return answer.json();
}

/** In place of your own code. Use these settings for your client. */
function client() {
  return new Client({ accessKeyId: 'cfmock', accessKeySecret: 'cfmock-secret', endpoint: url });
}

function startOrder(name) {
  return client().startExecution({ FlowName: 'order_flow', ExecutionName: name, Input: '{"amount": 10}' });
}

test('an order gets a receipt', async () => {
  await startOrder('o1');
  const wanted = { FlowName: 'order_flow', ExecutionName: 'o1', WaitTimeSeconds: 5 };
  const done = await client().describeExecution(wanted, { timeout: 10000 });
  assert.deepStrictEqual([done.Status, done.Output], ['Succeeded', '{"receipt":"r1"}']);
});

test('a start that is throttled is an error', async () => {
  await admin('POST', 'faults', { when: { operation: 'StartExecution' }, times: 1, error: 'ResourceThrottled' });
  await assert.rejects(startOrder('o1'), { code: 'ResourceThrottled' });
  const { calls } = await admin('GET', 'calls?operation=StartExecution');
  assert.deepStrictEqual(calls.map((call) => call.code), ['ResourceThrottled']);
});
