// The last error matrix: what a client did about each error and each broken connection.

import {badge, button, copy, h, map, moment, quiet, row, section, span, table} from "./dom.js";

/** @param {any} row */
const verdict = (row) => (!row.seen ? badge("none", "not met") : row.timed_out ? badge("TimedOut", "timed out") : row.recovered ? badge("Succeeded", "recovered") : badge("Failed", "failed"));

/** @param {any} row */
const retried = (row) => (row.spacing.length ? `${row.spacing.length} (${map(row.spacing, (each) => span(each * 1000)).join(", ")})` : "none");

/** @param {any} contract null: there is none */
export function matrix(contract) {
  if (!contract) {
    const command = `cfmock contract fixtures/ --show ${location.origin} -- python client.py`;
    return section("Error matrix", quiet("What a client does about each error and each broken connection. There is none yet; this command makes one and shows it here:"),
      h("div.command", h("code", command), button("Copy", () => copy(command))));
  }
  /** @type {Map<string, any>} */
  const found = new Map(map(contract.cases, (row) => [`${row.operation} ${row.code ?? row.transport}`, row]));
  const operations = [...new Set(map(contract.cases, (row) => row.operation))];
  const faults = [...new Set([...contract.cases].sort((a, b) => Number(a.code === null) - Number(b.code === null)).map((row) => row.code ?? row.transport))];
  /** @param {any} row */
  const cell = (row) => (row ? [verdict(row), row.spacing.length ? h("span.quiet", ` after ${row.spacing.length} ${row.spacing.length === 1 ? "retry" : "retries"}`) : null] : "");
  return section("Error matrix", h("p", h("code", contract.command || "a client"), ", ", moment(contract.time)),
    table("Error matrix", ["Fault", ...operations], h("tbody", faults.map((fault) => h("tr", {"data-key": fault}, h("th", {scope: "row"}, fault), operations.map((each) => h("td", cell(found.get(`${each} ${fault}`)))))))),
    h("details", h("summary", `All ${contract.cases.length} cases`), table("Cases", ["Operation", "Fault", "Result", "Exit", "Calls", "Retries", "Took", "Said"], h("tbody", map(contract.cases, (one) => row(one.operation, one.code ?? one.transport, verdict(one), one.exit, one.calls, retried(one), [one.seconds === null ? "–" : span(one.seconds * 1000)],
      h("span", map(one.violations, (each) => h("span.wrong", `violation: ${each} `)), h("code", one.said))))))));
}
