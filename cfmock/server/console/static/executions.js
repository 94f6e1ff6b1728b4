// Executions, newest first, and how to start one; and one whole: how it ended, its way through the flow, and who answered its tasks.

import {drawn, get, picture, refused, send} from "./api.js";
import {a, badge, between, block, button, chip, copy, empty, facts, field, fill, filter, form, h, keep, moment, nothing, notice, PANE, parsed, pretty, quiet, row, section, show, span, submit, table, tried, unpacked} from "./dom.js";
import {at, change, choose, here, holding, link, ofExecution, to, visit, worldName, worldOf} from "./places.js";
import {flowTest} from "./snippets.js";
import {timeline} from "./timeline.js";

/** What to do where there is no flow. */
export const NO_FLOWS = /** @type {const} */ (["Serve a folder with flow definitions, or create a flow with your client.", "cfmock init && cfmock serve fixtures/"]);

/** What one that goes on waits for; a time with its date where that is another than at the start. */
const waiting = ({waits, started}) => (waits ? [waits.state ? `${waits.state}: ` : "", {report: "waits for a callback", function: "waits for its function", retry: "waits for the next try at ", time: "waits until "}[waits.for],
  waits.for === "report" && waits.until ? " until " : "", waits.until ? moment(waits.until, waits.until.slice(0, 10) !== started.slice(0, 10)) : ""] : "");

const STATUSES = ["Running", "Succeeded", "Failed", "TimedOut", "Stopped", "Starting"];

/** @type {Make} */
export const executions = ({query}) => {
  const rows = h("tbody");
  const list = table("Executions", ["Status", "Execution", "Flow", "Started", "Took", "Error or wait"], rows);
  const [counts, below] = [h("div.counts", {role: "group", "aria-label": "Status"}), h("div")];
  const names = h("datalist", {id: "flow-names"});
  const flow = filter("flow", "Flow contains", "text");
  flow.setAttribute("list", "flow-names");
  flow.onfocus = async () => fill(names, ((await get("flows?limit=200")).flows).map((each) => h("option", {value: each.name})));
  const filters = h("div.filters", filter("prefix", "Name begins with"), flow, names, counts);

  return {
    title: "Executions", kinds: ["execution", "flow"],
    async load({query: asked, world}) {
      const found = await get(at("executions", {flow: holding(asked.get("flow")), status: asked.get("status"), prefix: asked.get("prefix"), ...world, limit: asked.get("limit") ?? "50"})).catch(refused({executions: [], counts: {}}));
      const [known] = found.executions.length ? [] : (await get(at("flows", {...world, limit: "1"}))).flows;
      return {...found, known};
    },
    draw(found, {query: asked}) {
      const status = asked.get("status") ?? "";
      const filtered = Boolean(asked.get("flow") || status || asked.get("prefix"));
      const all = Object.values(found.counts).reduce((sum, each) => sum + each, 0);
      show(counts, ["", ...STATUSES.filter((name) => found.counts[name] || name === status)].map((name) =>
        chip([name ? badge(name) : "All", asked.get("prefix") ? null : [" ", h("b", name ? found.counts[name] ?? 0 : all)]], name === status, {status: name === status ? "" : name}, name)));
      keep(rows, found.executions, (row) => [row.account, row.region, row.flow, row.name].join("/"), (one) => row(badge(one.status), h("span", a(ofExecution(one), one.name), one.parent ? h("small", "started by ", parent(one)) : null), a(link("flows", [one.flow], one), one.flow),
        moment(one.started), [one.stopped ? span(between(one.started, one.stopped)) : "–"], one.error ? h("span", h("b", one.error.code), " ", one.error.detail) : one.waits ? h("span", waiting(one)) : ""));
      show(below, found.executions.length ? null : filtered ? nothing(found.wrong ?? "No execution passes these filters.")
        : found.known ? empty("No executions yet", "Point your client at this server and start one, or start one here.", `cfmock call start_execution flow=${found.known.name} --url ${location.origin}`)
        : empty("No executions yet", ...NO_FLOWS),
      found.next && !asked.get("limit") ? h("p", button("Show more", () => change({limit: "500"}))) : found.next ? quiet("The newest are shown; filter for older ones.") : null,
      found.dropped ? quiet(`${found.dropped} that ended are kept no longer.`) : null);
    },
    node: h("div", h("div.head", h("h1", "Executions"), starter(query.get("flow") ?? "")), filters, list, below),
  };
};

/** The execution that started this one, and in which state. */
const parent = (row) => (row.parent ? h("span", a(ofExecution({...row, ...row.parent}), row.parent.name), ` in ${row.parent.state}`) : null);

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

/** Start one again with the input of another, as the next one of its name, so that what asks for its beginning matches. */
async function again(row) {
  const [name, first] = [row.name.replace(/:.*/, ""), row.name.replace(/(-\d+)?(:.*)?$/, "")];
  const found = await get(at("executions", {...worldOf(row), flow: row.flow, prefix: first, limit: "500"}));
  const taken = found.executions.map((each) => each.name);
  const stem = taken.includes(first) ? first : name;
  let number = 2;
  while (taken.includes(`${stem}-${number}`)) number++;
  const made = await send("POST", at("executions", worldOf(row)), {flow: row.flow, name: `${stem}-${number}`, input: row.input});
  visit(ofExecution(made));
  notice(`Started ${made.name}, a repeat of ${row.name}.`);
}

