// The tasks that wait for a callback, and forms to answer them.

import {get, send} from "./api.js";
import {a, block, empty, field, filter, form, gone, h, keep, moment, nothing, parsed, quiet, show, submit} from "./dom.js";
import {at, ofExecution, to, worldOf} from "./places.js";

const MOST = 100;

/** @type {Make} */
export const waiting = () => {
  const [list, below] = [h("div"), h("div")];
  const filters = h("div.filters", filter("q", "State, execution or flow"));
  return {
    title: "Waiting", kinds: ["task", "execution"],
    load: ({world}) => get(at("tasks", world)),
    draw({tasks}, {query}) {
      const [text, one] = [query.get("q") ?? "", query.get("task")];
      const shown = tasks.filter((row) => (!one || row.token === one) && [row.state, row.execution, row.flow].some((each) => each.includes(text)));
      keep(list, shown.slice(0, MOST), (row) => row.token, card);
      show(below, shown.length ? null : tasks.length ? nothing(one ? "This task does not wait any more." : "No waiting task passes this filter.")
        : empty("No task waits", "A task waits here when it needs a callback with its token, or a mock says waits: true.", "tasks: {Approve: [{waits: true}]}"),
      shown.length > MOST ? quiet(`The first ${MOST} of ${shown.length}.`) : null, one && tasks.length ? h("p", a("#/waiting", "Show all waiting tasks")) : null);
    },
    node: h("div", h("h1", "Waiting tasks"), filters, list, below),
  };
};

function card(row) {
  const output = h("textarea", {rows: "3", spellcheck: "false", value: "{}"});
  const code = h("input", {required: true, value: row.catches.find((each) => !/[*.]/.test(each)) ?? "Rejected"});
  const detail = h("input", {required: true, value: "rejected by hand"});
  /** @param {() => any} body @param {() => string} told */
  const report = (body, told) => async ({target}) => {
    await send("POST", at(to("tasks", row.token), worldOf(row)), body());
    gone(target.closest("article"), told(), " · ", a(ofExecution(row), "open the execution"));
  };
  const of = `${row.state} of ${row.execution}`;
  return h("article.card",
    h("h2", row.state), h("p", a(ofExecution(row), row.execution), " of ", row.flow, " waits for a callback", row.until ? [" until ", moment(row.until)] : null, ", since ", moment(row.since)),
    quiet("Token ", h("code", row.token)),
    block("Input", row.input, 3),
    h("div.two",
      form(report(() => ({succeed: parsed(output.value, "output")}), () => `Succeeded ${of}`), field("Output", output, "A JSON object."), submit("Succeed", {"aria-label": `Succeed ${of}`})),
      form(report(() => ({fail: {code: code.value, detail: detail.value}}), () => `Failed ${of} with ${code.value}`), field("Error code", code, row.catches.length ? `The state catches ${row.catches.join(", ")}.` : "The state catches none: the execution will fail."), field("Detail", detail), submit("Fail", {class: null, "aria-label": `Fail ${of}`}))));
}
