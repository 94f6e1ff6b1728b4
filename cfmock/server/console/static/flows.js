// The list of flows.

import {get} from "./api.js";
import {a, badge, empty, filter, h, keep, row, show, table} from "./dom.js";
import {NO_FLOWS} from "./executions.js";
import {at, link} from "./places.js";

const MOST = 200;

/** Executions by status. @param {any} counts */
export const counted = (counts) => Object.entries(counts).map(([status, count]) => h("span.count", badge(status), " ", count));

/** @type {Make} */
export const flows = () => {
  const rows = h("tbody");
  const list = table("Flows", ["Flow", "Executions", "Mocks", "Outcomes", "Findings", "Mode", "Region", "Description"], rows);
  const below = h("div");
  const filters = h("div.filters", filter("q", "Name holds"));
  return {
    title: "Flows", kinds: ["flow", "execution"],
    load: ({query, world}) => get(at("flows", {...world, after: query.get("after"), limit: MOST})),
    draw(found, {query}) {
      const text = query.get("q") ?? "";
      const shown = /** @type {any[]} */ (found.flows).filter((each) => each.name.includes(text));
      keep(rows, shown, (one) => [one.account, one.region, one.name].join("/"), (one) => row(a(link("flows", [one.name], one), one.name), h("span", counted(one.counts)), one.mocks, one.outcomes,
        one.findings ? [h("b.warm", one.findings)] : 0, one.execution_mode, [one.account, one.region].filter(Boolean).join(", "), one.description));
      show(below, shown.length ? null : text ? empty("Nothing matches", "No flow of this page has such a name.") : empty("No flows yet", ...NO_FLOWS),
        found.next ? h("p", a(at("#/flows", {...Object.fromEntries(query), after: found.next}), "Next page")) : null);
    },
    node: h("div", h("h1", "Flows"), filters, list, below),
  };
};
