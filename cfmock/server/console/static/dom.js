// Elements, and the few parts that all views are made of. Every text is a text node: nothing here reads HTML.

import {at, change, here} from "./places.js";

/**
 * An element with children; its tag may name classes (`p.quiet`). `onclick` and the like are properties, so that `patch` can hand
 * them on.
 * @param {string} tag
 * @param {any} [attributes]
 * @param {...any} children
 * @returns {any}
 */
export function h(tag, attributes, ...children) {
  const [type, ...classes] = tag.split(".");
  const made = /** @type {any} */ (document.createElement(type));
  if (classes.length) made.className = classes.join(" ");
  if (attributes?.constructor !== Object) children.unshift(attributes);
  else for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on") || name === "value") made[name] = value;
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...kept(children));
  return made;
}

export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** A link. @param {string} href @returns {HTMLElement} */
export const a = (href, ...words) => h("a", {href}, words);

/** @param {any[]} children @returns {(Node | string)[]} */
function kept(children) {
  return children.flat(9).filter((each) => each !== null && each !== undefined && each !== false)
    .map((each) => (each instanceof Node ? each : String(each)));
}

/** Put these in place of what an element holds. @param {Element} parent */
export function fill(parent, ...children) {
  parent.replaceChildren(...kept(children));
}

/**
 * Make what an element holds look like these, with as few changes as can be: what stays keeps its place in the page, its focus,
 * its scrolling, and what somebody has opened or typed.
 * @param {Element} parent
 */
export function show(parent, ...children) {
  const made = document.createDocumentFragment();
  made.append(...kept(children));
  patch(parent, made);
}

const HANDLERS = ["onclick", "onkeydown", "onsubmit", "onchange", "oninput"];

const key = (node) => node.dataset?.key ?? "";

/** Nodes whose item is gone, and which say what became of it. @type {WeakSet<Node>} */
const leaving = new WeakSet();

/** Say what became of an item, in its place, until somebody dismisses it: what follows stays where it is. */
export function gone(node, ...words) {
  leaving.add(node);
  node.classList.add("left");
  const said = h("span", {role: "status"});
  fill(node, h(node.matches("tr") ? "td" : "p", {colspan: "9"}, said, " ", button("Dismiss", () => node.remove(), {class: "plain"})));
  fill(said, words);
}

/**
 * Put a node for each item into an element: the one that is there under its name, made the same; else a new one.
 * @param {Node} parent @param {any[]} items @param {(item: any) => string} name @param {(item: any, node?: any) => any} make gets the node that is there
 */
