// The fault rules, a form for one more, made of the schema of the admin API; and the last error matrix: what a client did about each error and each broken connection.

import {described, get, send} from "./api.js";
import {badge, button, copy, empty, field, fill, filter, form, gone, h, keep, moment, nothing, notice, options, quiet, row, section, show, span, submit, table, tried, words} from "./dom.js";
import {at, here, to} from "./places.js";
import {yaml} from "./snippets.js";

/** @type {Make} */
export const faults = ({query: begun}) => {
  const rows = h("tbody");
  const list = table("Faults", ["Rule", "When", "Does", "Times", "Hits", "Remove"], rows);
  const [below, maker, last] = [h("div"), h("div"), h("div")];
  const filters = h("div.filters", filter("q", "Rule contains"));
  void described().then((about) => {
    fill(maker, rulemaker(about.components.schemas, begun));
    if (begun.get("operation")) maker.scrollIntoView();
  }).catch(() => {});
  return {
    title: "Faults", kinds: ["fault"],
    async load({world}) {
      const [{faults: found}, {contract}] = await Promise.all([get(at("faults", world)), get("contract")]);
      return {found, contract};
    },
    draw({found, contract}, {query}) {
      const text = query.get("q") ?? "";
      const shown = found.filter((each) => JSON.stringify(each).includes(text));
      keep(rows, shown, (one) => one.id, rule);
      show(below, shown.length ? null : found.length ? nothing("No rule holds this text.") : quiet("No faults. Make one below, or from a call."));
      show(last, matrix(contract));
    },
    node: h("div", h("div.head", h("h1", "Faults"), h("span.actions", button("New rule", () => maker.scrollIntoView()))), filters, list, below, maker, last),
  };
};

function rule({id, name, when, times, hits, ...does}) {
  const remove = ({target}) => tried(send("DELETE", at(to("faults", id), here().world)).then(() => gone(target.closest("tr"), `Removed ${name}.`)));
  return row(name, words(when) || "every call", words(does), [times ?? "all"], hits, [button("Remove", remove, {"aria-label": `Remove ${name}`})]);
}

/** The schema without the wrapping that allows null. @returns {any} */
function plain(schema, schemas) {
  const inner = schema.anyOf?.some((each) => each.type === "null") ? schema.anyOf[0] : schema;
  return inner.$ref ? {...plain(schemas[inner.$ref.split("/").pop()], schemas), ...inner} : inner;
}

/** What a fault does not touch. */
const REACH = "Applies to clients' calls, not to executions started here.";

const USUAL = ["operation", "flow", "execution"];

/** A key of a rule as a label. */
const labelled = (name) => (name === "times" ? "How many times" : name[0].toUpperCase() + name.slice(1).replaceAll("_", " "));

