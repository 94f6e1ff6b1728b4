// Where everything starts: addresses lead to views, changes make them read again, the header and keys are here.

import {follow, get, send} from "./api.js";
import {button, fill, h, moment, notice, select} from "./dom.js";
import {calls} from "./calls.js";
import {execution} from "./execution.js";
import {executions} from "./executions.js";
import {faults} from "./faults.js";
import {flows} from "./flows.js";
import {waiting} from "./waiting.js";

/**
 * A view: built once for an address; `read` brings it up to date, when something of its `kinds` has changed.
 * @typedef {{title: string, node: HTMLElement, kinds: string[], read: () => Promise<void>}} View
 * @typedef {{parts: string[], query: URLSearchParams, world: Record<string, string>}} Place
 */

const VIEWS = /** @type {const} */ (["Executions", "Waiting", "Calls", "Flows", "Faults"]);

/** @type {Record<string, (place: Place) => View>} */
const BUILD = {
  executions: (place) => (place.parts.length > 1 ? execution(place) : executions(place)),
  waiting, calls, flows, faults,
};

const KEYS = [["/", "search"], ["?", "these keys"], ["g e", "Executions"], ["g w", "Waiting"], ["g c", "Calls"], ["g f", "Flows"], ["g x", "Faults"]];

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
/** @type {View | null} */
let shown = null;
let stale = false;
/** @type {View | null} */
let busy = null;
/** @type {Record<string, string>} */
const world = {};

/** Write the address with other words in its query. @param {Record<string, string>} words */
export function search(words) {
  const [path, text] = location.hash.split("?");
  const query = new URLSearchParams(text);
  for (const [name, value] of Object.entries(words)) value ? query.set(name, value) : query.delete(name);
  const rest = query.toString();
  history.replaceState(null, "", rest ? `${path}?${rest}` : path);
  show(true);
}

function show(same = false) {
  const [path, text] = (location.hash.slice(2) || "executions").split("?");
  const parts = path.split("/").map(decodeURIComponent);
  const build = BUILD[parts[0]] ?? BUILD.executions;
  const focus = same && document.activeElement instanceof HTMLElement ? document.activeElement.getAttribute("aria-label") : null;
  const typed = same && document.activeElement instanceof HTMLInputElement ? document.activeElement.selectionStart : null;
  shown = build({parts, query: new URLSearchParams(text), world: {...world}});
  document.title = `${shown.title} · cfmock`;
  for (const link of document.querySelectorAll("#nav a")) {
    const here = link.getAttribute("href") === `#/${parts[0]}`;
    here ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  }
  fill(main, shown.node);
  if (focus) {
    const again = /** @type {any} */ (main.querySelector(`[aria-label="${CSS.escape(focus)}"]`));
    again?.focus();
    if (typed !== null) again?.setSelectionRange(typed, typed);
  } else if (!same) scrollTo(0, 0);
  void refresh();
}

/** Read the view again; what changes while that goes on, and shortly after it, is read together. A view just built is read at once. */
async function refresh() {
  const view = shown;
  if (busy === view) {
    stale = true;
    return;
  }
  busy = view;
  stale = false;
  const began = performance.now();
  let wrong = "";
  try {
    await view?.read();
  } catch (error) {
    wrong = error instanceof Error ? error.message : String(error);
  }
  if (view !== shown) return;
  main.querySelector(".gone")?.remove();
  if (wrong) main.prepend(h("div", {class: "gone"}, main.querySelector("h1") ? null : h("h1", null, view?.title ?? ""), h("p", {class: "wrong", role: "alert"}, wrong)));
  setTimeout(() => {
    if (busy !== view) return;
    busy = null;
    if (stale) void refresh();
  }, Math.max(400, 10 * (performance.now() - began)));
}

const now = h("span", {class: "now"});
const kind = h("span", {class: "tag"});
const state = h("span", {class: "state", role: "status"}, "connecting");
const advances = h("span", {class: "advances", hidden: true, role: "group", "aria-label": "Move the clock"});

/** @param {any} clock */
function tell(clock) {
  fill(now, moment(clock.now));
  fill(kind, `${clock.kind} clock`);
  advances.hidden = clock.kind !== "virtual";
}

/** @param {string} by */
async function advance(by) {
  try {
    const moved = await send("POST", "clock", {advance: by});
    tell(moved);
    if (!moved.reached) notice(`The clock stopped: ${moved.reason}`, true);
  } catch (error) {
    notice(String(error), true);
  }
}

function header() {
  fill(/** @type {HTMLElement} */ (document.getElementById("nav")), VIEWS.map((each) => h("a", {href: `#/${each.toLowerCase()}`}, each)));
  const by = h("input", {value: "1h", class: "short", "aria-label": "Advance by", pattern: "[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)?", required: true});
  advances.append(button("+1m", () => advance("1m")), button("+15m", () => advance("15m")),
    h("form", {onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); void advance(by.value); }}, by, h("button", {type: "submit"}, "Advance")));
  const account = h("input", {"aria-label": "Account", placeholder: "account: all", size: "10", onchange: () => { world.account = account.value; show(true); }});
  const regions = h("span");
  fill(/** @type {HTMLElement} */ (document.getElementById("bar")), now, kind, advances, h("span", {class: "world"}, account, regions), state,
    button("?", keys, {"aria-label": "Keys", class: "plain"}));
  void get("openapi.json").then((described) => {
    const known = described.paths["/_cfmock/flows"].get.parameters.find((/** @type {any} */ each) => each.name === "region").schema.enum;
    fill(regions, select("Region", known, "", (value) => { world.region = value; show(true); }, "region: all"));
  }).catch(() => {});
}

function keys() {
  const dialog = h("dialog", {"aria-labelledby": "keys-title", onclose: () => dialog.remove()}, h("h2", {id: "keys-title"}, "Keys"),
    h("dl", {class: "facts"}, KEYS.map(([key, what]) => h("div", null, h("dt", null, h("kbd", null, key)), h("dd", null, what)))),
    button("Close", () => dialog.close(), {class: "main"}));
  document.body.append(dialog);
  dialog.showModal();
}

let led = false;

document.addEventListener("keydown", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select, dialog")) return;
  const after = led;
  led = event.key === "g";
  if (event.key === "/") {
    event.preventDefault();
    /** @type {HTMLElement | null} */ (main.querySelector("[type=search]"))?.focus();
  } else if (event.key === "?") keys();
  else if (after) {
    const view = /** @type {Record<string, string>} */ ({e: "executions", w: "waiting", c: "calls", f: "flows", x: "faults"})[event.key];
    if (view) location.hash = `#/${view}`;
  }
});

header();
addEventListener("hashchange", () => show());
show();
follow((kinds) => {
  if (kinds.has("reset") || kinds.has("clock")) void get("clock").then(tell).catch(() => {});
  if (kinds.has("reset") || shown?.kinds.some((each) => kinds.has(each))) void refresh();
}, (word) => fill(state, h("span", {class: `dot ${word}`, "aria-hidden": "true"}), {live: "live", paused: "paused", lost: "not connected"}[word]));
void get("clock").then(tell).catch(() => {});
