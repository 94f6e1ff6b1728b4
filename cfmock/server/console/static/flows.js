// The flows; and one whole: its definition with what was found in it, its graph, and all that belongs to it.

import {drawn, get, picture} from "./api.js";
import {a, badge, button, empty, facts, filter, h, keep, moment, nothing, PANE, quiet, row, section, show, table, words} from "./dom.js";
import {marked, NO_FLOWS, starter} from "./executions.js";
import {at, change, link, to, worldName} from "./places.js";

const MOST = 200;

/** Executions by status. */
const counted = (counts) => Object.entries(counts).map(([status, count]) => h("span.count", badge(status), " ", count));

/** @type {Make} */
export const flows = () => {
  const rows = h("tbody");
  const list = table("Flows", ["Flow", "Executions", "Coverage", "Mocks", "Outcomes", "Findings", "Mode", "World", "Description"], rows);
  const below = h("div");
  const filters = h("div.filters", filter("q", "Name contains"));
  return {
    title: "Flows", kinds: ["flow", "execution"],
    load: ({query, world}) => get(at("flows", {...world, after: query.get("after"), limit: MOST})),
    draw(found, {query}) {
      const text = query.get("q") ?? "";
      const shown = found.flows.filter((each) => each.name.includes(text));
      keep(rows, shown, (one) => [one.account, one.region, one.name].join("/"), (one) => row(a(link("flows", [one.name], one), one.name), h("span", counted(one.counts)), [`${one.coverage} %`], one.mocks, one.outcomes,
        one.findings ? [h("b.warm", one.findings)] : 0, one.execution_mode, h("span.count", worldName(one)), one.description));
      show(below, shown.length ? null : text ? nothing("No flow of this page has such a name.") : empty("No flows yet", ...NO_FLOWS),
        found.next ? h("p", a(at("#/flows", {...Object.fromEntries(query), after: found.next}), "Next page")) : null);
    },
    node: h("div", h("h1", "Flows"), filters, list, below),
  };
};

/** @type {Make} */
export const flow = ({parts, world}) => {
  const name = parts[1];
  const path = to("flows", name);
  const body = h("div");
  const node = h("div", h("p.crumbs", a("#/flows", "Flows")), h("div.head", h("h1", name), starter(name, world)), body);
  let seen = 0;
  return {
    title: name, node, kinds: ["flow", "execution"],
    async load() {
      const [row, graph] = await Promise.all([get(at(path, world)), picture(at(`${path}/graph.svg`, {...world, coverage: "true", style: "outside"})).catch(() => "")]);
      return {row, graph};
    },
    draw({row, graph}, {query}) {
      const chosen = query.get("state") ?? "";
      const state = /** @type {any[]} */ (row.outline).find((each) => each.name === chosen);
      const line = Number(query.get("line")) || state?.line || 0;
      show(body, row.description ? h("p", {"data-key": "description"}, row.description) : null,
        facts([["Type", row.type], ["Mode", row.execution_mode], ["Executions", Object.keys(row.counts).length ? a(at("#/executions", {...world, flow: `"${name}"`}), counted(row.counts)) : "none"],
          ["Coverage", `${row.coverage.percent} %`], ["Findings", row.findings.length || "none"], ["Created", moment(row.created)], ["Changed", moment(row.modified)], ["World", worldName(row)]]),
        h("div.split", {"data-key": "split"}, section("Definition", definition(row, line)),
          section("Graph", graph ? h("div", {...PANE, class: "graph", "aria-label": "Graph of the flow"}, marked(drawn(graph), name, chosen)) : quiet("It cannot be drawn."),
            missed(row.coverage.points))),
        rows("Mocks", ["Task", "No.", "When", "Does", "Hits"], row.mocks.map(({task, number, when, hits, ...does}) => [task, number, words(when) || "always", words(does), hits]), "No task is mocked."),
        rows("Outcomes", ["No.", "When", "Does", "Hits"], row.outcomes.map(({when, hits, ...does}, index) => [index + 1, words(when) || "always", words(does), hits]), "The definition is executed."),
        rows("Schedules", ["Name", "Cron", "Enabled", "Next", "Left out"], row.schedules.map((each) => [each.name, h("code", each.cron), each.enabled ? "yes" : "no", each.next ? moment(each.next) : "–", each.left_out])),
        rows("Versions", ["No.", "Description", "Created"], row.versions.map((each) => [each.version, each.description, moment(each.created)])),
        rows("Aliases", ["Name", "Routes", "Description"], row.aliases.map((each) => [each.name, each.routes.map((one) => `version ${one.version}: ${one.weight} %`).join(", "), each.description])));
      if (line !== seen) setTimeout(() => {
        const [code, there] = /** @type {HTMLElement[]} */ ([body.querySelector(".code"), body.querySelector(".here")]);
        if (there) code.scrollTop = there.offsetTop - code.offsetTop - 120;
      });
      seen = line;
    },
  };
};

const rows = (title, heads, found, none = "") => (found.length || none ? section(title, found.length
  ? table(title, heads, h("tbody", found.map((each) => row(...each)))) : quiet(none)) : null);

/** @param {any[]} points */
function missed(points) {
  const found = points.filter((each) => !each.hits);
  return found.length ? h("details", h("summary", `Not reached: ${found.length} of ${points.length}`),
    h("ul", found.map((each) => h("li", h("a", {href: "", onclick: (event) => { event.preventDefault(); change({line: String(each.line), state: ""}, true); }}, `line ${each.line}`), `: ${each.kind} ${each.label}`)))) : null;
}

/** The text with its lines' numbers; in the margin how often executions passed a line, and what was found in it. @param {number} chosen a line */
function definition(row, chosen) {
  if (!row.definition) return quiet("None was given: one Pass state.");
  /** @type {Map<number, number>} */
  const hits = new Map();
  for (const {line, hits: passed} of row.coverage.points) hits.set(line, Math.min(hits.get(line) ?? Infinity, passed));
  const lines = row.definition.replace(/\n$/, "").split("\n");
  return h("div", {...PANE, class: "code", "aria-label": "Definition"}, lines.map((text, index) => {
    const line = index + 1;
    const findings = row.findings.filter((each) => each.line === line || (line === 1 && !(each.line >= 1 && each.line <= lines.length)));
    const passed = hits.get(line);
    return h("div", {class: `row${line === chosen ? " here" : ""}${findings.length ? " found" : ""}`},
      h("span", {class: `margin ${passed === undefined ? "" : passed ? "passed" : "missed"}`, title: passed === undefined ? null : passed ? `passed ${passed} times` : "not passed"}, passed === undefined ? "" : passed ? `${passed}×` : "0×"),
      button(line, () => change({line: line === chosen ? "" : String(line), state: ""}, true), {class: "line", "aria-label": `Line ${line}`}),
      h("span.text", text || " "),
      findings.length ? h("span.findings", findings.map((each) => h("span", {class: `finding ${each.severity}`}, h("b", `${each.severity === "error" ? "✕" : "▲"} ${each.severity} ${each.code}`), ` ${each.message}`))) : null);
  }));
}
