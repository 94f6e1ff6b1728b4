// The states of an execution, their tries and waits, in the time of the flow clock.

import {h, quiet, section, span} from "./dom.js";
import {choose} from "./places.js";

/**
 * One passage through a state. Places are numbers of marks, which are the events and what comes after the last of them.
 * @typedef {{from: number, to: number | null, failed: boolean}} Piece
 * @typedef {Piece & {state: string, tries: Piece[], holds: boolean}} Passage
 */

const MOST = 200;

/** @param {any[]} events oldest first @param {string} end the moment up to which it is drawn @param {string} chosen */
export function timeline(events, end, chosen) {
  const passages = read(events);
  if (!passages.length) return section("Timeline", quiet("No state was entered: an outcome decided."));
  const {place, gaps, length} = scale([...events.map((each) => Date.parse(each.Time)), Date.parse(end)]);
  /** @param {string} kind @param {Piece} piece */
  const bar = (kind, piece) => {
    const made = h("span", {class: kind});
    const [from, to] = [place(piece.from), place(piece.to ?? events.length)];
    made.style.left = `${from.toFixed(2)}%`;
    made.style.width = `${(to - from).toFixed(2)}%`;
    return made;
  };
  const time = (/** @type {number} */ mark) => Date.parse(mark < events.length ? events[mark].Time : end);
  const lanes = passages.slice(0, MOST).map((each, index) => h("li", {"data-key": String(index)},
    h("button", {type: "button", class: "lane", "aria-pressed": String(each.state === chosen), onclick: () => choose(each.state)},
      h("span.lane-name", each.state),
      h("span.track", gaps.map((gap) => bar("gap", gap)),
        bar(`span ${how(each)}${each.tries.length || each.holds || time(each.to ?? events.length) > time(each.from) ? " around" : ""}`, each), each.tries.map((one) => bar(`try ${how(one)}`, one))),
      h("span.lane-time", each.tries.length > 1 ? `${each.tries.length} tries, ` : "", span(time(each.to ?? events.length) - time(each.from)), each.to === null ? " …" : ""))));
  return section("Timeline", h("ol.lanes", lanes),
    h("p.quiet.legend", h("span.key.try"), "a try ", h("span.key.around"), "waiting ", length ? null : "all at one moment: only the order is shown",
      gaps.length ? [h("span.key.gap"), `${gaps.length === 1 ? "a long wait" : "long waits"}, shortened: ${gaps.map((each) => span(time(each.to ?? 0) - time(each.from))).join(", ")}`] : null),
    passages.length > MOST ? quiet(`The first ${MOST} of ${passages.length} states.`) : null);
}

/** @param {Piece} piece */
const how = (piece) => (piece.failed ? "p-failed" : piece.to === null ? "p-running" : "p-succeeded");

/** The passages, in the order of their beginning: an event belongs to the innermost state that is open after its cause. @param {any[]} events */
function read(events) {
  /** @type {Map<number, Passage>} by the event of its entry */
  const found = new Map();
  /** @type {Map<number, number>} by event, the entry of the state that it is in */
  const inside = new Map();
  /** @type {Map<number, number>} by entry, that of the state around */
  const around = new Map();
  /** @type {Map<number, Piece>} by event */
  const tries = new Map();
  events.forEach((each, mark) => {
    const [id, cause, kind] = [each.EventId, each.ScheduleEventId, each.Type];
    let entry = inside.get(cause) ?? 0;
    if (kind === "StepEntered") {
      const outer = found.get(entry);
      if (outer) outer.holds = true;
      around.set(id, entry);
      inside.set(id, id);
      found.set(id, {state: each.StepName, from: mark, to: null, failed: false, tries: [], holds: false});
      return;
    }
    while (entry && each.StepName && found.get(entry)?.state !== each.StepName) entry = around.get(entry) ?? 0;
    inside.set(id, entry);
    const passage = found.get(entry);
    if (!passage) return;
    if (kind === "StepFailed") [passage.failed, passage.to] = [true, mark];
    else if (kind === "StepExited") {
      passage.to = mark;
      inside.set(id, around.get(entry) ?? 0);
    } else if (kind === "TaskScheduled") {
      passage.tries.push({from: mark, to: null, failed: false});
      tries.set(id, passage.tries[passage.tries.length - 1]);
    } else if (kind.startsWith("Task")) {
      const one = tries.get(cause);
      if (!one) return;
      tries.set(id, one);
      if (/(Succeeded|Failed|TimedOut)$/.test(kind)) [one.to, one.failed] = [mark, !kind.endsWith("Succeeded")];
    }
  });
  return [...found.values()];
}

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
  const gaps = steps.flatMap((each, mark) => (each > most ? [{from: mark, to: mark + 1, failed: false}] : []));
  return {length, place: (/** @type {number} */ mark) => (places[mark] / all) * 100, gaps};
}
