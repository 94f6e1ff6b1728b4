// The tasks that wait for a report, and forms to give it.

import {get, send} from "./api.js";
import {empty, field, filter, follows, form, h, keep, moment, notice, parsed, quiet, show, submit} from "./dom.js";
import {at, ofExecution, to, worldOf} from "./places.js";

const MOST = 100;

/** @returns {import("./app.js").View} */
export function waiting() {
  const [list, below] = [h("div"), h("div")];
  const filters = h("div", {class: "filters"}, filter("q", "State, execution or flow"));
  return {
    title: "Waiting", kinds: ["task", "execution"],
    load: ({world}) => get(at("tasks", world)),
    draw({tasks}, {query}) {
      const [text, one] = [query.get("q") ?? "", query.get("task")];
      follows(filters, query);
      const shown = /** @type {any[]} */ (tasks).filter((row) => (!one || row.token === one) && [row.state, row.execution, row.flow].some((each) => each.includes(text)));
      keep(list, shown.slice(0, MOST), (row) => row.token, card);
      show(below, shown.length ? null : tasks.length ? empty("Nothing matches", one ? "This task does not wait any more." : "No waiting task passes this filter.")
        : empty("No task waits", "A task waits here when it needs a callback with its token, or a mock says waits: true.", "tasks: {Approve: [{waits: true}]}"),
      shown.length > MOST ? quiet(`The first ${MOST} of ${shown.length}.`) : null, one && tasks.length ? h("p", null, h("a", {href: "#/waiting"}, "Show all waiting tasks")) : null);
    },
    node: h("div", null, h("h1", null, "Waiting tasks"), filters, list, below),
  };
}

/** @param {any} row */
function card(row) {
  const output = h("textarea", {rows: "3", spellcheck: "false", value: "{}"});
  const code = h("input", {required: true, value: "Rejected"});
  const detail = h("input", {required: true, value: "rejected by hand"});
  /** @param {() => any} body */
  const report = (body) => async () => {
    await send("POST", at(to("tasks", row.token), worldOf(row)), body());
    notice(`Reported on ${row.state} of ${row.execution}.`);
  };
  const of = `${row.state} of ${row.execution}`;
  return h("article", {class: "card"},
    h("h2", null, row.state), h("p", null, h("a", {href: ofExecution(row)}, row.execution), " of ", row.flow, ", since ", moment(row.since)),
    quiet("Token ", h("code", null, row.token)),
    h("div", {class: "two"},
      form(report(() => ({succeed: parsed(output.value, "output")})), field("Output", output, "A JSON object."), submit("Succeed", {"aria-label": `Succeed ${of}`})),
      form(report(() => ({fail: {code: code.value, detail: detail.value}})), field("Error code", code), field("Detail", detail), submit("Fail", {class: null, "aria-label": `Fail ${of}`}))));
}
