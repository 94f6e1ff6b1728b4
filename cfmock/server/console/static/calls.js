// What clients called: a live list, and one call whole.

import {at, get} from "./api.js";
import {search} from "./app.js";
import {misses} from "./execution.js";
import {later} from "./executions.js";
import {block, button, copy, empty, facts, fill, h, keep, moment, span, table} from "./dom.js";
import {curl, python} from "./snippets.js";

/** @param {any} row */
const answer = (row) => (row.code ? h("span", {class: "badge s-Failed"}, h("span", {"aria-hidden": "true"}, "✕ "), `${row.status} ${row.code}`)
  : row.status ? h("span", {class: "badge s-Succeeded"}, h("span", {"aria-hidden": "true"}, "✓ "), `${row.status} OK`)
  : h("span", {class: "badge s-Stopped"}, h("span", {"aria-hidden": "true"}, "■ "), row.transport ?? "no answer"));

/** @param {any} row */
const about = (row) => [row.parameters.FlowName ?? (/Flow$/.test(row.operation) ? row.parameters.Name : undefined), row.parameters.ExecutionName].filter(Boolean).join(" / ");

/** @param {import("./app.js").Place} place @returns {import("./app.js").View} */
export function calls(place) {
  return place.parts[1] ? call(place.parts[1]) : list(place);
}

/** @param {import("./app.js").Place} place @returns {import("./app.js").View} */
function list({query, world}) {
  const rows = h("tbody");
  const shown = table("Calls", ["Time", "Operation", "About", "Answer", "Took", "Key", "Noted"], rows);
  const hint = h("div");
  const note = h("p", {class: "counts quiet"});
  /** @param {string} name @param {string} label @param {string} type */
  const box = (name, label, type = "text") => {
    const made = h("input", {type, "aria-label": label, placeholder: label, value: query.get(name) ?? "", oninput: () => later(() => search({[name]: made.value.trim()}))});
    return made;
  };
  const filters = ["operation", "flow", "execution", "code"];
  async function read() {
    const given = Object.fromEntries(filters.map((name) => [name, query.get(name)]));
    const found = await get(at("calls", {...given, ...world, limit: "100"}));
    const newest = found.calls.reverse();
    keep(rows, newest, (row) => row.request_id, (row) => h("tr", null, h("td", null, moment(row.time)),
      h("td", null, h("a", {href: `#/calls/${encodeURIComponent(row.request_id)}`}, row.operation || "(none)")), h("td", {class: "name"}, about(row)),
      h("td", null, answer(row)), h("td", {class: "number"}, span(row.duration * 1000)), h("td", null, row.access_key_id),
      h("td", {class: "name"}, row.faults.length ? h("span", {class: "tag"}, `fault ${row.faults.join(", ")}`) : null, row.violations.length ? h("span", {class: "wrong"}, ` ${row.violations.length} violation${row.violations.length > 1 ? "s" : ""}`) : null, row.hint ? h("span", {class: "quiet"}, ` ${row.hint}`) : null)));
    shown.hidden = !newest.length;
    fill(note, newest.length ? `The newest ${newest.length}, newest first.` : null, found.dropped ? ` ${found.dropped} older ones are kept no longer.` : null);
    fill(hint, newest.length ? null : filters.some((name) => query.get(name)) ? empty("Nothing matches", "No call passes these filters.")
      : empty("No calls yet", "Point your client at this server, or make a call.", `cfmock call ListFlows --url ${location.origin}`));
  }
  return {title: "Calls", kinds: ["call"], read, node: h("div", null, h("h1", null, "Calls"), h("div", {class: "filters"}, box("operation", "Operation", "search"), box("flow", "Flow"), box("execution", "Execution"), box("code", "Error code")), note, shown, hint)};
}

/** @param {string} id @returns {import("./app.js").View} */
function call(id) {
  const node = h("div");
  let before = "";
  async function read() {
    const row = await get(`calls/${encodeURIComponent(id)}`);
    const look = JSON.stringify(row);
    if (look === before) return;
    before = look;
    const fault = () => {
      const words = new URLSearchParams({operation: row.operation, error: row.code ?? "ResourceThrottled"});
      const flow = row.parameters.FlowName;
      if (flow) words.set("flow", flow);
      if (row.parameters.ExecutionName) words.set("execution", row.parameters.ExecutionName);
      location.hash = `#/faults?${words}`;
    };
    fill(node, h("p", {class: "crumbs"}, h("a", {href: "#/calls"}, "Calls")),
      h("div", {class: "head"}, h("h1", null, row.operation || "(no operation)"), answer(row), h("span", {class: "actions"},
        button("Make a fault", fault), button("Copy as curl", async () => copy(curl(row, (await get("clock")).now))), button("Copy as Python", () => copy(python(row))))),
      row.code ? h("section", {class: "error"}, h("h2", null, row.code), h("p", null, row.message), row.hint ? h("p", null, row.hint) : null) : null,
      facts([["Time", moment(row.time)], ["Took", span(row.duration * 1000)], ["Key", row.access_key_id || "none"], ["Request id", h("code", null, row.request_id)], ["Nonce", row.nonce || "none"], ["Timestamp", row.timestamp || "none"],
        ["World", `${row.account || "default account"}, ${row.region}`], ["Faults", row.faults.join(", ") || "none"]]),
      row.signature ? signature(row.signature, row.parameters) : null,
      row.violations.length ? h("section", null, h("h2", null, "Violations"), h("ul", null, row.violations.map((/** @type {string} */ each) => h("li", null, each)))) : null,
      row.warnings.length ? h("section", null, h("h2", null, "Warnings"), h("ul", null, row.warnings.map((/** @type {string} */ each) => h("li", null, each)))) : null,
      block("Request as decoded", row.parameters), row.near_misses.length ? misses(row.near_misses) : null);
  }
  return {title: "Call", kinds: [], read, node};
}

/** What the server signed, beside what the call brought; the right signature is not known here. @param {any} found @param {Record<string, string>} parameters */
function signature(found, parameters) {
  const signed = found.canonical_query.split("&");
  const sent = Object.entries(parameters).filter(([name]) => name !== "Signature").map(([name, value]) => `${name}=${value}`).sort();
  return h("section", null, h("h2", null, "Signature"),
    h("p", {class: "wrong"}, h("b", null, found.likely_mistake ?? "No known mistake explains the difference.")),
    h("div", {class: "pair"}, h("div", null, block("What the server signed", found.string_to_sign, "none", 3), found.canonical_request ? block("Canonical request", found.canonical_request, "none", 3) : null),
      h("div", null, h("h3", null, "Its parameters, in order"), h("pre", {tabindex: "0", "aria-label": "Parameters in the order signed"}, signed.join("\n")), h("h3", null, "What the call brought"), h("pre", {tabindex: "0", "aria-label": "What the call brought"}, sent.join("\n")))));
}