const EVENTS = 1000;

/** @type {Make} */
export const execution = ({parts, world}) => {
  const [, flow, name] = parts;
  const path = to("executions", flow, name);
  const node = h("div");
  /** What was read when it had ended: other executions' changes bring nothing more. @type {any} */
  let ended = null;
  /** The state that was chosen when this was drawn. @type {string | null} */
  let drawnFor = null;

  return {
    title: name, node, kinds: ["execution", "task", "clock"],
    async load() {
      const row = await get(at(path, world));
      if (ended && JSON.stringify(row) === JSON.stringify(ended.row)) return ended;
      const [history, graph, clock] = await Promise.all([get(at(`${path}/history`, {...world, limit: EVENTS})),
        picture(at(`${path}/graph.svg`, {...world, style: "outside"})).catch(() => ""), row.stopped ? null : get("clock")]);
      const found = {row, history, graph, end: row.stopped ?? clock.now};
      if (row.stopped) ended = found;
      return found;
    },
    draw({row, history, graph, end}, {query}) {
      const chosen = query.get("state") ?? "";
      show(node, head(row, end), error(row),
        h("div.pair", {"data-key": "values"}, block("Input", row.input), block("Output", row.output, 2, row.stopped ? "none" : "not yet: it has not ended")),
        h("div.split", {"data-key": "way"},
          h("div", section("Path", graph ? h("div", {...PANE, class: "graph", "aria-label": "Graph of the flow"}, marked(drawn(graph), flow, chosen)) : quiet("No picture.")),
            timeline(row, history, end, chosen)),
          h("aside", {"aria-label": "Answers and events"}, answers(row, history.events, chosen), eventList(history, chosen))));
      const side = /** @type {Element} */ (node.querySelector("aside"));
      if (chosen && drawnFor !== null && chosen !== drawnFor && side.getBoundingClientRect().top > innerHeight - 120) side.scrollIntoView();
      drawnFor = chosen;
    },
  };
};

/** A picture whose states can be selected; on a narrow page it shrinks, while it can be read. */
export function marked(svg, flow, chosen) {
  svg.setAttribute("aria-label", `Graph of ${flow}`);
  svg.setAttribute("role", "group");
  svg.style.minWidth = `${svg.width.baseVal.value * 0.6}px`;
  for (const each of /** @type {any} */ (svg.querySelectorAll("[data-state]"))) {
    const state = each.dataset.state;
    const press = (event) => {
      event.stopPropagation();
      choose(state);
    };
    each.onclick = press;
    each.onkeydown = (event) => { if (event.key === "Enter") press(event); };
    each.classList.toggle("chosen", state === chosen);
    each.setAttribute("tabindex", "0");
    const holds = each.querySelector("[data-state]"); // no button holds others
    each.setAttribute("role", holds ? "group" : "button");
    if (holds) each.setAttribute("aria-label", state);
    else each.setAttribute("aria-pressed", String(state === chosen));
  }
  return svg;
}

/** `end` is the moment up to which it took its time. */
function head(row, end) {
  const stop = at(to("executions", row.flow, row.name, "stop"), worldOf(row));
  const running = row.status === "Running" || row.status === "Starting";
  return h("div", {"data-key": "head"}, h("p.crumbs", a("#/executions", "Executions"), " / ", a(link("flows", [row.flow], row), row.flow)),
    h("div.head", h("h1", row.name), badge(row.status), row.waits ? h("span", waiting(row)) : null, h("span.actions",
      row.waiting.length ? button("Answer it…", () => { location.hash = at("#/waiting", row.waiting.length > 1 ? {q: row.name} : {task: row.waiting[0].token}); }, {"data-key": "reply"}) : null,
      running ? button("Stop", () => tried(send("POST", stop)), {"data-key": "stop"}) : null,
      button("Run again", () => tried(again(row)), {"data-key": "again"}), button("Copy as flow test", () => copy(flowTest(row), "Copied a flow test: put it into a fixture file and run cfmock test."), {"data-key": "copy"}))),
    facts([["Started", moment(row.started)], ["Ended", moment(row.stopped)], ["Took", `${span(between(row.started, end))}${row.stopped ? "" : " so far"}`],
      ["World", worldName(row)], ["Started by", parent(row)], ["Decided by", row.outcome ? row.outcome.name ?? "the definition: no outcome matched" : "the definition"]]));
}

const error = (row) => (row.error ? h("section.error", {"data-key": "error"}, h("h2", row.error.code), h("p", row.error.detail),
  row.because ? h("p", "because ", a(at(`#/${here().path}`, {...Object.fromEntries(here().query), state: row.because.state}), row.because.state), " ", row.because.why) : null,
  row.tasks.filter((each) => each.state === row.because?.state).slice(-1).map((each) => started(row, each))) : null);

