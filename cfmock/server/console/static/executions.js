// The list of executions, newest first, and how to start one.

import {get, refused, send} from "./api.js";
import {a, badge, between, button, empty, field, fill, filter, form, h, keep, map, moment, parsed, quiet, row, show, span, submit, table} from "./dom.js";
import {at, change, here, link, ofExecution, worldOf} from "./places.js";

/** What to do where there is no flow. */
export const NO_FLOWS = /** @type {const} */ (["Serve a folder with flow definitions, or create a flow with your client.", "cfmock init && cfmock serve fixtures/"]);

const STATUSES = ["Running", "Succeeded", "Failed", "TimedOut", "Stopped", "Starting"];

/** @type {Make} */
export const executions = ({query}) => {
  const rows = h("tbody");
  const list = table("Executions", ["Status", "Execution", "Flow", "Started", "Took", "Error"], rows);
  const [counts, below] = [h("div.counts", {role: "group", "aria-label": "Status"}), h("div")];
  const names = h("datalist", {id: "flow-names"});
  const flow = filter("flow", "Flow", "text");
  flow.setAttribute("list", "flow-names");
  flow.onfocus = async () => fill(names, map((await get("flows?limit=200")).flows, (each) => h("option", {value: each.name})));
  const filters = h("div.filters", filter("prefix", "Name begins with"), flow, names, counts);

  return {
    title: "Executions", kinds: ["execution", "flow"],
    async load({query: asked, world}) {
      const found = await get(at("executions", {flow: asked.get("flow"), status: asked.get("status"), prefix: asked.get("prefix"), ...world, limit: asked.get("limit") ?? "50"})).catch(refused({executions: [], counts: {}}));
      const [known] = found.executions.length ? [] : (await get(at("flows", {...world, limit: "1"}))).flows;
      return {...found, known};
    },
    draw(found, {query: asked}) {
      const status = asked.get("status") ?? "";
      const filtered = Boolean(asked.get("flow") || status || asked.get("prefix"));
      const all = Object.values(found.counts).reduce((sum, each) => sum + each, 0);
      show(counts, ["", ...STATUSES.filter((name) => found.counts[name] || name === status)].map((name) =>
        h("button", {type: "button", class: "chip", "data-key": name || "all", "aria-pressed": String(name === status), onclick: () => change({status: name === status ? "" : name}, true)},
          name ? badge(name) : "All", " ", h("b", name ? found.counts[name] ?? 0 : all))));
      keep(rows, found.executions, (row) => [row.account, row.region, row.flow, row.name].join("/"), (one) => row(badge(one.status), a(ofExecution(one), one.name), a(link("flows", [one.flow], one), one.flow),
        moment(one.started), [one.stopped ? span(between(one.started, one.stopped)) : "–"], one.error ? h("span", h("b", one.error.code), " ", one.error.detail) : ""));
      show(below, found.executions.length ? null : filtered ? empty("Nothing matches", found.wrong ?? "No execution passes these filters.")
        : found.known ? empty("No executions yet", "Point your client at this server and start one, or start one here.", `cfmock call StartExecution FlowName=${found.known.name} --url ${location.origin}`)
        : empty("No executions yet", ...NO_FLOWS),
      found.next && !asked.get("limit") ? h("p", button("Show more", () => change({limit: "500"}))) : found.next ? quiet("The newest are shown; filter for older ones.") : null,
      found.dropped ? quiet(`${found.dropped} that ended are kept no longer.`) : null);
    },
    node: h("div", h("div.head", h("h1", "Executions"), starter(query.get("flow") ?? "")), filters, list, below),
  };
};

/** A form that starts an execution. @param {string} flow @param {any} [row] a thing of the world to start it in */
export function starter(flow, row) {
  const name = h("input", {value: flow, required: true, list: "flow-names", autocomplete: "off"});
  const called = h("input", {autocomplete: "off"});
  const input = h("textarea", {rows: "4", spellcheck: "false", value: "{}"});
  return h("details.drop.start", h("summary", "Start an execution"), form(async () => {
    const made = await send("POST", at("executions", worldOf(row ?? here().world)), {flow: name.value, name: called.value || null, input: parsed(input.value, "input")});
    location.hash = ofExecution(made);
  }, field("Flow", name), field("Name", called, "Empty: one is made up."), field("Input", input, "A JSON object."), submit("Start")));
}

/** Start one again with the input of another, as the next one of its name, so that what asks for its beginning matches. @param {any} row */
export async function again(row) {
  const [name, first] = [row.name.replace(/:.*/, ""), row.name.replace(/(-\d+)?(:.*)?$/, "")];
  const found = await get(at("executions", {...worldOf(row), flow: row.flow, prefix: first, limit: "500"}));
  const taken = map(found.executions, (each) => each.name);
  const stem = taken.includes(first) ? first : name;
  let number = 2;
  while (taken.includes(`${stem}-${number}`)) number++;
  location.hash = ofExecution(await send("POST", at("executions", worldOf(row)), {flow: row.flow, name: `${stem}-${number}`, input: row.input}));
}