function arrange(parent, items, name, make) {
  const wanted = new Set(items.map(name));
  const there = new Map([...parent.childNodes].map((each) => [key(each), each]));
  let at = /** @type {any} */ (parent.firstChild);
  const drop = () => {
    const gone = at;
    at = at.nextSibling;
    if (!leaving.has(gone)) gone.remove();
  };
  for (const item of items) {
    while (at && !wanted.has(key(at))) drop();
    const node = make(item, name(item) ? there.get(name(item)) : at && !key(at) ? at : null);
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
  while (at) drop();
}

/** @param {Node} old @param {Node} made */
const patch = (old, made) => arrange(old, [...made.childNodes], key, (node, one) => {
  if (one?.nodeName !== node.nodeName) return node;
  update(one, node);
  return one;
});

/** Attributes that are not handed on: who reads opens things, and the policy lets no style be set as text. */
const OTHER = /^(open|style)$/;

function update(one, made) {
  if (one.nodeType !== Node.ELEMENT_NODE) {
    if (one.data !== made.data) one.data = made.data;
    return;
  }
  for (const {name} of [...one.attributes]) if (!OTHER.test(name) && !made.hasAttribute(name)) one.removeAttribute(name);
  for (const {name, value} of made.attributes) if (!OTHER.test(name) && one.getAttribute(name) !== value) one.setAttribute(name, value);
  for (const name of HANDLERS) if (one[name] !== made[name]) one[name] = made[name];
  if (made.style?.cssText !== one.style?.cssText) one.style.cssText = made.style.cssText;
  if (!one.matches("input, textarea, select")) patch(one, made);
}

/**
 * Make the children of an element those of `items`; for an item that looks as before nothing is made.
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => string} name
 * @param {(item: T) => HTMLElement} make
 */
export const keep = (parent, items, name, make) => arrange(parent, items, name, (item, node) => {
  if (leaving.has(node)) return node;
  const look = JSON.stringify(item);
  if (node?.look === look) return node;
  const made = /** @type {any} */ (make(item));
  made.dataset.key = name(item);
  if (node) update(node, made);
  return Object.assign(node ?? made, {look});
});

const SHAPES = {Succeeded: "✓", Failed: "✕", TimedOut: "◷", Stopped: "■", Running: "▶", Starting: "▷"};

/** A status: its word, with a shape for those who do not see the colour. */
export function badge(status, words = status) {
  return h("span", {class: `badge s-${status}`}, h("span", {"aria-hidden": "true"}, SHAPES[status] ?? "•"), " ", words);
};

/** @param {string | null} text an ISO moment @param {boolean} [dated] */
export function moment(text, dated = true) {
  if (!text) return h("span.quiet", "–");
  return h("time", {datetime: text, title: text}, dated ? text.slice(0, 19).replace("T", " ") : text.slice(11, 23));
}

/** @param {number} ms */
export function span(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60e3) return `${+(ms / 1000).toFixed(1)} s`;
  const [unit, part, big, small] = ms < 3600e3 ? [60e3, 1e3, "min", "s"] : ms < 86400e3 ? [3600e3, 60e3, "h", "min"] : [86400e3, 3600e3, "d", "h"];
  const rest = Math.floor((ms % unit) / part);
  return `${Math.floor(ms / unit)} ${big}${rest ? ` ${rest} ${small}` : ""}`;
}

/** Milliseconds between two moments. */
export const between = (from, to) => Date.parse(to) - Date.parse(from);

export const pretty = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

