// What clients called, as it comes in; and one call whole: the request as decoded, the answer, and what there is to say about them.

import {get, refused} from "./api.js";
import {sideBySide} from "./compare.js";
import {a, badge, block, button, chip, copy, empty, facts, filter, h, keep, moment, nothing, pretty, quiet, row, section, show, span, table, unpacked} from "./dom.js";
import {misses} from "./executions.js";
import {at, holding, link, ofExecution, to, worldName} from "./places.js";
import {curl, python} from "./snippets.js";

/** How a call was answered. */
const answered = (row) => (row.code ? badge("Failed", `${row.status} ${row.code}`) : row.status ? badge("Succeeded", `${row.status} OK`) : badge("Stopped", row.transport ?? "no answer"));

/** What a call is about. */
function about(row) {
  const {FlowName: flow = /Flow$/.test(row.operation) ? row.parameters.Name : "", ExecutionName: execution, ScheduleName: schedule} = row.parameters;
  const text = [flow, execution ?? schedule].filter(Boolean).join(" / ");
  return flow && row.status === 200 ? a(execution ? ofExecution({...row, flow, execution}) : link("flows", [flow], row), text) : text;
}

const FILTERS = {operation: "Operation", flow: "Flow", execution: "Execution", code: "Error code", request_id: "Request id"};
const ANSWERS = /** @type {const} */ ([["All", "", ""], ["OK", "200", ""], ["Errors", "", "*"]]);
const NAMES = Object.keys(FILTERS);

/** @type {Make} */
export const calls = () => {
  const rows = h("tbody");
  const list = table("Calls", ["Time", "Operation", "Answer", "About", "Took", "Key", "Noted"], rows);
  const [note, below, chips] = [h("p.counts.quiet"), h("div"), h("div.counts")];
  const filters = h("div.filters", Object.entries(FILTERS).map(([name, label]) => filter(name, label, name === "operation" ? "search" : "text")), chips);
  return {
    title: "Calls", kinds: ["call"],
    load: ({query, world}) => get(at("calls", {...Object.fromEntries(NAMES.map((name) => [name, name === "request_id" ? query.get(name) : holding(query.get(name))])), status: query.get("status"), ...world, after: query.get("after"), limit: "100"})).catch(refused({calls: []})),
    draw(found, {query}) {
      show(chips, ANSWERS.map(([text, status, code]) => chip(text, status === (query.get("status") ?? "") && code === (query.get("code") ?? ""), {status, code}, text)));
      const newest = found.calls.reverse();
      keep(rows, newest, (one) => one.request_id, (one) => row(moment(one.time, false), a(link("calls", [one.request_id]), one.operation || "(none)"), answered(one), about(one), [span(one.duration * 1000)], one.access_key_id,
        h("span", one.faults.map((each) => [h("span.tag", `fault ${each}`), " "]), one.violations.length ? h("span.wrong", `${one.violations.length} violation${one.violations.length > 1 ? "s" : ""} `) : null, one.code ? h("span.quiet", one.message, one.hint ? ` · ${one.hint}` : "") : null)));
      show(note, newest.length ? `${query.get("after") ? "Older ones" : `The newest ${newest.length}`}, newest first.` : null, found.dropped ? ` ${found.dropped} older ones are kept no longer.` : null);
      show(below, found.next ? h("p", a(at("#/calls", {...Object.fromEntries(query), after: found.next}), "Older calls")) : null, newest.length ? null : found.wrong || ["status", ...NAMES].some((name) => query.get(name)) ? nothing(found.wrong ?? "No call passes these filters.")
        : empty("No calls yet", "Point your client at this server, or make a call.", `cfmock call ListFlows --url ${location.origin}`));
    },
    node: h("div", h("h1", "Calls"), filters, note, list, below),
  };
};

