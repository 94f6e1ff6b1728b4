// Elements, and the few parts that all views are made of. Every text is a text node: nothing here reads HTML.

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * An element with attributes (`onclick` and the like are listeners) and children.
 * @param {string} tag
 * @param {Record<string, any> | null} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {any}
 */
export function h(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "value") /** @type {any} */ (made).value = value;
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...kept(children));
  return made;
}

/** @param {any[]} children @returns {(Node | string)[]} */
function kept(children) {
  return children.flat(9).filter((each) => each !== null && each !== undefined && each !== false)
    .map((each) => (each instanceof Node ? each : String(each)));
}

/** Put these in place of what an element holds. @param {Element} parent @param {...(Child | Child[])} children */
export function fill(parent, ...children) {
  parent.replaceChildren(...kept(children));
}

/**
 * Make the children of an element those of `items`; an item that looks as before keeps its node, so that nothing flickers and
 * focus stays where it is.
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => string} key
 * @param {(item: T) => HTMLElement} make
 */
export function keep(parent, items, key, make) {
  /** @type {Map<string, any>} */
  const before = new Map(Array.from(parent.children, (each) => [/** @type {any} */ (each).key, each]));
  const focused = /** @type {HTMLElement | null} */ (parent.contains(document.activeElement) ? document.activeElement : null);
  const focusedKey = focused && /** @type {any} */ (Array.from(parent.children).find((each) => each.contains(focused)))?.key;
  const focusedAt = focused ? (focused.getAttribute("data-focus") ?? focused.tagName) : "";
  let at = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    const look = JSON.stringify(item);
    let node = before.get(name);
    before.delete(name);
    if (!node || node.look !== look) {
      const made = /** @type {any} */ (make(item));
      made.key = name;
      made.look = look;
      if (node) {
        if (node === at) at = made;
        node.replaceWith(made);
        if (name === focusedKey) find(made, focusedAt)?.focus();
      }
      node = made;
    }
    if (node === at) at = at?.nextElementSibling ?? null;
    else parent.insertBefore(node, at);
  }
  for (const gone of before.values()) gone.remove();
}

/** @param {HTMLElement} node @param {string} mark @returns {HTMLElement | null} */
function find(node, mark) {
  if (node.matches(mark.startsWith("<") ? "x" : mark.toLowerCase())) return node;
  return node.querySelector(`[data-focus="${CSS.escape(mark)}"]`) ?? node.querySelector(mark.toLowerCase());
}

const SHAPES = {Succeeded: "✓", Failed: "✕", TimedOut: "⧖", Stopped: "■", Running: "▶", Starting: "▶"};

/** A status: its word, with a shape for those who do not see the colour. @param {string} status */
export function badge(status) {
  const shape = /** @type {Record<string, string>} */ (SHAPES)[status] ?? "•";
  return h("span", {class: `badge s-${status}`}, h("span", {"aria-hidden": "true"}, shape), " ", status);
}

/** @param {string | null} text an ISO moment @param {boolean} [dated] */
export function moment(text, dated = true) {
  if (!text) return h("span", {class: "quiet"}, "–");
  return h("time", {datetime: text, title: text}, dated ? text.slice(0, 19).replace("T", " ") : text.slice(11, 23));
}

/** @param {number} ms */
export function span(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60e3) return `${+(ms / 1000).toFixed(1)} s`;
  if (ms < 3600e3) return `${Math.floor(ms / 60e3)} min ${Math.round((ms % 60e3) / 1000)} s`;
  if (ms < 86400e3) return `${Math.floor(ms / 3600e3)} h ${Math.round((ms % 3600e3) / 60e3)} min`;
  return `${Math.floor(ms / 86400e3)} d ${Math.round((ms % 86400e3) / 3600e3)} h`;
}

/** Milliseconds between two moments. @param {string} from @param {string} to */
export const between = (from, to) => Date.parse(to) - Date.parse(from);

/** @param {any} value */
export const pretty = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

/** A block of JSON or text with a name. @param {string} name @param {any} value @param {string} [none] @param {number} [level] of its heading */
export function block(name, value, none = "none", level = 2) {
  const there = value !== null && value !== undefined;
  return h("section", {class: "block"}, h(`h${level}`, null, name),
    there ? h("pre", {tabindex: "0", "aria-label": name}, pretty(value)) : h("p", {class: "quiet"}, none));
}

/** A list of names and values. @param {[string, Child | Child[]][]} rows */
export const facts = (rows) => h("dl", {class: "facts"}, rows.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))));

/** @param {string} text @param {(event: Event) => any} act @param {Record<string, any>} [more] */
export const button = (text, act, more = {}) => h("button", {type: "button", onclick: act, "data-focus": text, ...more}, text);

let fields = 0;

/** A control with its label. @param {string} label @param {any} control @param {string} [hint] */
export function field(label, control, hint) {
  control.id ||= `field-${++fields}`;
  if (hint) control.setAttribute("aria-describedby", `${control.id}-hint`);
  return h("div", {class: "field"}, h("label", {for: control.id}, label), control,
    hint ? h("small", {id: `${control.id}-hint`}, hint) : null);
}

/** @param {string} label @param {string[]} choices @param {string} value @param {(value: string) => void} [act] @param {string} [all] */
export function select(label, choices, value, act, all) {
  const made = h("select", {"aria-label": label, onchange: () => act?.(made.value)},
    all === undefined ? null : h("option", {value: ""}, all), choices.map((each) => h("option", {value: each}, each)));
  made.value = value;
  return made;
}

/** The heads of columns of numbers. */
const NUMBERS = ["Took", "Hits", "No.", "Mocks", "Outcomes", "Findings", "Times"];

/** A table; the wrap scrolls by itself on narrow screens. @param {string} label @param {string[]} heads @param {HTMLElement} body */
export function table(label, heads, body) {
  return h("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": label},
    h("table", null, h("thead", null, h("tr", null, heads.map((each) => h("th", {scope: "col", class: NUMBERS.includes(each) ? "number" : null}, each)))), body));
}

/** What to do first where there is nothing. @param {string} title @param {string} words @param {string} [command] */
export function empty(title, words, command) {
  return h("div", {class: "empty"}, h("h2", null, title), h("p", null, words),
    command ? h("div", {class: "command"}, h("code", null, command), button("Copy", () => copy(command))) : null);
}

/** @param {string} text @param {boolean} [wrong] */
export function notice(text, wrong = false) {
  const place = /** @type {HTMLElement} */ (document.getElementById("notice"));
  const made = h("p", {class: wrong ? "wrong" : ""}, text, " ", button("Dismiss", () => made.remove(), {class: "plain"}));
  fill(place, made);
  if (!wrong) setTimeout(() => made.remove(), 6000);
}

/** @param {string} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    notice("Copied.");
  } catch {
    const area = h("textarea", {readonly: true, rows: "10", "aria-label": "Text to copy"});
    area.value = text;
    fill(/** @type {HTMLElement} */ (document.getElementById("notice")),
      h("div", null, "The browser does not let the page copy. Copy this:", area, button("Dismiss", (event) => /** @type {any} */ (event.target).parentNode.remove())));
    area.select();
  }
}
