// Calls through the generic clients, of which the generated ones are a thin layer; the same lines in and out as
// ../drivers/lines.py.
//
// Ways: "core" is @alicloud/openapi-core and "client" the older @alicloud/openapi-client, both with the signature of the
// generated clients (V1); "core-acs3" is openapi-core at its own setting.

'use strict';

const readline = require('readline');
const core = require('@alicloud/openapi-core');
const older = require('@alicloud/openapi-client');
const { RuntimeOptions } = require('@darabonba/typescript');
const util = require('@alicloud/tea-util');

const RealDate = Date;

function shiftClock(seconds) {
  global.Date = class extends RealDate {
    constructor(...given) {
      super(...(given.length ? given : [RealDate.now() + seconds * 1000]));
    }
  };
}

async function perform(job) {
  shiftClock(job.clock_off);
  const [sdk, Runtime] = job.way === 'client' ? [older, util.RuntimeOptions] : [core.$OpenApiUtil, RuntimeOptions];
  const Client = (job.way === 'client' ? older : core).default;
  const client = new Client(
    new sdk.Config({
      accessKeyId: job.access_key_id,
      accessKeySecret: job.access_key_secret,
      securityToken: job.security_token || undefined,
      endpoint: job.endpoint,
      protocol: job.protocol,
      signatureAlgorithm: job.way === 'core-acs3' ? undefined : 'v2',
    }),
  );
  const reads = /^(Describe|List|Get)/.test(job.operation);
  const params = new sdk.Params({
    action: job.operation,
    version: '2019-03-15',
    protocol: 'HTTPS',
    pathname: '/',
    method: reads ? 'GET' : 'POST',
    authType: 'AK',
    style: 'RPC',
    reqBodyType: 'formData',
    bodyType: 'json',
  });
  const texts = Object.fromEntries(Object.entries(job.parameters).map(([name, value]) => [name, String(value)]));
  const request = new sdk.OpenApiRequest(reads ? { query: texts } : { body: texts });
  const runtime = new Runtime(job.timeout === null ? {} : { readTimeout: job.timeout });
  return (await client.callApi(params, request, runtime)).body;
}

function describe(error) {
  return {
    class: error.name,
    code: error.code ?? null,
    status: error.statusCode ?? null,
    message: error.message,
    request_id: error.requestId ?? error.data?.RequestId ?? null,
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
