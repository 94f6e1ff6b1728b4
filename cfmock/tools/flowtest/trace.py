"""The way an execution took through its flow, and those that it started, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cfmock.base.time_text import duration_text
from cfmock.engine.events import Event
from cfmock.engine.flow import Point, PointKind
from cfmock.tools.flowtest.run import Passage, Ran

_LONGEST = 40  # states of one execution
_MOST = 8  # executions
_WIDEST = 160  # characters of an event's detail


def path(ran: Ran) -> list[str]:
    """`Charge (retried twice, caught) -> Refund`; a line for each further execution, with its flow before it."""
    taken: dict[str, list[Passage]] = {}
    for passage in ran.passages:
        taken.setdefault(passage.row.name, []).append(passage)
    lines = []
    for index, passages in enumerate(taken.values()):
        flow = passages[0].row.flow.name
        steps = _steps(passages, ran.points[flow])
        lines.append(" -> ".join(steps) if index == 0 else f"{flow}: {' -> '.join(steps)}")
    if len(lines) > _MOST:
        lines[_MOST:] = [f"... and {len(lines) - _MOST} more executions"]
    return lines


class _Stop:
    """A state that was entered, and what happened there."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.choice = ""
        self.retries = 0
        self.caught = False

    def __str__(self) -> str:
        times = {0: "", 1: "retried", 2: "retried twice"}.get(self.retries, f"retried {self.retries} times")
        told = [word for word in (self.choice, times, "caught" if self.caught else "") if word]
        return f"{self.name} ({', '.join(told)})" if told else self.name


def _steps(passages: Sequence[Passage], points: Mapping[str, Point]) -> list[str]:
    stops: list[_Stop] = []
    at: dict[str, _Stop] = {}  # the last passage through each state
    for _, identity, _ in passages:
        point = points[identity]
        if point.kind is PointKind.STATE:
            at[identity] = stop = _Stop(point.label)
            stops.append(stop)
        elif point.kind is PointKind.CHOICE:
            at[point.node].choice = point.part
        elif point.kind is PointKind.RETRY:
            at[point.node].retries += 1
        elif point.kind is PointKind.CATCH:
            at[point.node].caught = True
    steps = [str(stop) for stop in stops]
    if len(steps) > _LONGEST:
        half = _LONGEST // 2
        steps[half:-half] = [f"... {len(steps) - 2 * half} more ..."]
    return steps


def told(event: Event, started: float) -> str:
    """Return an event as a sentence: `event 7, after 3s: TaskFailed of 'Charge', PaymentRefused: card expired`."""
    data = event.data
    if "error" in data:
        detail = ": ".join(filter(None, (data["error"], data["cause"])))
    else:
        detail = event.detail if event.shape.keys else ""
    detail = detail if len(detail) <= _WIDEST else detail[:_WIDEST] + "..."
    of = f" of '{event.step}'" if event.step else ""
    return f"event {event.id}, after {duration_text(event.time - started)}: {event.type}{of}" + (
        f", {detail}" if detail else ""
    )
