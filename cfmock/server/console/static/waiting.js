// The tasks that wait for a report, and forms to give it.

import {at, get, send} from "./api.js";
import {address} from "./executions.js";
import {empty, field, fill, h, keep, moment, notice} from "./dom.js";

/** @param {import("./app.js").Place} place @returns {import("./app.js").View} */
export function waiting({world}) {
  const list = h("div");
  const hint = h("div");
  async function read() {
    const {tasks} = await get(at("tasks", world));
    keep(list, tasks, (row) => row.token, card);
    fill(hint, tasks.length ? null : empty("No task waits", "A task waits here when it needs a callback with its token, or a mock says waits: true.", "tasks: {Approve: [{waits: true}]}"));
  }
  return {title: "Waiting", kinds: ["task", "execution"], read, node: h("div", null, h("h1", null, "Waiting tasks"), list, hint)};
}

/** @param {any} row */
function card(row) {
  const wrong = h("p", {class: "wrong", role: "alert"});
  const output = h("textarea", {rows: "3", spellcheck: "false", value: "{}"});
  const code = h("input", {required: true, value: "Rejected"});
  const detail = h("input", {required: true, value: "rejected by hand"});
  /** @param {() => any} body */
  const report = (body) => async (/** @type {Event} */ event) => {
    event.preventDefault();
    fill(wrong);
    try {
      await send("POST", at(`tasks/${encodeURIComponent(row.token)}`, {account: row.account, region: row.region}), body());
      notice(`Reported on ${row.state} of ${row.execution}.`);
    } catch (error) {
      fill(wrong, error instanceof SyntaxError ? `The output is not JSON: ${error.message}` : /** @type {Error} */ (error).message);
    }
  };
  return h("article", {class: "card"},
    h("h2", null, row.state), h("p", null, h("a", {href: address(row)}, row.execution), " of ", row.flow, ", since ", moment(row.since)),
    h("p", {class: "quiet"}, "Token ", h("code", null, row.token)),
    h("div", {class: "two"},
      h("form", {onsubmit: report(() => ({succeed: JSON.parse(output.value || "{}")}))}, field("Output", output, "A JSON object."), h("button", {type: "submit", class: "main", "aria-label": `Succeed ${row.state} of ${row.execution}`}, "Succeed")),
      h("form", {onsubmit: report(() => ({fail: {code: code.value, detail: detail.value}}))}, field("Error code", code), field("Detail", detail), h("button", {type: "submit", "aria-label": `Fail ${row.state} of ${row.execution}`}, "Fail"))),
    wrong);
}
