// The flows, and one of them whole.

import {at, get, picture} from "./api.js";
import {starter} from "./executions.js";
import {badge, empty, facts, fill, h, keep, moment, table} from "./dom.js";

/** @param {import("./app.js").Place} place @returns {import("./app.js").View} */
export function flows(place) {
  return place.parts[1] ? flow(place) : list(place);
}

/** @param {any} counts */
const told = (counts) => Object.entries(counts).map(([status, count]) => h("span", null, badge(status), " ", count, " "));

/** @param {import("./app.js").Place} place @returns {import("./app.js").View} */
function list({world}) {
  const rows = h("tbody");
  const shown = table("Flows", ["Flow", "Executions", "Mocks", "Outcomes", "Findings", "Mode", "Region", "Description"], rows);
  const hint = h("div");
  async function read() {
    const found = await get(at("flows", {...world, limit: "200"}));
    keep(rows, found.flows, (row) => [row.account, row.region, row.name].join("/"), (row) => h("tr", null,
      h("td", {class: "name"}, h("a", {href: at(`#/flows/${encodeURIComponent(row.name)}`, {account: row.account, region: row.region})}, row.name)), h("td", {class: "name"}, told(row.counts)),
      h("td", {class: "number"}, row.mocks), h("td", {class: "number"}, row.outcomes), h("td", {class: "number"}, row.findings), h("td", null, row.execution_mode), h("td", null, row.region), h("td", {class: "name"}, row.description)));
    shown.hidden = !found.flows.length;
    fill(hint, found.flows.length ? found.next ? h("p", {class: "quiet"}, "The first 200 are shown.") : null : empty("No flows yet", "Serve a folder with flow definitions, or create a flow with your client.", "cfmock init && cfmock serve fixtures/"));
  }
  return {title: "Flows", kinds: ["flow", "execution"], read, node: h("div", null, h("h1", null, "Flows"), shown, hint)};
}

/** @param {import("./app.js").Place} place @returns {import("./app.js").View} */
function flow({parts, query}) {
  const name = parts[1];
  const world = {account: query.get("account"), region: query.get("region")};
  const node = h("div");
  const head = h("div", {class: "head"}, h("h1", null, name), starter(name));
  const body = h("div");
  node.append(h("p", {class: "crumbs"}, h("a", {href: "#/flows"}, "Flows")), head, body);
  let before = "";
  async function read() {
    const path = `flows/${encodeURIComponent(name)}`;
    const row = await get(at(path, world));
    const look = JSON.stringify(row);
    if (look === before) return;
    const drawn = await picture(at(`${path}/graph.svg`, {...world, style: "outside"})).catch(() => null);
    before = look;
    fill(body, row.description ? h("p", null, row.description) : null,
      facts([["Type", row.type], ["Mode", row.execution_mode], ["Executions", h("a", {href: at("#/executions", {flow: name})}, told(row.counts).length ? told(row.counts) : "none")], ["Coverage", `${row.coverage.percent} %`], ["Created", moment(row.created)], ["Changed", moment(row.modified)], ["World", `${row.account || "default account"}, ${row.region}`]]),
      h("div", {class: "split"}, h("section", null, h("h2", null, "Definition"), definition(row.definition, row.findings)),
        h("div", null, h("section", null, h("h2", null, "Graph"), drawn ? h("div", {class: "graph", tabindex: "0", role: "region", "aria-label": "Graph of the flow"}, drawn) : h("p", {class: "quiet"}, "It cannot be drawn.")),
          coverage(row.coverage.points))),
      section("Mocks", ["Task", "No.", "When", "Does", "Hits"], row.mocks.map((/** @type {any} */ {task, number, when, hits, ...rest}) => [task, number, JSON.stringify(when), JSON.stringify(rest), hits]), "No task is mocked."),
      section("Outcomes", ["When", "Does", "Hits"], row.outcomes.map((/** @type {any} */ {when, hits, ...rest}) => [JSON.stringify(when), JSON.stringify(rest), hits]), "The definition is executed."),
      section("Schedules", ["Name", "Cron", "Enabled", "Next", "Left out"], row.schedules.map((/** @type {any} */ each) => [each.name, each.cron, each.enabled ? "yes" : "no", each.next ? moment(each.next) : "–", each.left_out]), "None."),
      section("Versions", ["Version", "Description", "Created"], row.versions.map((/** @type {any} */ each) => [each.version, each.description, moment(each.created)]), "None is published."),
      section("Aliases", ["Name", "Routes", "Description"], row.aliases.map((/** @type {any} */ each) => [each.name, each.routes.map((/** @type {any} */ one) => `${one.version}: ${one.weight} %`).join(", "), each.description]), "None."));
  }
  return {title: name, kinds: ["flow", "execution"], read, node};
}

/** @param {string} title @param {string[]} heads @param {any[][]} rows @param {string} none */
function section(title, heads, rows, none) {
  return h("section", null, h("h2", null, title), rows.length ? table(title, heads, h("tbody", null, rows.map((row) => h("tr", null, row.map((each) => h("td", {class: typeof each === "number" ? "number" : "name"}, each)))))) : h("p", {class: "quiet"}, none));
}

/** @param {any[]} points */
function coverage(points) {
  const missed = points.filter((each) => !each.hits);
  return missed.length ? h("details", null, h("summary", null, `Not reached: ${missed.length} of ${points.length}`), h("ul", null, missed.map((each) => h("li", null, `line ${each.line}: ${each.kind} ${each.label}`)))) : null;
}

/** The text with the numbers of its lines, and what was found under the line it was found in. @param {string} text @param {any[]} findings */
function definition(text, findings) {
  if (!text) return h("p", {class: "quiet"}, "None was given: one Pass state.");
  return h("div", {class: "code", tabindex: "0", role: "region", "aria-label": "Definition"}, text.replace(/\n$/, "").split("\n").flatMap((line, index) => [
    h("span", {class: "line"}, index + 1), h("span", null, line || " "),
    ...findings.filter((each) => each.line === index + 1).map((each) => h("span", {class: "finding"}, `${each.severity} ${each.code}: ${each.message}`)),
  ]));
}
