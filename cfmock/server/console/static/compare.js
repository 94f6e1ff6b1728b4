// Two texts side by side, with what differs between them marked.

import {h, PANE} from "./dom.js";

const MOST = 1_000_000;

/**
 * The longest common part of two lists, as pairs of places; of very long ones only what is common at both ends.
 * @param {string[]} one @param {string[]} two @returns {[number, number][]}
 */
function common(one, two) {
  let [begin, end] = [0, 0];
  const least = Math.min(one.length, two.length);
  while (begin < least && one[begin] === two[begin]) begin++;
  while (end < least - begin && one[one.length - 1 - end] === two[two.length - 1 - end]) end++;
  /** @type {[number, number][]} */
  const found = Array.from({length: begin}, (_, index) => [index, index]);
  const [rows, columns] = [one.length - begin - end, two.length - begin - end];
  if (rows * columns && rows * columns <= MOST) {
    const width = columns + 1;
    const lengths = new Uint32Array((rows + 1) * width);
    for (let i = rows - 1; i >= 0; i--) {
      for (let j = columns - 1; j >= 0; j--) {
        lengths[i * width + j] = one[begin + i] === two[begin + j] ? lengths[(i + 1) * width + j + 1] + 1 : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
      }
    }
    for (let i = 0, j = 0; i < rows && j < columns;) {
      if (one[begin + i] === two[begin + j]) found.push([begin + i++, begin + j++]);
      else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) i++;
      else j++;
    }
  }
  for (let index = end; index > 0; index--) found.push([one.length - index, two.length - index]);
  return found;
}

/** The parameter or header of a line; empty for others. */
const named = (line) => line.match(/^(?:&|%26)?([^=:%]+)(?:=|:|%(?:25)*3D)/)?.[1] ?? "";

/** Pairs of lines of one name, and between them what only one of them has. @param {string[]} one @param {string[]} two @returns {[string | null, string | null][]} */
function rows(one, two) {
  /** @type {[string | null, string | null][]} */
  const found = [];
  let [i, j] = [0, 0];
  for (const [a, b] of [...common(one.map(named), two.map(named)), [one.length, two.length]]) {
    while (i < a) found.push([one[i++], null]);
    while (j < b) found.push([null, two[j++]]);
    if (i < one.length && j < two.length) found.push([one[i++], two[j++]]);
  }
  return found;
}

const pieces = (text) => text.match(/%25[0-9A-Fa-f]{2}|%[0-9A-Fa-f]{2}|[\s\S]/gu) ?? [];

/** A line with the pieces marked that are not among these. @param {string[]} parts @param {Set<number>} same */
function marked(parts, same) {
  /** @type {(string | HTMLElement)[]} */
  const found = [];
  for (let at = 0; at < parts.length;) {
    let end = at;
    while (end < parts.length && same.has(end) === same.has(at)) end++;
    const text = parts.slice(at, end).join("");
    found.push(same.has(at) ? text : h("mark", text));
    at = end;
  }
  return found;
}

/** Lines of a text that is signed: it breaks before each parameter. */
const lines = (text) => text.split("\n").flatMap((line) => line.split(/(?=%26|&)/));

export function sideBySide(name, one, other, two) {
  const cells = rows(lines(one), lines(two)).map(([left, right]) => {
    if (left === null || right === null) return h("tr", [left, right].map((text) => h("td", {class: text === null ? "none" : "only"}, text === null ? "" : h("mark", text))));
    if (left === right) return h("tr", h("td", left), h("td", right));
    const [a, b] = [pieces(left), pieces(right)];
    const same = common(a, b);
    return h("tr", h("td.only", marked(a, new Set(same.map(([at]) => at)))), h("td.only", marked(b, new Set(same.map(([, at]) => at)))));
  });
  return h("div", {...PANE, class: "scroll compare", "aria-label": "Both side by side"},
    h("table", h("thead", h("tr", h("th", {scope: "col"}, name), h("th", {scope: "col"}, other))), h("tbody", cells)));
}
