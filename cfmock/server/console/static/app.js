// Where everything starts: addresses lead to views, changes make them read again, the header and keys are here.

import {described, follow, get, send} from "./api.js";
import {button, byId, facts, field, fill, follows, form, h, moment, notice, options, show, submit, tried} from "./dom.js";
import {at, change, here} from "./places.js";
import {call, calls} from "./calls.js";
import {execution, executions} from "./executions.js";
import {faults} from "./faults.js";
import {flow, flows} from "./flows.js";
import {waiting} from "./waiting.js";

const VIEWS = /** @type {const} */ (["Executions", "Waiting", "Calls", "Flows", "Faults"]);

/** @type {Record<string, Make>} */
const BUILD = {
  executions: (place) => (place.parts.length > 2 ? execution(place) : executions(place)),
  calls: (place) => (place.parts.length > 1 ? call(place) : calls(place)),
  flows: (place) => (place.parts.length > 1 ? flow(place) : flows(place)),
  waiting, faults,
};

const KEYS = [["/", "search"], ["?", "these keys"], ["g e", "Executions"], ["g w", "Waiting"], ["g c", "Calls"], ["g f", "Flows"], ["g x", "Faults"], ["Esc", "close what is open"]];

const main = byId("main");
/** @type {View | null} */
let view = null;
let path = "";
let stale = false;
let busy = false;
let turn = 0;
let scrolled = 0;
let searching = false;

/** Go where the address says: to another view, or to other words of the one that is shown. */
function go() {
  const place = here();
  if (place.path !== path) {
    if (path) fill(byId("notice"));
    path = place.path;
    view = (BUILD[place.parts[0]] ?? BUILD.executions)(place);
    scrolled = history.state?.y ?? 0;
    document.title = `${view.title} · cfmock`;
    setTimeout(appear, 250, view);
  }
  navigate(place);
  void count().catch(() => {});
  void read(place);
}

/** Put a view in the place of the one before, when it has something to show or takes long. @param {View} shown */
function appear(shown) {
  if (shown !== view || shown.node.parentNode === main) return;
  const inside = main.contains(document.activeElement);
  fill(main, shown.node);
  scrollTo(0, scrolled);
  if (searching) search();
  else if (inside) main.focus({preventScroll: true});
}

/** @param {Place} place */
async function read(place) {
  const [asked, mine] = [/** @type {View} */ (view), ++turn];
  const began = performance.now();
  [busy, stale] = [true, false];
  let wrong = "";
  try {
    const data = await asked.load(place);
    if (mine === turn) {
      follows(asked.node, place.query);
      const look = JSON.stringify([data, place.query.toString()]);
      if (look !== asked.look) asked.draw(data, place);
      asked.look = look;
    }
  } catch (error) {
    wrong = error instanceof Error ? error.message : String(error);
  }
  if (mine !== turn) return;
  appear(asked);
  main.querySelector(".gone")?.remove();
  if (wrong && main.querySelector("h1")) notice(wrong, true);
  else if (wrong) main.prepend(h("div.gone", h("h1", asked.title), h("p.wrong", {role: "alert"}, wrong)));
  setTimeout(() => {
    if (mine !== turn) return;
    busy = false;
    if (stale) void read(here());
  }, Math.max(400, 10 * (performance.now() - began)));
}

/** Read again: at once, or together with what changes shortly after the last time. */
function refresh() {
  if (busy) stale = true;
  else void read(here());
}

const now = h("span.now");
const kind = h("span.tag", {title: "The flow clock"});
const state = h("span.state", {role: "status"}, "connecting");
const advances = h("span.advances", {hidden: true, role: "group", "aria-label": "Move the clock"});
const worlds = h("summary");

/** The world that lists show; a thing has its own, which leaves this as it is. @type {Record<string, string>} */
let world = {};

let waits = 0;
/** @type {number | undefined} */
let counting;

/** How many executions go on; shows how many tasks wait. */
async function count() {
  const {counts, waiting} = await get(at("executions", {...world, limit: 1}));
  waits = waiting;
  navigate(here());
  return (counts.Running ?? 0) + (counts.Starting ?? 0);
}

/** Count soon, with what changes until then. */
function countSoon() {
  counting ??= setTimeout(() => {
    counting = undefined;
    void count().catch(() => {});
  }, 1000);
}

/** @param {Place} place */
function navigate(place) {
  if (place.parts.length < 2) world = place.world;
  show(byId("nav"), VIEWS.map((each) => {
    const name = each.toLowerCase();
    return h("a", {href: at(`#/${name}`, world), "aria-current": name === place.parts[0] ? "page" : null}, each,
      each === "Waiting" && waits ? h("span.waits", {title: `${waits} tasks wait for a callback`}, waits) : null);
  }));
  const {account, region} = world;
  worlds.title = account || region ? `${account || "All accounts"} · ${region || "all regions"}` : "All accounts and regions";
  fill(worlds, worlds.title);
}

