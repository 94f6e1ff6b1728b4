"""The SVG of a flow, by our own layout: one file, no script, nothing from outside, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from cfmock.base.markup import escaped
from cfmock.engine.flow import Flow
from cfmock.engine.model import MapNode, NodeKind
from cfmock.graph.drawing import Highlight, Status, captions
from cfmock.graph.svg.plan import BOLD, DOT, ICON, LINE, NOTE, PAD, RETRY, Figure, Plan, PlannedLane, Way, plan
from cfmock.graph.svg.routes import Line, Point
from cfmock.graph.svg.style import ICONS, RETRY_ICON, css, width

_EDGE = 20.0  # around the picture
_TITLE = 34.0
_LEGEND = 34.0
_TIP = 7.0
_ORDER = (Status.FAILED, Status.CAUGHT, Status.RUNNING, Status.REACHED, Status.MISSED, Status.PLAIN)


def svg(flow: Flow, highlight: Highlight | None = None, *, titled: bool = True, styled: bool = True) -> str:
    """Draw a flow, with the parts of `highlight` coloured in.

    `titled`: its name stands above it. `styled`: it brings its style sheet; one without stands in a page that has `css()`, as
    pages must that allow no styles in themselves. Each state is a group whose `data-state` is its name; where `highlight` has
    `states`, `data-status` is how it went, of those that were entered.
    """
    planned = plan(flow.series, highlight)
    title = " · ".join(part for part in (flow.name or "", highlight.title if highlight else "") if part and titled)
    legend = _legend(planned, highlight)
    size = planned.layout.size
    across = max(size.width, width(title, 15.0) * BOLD, legend[1]) + 2 * _EDGE
    top = _EDGE + (_TITLE if title else 0.0)
    down = top + size.height + _EDGE + (_LEGEND if legend[0] else 0.0)
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cf-graph" width="{across:.0f}" height="{down:.0f}" '
        f'viewBox="0 0 {across:.0f} {down:.0f}" role="img">',
        f"<title>{escaped(title or 'flow')}</title>",
        *([f"<style>{css()}</style>"] if styled else []),
        f'<rect class="cf-page" width="{across:.0f}" height="{down:.0f}" rx="8"/>',
    ]
    if title:
        body.append(f'<text class="cf-title" x="{_EDGE:.0f}" y="{_EDGE + 14:.0f}">{escaped(title)}</text>')
    body += _plan(planned, (across - size.width) / 2, top)
    if legend[0]:
        body.append(f'<g transform="translate({_EDGE:.0f} {down - 22:.0f})">{legend[0]}</g>')
    body.append("</svg>\n")
    return "\n".join(body)


# -- series


def _plan(planned: Plan, left: float, top: float) -> Iterator[str]:
    yield f'<g transform="translate({left:.1f} {top:.1f})">'
    for line in sorted(planned.layout.lines, key=lambda line: -_ORDER.index(_status(planned, line))):
        yield _line(planned, line)
    for index, (x, y) in planned.layout.pills.items():
        yield _pill(planned.ways[index], x, y)
    for index, (figure, (x, y)) in enumerate(zip(planned.figures, planned.layout.boxes, strict=True)):
        if figure is not None:
            yield from _figure(figure, x - figure.size.width / 2, y)
        elif index == 0:
            yield f'<circle class="cf-mark" cx="{x:.1f}" cy="{y + DOT / 2:.1f}" r="{DOT / 2:.1f}"/>'
        else:
            yield f'<circle class="cf-ring" cx="{x:.1f}" cy="{y + DOT / 2:.1f}" r="{DOT / 2 - 1:.1f}"/>'
            yield f'<circle class="cf-mark" cx="{x:.1f}" cy="{y + DOT / 2:.1f}" r="3"/>'
    yield "</g>"


def _status(planned: Plan, line: Line) -> Status:
    """Return the most telling status of the ways that run along a line."""
    return min((planned.ways[arc].status for arc in line.arcs), key=_ORDER.index)


def _kind(way: Way) -> str:
    return way.lane if way.lane in ("catch", "loop") else "next"


def _line(planned: Plan, line: Line) -> str:
    points = line.points
    tip = ""
    if line.arrow:
        x, y = points[-1]
        points = (*points[:-1], (x, y - _TIP + 1))
        tip = f'<path class="cf-tip" d="M{x:.1f} {y:.1f}l-4.5 {-_TIP}h9z"/>'
    path = _bent(points) if line.bent else _curved(points)
    classes = f"cf-{_kind(planned.ways[line.arcs[0]])} cf-{_status(planned, line).value}"
    return f'<g class="{classes}"><path class="cf-line" d="{path}"/>{tip}</g>'


def _curved(points: tuple[Point, ...]) -> str:
    """Upright at every point; straight where two stand above one another."""
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x, y), (to_x, to_y) in pairwise(points):
        if abs(x - to_x) < 0.5:
            path += f"L{to_x:.1f} {to_y:.1f}"
        else:
            middle = (y + to_y) / 2
            path += f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}"
    return path


def _bent(points: tuple[Point, ...]) -> str:
    """Straight from point to point, corners rounded."""
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        near, far = _towards(at, before), _towards(at, after)
        path += f"L{near[0]:.1f} {near[1]:.1f}Q{at[0]:.1f} {at[1]:.1f} {far[0]:.1f} {far[1]:.1f}"
    return path + f"L{points[-1][0]:.1f} {points[-1][1]:.1f}"


def _towards(at: Point, other: Point, radius: float = 6.0) -> Point:
    length = abs(other[0] - at[0]) + abs(other[1] - at[1])
    share = min(radius, length / 2) / length if length else 0.0
    return at[0] + (other[0] - at[0]) * share, at[1] + (other[1] - at[1]) * share


def _pill(way: Way, x: float, y: float) -> str:
    across = width(way.label, NOTE) + 16
    return (
        f'<g class="cf-{_kind(way)} cf-{way.status.value}"><title>{escaped(way.link.label if way.link else "")}</title>'
        f'<rect class="cf-page cf-pill" x="{x - across / 2:.1f}" y="{y:.1f}" width="{across:.1f}" height="20" rx="10"/>'
        f'<text class="cf-note" x="{x:.1f}" y="{y + 14:.1f}" text-anchor="middle">{escaped(way.label)}</text></g>'
    )


# -- states


def _figure(figure: Figure, x: float, y: float) -> Iterator[str]:
    node = figure.node
    went = f' data-status="{figure.went}"' if figure.went is not None else ""
    yield (
        f'<g class="cf-{node.kind.value} cf-{figure.status.value}" data-state="{escaped(node.name)}"{went}>'
        f"<title>{escaped(_about(figure))}</title>"
    )
    yield _shape(figure, x, y)
    at = x + PAD + (6 if node.kind in (NodeKind.CHOICE, NodeKind.SUCCEED, NodeKind.FAIL) else 0)
    yield f'<path class="cf-icon" transform="translate({at:.1f} {y + 9:.1f})" d="{ICONS[node.kind]}"/>'
    yield f'<text class="cf-name" x="{at + ICON + 8:.1f}" y="{y + 20.5:.1f}">{escaped(figure.name)}</text>'
    line = y + 20.5
    for note in figure.notes:
        line += LINE
        yield f'<text class="cf-note" x="{at + ICON + 8:.1f}" y="{line:.1f}">{escaped(note)}</text>'
    for retry, status in figure.retries:
        line += RETRY
        yield from _retry(retry, status, at + ICON + 8, line)
    yield "</g>"
    down = max((lane.size.height for lane in figure.lanes), default=0.0)
    for lane, left in zip(figure.lanes, figure.places(), strict=True):
        yield from _lane(lane, x + left, y + figure.head, down)


def _retry(text: str, status: Status, x: float, y: float) -> Iterator[str]:
    """Draw a retry rule; where its status is known, with a frame of its own, since the state around it may have another."""
    yield f'<g class="cf-{status.value}">'
    if status is not Status.PLAIN:
        across = ICON + width(text, NOTE) + 12
        yield f'<rect class="cf-page cf-rule" x="{x - 5:.1f}" y="{y - 11.5:.1f}" width="{across:.1f}" height="16" rx="8"/>'
    place = f"translate({x:.1f} {y - 9:.1f}) scale(.72)"
    yield f'<path class="cf-icon cf-retry" transform="{place}" d="{RETRY_ICON}"/>'
    yield f'<text class="cf-note" x="{x + ICON:.1f}" y="{y:.1f}">{escaped(text)}</text></g>'


def _about(figure: Figure) -> str:
    """Write the tooltip of a state: everything uncut."""
    lines = [f"{figure.node.kind.value} {figure.node.name}", *captions(figure.node)]
    if figure.went is not None:
        lines.append(figure.went)
    if figure.visits is not None:
        lines.append("entered once" if figure.visits == 1 else f"entered {figure.visits} times")
    return "\n".join(lines)


def _shape(figure: Figure, x: float, y: float) -> str:
    across, down = figure.size.width, figure.size.height
    kind = figure.node.kind
    if kind is NodeKind.CHOICE and not figure.lanes:
        corners = [(9, 0), (across - 9, 0), (across, down / 2), (across - 9, down), (9, down), (0, down / 2)]
        return _polygon(x, y, corners)
    if kind is NodeKind.FAIL:
        right, low = across - 9, down - 9
        corners = [(9, 0), (right, 0), (across, 9), (across, low), (right, down), (9, down), (0, low), (0, 9)]
        return _polygon(x, y, corners)
    corner = {NodeKind.SUCCEED: down / 2, NodeKind.WAIT: 14.0, NodeKind.TASK: 2.0}.get(kind, 8.0)
    size = f'width="{across:.1f}" height="{down:.1f}" rx="{corner:.1f}"'
    box = f'<rect class="cf-box" x="{x:.1f}" y="{y:.1f}" {size}/>'
    if isinstance(figure.node, MapNode):  # as a stack of sheets: one for each item
        return f'<rect class="cf-box" x="{x + 5:.1f}" y="{y + 5:.1f}" {size}/>{box}'
    return box


def _polygon(x: float, y: float, corners: list[Point]) -> str:
    return f'<polygon class="cf-box" points="{" ".join(f"{x + a:.1f},{y + b:.1f}" for a, b in corners)}"/>'


def _lane(lane: PlannedLane, x: float, y: float, down: float) -> Iterator[str]:
    yield f'<g class="cf-{lane.status.value}">'
    yield (
        f'<rect class="cf-scope" x="{x:.1f}" y="{y:.1f}" width="{lane.size.width:.1f}" height="{down:.1f}" rx="6"/>'
        f'<text class="cf-note" x="{x + PAD:.1f}" y="{y + 15:.1f}">{escaped(lane.label)}</text></g>'
    )
    inner = lane.plan.layout.size
    yield from _plan(lane.plan, x + (lane.size.width - inner.width) / 2, y + PAD + LINE + 2)


# -- legend


def _legend(planned: Plan, highlight: Highlight | None) -> tuple[str, float]:
    """Draw the legend of the lines that are there; return it and its width."""
    ways = list(_ways(planned))
    # With a highlight the colour is that of what was reached, and only the dashes are those of the kind.
    grey = "" if highlight is None else " cf-missed"
    entries = [(f"cf-catch{grey}", "catch")] if any(way.lane == "catch" for way in ways) else []
    entries += [(f"cf-loop{grey}", "back again")] if any(way.back for way in ways) else []
    if highlight is not None:
        entries += [("cf-next cf-reached", "reached"), ("cf-next cf-missed", "not reached")]
        went = highlight.states.values()
        entries += [(f"cf-{word}", word) for word in ("failed", "caught", "running") if word in went]
    parts, at = [], 0.0
    for classes, words in entries:
        shape = f'<rect class="cf-box" x="{at:.1f}" y="-6" width="28" height="12" rx="2"/>'
        if classes.startswith(("cf-next", "cf-catch", "cf-loop")):
            shape = f'<path class="cf-line" d="M{at:.1f} 0h28"/>'
        parts.append(f'<g class="{classes}">{shape}</g><text class="cf-note" x="{at + 34:.1f}" y="4">{words}</text>')
        at += 34 + width(words, NOTE) + 18
    return "".join(parts), at


def _ways(planned: Plan) -> Iterator[Way]:
    yield from planned.ways
    for figure in planned.figures:
        for lane in figure.lanes if figure is not None else ():
            yield from _ways(lane.plan)