/** The form: what goes wrong, of the choices that the schema has; for which calls; how often. @param {URLSearchParams} query */
function rulemaker(schemas, query) {
  const schema = plain(schemas.Rule, schemas);
  const text = h("pre", {tabindex: "0", "aria-label": "YAML of the rule"});
  /** @type {(() => [string[], any] | null)[]} */
  const readers = [];

  /** @param {string[]} path @returns {any} */
  function control(path, part) {
    const name = path[path.length - 1];
    const types = [part.type].flat();
    if (part.properties && !types.includes("string")) return group(labelled(name), part.description, Object.entries(part.properties).map(([key, each]) => control([...path, key], plain(each, schemas))));
    const start = query.get(name) ?? "";
    let made;
    if (part.enum) (made = h("select", options("–", part.enum))).value = start;
    else if (part.type === "boolean") made = h("input", {type: "checkbox"});
    else made = h("input", {value: start, placeholder: name === "times" ? "every call" : part.examples ? `e.g. ${[part.examples].flat(9)[0]}` : null, list: part.examples?.length > 1 ? `known-${name}` : null, autocomplete: "off", spellcheck: "false"});
    readers.push(() => {
      const given = made.type === "checkbox" ? (made.checked ? "true" : "") : made.value.trim();
      return given && !made.closest("[hidden]") ? [path, value(given, types)] : null;
    });
    return [field(labelled(name), made, part.description), part.examples?.length > 1 ? h("datalist", {id: `known-${name}`}, part.examples.map((each) => h("option", {value: each}))) : null];
  }

  function built() {
    const made = /** @type {any} */ ({});
    for (const each of readers) {
      const found = each();
      if (!found) continue;
      const [path, given] = found;
      let place = made;
      for (const name of path.slice(0, -1)) place = place[name] ??= {};
      place[path[path.length - 1]] = given;
    }
    return made;
  }

  const parts = Object.fromEntries(Object.entries(schema.properties).map(([name, part]) => [name, plain(part, schemas)]));
  const kinds = schema.anyOf.map((each) => ({title: each.title, name: each.required[0]}));
  const when = Object.entries(parts.when.properties).map(([key, each]) => ({key, made: control(["when", key], plain(each, schemas))}));
  const does = kinds.map(({title, name}) => {
    const box = h("input", {type: "checkbox", onchange: () => { fields.hidden = !box.checked; }});
    const fields = h("div", {hidden: true, class: "more"}, control([name], parts[name]));
    box.checked = Boolean(query.get(name));
    fields.hidden = !box.checked;
    return h("div.kind", h("label", box, " ", title), fields);
  });
  const rest = Object.entries(parts).filter(([name]) => name !== "when" && !kinds.some((each) => each.name === name)).map(([name, part]) => ({name, made: control([name], part)}));

  const draw = () => fill(text, write(built()));
  const made = form(async () => {
    const added = await send("POST", at("faults", here().world), built()).catch((error) => {
      throw new Error(error.message.replace(/^(?:when\.)?(\w+)(?=[:.])/, (_, name) => labelled(name)));
    });
    notice(`${added.name} is at work. ${REACH}`);
    made.closest("section").replaceWith(rulemaker(schemas, new URLSearchParams()));
  },
  h("fieldset", h("legend", "What goes wrong"), does),
  h("fieldset", h("legend", "For which calls"), quiet(REACH), when.filter(({key}) => USUAL.includes(key)).map(({made}) => made),
    group("More conditions", parts.when.description, when.filter(({key}) => !USUAL.includes(key)).map(({made}) => made))),
  h("fieldset", h("legend", "How often"), rest.filter(({name}) => name === "times").map(({made}) => made), group("More", "", rest.filter(({name}) => name !== "times").map(({made}) => made))),
  submit("Make a fault"));
  made.className = "card";
  made.oninput = made.onchange = draw;
  draw();
  return section("Make a fault", h("div.two", made, h("div.beside", h("h3", "As in a fixture"), text, button("Copy YAML", () => copy(text.textContent)))));
}

const group = (title, about, inner) => h("details", h("summary", title), about ? quiet(about) : null, inner);

/** What was typed, as JSON where the schema takes more than text. */
function value(text, types) {
  if (types.length === 1 && types[0] === "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    return types.includes("array") && text.includes(",") ? text.split(",").map((each) => each.trim()) : text;
  }
}

const write = (rule) => `${yaml({faults: Object.keys(rule).length ? [rule] : []}).join("\n")}\n`;

const verdict = (row) => (!row.seen ? badge("none", "not met") : row.timed_out ? badge("TimedOut", "timed out") : row.recovered ? badge("Succeeded", "recovered") : badge("Failed", "failed"));

const retried = (row) => (row.spacing.length ? `${row.spacing.length} (${row.spacing.map((each) => span(each * 1000)).join(", ")})` : "none");

/** @param {any} contract null: there is none */
function matrix(contract) {
  if (!contract) return section("Error matrix", empty("No report yet", "What a client does about each error and each broken connection.", `cfmock contract fixtures/ --show ${location.origin} -- python client.py`));
  /** @type {Map<string, any>} */
  const found = new Map(contract.cases.map((row) => [`${row.operation} ${row.code ?? row.transport}`, row]));
  const operations = [...new Set(contract.cases.map((row) => row.operation))];
  const faults = [...new Set([...contract.cases].sort((a, b) => Number(a.code === null) - Number(b.code === null)).map((row) => row.code ?? row.transport))];
  const cell = (row) => (row ? [verdict(row), row.spacing.length ? h("span.quiet", ` after ${row.spacing.length} ${row.spacing.length === 1 ? "retry" : "retries"}`) : null] : "");
  return section("Error matrix", h("p", h("code", contract.command || "a client"), ", ", moment(contract.time)),
    table("Error matrix", ["Fault", ...operations], h("tbody", faults.map((fault) => h("tr", {"data-key": fault}, h("th", {scope: "row"}, fault), operations.map((each) => h("td", cell(found.get(`${each} ${fault}`)))))))),
    h("details", h("summary", `All ${contract.cases.length} cases`), table("Cases", ["Operation", "Fault", "Result", "Exit", "Calls", "Retries", "Took", "Said"], h("tbody", contract.cases.map((one) => row(one.operation, one.code ?? one.transport, verdict(one), one.exit, one.calls, retried(one), [one.seconds === null ? "–" : span(one.seconds * 1000)],
      h("span", one.violations.map((each) => h("span.wrong", `violation: ${each} `)), h("code", one.said))))))));
}
