// Calls through @alicloud/fnf-2019-03-15 on pop-core; the same lines in and out as ../drivers/lines.py.

'use strict';

const readline = require('readline');
const Client = require('@alicloud/fnf-2019-03-15');

const RealDate = Date;

function shiftClock(seconds) {
  global.Date = class extends RealDate {
    constructor(...given) {
      super(...(given.length ? given : [RealDate.now() + seconds * 1000]));
    }
  };
}

function perform(job) {
  shiftClock(job.clock_off);
  const client = new Client({
    endpoint: job.endpoint,
    accessKeyId: job.access_key_id,
    accessKeySecret: job.access_key_secret,
    securityToken: job.security_token || undefined,
  });
  const method = job.operation[0].toLowerCase() + job.operation.slice(1);
  return client[method](job.parameters, job.timeout === null ? {} : { timeout: job.timeout });
}

function describe(error) {
  return {
    class: error.name,
    code: error.code ?? null,
    status: error.entry?.response?.statusCode ?? null,
    message: error.message,
    request_id: error.data?.RequestId ?? null,
  };
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    let answer;
    try {
      answer = { body: await perform(JSON.parse(line)) };
    } catch (error) {
      answer = { error: describe(error) };
    }
    console.log(JSON.stringify(answer));
  }
}

main();
