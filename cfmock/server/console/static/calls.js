// What clients called, as it comes in.

import {get, refused} from "./api.js";
import {a, badge, empty, filter, h, keep, map, moment, row, show, span, table} from "./dom.js";
import {at, link} from "./places.js";

/** How a call was answered. @param {any} row */
export const answered = (row) => (row.code ? badge("Failed", `${row.status} ${row.code}`) : row.status ? badge("Succeeded", `${row.status} OK`) : badge("Stopped", row.transport ?? "no answer"));

/** What a call is about. @param {any} row */
const about = (row) => [row.parameters.FlowName ?? (/Flow$/.test(row.operation) ? row.parameters.Name : undefined), row.parameters.ExecutionName ?? row.parameters.ScheduleName].filter(Boolean).join(" / ");

const FILTERS = {operation: "Operation", flow: "Flow", execution: "Execution", code: "Error code", request_id: "Request id"};
const NAMES = Object.keys(FILTERS);

/** A glob for what holds a text, unless that is one. @param {string} text */
const holding = (text) => (!text || /[*?[]/.test(text) ? text : `*${text}*`);

/** @type {Make} */
export const calls = () => {
  const rows = h("tbody");
  const list = table("Calls", ["Time", "Operation", "About", "Answer", "Took", "Key", "Noted"], rows);
  const [note, below] = [h("p.counts.quiet"), h("div")];
  const filters = h("div.filters", Object.entries(FILTERS).map(([name, label]) => filter(name, label, name === "operation" ? "search" : "text")));
  return {
    title: "Calls", kinds: ["call"],
    load: ({query, world}) => get(at("calls", {...Object.fromEntries(NAMES.map((name) => [name, name === "request_id" ? query.get(name) : holding(query.get(name) ?? "")])), ...world, after: query.get("after"), limit: "100"})).catch(refused({calls: []})),
    draw(found, {query}) {
      const newest = found.calls.reverse();
      keep(rows, newest, (one) => one.request_id, (one) => row(moment(one.time), a(link("calls", [one.request_id]), one.operation || "(none)"), about(one), answered(one), [span(one.duration * 1000)], one.access_key_id,
        h("span", map(one.faults, (each) => [h("span.tag", `fault ${each}`), " "]), one.violations.length ? h("span.wrong", `${one.violations.length} violation${one.violations.length > 1 ? "s" : ""} `) : null, one.code ? h("span.quiet", one.message, one.hint ? ` · ${one.hint}` : "") : null)));
      show(note, newest.length ? `${query.get("after") ? "Older ones" : `The newest ${newest.length}`}, newest first.` : null, found.dropped ? ` ${found.dropped} older ones are kept no longer.` : null);
      show(below, found.next ? h("p", a(at("#/calls", {...Object.fromEntries(query), after: found.next}), "Older calls")) : null, newest.length ? null : found.wrong || NAMES.some((name) => query.get(name)) ? empty("Nothing matches", found.wrong ?? "No call passes these filters.")
        : empty("No calls yet", "Point your client at this server, or make a call.", `cfmock call ListFlows --url ${location.origin}`));
    },
    node: h("div", h("h1", "Calls"), filters, note, list, below),
  };
};