/** What a task has started. */
const started = (row, task) => task.started.map((each) => h("p", {"data-key": each.name}, "started ", a(ofExecution({...row, ...each}), `${each.flow} / ${each.name}`), " ", badge(each.status ?? "none", each.status ?? "kept no longer")));

/** How long a try waited after the one before, in ms; 0: not at all, or not known. */
function waited(row, events, tried, state) {
  const time = (id) => events[id - 1]?.Time;
  for (const {tries} of row.timeline.filter((each) => each.state === state)) {
    const index = tries.findIndex((each) => time(each.from) === tried.at);
    if (index > 0) return between(time(tries[index - 1].to), tried.at);
  }
  return 0;
}

/** Who answered, why, and what did not match. */
function answers(row, events, chosen) {
  const tasks = row.tasks.filter((each) => !chosen || each.state === chosen);
  const waits = row.waiting.filter((each) => !chosen || each.state === chosen);
  return h("section", {"data-key": "answers"}, h("div.head", h("h2", chosen || "Tasks"), chosen ? button("All tasks", () => change({state: ""}, true), {class: "plain"}) : null),
    row.outcome?.why ? h("p", h("b", "Outcome: "), row.outcome.why) : null, row.outcome ? misses(row.outcome.near_misses) : null,
    tasks.map((task, index) => h("article.card", {"data-key": `${task.state} ${index}`},
      h("div.head", h("h3", task.state, " ", h("span.quiet", task.action ?? "")), a(at(`#/${to("flows", row.flow)}`, {...worldOf(row), state: task.state}), "Definition and mocks")),
      task.omitted ? quiet(`${task.omitted} earlier tries are left out.`) : null,
      task.tries.map((each, number) => answer(each, number + 1 + task.omitted, task, waited(row, events, each, task.state))),
      started(row, task))),
    tasks.length || chosen ? null : quiet("No task was called."),
    waits.length ? h("p", {"data-key": "waits"}, "waits for a callback: ", waits.map((each) => a(at("#/waiting", {task: each.token}), each.state, " "))) : null);
}

function answer(tried, number, task, wait) {
  const by = tried.answered_by ?? "nobody";
  return h("div.answer", {"data-key": String(number)}, wait ? quiet(`waited ${span(wait)} (retry)`) : null,
    h("p", task.tries.length + task.omitted > 1 ? [h("span.tag", `try ${number}`), " "] : null, h("span", {class: `tag by by-${by}`}, by), " ", moment(tried.at, false)),
    tried.why ? h("p.why", tried.why) : null,
    h("p.brief", "given ", h("code", JSON.stringify(tried.input))),
    tried.error ? h("p.wrong", h("b", tried.error.code), " ", tried.error.detail) : tried.result === null ? null : h("p.brief", "returned ", h("code", JSON.stringify(tried.result))),
    misses(tried.near_misses),
    h("details", h("summary", "Input and result"), block("Input", tried.input, 4), block("Result", tried.result, 4)));
}

/** What did not match: by one thing; what differed more is folded. @param {any[]} found */
export function misses(found) {
  if (!found.length) return null;
  const kinds = [...new Set(found.map((each) => `${each.kind}s`))].join(" and ");
  const title = `${kinds[0].toUpperCase()}${kinds.slice(1)} that did not match`;
  const near = found.filter((each) => each.differences.length === 1 && each.differences[0].path !== "when.operation");
  const others = found.filter((each) => !near.includes(each));
  const list = (some) => h("ul", some.map((each) => h("li", h("b", `${each.kind} ${each.name}`), " ", each.differences.map((one) => one.message).join("; "))));
  return h("div.misses", near.length ? [h("h4", title), list(near)] : null,
    others.length ? h("details", h("summary", `${near.length ? "Others" : title}: ${others.length}`), list(others)) : null);
}

function eventList({events, next}, chosen) {
  const rows = events.filter((each) => !chosen || each.StepName === chosen);
  return h("section", {"data-key": "events"}, h("h2", chosen ? `Events of ${chosen}` : "Events"),
    h("ol.events", rows.map((each) => h("li", {"data-key": String(each.EventId)}, h("details", null,
      h("summary", h("span.quiet", each.EventId), h("b", {class: /Failed|TimedOut|Aborted/.test(each.Type) ? "wrong" : null}, each.Type), h("span.quiet", each.StepName), moment(each.Time, false)),
      each.EventDetail && each.EventDetail !== "{}" ? h("pre", {tabindex: "0", "aria-label": `Detail of event ${each.EventId}`}, pretty(unpacked(each.EventDetail))) : quiet("It has no detail."),
      each.StepName && !chosen ? button(`Only ${each.StepName}`, () => choose(each.StepName), {class: "plain"}) : null)))),
    rows.length ? null : quiet("None."),
    next ? quiet(`The first ${events.length}; `, h("code", "cfmock call list_events"), " has the others.") : null);
}
