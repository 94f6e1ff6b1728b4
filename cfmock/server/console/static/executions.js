// The list of executions, newest first, and how to start one.

import {at, get, send} from "./api.js";
import {search} from "./app.js";
import {badge, between, button, empty, field, fill, h, keep, moment, notice, select, span, table} from "./dom.js";

const STATUSES = ["Running", "Succeeded", "Failed", "TimedOut", "Stopped", "Starting"];

/** The address of an execution. @param {any} row */
export const address = (row) => at(`#/executions/${encodeURIComponent(row.flow)}/${encodeURIComponent(row.execution ?? row.name)}`,
  {account: row.account, region: row.region});

/** @param {import("./app.js").Place} place @returns {import("./app.js").View} */
export function executions({query, world}) {
  const rows = h("tbody");
  const list = table("Executions", ["Status", "Execution", "Flow", "Started", "Took", "Error"], rows);
  const hint = h("div");
  const counts = h("p", {class: "counts"});
  const more = h("p", {class: "more"});
  const flow = query.get("flow") ?? "";
  const names = h("datalist", {id: "flow-names"});
  const prefix = h("input", {type: "search", "aria-label": "Name begins with", placeholder: "Name begins with", value: query.get("prefix") ?? "",
    oninput: () => later(() => search({prefix: prefix.value}))});
  const flowBox = h("input", {"aria-label": "Flow", placeholder: "Flow", list: "flow-names", value: flow, onchange: () => search({flow: flowBox.value.trim()})});
  const filters = h("div", {class: "filters"}, prefix, flowBox, names,
    select("Status", STATUSES, query.get("status") ?? "", (value) => search({status: value}), "any status"));
  let limit = 50;

  async function read() {
    const asked = {flow, status: query.get("status"), prefix: query.get("prefix"), ...world};
    const [found, known] = await Promise.all([get(at("executions", {...asked, limit: String(limit)})), get(at("flows", {...world, limit: "200"}))]);
    fill(names, known.flows.map((/** @type {any} */ each) => h("option", {value: each.name})));
    const all = /** @type {Record<string, number>} */ ({});
    for (const each of known.flows) if (!flow || each.name === flow) for (const [status, count] of Object.entries(each.counts)) all[status] = (all[status] ?? 0) + Number(count);
    fill(counts, Object.entries(all).map(([status, count]) => h("span", null, badge(status), " ", h("b", null, count))), found.dropped ? h("span", {class: "quiet"}, `${found.dropped} ended ones kept no longer`) : null);
    keep(rows, found.executions, (row) => [row.account, row.region, row.flow, row.name].join("/"), (row) => h("tr", null,
      h("td", null, badge(row.status)), h("td", {class: "name"}, h("a", {href: address(row)}, row.name)), h("td", {class: "name"}, row.flow),
      h("td", null, moment(row.started)), h("td", {class: "number"}, row.stopped ? span(between(row.started, row.stopped)) : "–"),
      h("td", {class: "name"}, row.error ? h("span", null, h("b", null, row.error.code), " ", row.error.detail) : "")));
    list.hidden = !found.executions.length;
    const filtered = flow || asked.status || asked.prefix;
    fill(hint, found.executions.length ? null : filtered ? empty("Nothing matches", "No execution passes these filters.")
      : empty("No executions yet", "Point your client at this server and start one, or start one here.", "cfmock call StartExecution FlowName=order_flow"));
    fill(more, found.next && limit < 200 ? button("Show more", () => { limit = 200; void read(); }) : found.next ? h("span", {class: "quiet"}, "The newest 200 are shown; filter for older ones.") : null);
  }

  return {
    title: "Executions", kinds: ["execution", "flow"], read,
    node: h("div", null, h("div", {class: "head"}, h("h1", null, "Executions"), starter(flow)), counts, filters, list, hint, more),
  };
}

/** @type {number | undefined} */
let timer;
/** @param {() => void} act */
export function later(act) {
  clearTimeout(timer);
  timer = setTimeout(act, 250);
}

/** A form that starts an execution. @param {string} flow */
export function starter(flow) {
  const name = h("input", {value: flow, required: true, list: "flow-names", autocomplete: "off"});
  const called = h("input", {autocomplete: "off"});
  const input = h("textarea", {rows: "4", spellcheck: "false", value: "{}"});
  const wrong = h("p", {class: "wrong", role: "alert"});
  return h("details", {class: "drop"}, h("summary", null, "Start an execution"),
    h("form", {onsubmit: async (/** @type {Event} */ event) => {
      event.preventDefault();
      fill(wrong);
      try {
        const made = await send("POST", "executions", {flow: name.value, name: called.value || null, input: input.value.trim() ? JSON.parse(input.value) : null});
        location.hash = address(made);
      } catch (error) {
        fill(wrong, error instanceof SyntaxError ? `The input is not JSON: ${error.message}` : String(/** @type {Error} */ (error).message));
      }
    }}, field("Flow", name), field("Name", called, "Empty: one is made up."), field("Input", input, "A JSON object."), wrong,
    h("button", {type: "submit", class: "main"}, "Start")));
}

/** Start one again with the input of another. @param {any} row */
export async function again(row) {
  try {
    const made = await send("POST", at("executions", {account: row.account, region: row.region}), {flow: row.flow, name: null, input: row.input});
    location.hash = address(made);
  } catch (error) {
    notice(/** @type {Error} */ (error).message, true);
  }
}
