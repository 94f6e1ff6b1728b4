// The states of an execution, their tries and waits, in the time of the flow clock.

import {h, quiet, section, span} from "./dom.js";
import {choose} from "./places.js";

/** @typedef {{from: number, to: number | null, failed: boolean}} Piece from one event to another, by their ids */

/** `end` is the moment up to which it is drawn. */
export function timeline(row, {events}, end, chosen) {
  if (!row.timeline.length) return section("Timeline", quiet("No state was entered: an outcome decided."));
  const {place, gaps, length} = scale([...events.map((each) => Date.parse(each.Time)), Date.parse(end)]);
  /** The number of a mark. @param {number | null} id */
  const mark = (id) => (id === null ? events.length : Math.min(id - 1, events.length));
  const bar = (kind, piece) => {
    const made = h("span", {class: kind});
    const [from, to] = [place(mark(piece.from)), place(mark(piece.to))];
    made.style.left = `${from.toFixed(2)}%`;
    made.style.width = `${(to - from).toFixed(2)}%`;
    return made;
  };
  /** @param {Piece} piece */
  const took = ({from, to}) => Date.parse(events[mark(to)]?.Time ?? end) - Date.parse(events[mark(from)]?.Time ?? end);
  const lanes = row.timeline.map((each, index) => h("li", {"data-key": String(index)},
    h("button", {type: "button", class: "lane", "aria-pressed": String(each.state === chosen), onclick: () => choose(each.state)},
      h("span.lane-name", each.state),
      h("span.track", gaps.map((gap) => bar("gap", gap)),
        bar(`span ${how(each)}${each.tries.length || each.holds || took(each) ? " around" : ""}`, each), each.tries.map((one) => bar(`try ${how(one)}`, one))),
      h("span.lane-time", each.tries.length > 1 ? `${each.tries.length} tries, ` : "", span(took(each)), each.to === null ? " …" : ""))));
  return section("Timeline", h("ol.lanes", lanes),
    h("p.quiet.legend", h("span.key.try"), "a try ", h("span.key.around"), "waiting ", length ? null : h("span", "all at one moment: only the order is shown"),
      gaps.length ? [h("span.key.gap"), `${gaps.length === 1 ? "a long wait" : "long waits"}, shortened: ${gaps.map((each) => span(took(each))).join(", ")}`] : null),
    row.visits.length > row.timeline.length ? quiet(`The first ${row.timeline.length} of ${row.visits.length} states.`) : null);
}

/** @param {Piece} piece */
const how = (piece) => (piece.failed ? "p-failed" : piece.to === null ? "p-running" : "p-succeeded");

/**
 * Where marks stand, in percent. Those of one moment stand side by side, in their order; a wait that is much longer than others
 * is shortened and told. @param {number[]} times
 */
function scale(times) {
  const steps = times.slice(1).map((each, index) => Math.max(0, each - times[index]));
  const sorted = steps.filter((each) => each > 0).sort((a, b) => a - b);
  const most = 3 * (sorted[Math.floor((sorted.length - 1) / 2)] ?? 1);
  const length = steps.reduce((sum, each) => sum + Math.min(each, most), 0);
  const least = (length || 1) / (4 * Math.max(1, steps.length));
  const places = [0];
  for (const each of steps) places.push(places[places.length - 1] + Math.min(each, most) + least);
  const all = places[places.length - 1] || 1;
  const gaps = steps.flatMap((each, mark) => (each > most ? [{from: mark + 1, to: mark + 2, failed: false}] : []));
  return {length, place: (mark) => (places[mark] / all) * 100, gaps};
}