/** By how much a real clock of the server is ahead of this machine's, in ms; null: it is virtual. @type {number | null} */
let ahead = null;

setInterval(() => {
  if (ahead !== null && !document.hidden) fill(now, moment(new Date(Date.now() + ahead).toISOString()));
}, 1000);

function tell(clock) {
  ahead = clock.kind === "real" ? Date.parse(clock.now) - Date.now() : null;
  fill(now, moment(clock.now));
  fill(kind, clock.kind);
  advances.hidden = clock.kind !== "virtual";
}

async function advance(by) {
  const before = await count();
  const moved = await send("POST", "clock", {advance: by});
  tell(moved);
  if (!moved.reached) return notice(`The clock stopped: ${moved.reason}`, true);
  notice(`${Math.max(0, before - await count())} executions ended, ${waits} tasks wait.`);
}

function header() {
  const by = h("input", {value: "1h", class: "short", "aria-label": "Advance by", pattern: "[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)?", required: true, title: "e.g. 90s, 15m, 1h"});
  advances.append(button("+1m", () => tried(advance("1m"))), button("+15m", () => tried(advance("15m"))),
    form(() => tried(advance(by.value)), by, h("button", {type: "submit"}, "Advance")));
  fill(byId("bar"), now, kind, advances, chooser(), state, button("?", keys, {"aria-label": "? Keys", class: "plain"}));
}

/** Which world the lists show. */
function chooser() {
  const account = h("input", {list: "accounts", placeholder: "all", autocomplete: "off"});
  const accounts = h("datalist", {id: "accounts"});
  const region = h("select");
  const drop = h("details.drop.world", worlds, form(async () => {
    drop.open = false;
    const chosen = {account: account.value.trim(), region: region.value};
    const place = here();
    if (place.parts.length > 1) location.hash = at(`#/${place.parts[0]}`, chosen);
    else change(chosen, true);
  }, field("Account", account), accounts, field("Region", region), submit("Show")));
  drop.ontoggle = async () => {
    if (!drop.open) return;
    const about = (await described()).paths["/_cfmock/flows"].get.parameters;
    const schemas = Object.fromEntries(about.map((each) => [each.name, each.schema]));
    fill(accounts, (schemas.account.examples ?? []).map((each) => h("option", {value: each})));
    fill(region, options("all", schemas.region.enum));
    account.value = world.account;
    region.value = world.region;
  };
  return drop;
}

function keys() {
  const dialog = h("dialog", {"aria-labelledby": "keys-title", onclose: () => dialog.remove()}, h("h2", {id: "keys-title"}, "Keys"),
    facts(KEYS),
    button("Close", () => dialog.close(), {class: "main"}));
  document.body.append(dialog);
  dialog.showModal();
}

/** To the field that searches: of this view, or of the list that it belongs to. */
function search() {
  const field = /** @type {HTMLElement | null} */ (main.querySelector("[type=search]"));
  searching = !field;
  field ? field.focus() : (location.hash = at(`#/${here().parts[0]}`, world));
}

/** @param {(each: HTMLDetailsElement) => boolean} which of those that are open */
function close(which) {
  const open = /** @type {HTMLDetailsElement[]} */ ([...document.querySelectorAll(".drop[open]")]).filter(which);
  for (const each of open) each.open = false;
  return open;
}

let led = false;

document.addEventListener("keydown", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.key === "Escape") close(() => true)[0]?.querySelector("summary")?.focus();
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select, dialog")) return;
  const after = led;
  led = event.key === "g";
  if (event.key === "/") {
    event.preventDefault();
    search();
  } else if (event.key === "?") keys();
  else if (after) {
    const name = KEYS.find(([key]) => key === `g ${event.key}`)?.[1];
    if (name) location.hash = at(`#/${name.toLowerCase()}`, world);
  }
});

document.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  if (target.closest(".skip")) {
    event.preventDefault();
    main.focus();
  }
  close((each) => !each.contains(target));
});

/** @type {number | undefined} */
let resting;
history.scrollRestoration = "manual";
addEventListener("scroll", () => {
  clearTimeout(resting);
  resting = setTimeout(() => history.replaceState({y: scrollY}, ""), 150);
}, {passive: true});

header();
addEventListener("hashchange", go);
go();
follow((kinds) => {
  if (kinds.has("reset") || kinds.has("clock")) void get("clock").then(tell).catch(() => {});
  if (["reset", "task", "execution"].some((each) => kinds.has(each))) countSoon();
  if (kinds.has("reset") || view?.kinds.some((each) => kinds.has(each))) refresh();
}, (word) => fill(state, h("span", {class: `dot ${word}`, "aria-hidden": "true"}), word));
void get("clock").then(tell).catch(() => {});
