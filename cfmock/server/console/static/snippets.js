// Texts to copy: YAML, a flow test, a call by curl, a call from Python.

const text = (value) => JSON.stringify(value);

const flat = (value) => value === null || typeof value !== "object" || !Object.keys(value).length;

/** A word of YAML: as it is where it can only be text. */
const word = (value) => (typeof value === "string" && /^[A-Za-z_][\w./-]*$/.test(value) && !/^(true|false|null|y|n|yes|no|on|off)$/i.test(value) ? value : text(value));

/** A value as YAML, in lines; lists that hold only words stand on one. @returns {string[]} */
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

/** What an execution did, as a test of its flow. */
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
  const ended = ["Succeeded", "Failed", "TimedOut"].includes(row.status);
  const end = ended ? {status: row.status, ...(row.error ? {error: {code: row.error.code}} : {}), ...(row.output !== null ? {output: row.output} : {})} : {};
  const test = {
    name: `${row.flow} ${row.status.toLowerCase()} as ${row.name}`, flow: row.flow, input: row.input ?? {}, ...(Object.keys(tasks).length ? {tasks} : {}),
    expect: {...end, ...(row.visits.length ? {visits: row.visits} : {})},
  };
  const notes = [row.outcome?.name ? "# A canned outcome decided this execution; a test executes the definition.\n" : "",
    ended ? "" : "# It had not ended by itself: the test expects its way up to there.\n"];
  return `${notes.join("")}${yaml({cfmock: 1, tests: [test]}).join("\n")}\n`;
}

const OWN = ["Action", "Version", "AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "SignatureType", "Timestamp", "Format", "RequestId", "SecurityToken"];

/** What a call asks for, without what is only of its way. @returns {[string, string][]} */
const asked = (call) => Object.entries(call.parameters).filter(([name]) => !OWN.includes(name));

const encode = (word) => encodeURIComponent(word).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);

/** The call, signed by openssl with the secret of the shell whenever it runs. */
export function curl(call) {
  const words = Object.fromEntries([...asked(call), ["Action", call.operation], ["Version", "2019-03-15"], ["Format", "JSON"], ["AccessKeyId", call.access_key_id || "cfmock"],
    ["SignatureMethod", "HMAC-SHA1"], ["SignatureVersion", "1.0"]].map(([name, value]) => [name, encode(value)]));
  Object.assign(words, {SignatureNonce: "'$(openssl rand -hex 16)'", Timestamp: "'$(date -u +%Y-%m-%dT%H%%3A%M%%3A%SZ)'"});
  const query = Object.keys(words).sort().map((name) => `${encode(name)}=${words[name]}`).join("&");
  return [
    `query='${query}'`,
    "signed=$(printf %s \"$query\" | sed 's/%/%25/g; s/=/%3D/g; s/&/%26/g')",
    'signature=$(printf %s "POST&%2F&$signed" | openssl dgst -sha1 -hmac "${ALIBABA_CLOUD_ACCESS_KEY_SECRET:-cfmock-secret}&" -binary | base64)',
    `curl -sS '${location.origin}/' --data "$query" --data-urlencode "Signature=$signature"`,
  ].join("\n");
}

/** The call in a test. */
export function python(call) {
  const words = asked(call).map(([name, value]) => `, ${name}=${text(value)}`).join("");
  return `from cfmock import CloudFlow\n\nwith CloudFlow("fixtures/") as cf:\n    print(cf.call(${text(call.operation)}${words}))\n`;
}
