// Texts to copy: a flow test, a call by curl, a call from Python. YAML is written with its values as JSON, which it contains.

/** @param {any} value */
const text = (value) => JSON.stringify(value);

/** @param {any} row an execution */
export function flowTest(row) {
  const lines = ["cfmock: 1", "tests:", `  - name: ${text(`${row.flow} ${row.status.toLowerCase()} as ${row.name}`)}`, `    flow: ${text(row.flow)}`, `    input: ${text(row.input ?? {})}`];
  /** @type {Record<string, any[]>} */
  const mocks = {};
  for (const task of row.tasks) {
    for (const each of task.tries) {
      if (each.answered_by === null || each.answered_by === "nested") continue;
      const mock = each.error ? {fails: {code: each.error.code, detail: each.error.detail}} : each.result !== null ? {returns: each.result} : {waits: true};
      (mocks[task.state] ??= []).push({...mock, times: 1});
    }
  }
  if (Object.keys(mocks).length) {
    lines.push("    tasks:");
    for (const [state, given] of Object.entries(mocks)) lines.push(`      ${text(state)}:`, ...given.map((each) => `        - ${text(each)}`));
  }
  lines.push("    expect:", `      status: ${row.status}`);
  if (row.error) lines.push(`      error: ${text({code: row.error.code})}`);
  if (row.output !== null) lines.push(`      output: ${text(row.output)}`);
  if (row.visits.length) lines.push(`      visits: ${text(row.visits)}`);
  return lines.join("\n") + "\n";
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