/** What a text holds, if that is a JSON object or list; else the text. @param {string} text @returns {any} */
export function unpacked(text) {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Keys and values in a line, without those that say nothing. */
export const words = (value) => Object.entries(value ?? {}).filter(([, each]) => each !== null && each !== false)
  .map(([name, each]) => `${name}: ${name === "after" ? span(1000 * each) : /^(returns|output)$/.test(name) ? JSON.stringify(each) : plainly(each)}`).join(", ");

/** @returns {string} */
const plainly = (value) => (Array.isArray(value) ? value.map(plainly).join(" or ") : value && typeof value === "object" ? `(${words(value)})` : String(value));

export const quiet = (...words) => h("p.quiet", words);

/** A part that scrolls by itself, by keyboard, too. */
export const PANE = {tabindex: "0", role: "region"};

/** A block of JSON or text with a name. @param {string} name @param {number} [level] of its heading */
export function block(name, value, level = 2, none = "none") {
  const there = value !== null && value !== undefined;
  return h("section.block", {"data-key": name}, h(`h${level}`, name),
    there ? h("pre", {tabindex: "0", "aria-label": name}, pretty(value)) : quiet(none));
}

/** A part of a page. */
export const section = (title, ...children) => h("section", {"data-key": title}, h("h2", title), children);

/** A list of names and values; null: there is none. @param {any[][]} rows */
export const facts = (rows) => h("dl.facts", rows.filter(([, value]) => value !== null).map(([name, value]) => h("div", {"data-key": name}, h("dt", name), h("dd", value))));

/** @param {(event: Event) => any} act @param {Record<string, any>} [more] */
export const button = (text, act, more = {}) => h("button", {type: "button", onclick: act, ...more}, text);

/** A button that chooses words of the address. */
export const chip = (text, on, to, key) => button(text, () => change(to, true), {class: "chip", "data-key": key || "all", "aria-pressed": String(on)});

/** A form; what goes wrong with what it does is told in it. @param {(event: any) => Promise<any>} act */
export function form(act, ...children) {
  const wrong = h("p.wrong", {role: "alert"});
  return h("form", {onsubmit: async (event) => {
    event.preventDefault();
    fill(wrong);
    await act(event).catch((error) => fill(wrong, error.message));
  }}, children, wrong);
}

/** What somebody typed as JSON. */
export function parsed(text, name) {
  try {
    return JSON.parse(text.trim() || "{}");
  } catch (error) {
    throw new Error(`The ${name} is not JSON: ${/** @type {Error} */ (error).message}`);
  }
}

/** A field for a word of the address. */
export const filter = (name, label, type = "search") => h("input", {type, name, "aria-label": label, placeholder: label, oninput: (event) => later(() => change({[name]: event.target.value.trim()}))});

/** Show what the address says in such fields, but not in the one that is typed into. @param {Element} parent @param {URLSearchParams} query */
export function follows(parent, query) {
  for (const each of /** @type {NodeListOf<HTMLInputElement>} */ (parent.querySelectorAll("input[name]"))) if (each !== document.activeElement) each.value = query.get(each.name) ?? "";
}

export const submit = (text, more = {}) => h("button", {type: "submit", class: "main", ...more}, text);

let fields = 0;

/** A control with its label. @param {string} label @param {string} [hint] */
export function field(label, control, hint) {
  control.id ||= `field-${++fields}`;
  if (hint) control.setAttribute("aria-describedby", `${control.id}-hint`);
  return h("div.field", h("label", {for: control.id}, label), control,
    hint ? h("small", {id: `${control.id}-hint`}, hint) : null);
}

/** Options of which the first says that none is chosen. */
export const options = (none, choices) => [h("option", {value: ""}, none), choices.map((each) => h("option", {value: each}, each))];

/** A table; the wrap scrolls by itself on narrow screens. @param {string} label @param {string[]} heads @param {HTMLElement} body */
export function table(label, heads, body) {
  return h("div", {...PANE, class: "scroll", "aria-label": label},
    h("table", h("thead", h("tr", heads.map((each) => h("th", {scope: "col", class: NUMBERS.has(each) ? "number" : null}, each)))), body));
}

/** A row of a table. Numbers, and what stands in a list, go to the right. */
export const row = (...cells) => h("tr", cells.map((each) => h("td", {class: typeof each === "number" || Array.isArray(each) ? "number" : "name"}, each)));

const NUMBERS = new Set(["Took", "Coverage", "Hits", "Times", "Mocks", "Outcomes", "Findings", "No.", "Left out", "Exit", "Calls", "Remove"]);

/** What to do first where there is nothing. @param {string} title @param {string} text @param {string} [command] */
export function empty(title, text, command) {
  return h("div.empty", {"data-key": title}, h("h2", title), h("p", text),
    command ? h("div.command", h("code", command), button("Copy", () => copy(command))) : null);
}

/** Where filters leave nothing. @param {string} text */
export const nothing = (text) => h("div.empty", {"data-key": "nothing"}, h("h2", "Nothing matches"), h("p", text),
  button("Clear filters", () => { location.hash = at(`#/${here().path}`, here().world); }));

/** @param {boolean} [wrong] */
export function notice(text, wrong = false) {
  const place = byId("notice");
  const made = h("p", {class: wrong ? "wrong" : ""}, text, " ", button("Dismiss", () => made.remove(), {class: "plain"}));
  fill(place, made);
  if (!wrong) setTimeout(() => made.remove(), 6000);
}

/** @param {string} text @param {string} [told] */
export async function copy(text, told = "Copied.") {
  try {
    await navigator.clipboard.writeText(text);
    notice(told);
  } catch {
    const area = h("textarea", {readonly: true, rows: "10", "aria-label": "Text to copy", value: text});
    fill(byId("notice"),
      h("div", "The browser does not let the page copy. Copy this:", area, button("Dismiss", (event) => /** @type {any} */ (event.target).parentNode.remove())));
    area.select();
  }
}

/** Tell when something cannot be done. @param {Promise<any>} done */
export const tried = (done) => done.catch((error) => notice(error.message, true));

/** @type {number | undefined} */
let timer;

/** Do something when nobody has typed for a moment. @param {() => void} act */
function later(act) {
  clearTimeout(timer);
  timer = setTimeout(act, 250);
}
