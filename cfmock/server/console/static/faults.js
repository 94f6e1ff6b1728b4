// The fault rules, and a form for one more, made of the schema of the admin API.

import {at, get, send} from "./api.js";
import {button, empty, field, fill, h, keep, notice, select, table} from "./dom.js";

const OPERATIONS = ["CreateFlow", "UpdateFlow", "DescribeFlow", "DeleteFlow", "ListFlows", "StartExecution", "StartSyncExecution", "StopExecution", "DescribeExecution", "ListExecutions", "GetExecutionHistory", "ReportTaskSucceeded", "ReportTaskFailed", "CreateSchedule", "UpdateSchedule", "DescribeSchedule", "DeleteSchedule", "ListSchedules"];

/** @param {import("./app.js").Place} place @returns {import("./app.js").View} */
export function faults({query, world}) {
  const rows = h("tbody");
  const shown = table("Faults", ["Rule", "When", "Does", "Times", "Hits", "Remove"], rows);
  const hint = h("div");
  const form = h("div");
  let made = false;
  async function read() {
    const found = await get(at("faults", world));
    keep(rows, found.faults, (row) => row.id, (row) => {
      const {id, name, when, times, hits, ...does} = row;
      return h("tr", null, h("td", {class: "name"}, name), h("td", {class: "name"}, h("code", null, line(when ?? {}))), h("td", {class: "name"}, h("code", null, line(does))),
        h("td", {class: "number"}, times ?? "all"), h("td", {class: "number"}, hits),
        h("td", null, button("Remove", () => send("DELETE", at(`faults/${encodeURIComponent(id)}`, world)).then(read).catch((error) => notice(error.message, true)), {"aria-label": `Remove ${name}`})));
    });
    shown.hidden = !found.faults.length;
    fill(hint, found.faults.length ? null : empty("No faults", "Add a rule below, or press “Make a fault” on a call, and see what your client does about it."));
    if (!made) {
      const described = await get("openapi.json");
      made = true;
      fill(form, maker(described.components.schemas, query, world, read));
    }
  }
  return {title: "Faults", kinds: ["fault", "call"], read, node: h("div", null, h("h1", null, "Faults"), hint, shown, form)};
}

/** @param {any} value */
const line = (value) => Object.entries(value).filter(([, each]) => each !== null && each !== false).map(([name, each]) => `${name}: ${JSON.stringify(each)}`).join(", ") || "every call";

/** The schema without the wrapping that allows null. @param {any} schema @param {any} schemas @returns {any} */
function plain(schema, schemas) {
  const inner = schema.anyOf?.some((/** @type {any} */ each) => each.type === "null") ? schema.anyOf[0] : schema;
  return inner.$ref ? {...plain(schemas[inner.$ref.split("/").pop()], schemas), ...inner} : inner;
}

/**
 * @param {any} schemas @param {URLSearchParams} query @param {Record<string, string>} world @param {() => Promise<void>} done
 */
function maker(schemas, query, world, done) {
  const yaml = h("pre", {tabindex: "0", "aria-label": "YAML of the rule"});
  const wrong = h("p", {class: "wrong", role: "alert"});
  const started = Object.fromEntries(query);
  /** @type {(() => [string[], any] | null)[]} */
  const readers = [];

  /** @param {string[]} path @param {any} schema @returns {any} */
  function control(path, schema) {
    const name = path[path.length - 1];
    const label = path.join(" ");
    const types = [schema.type].flat();
    if (schema.properties && !types.includes("string")) {
      return h("details", {open: name === "when"}, h("summary", null, label), h("p", {class: "quiet"}, schema.description ?? ""), Object.entries(schema.properties).map(([key, part]) => control([...path, key], plain(part, schemas))));
    }
    const start = started[name] ?? "";
    let made;
    if (schema.enum) made = select(label, schema.enum, start, undefined, "–");
    else if (schema.type === "boolean") made = h("input", {type: "checkbox"});
    else made = h("input", {value: start, placeholder: String(schema.examples ? [schema.examples[0]].flat(2).join(", ") : ""), list: name === "operation" ? "operations" : null, autocomplete: "off", spellcheck: "false"});
    readers.push(() => {
      const text = made.type === "checkbox" ? (made.checked ? "true" : "") : made.value.trim();
      return text ? [path, value(text, types)] : null;
    });
    made.removeAttribute("aria-label");
    return field(label, made, schema.description);
  }

  function rule() {
    const built = /** @type {any} */ ({});
    for (const each of readers) {
      const found = each();
      if (!found) continue;
      const [path, given] = found;
      let place = built;
      for (const name of path.slice(0, -1)) place = place[name] ??= {};
      place[path[path.length - 1]] = given;
    }
    return built;
  }

  const draw = () => fill(yaml, write(rule()));
  const rest = plain(schemas.Rule, schemas).properties;
  const form = h("form", {oninput: draw, onchange: draw, onsubmit: async (/** @type {Event} */ event) => {
    event.preventDefault();
    fill(wrong);
    try {
      const made = await send("POST", at("faults", world), rule());
      notice(`${made.name} is at work.`);
      await done();
    } catch (error) {
      fill(wrong, /** @type {Error} */ (error).message);
    }
  }}, h("datalist", {id: "operations"}, OPERATIONS.map((each) => h("option", {value: each}))),
  Object.entries(rest).map(([name, part]) => control([name], plain(part, schemas))),
  wrong, h("button", {type: "submit", class: "main"}, "Make a fault"));
  draw();
  return h("section", null, h("h2", null, "Make a fault"), h("div", {class: "two"}, h("div", {class: "card"}, form), h("div", null, h("h3", null, "As in a fixture"), yaml)));
}

/** What was typed, as JSON where the schema takes more than text. @param {string} text @param {string[]} types */
function value(text, types) {
  if (types.length === 1 && types[0] === "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    return types.includes("array") && text.includes(",") ? text.split(",").map((each) => each.trim()) : text;
  }
}

/** @param {any} rule */
function write(rule) {
  const lines = Object.entries(rule).map(([name, each]) => `${name}: ${JSON.stringify(each)}`);
  return lines.length ? `faults:\n  - ${lines.join("\n    ")}\n` : "faults: []\n";
}
