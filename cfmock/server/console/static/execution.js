// One execution: how it ended, its way through the flow, and who answered its tasks.

import {at, get, picture, send} from "./api.js";
import {again} from "./executions.js";
import {badge, between, block, button, copy, facts, fill, h, moment, notice, pretty, span, table} from "./dom.js";
import {flowTest} from "./snippets.js";

/** @param {import("./app.js").Place} place @returns {import("./app.js").View} */
export function execution({parts, query}) {
  const [, flow, name] = parts;
  const world = {account: query.get("account"), region: query.get("region")};
  const path = `executions/${encodeURIComponent(flow)}/${encodeURIComponent(name)}`;
  const body = h("div");
  let before = "";
  let chosen = query.get("state") ?? "";
  /** @type {any} */
  let row = null;
  /** @type {any[]} */
  let events = [];
  /** @type {Element | null} */
  let graph = null;

  /** @param {string} state */
  function choose(state) {
    chosen = chosen === state ? "" : state;
    const [where, text] = location.hash.split("?");
    const words = new URLSearchParams(text);
    chosen ? words.set("state", chosen) : words.delete("state");
    history.replaceState(null, "", `${where}?${words}`);
    draw();
  }

  function draw() {
    const focus = document.activeElement?.getAttribute("data-focus");
    if (graph) mark(graph);
    fill(body, head(row, world),
      row.error ? h("section", {class: "error"}, h("h2", null, row.error.code), h("p", null, row.error.detail)) : null,
      h("div", {class: "pair"}, block("Input", row.input), block("Output", row.output, row.stopped ? "none" : "not yet: it has not ended")),
      h("div", {class: "split"},
        h("div", null, h("section", null, h("h2", null, "Path"), graph ? h("div", {class: "graph", tabindex: "0", role: "region", "aria-label": "Graph of the flow"}, graph) : h("p", {class: "quiet"}, "No picture.")), timeline(row, events, chosen, choose)),
        h("aside", {"aria-label": "Answers"}, answers(row, chosen), eventList(events, chosen))));
    if (focus) /** @type {any} */ (body.querySelector(`[data-focus="${CSS.escape(focus)}"]`))?.focus();
  }

  /** @param {Element} svg */
  function mark(svg) {
    for (const each of svg.querySelectorAll("[data-state]")) each.classList.toggle("chosen", each.getAttribute("data-state") === chosen);
  }

  async function read() {
    const found = await get(at(path, world));
    const [history, drawn] = await Promise.all([get(at(`${path}/history`, {...world, limit: "200"})),
      picture(at(`${path}/graph.svg`, {...world, style: "outside"})).catch(() => null)]);
    const look = JSON.stringify([found, history]);
    if (look === before) return;
    before = look;
    row = found;
    events = history.events;
    graph = drawn;
    if (drawn) {
      drawn.setAttribute("aria-label", `Graph of ${flow}`);
      drawn.addEventListener("click", (event) => {
        const state = /** @type {Element} */ (event.target).closest("[data-state]")?.getAttribute("data-state");
        if (state) choose(state);
      });
    }
    draw();
  }

  return {title: name, kinds: ["execution", "task"], read, node: body};
}

/** @param {any} row @param {Record<string, string | null>} world */
function head(row, world) {
  const path = at(`executions/${encodeURIComponent(row.flow)}/${encodeURIComponent(row.name)}/stop`, world);
  const running = row.status === "Running" || row.status === "Starting";
  return h("div", null, h("p", {class: "crumbs"}, h("a", {href: "#/executions"}, "Executions"), " / ", h("a", {href: at(`#/flows/${encodeURIComponent(row.flow)}`, world)}, row.flow)),
    h("div", {class: "head"}, h("h1", null, row.name), badge(row.status), h("span", {class: "actions"},
      running ? button("Stop", () => send("POST", path).catch((error) => notice(error.message, true))) : null,
      button("Run again", () => again(row)), button("Copy as flow test", () => copy(flowTest(row))))),
    facts([["Started", moment(row.started)], ["Ended", moment(row.stopped)], ["Took", row.stopped ? span(between(row.started, row.stopped)) : "–"],
      ["World", `${row.account || "default account"}, ${row.region}`], ["Outcome", row.outcome ? row.outcome.name ?? "none matched" : "the definition is executed"]]));
}

/** States, tries and waits, in modelled time. @param {any} row @param {any[]} events @param {string} chosen @param {(state: string) => void} choose */
function timeline(row, events, chosen, choose) {
  const passages = passagesOf(events);
  if (!passages.length) return h("section", null, h("h2", null, "Timeline"), h("p", {class: "quiet"}, "No state was entered: an outcome decided."));
  const tries = row.tasks.flatMap((/** @type {any} */ task) => task.tries.map((/** @type {any} */ each) => ({state: task.state, at: Date.parse(each.at)})));
  const end = row.stopped ? Date.parse(row.stopped) : Math.max(...events.map((each) => Date.parse(each.Time)));
  const times = [...new Set([Date.parse(row.started), ...passages.flatMap((each) => [each.from, each.to ?? end]), ...tries.map((/** @type {any} */ each) => each.at), end])].sort((a, b) => a - b);
  const {place, gaps} = scale(times);
  const rows = passages.slice(0, 200).map((each) => {
    const to = each.to ?? end;
    const bar = h("span", {class: `span p-${each.how}`});
    bar.style.left = `${place(each.from)}%`;
    bar.style.width = `${Math.max(0.6, place(to) - place(each.from))}%`;
    const dots = tries.filter((/** @type {any} */ one) => one.state === each.state && one.at >= each.from && one.at <= to).map((/** @type {any} */ one) => {
      const dot = h("span", {class: "try"});
      dot.style.left = `${place(one.at)}%`;
      return dot;
    });
    return h("li", null, h("button", {type: "button", class: "lane", "aria-pressed": String(each.state === chosen), "data-focus": `lane ${each.state}`, onclick: () => choose(each.state)},
      h("span", {class: "lane-name"}, each.state), h("span", {class: "track"}, bar, dots), h("span", {class: "lane-time"}, each.how === "running" ? "running" : span(to - each.from))));
  });
  return h("section", null, h("h2", null, "Timeline"), h("ol", {class: "lanes"}, rows),
    gaps.length ? h("p", {class: "quiet"}, `Long waits are shortened: ${gaps.map((each) => span(each)).join(", ")}.`) : null);
}

