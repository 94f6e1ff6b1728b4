// Texts to copy: YAML, a flow test, a call by curl, a call from Python.

/** @param {any} value */
const text = (value) => JSON.stringify(value);

/** @param {any} value */
const flat = (value) => value === null || typeof value !== "object" || !Object.keys(value).length;

/** A word of YAML: as it is where it can only be text. @param {any} value */
const word = (value) => (typeof value === "string" && /^[A-Za-z_][\w./-]*$/.test(value) && !/^(true|false|null|y|n|yes|no|on|off)$/i.test(value) ? value : text(value));

/** A value as YAML, in lines; lists that hold only words stand on one. @param {any} value @returns {string[]} */
export function yaml(value) {
  if (flat(value)) return [word(value)];
  if (Array.isArray(value)) {
    if (value.every(flat)) return [`[${value.map(word).join(", ")}]`];
    return value.flatMap((each) => yaml(each).map((line, index) => `${index ? "  " : "- "}${line}`));
  }
  return Object.entries(value).flatMap(([name, each]) => {
    const lines = yaml(each);
    return flat(each) || (Array.isArray(each) && each.every(flat)) ? [`${word(name)}: ${lines[0]}`] : [`${word(name)}:`, ...lines.map((line) => `  ${line}`)];
  });
}

/** What an execution did, as a test of its flow. @param {any} row */
export function flowTest(row) {
  /** @type {Record<string, any[]>} */
  const tasks = {};
  for (const task of row.tasks) {
    for (const each of task.tries) {
      if (each.answered_by === null || each.answered_by === "nested") continue;
      const mock = each.error ? {fails: {code: each.error.code, detail: each.error.detail}} : each.result !== null ? {returns: each.result} : {waits: true};
      (tasks[task.state] ??= []).push({...mock, times: 1});
    }
  }
  const test = {
    name: `${row.flow} ${row.status.toLowerCase()} as ${row.name}`, flow: row.flow, input: row.input ?? {}, ...(Object.keys(tasks).length ? {tasks} : {}),
    expect: {status: row.status, ...(row.error ? {error: {code: row.error.code}} : {}), ...(row.output !== null ? {output: row.output} : {}), ...(row.visits.length ? {visits: row.visits} : {})},
  };
  return `${yaml({cfmock: 1, tests: [test]}).join("\n")}\n`;
}

const OWN = ["Action", "Version", "AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "SignatureType", "Timestamp", "Format", "RequestId", "SecurityToken"];

/** What a call asks for, without what is only of its way. @param {any} call @returns {[string, string][]} */
const asked = (call) => Object.entries(call.parameters).filter(([name]) => !OWN.includes(name));

/** @param {string} word */
const shell = (word) => `'${word.replaceAll("'", `'\\''`)}'`;

/** @param {string} word */
const encode = (word) => encodeURIComponent(word).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);

/** The call, signed by openssl with the secret of the shell. @param {any} call @param {string} now the time of the server */
export function curl(call, now) {
  const words = Object.fromEntries([...asked(call), ["Action", call.operation], ["Version", "2019-03-15"], ["Format", "JSON"], ["AccessKeyId", call.access_key_id || "cfmock"],
    ["SignatureMethod", "HMAC-SHA1"], ["SignatureVersion", "1.0"], ["SignatureNonce", nonce()], ["Timestamp", now.replace(/\.\d+Z$/, "Z")]]);
  const query = Object.keys(words).sort().map((name) => `${encode(name)}=${encode(words[name])}`).join("&");
  return [
    `signed=${shell(`POST&%2F&${encode(query)}`)}`,
    'signature=$(printf %s "$signed" | openssl dgst -sha1 -hmac "${ALIBABA_CLOUD_ACCESS_KEY_SECRET:-cfmock-secret}&" -binary | base64)',
    `curl -sS ${shell(`${location.origin}/`)} --data ${shell(query)} --data-urlencode "Signature=$signature"`,
  ].join("\n");
}

function nonce() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (each) => each.toString(16).padStart(2, "0")).join("");
}

/** The call in a test. @param {any} call */
export function python(call) {
  const words = asked(call).map(([name, value]) => `, ${name}=${text(value)}`).join("");
  return `from cfmock import CloudFlow\n\nwith CloudFlow("fixtures/") as cf:\n    print(cf.call(${text(call.operation)}${words}))\n`;
}