/** @type {Make} */
export const call = ({parts}) => {
  const node = h("div");
  return {
    title: "Call", node, kinds: [],
    load: () => get(to("calls", parts[1])),
    draw(row) {
      const told = row.signature ? "Copied: signed correctly, so it is not the refused request itself." : undefined;
      show(node, h("p.crumbs", a("#/calls", "Calls")),
        h("div.head", h("h1", row.operation || "(no operation)"), answered(row), h("span.actions",
          button("Make a fault", () => { location.hash = fault(row); }), button("Copy as curl", () => copy(curl(row), told)), button("Copy as Python", () => copy(python(row), told)))),
        facts(known(row)),
        row.code ? h("section.error", h("h2", row.code), row.signature ? h("p", h("b", mistake(row))) : null, h("p", row.message), row.hint && !row.signature ? h("p", row.hint) : null) : null,
        row.signature ? signature(row.signature) : null,
        h("div.pair", request(row.parameters), block(answerName(row), answer(row))),
        list("Violations", row.violations), list("Warnings", row.warnings),
        row.near_misses.length ? section("Mocks, outcomes and faults", misses(row.near_misses)) : null);
    },
  };
};

const known = (row) => [["Time", moment(row.time)], ["Took", span(row.duration * 1000)], ["Delayed by", row.delay ? span(row.delay * 1000) : null],
  ["Retry after", row.retry_after ? span(row.retry_after * 1000) : null], ["Key", row.access_key_id || "none"], ["Request id", h("code", row.request_id)],
  ["Nonce", h("code", row.nonce || "none")], ["Timestamp the client sent", row.timestamp || "none"], ["World", worldName(row)], ["Faults", row.faults.join(", ") || null],
  ["Execution", !row.code && row.parameters.ExecutionName && row.parameters.FlowName
    ? a(ofExecution({...row, flow: row.parameters.FlowName, name: row.parameters.ExecutionName}), row.parameters.ExecutionName) : null]];

/** Where a fault for calls like this one is made; a name of nothing is left out. */
const fault = ({operation, code, parameters: {FlowName: flow, ExecutionName: execution}}) => at("#/faults", {operation, flow: code === "FlowNotExists" ? null : flow,
  execution: /^Start/.test(operation) || /^(Flow|Execution)NotExists$/.test(code) ? null : execution, error: code ?? "ResourceThrottled", times: "1"});

/** @param {Record<string, string>} parameters */
function request(parameters) {
  const rows = Object.entries(parameters);
  return h("section.block", h("h2", "Request as decoded"), rows.length
    ? h("dl.values", {tabindex: "0", "aria-label": "Request as decoded"}, rows.map(([name, value]) => h("div", h("dt", name), h("dd", value === "" ? h("span.quiet", "empty") : pretty(unpacked(value))))))
    : quiet("It has no parameters."));
}

const answerName = (row) => (row.answer && row.answer_bytes > new TextEncoder().encode(row.answer).length ? `Answer: the beginning of ${row.answer_bytes} bytes` : "Answer");

const answer = (row) => (row.code ? {Code: row.code, Message: row.message, RequestId: row.request_id} : row.answer !== null ? unpacked(row.answer) : row.status ? `HTTP ${row.status}` : `No answer was sent: ${row.transport ?? "the client left"}`);

const list = (title, lines) => (lines.length ? section(title, h("ul", lines.map((each) => h("li", each)))) : null);

/** Why a signature was refused, in words. */
function mistake({signature, hint}) {
  const words = signature.likely_mistake ?? `No known mistake explains the difference${hint ? `; ${hint}` : ""}.`;
  return words[0].toUpperCase() + words.slice(1);
}

/** What the server signed and, where a known mistake explains it, what the client signed. The right signature is not known here. */
function signature(found) {
  const [server, client] = found.client_canonical_request && found.client_canonical_request !== found.canonical_request
    ? [found.canonical_request, found.client_canonical_request] : [found.string_to_sign, found.client_string_to_sign];
  return section("Signature",
    client === null ? [block("What the server signed", server, 3), found.canonical_request ? block("Canonical request", found.canonical_request, 3) : null]
      : client === server ? [h("p", "Both signed the same text; the mistake is in how it was signed."), block("What both signed", server, 3)]
      : sideBySide("What the server signed", server, "What the client signed", client));
}