/** @param {any[]} events */
function passagesOf(events) {
  /** @type {{state: string, from: number, to: number | null, how: string}[]} */
  const found = [];
  for (const each of events) {
    const time = Date.parse(each.Time);
    if (each.Type.endsWith("Entered") && each.StepName) found.push({state: each.StepName, from: time, to: null, how: "running"});
    else if (/(Exited|Failed|Aborted|TimedOut|Succeeded)$/.test(each.Type)) {
      const one = found.findLast((passage) => passage.state === each.StepName && (passage.to === null || each.Type.endsWith("Exited")));
      if (one && (each.Type.startsWith("State") || each.Type.startsWith("Step"))) {
        one.to = time;
        if (one.how !== "failed") one.how = /Failed|TimedOut|Aborted/.test(each.Type) ? "failed" : "succeeded";
      }
    }
  }
  return found;
}

/** A scale on which a long wait takes no more than others. @param {number[]} times */
function scale(times) {
  const steps = times.slice(1).map((each, index) => each - times[index]);
  const sorted = [...steps].sort((a, b) => a - b);
  const most = Math.max(1, 6 * (sorted[Math.floor((sorted.length - 1) / 2)] ?? 1));
  const widths = steps.map((each) => Math.min(each, most));
  const total = widths.reduce((sum, each) => sum + each, 0) || 1;
  const starts = new Map([[times[0], 0]]);
  let sum = 0;
  widths.forEach((each, index) => starts.set(times[index + 1], ((sum += each) / total) * 100));
  return {place: (/** @type {number} */ time) => starts.get(time) ?? 0, gaps: steps.filter((each) => each > most)};
}

/** Who answered, why, and what nearly did. @param {any} row @param {string} chosen */
function answers(row, chosen) {
  const tasks = row.tasks.filter((/** @type {any} */ each) => !chosen || each.state === chosen);
  return h("section", null, h("h2", null, chosen ? `Answers to ${chosen}` : "Answers"),
    row.outcome?.why ? h("p", null, h("b", null, "Outcome: "), row.outcome.why) : null, row.outcome ? misses(row.outcome.near_misses) : null,
    tasks.length ? tasks.map((/** @type {any} */ task) => h("article", {class: "card"}, h("h3", null, task.state), h("p", {class: "quiet"}, task.action ?? ""),
      task.tries.map((/** @type {any} */ each, /** @type {number} */ index) => h("div", {class: "answer"},
        h("p", null, h("span", {class: "tag"}, `try ${index + 1 + task.omitted}`), " ", h("span", {class: `tag by-${each.answered_by}`}, each.answered_by ?? "nobody"), " ", moment(each.at, false)),
        each.why ? h("p", null, each.why) : null,
        each.error ? h("p", {class: "wrong"}, h("b", null, each.error.code), " ", each.error.detail) : null,
        misses(each.near_misses),
        h("details", null, h("summary", null, "Input and result"), block("Input", each.input, "none", 4), block("Result", each.result, "none", 4))))))
      : h("p", {class: "quiet"}, chosen ? "This state asked nobody." : "No task was asked."),
    row.waiting.length ? h("p", null, "It waits for a report: ", h("a", {href: "#/waiting"}, row.waiting.map((/** @type {any} */ each) => each.state).join(", "))) : null);
}

/** @param {any[]} found */
export function misses(found) {
  return found?.length ? h("details", {class: "misses", open: true}, h("summary", null, "What nearly did"), h("ul", null, found.map((each) => h("li", null, h("b", null, `${each.kind} ${each.name}`),
    h("ul", null, each.differences.map((/** @type {any} */ one) => h("li", null, one.message))))))) : null;
}

/** @param {any[]} events @param {string} chosen */
function eventList(events, chosen) {
  const rows = events.filter((each) => !chosen || each.StepName === chosen);
  const body = h("tbody", null, rows.map((each) => h("tr", null, h("td", {class: "number"}, each.EventId), h("td", null, each.Type), h("td", {class: "name"}, each.StepName), h("td", null, moment(each.Time, false)),
    h("td", null, each.EventDetail && each.EventDetail !== "{}" ? h("details", null, h("summary", {"aria-label": `Detail of event ${each.EventId}`}, "Detail"), h("pre", {tabindex: "0", "aria-label": `Detail of event ${each.EventId}`}, pretty(parsed(each.EventDetail)))) : ""))));
  return h("section", null, h("h2", null, chosen ? `Events of ${chosen}` : "Events"), table("Events", ["No.", "Type", "State", "Time", "Detail"], body),
    rows.length ? null : h("p", {class: "quiet"}, "None."));
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
