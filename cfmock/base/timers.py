"""Everything that is due on the flow clock.

A `Timeline` is the time one execution lives in. It runs with the flow clock until somebody waits for that execution on a
virtual clock: then it jumps ahead to its own next timer, and nothing else moves. All timers stand in one heap, so finding the
next one due costs no scan.

Times are steady ones (`Clock.steady`), which no setting of a machine's clock changes; what waits for a moment of such a clock
looks each second how far that is away. They are whole microseconds, so that 0.1 s and 0.2 s after 0.3 s are due at the same
time. Of what is due at one moment the lowest rank comes first, and of equals the one added first.
"""

from __future__ import annotations

import enum
import heapq
import math
from collections.abc import Callable, Iterator

from msgspec import Struct, field

from cfmock.base.clocks import Clock, VirtualClock, whole

LOOK = 1.0
"""Seconds after which a machine's clock is looked at again for what waits for a moment of it."""

_NEAR = 0.0005  # seconds by which two looks at a clock may differ though nobody has set it


class TimerKind(enum.Enum):
    """Why a timer stands there, which decides whether a waiting client may jump to it."""

    PROGRESS = "progress"  # a wait, a retry interval, an `after`: what the execution itself is waiting for
    GUARD = "guard"  # a task time-out, a limit: what happens if nothing else does; not jumped to while anything may
    SCHEDULE = "schedule"  # not of any execution


RANK = 1 << 62
"""The rank of a timer that is no limit of anything: limits come before it."""


class Timer(Struct, eq=False):
    """One thing due. `due` is in the time of its timeline; of those due at one moment the lowest `rank` comes first. `moment`
    is the time of a machine's clock that it waits for, if it does."""

    due: float
    kind: TimerKind
    callback: Callable[[], None] | None
    timeline: Timeline | None
    rank: int
    moment: float | None = None
    entry: int = 0  # the heap entry that counts; earlier ones of the same timer are stale

    def cancel(self) -> None:
        self.callback = None
        self.timeline = None


_COMPACT = 64
"""Timers of one timeline before the cancelled ones among them are looked for."""


class Timeline(Struct, eq=False):
    """The time of one execution and the children it waits for: the flow clock plus the seconds it has jumped ahead. `joined` are
    those of executions that it waits for and did not start, `joiners` how many wait for those in it."""

    _timers: Timers
    skipped: float = 0.0
    owner: int = 0  # the number of the execution that came first on it, where state is kept
    busy: int = 0  # what is yet to happen at this moment: calls out of the core not answered, work not yet done
    open: int = 0  # tasks that anybody outside may report at any time
    joined: tuple[Timeline, ...] = ()
    joiners: int = 0
    _heap: list[tuple[float, int, int, Timer]] = field(default_factory=list)
    _compact_at: int = _COMPACT

    def now(self) -> float:
        return self._timers.clock.now() + self.skipped

    def steady(self) -> float:
        """Return its time in steady seconds, which its timers go by."""
        return self._timers.clock.steady() + self.skipped

    def jump(self) -> bool:
        """Go to the next timer and run it; False if there is none or it may not be overtaken: no guard while anything is open.
        When nothing is, all that could come before it has come: it is certain."""
        if self.busy:
            return False
        next_timer = self.next_timer()
        if next_timer is None or (self.open and next_timer.kind is not TimerKind.PROGRESS):
            return False
        self._pass(heapq.heappop(self._heap)[3])
        return True

    def pass_guard(self, before: float) -> bool:
        """Go to the next timer, of whatever kind, if it is due before a steady time: nobody will report what is open."""
        if self.busy or self.due >= before:
            return False
        self._pass(heapq.heappop(self._heap)[3])
        return True

    def _pass(self, timer: Timer) -> None:
        self.catch_up(timer.due - self._timers.clock.steady())
        self._timers.fire(timer)

    def join(self, other: Timeline) -> None:
        """Wait for an execution with a time of its own: where a client waits for us, that goes on, too."""
        self.joined = (*self.joined, other)
        other.joiners += 1
        self.open += 1

    def part(self, other: Timeline) -> None:
        """Undo `join`."""
        others = list(self.joined)
        others.remove(other)
        self.joined = tuple(others)
        other.joiners -= 1
        self.open -= 1

    def reach(self) -> list[Timeline]:
        """This one and all that it has joined, in the order in which they can go on."""
        found = [self]
        for each in found:
            found += [other for other in each.joined if other not in found]
        return sorted(found, key=lambda each: each.due) if len(found) > 1 else found

    @property
    def due(self) -> float:
        """The time of its next timer, in steady seconds as `steady()` gives them; infinity if it has none."""
        timer = self.next_timer()
        return math.inf if timer is None else timer.due

    @property
    def left(self) -> float:
        """The seconds until its next timer, none if that is overdue; infinity if it has none."""
        return max(0.0, self.due - self.steady())

    def next_timer(self) -> Timer | None:
        while self._heap and self._heap[0][3].callback is None:
            heapq.heappop(self._heap)
        return self._heap[0][3] if self._heap else None

    def catch_up(self, skipped: float) -> None:
        """Go `skipped` seconds ahead of the flow clock, unless it is further ahead already."""
        if skipped > self.skipped:
            self.skip_to(skipped)

    def skip_to(self, skipped: float) -> None:
        """Go `skipped` seconds ahead of the flow clock, or back to there, with all timers."""
        self.skipped = skipped
        self._drop_cancelled()
        for entry in self._heap:
            self._timers.enlist(entry[3])

    def push(self, timer: Timer) -> None:
        """Take a timer of its own; its entry in the common heap breaks ties."""
        heapq.heappush(self._heap, (timer.due, timer.rank, timer.entry, timer))
        if len(self._heap) >= self._compact_at:
            self._drop_cancelled()
            self._compact_at = max(_COMPACT, 2 * len(self._heap))

    def progress_due(self) -> bool:
        """Return whether something that it waits for is due at this moment and not done."""
        timer = self.next_timer()
        return timer is not None and timer.kind is TimerKind.PROGRESS and timer.due <= whole(self.steady())

    def _drop_cancelled(self) -> None:
        # Sorted, so that of equals the first stays the first when all are enlisted again.
        self._heap = sorted(entry for entry in self._heap if entry[3].callback is not None)


class Timers:
    """Everything due, soonest first, then by rank; of equals the one added first. With a real clock the edge calls `run_due()`
    at `next_due()`; a virtual clock is moved by `advancing()`."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._heap: list[tuple[float, int, int, Timer]] = []
        self._moments: dict[Timer, None] = {}  # those that wait for a moment of a machine's clock
        self._ahead = 0.0  # how far that was ahead of the steady time when it was last looked at
        self._look_at = 0.0
        self._count = 0
        self._compact_at = 1024
        self.on_earlier: Callable[[], None] | None = None  # called when a timer is due before all others

    def timeline(self, skipped: float = 0.0) -> Timeline:
        return Timeline(self, skipped)

    def add(
        self,
        due: float,
        kind: TimerKind,
        callback: Callable[[], None],
        timeline: Timeline | None = None,
        rank: int = RANK,
    ) -> Timer:
        """Add a timer; `due` is in the steady time of its timeline, or of the flow clock without one."""
        timer = Timer(whole(due), kind, callback, timeline, rank)
        self.enlist(timer)
        if timeline is not None:
            timeline.push(timer)
        return timer

    def add_moment(
        self, moment: float, kind: TimerKind, callback: Callable[[], None], timeline: Timeline | None = None
    ) -> Timer:
        """Add a timer that is due when the clock says `moment`, however it is set until then."""
        if isinstance(self.clock, VirtualClock):
            return self.add(moment, kind, callback, timeline)
        timer = self.add(self.clock.steady() + (moment - self.clock.now()), kind, callback, timeline)
        timer.moment = moment
        self._moments[timer] = None
        if len(self._moments) == 1 and self.on_earlier is not None:
            self.on_earlier()  # from now on the clock has to be looked at
        return timer

    def enlist(self, timer: Timer) -> None:
        """(Re)place a timer in the common heap; an older entry of it no longer counts."""
        skipped = timer.timeline.skipped if timer.timeline is not None else 0.0
        self._count += 1
        timer.entry = self._count
        due = whole(timer.due - skipped) if skipped else timer.due
        earlier = not self._heap or due < self._heap[0][0]
        heapq.heappush(self._heap, (due, timer.rank, timer.entry, timer))
        if len(self._heap) > self._compact_at:
            self._compact()
        if earlier and self.on_earlier is not None:
            self.on_earlier()

    def next_due(self) -> float | None:
        """Return the steady time at which there is something to do next, None if there is nothing."""
        self._drop_stale()
        if not self._heap:
            return None
        due = self._heap[0][0]
        return min(due, self.clock.steady() + LOOK) if self._moments else due

    def run_due(self, enough: Callable[[], bool] = lambda: False) -> int:
        """Run what is due now, until that is `enough`; what becomes due meanwhile waits. Returns the number run."""
        if self._moments:
            self._look()
        now, last, ran = self.clock.steady(), self._count, 0
        self._drop_stale()
        while self._heap and self._heap[0][0] <= now and self._heap[0][2] <= last:
            self.fire(heapq.heappop(self._heap)[3])
            ran += 1
            if enough():
                break
            self._drop_stale()
        return ran

    def _look(self) -> None:
        """See how far the moments are away now that timers wait for."""
        steady = self.clock.steady()
        ahead = self.clock.now() - steady
        if abs(ahead - self._ahead) < _NEAR and steady < self._look_at:
            return
        self._ahead, self._look_at = ahead, steady + LOOK
        self._moments = {timer: None for timer in self._moments if timer.callback is not None}
        for timer in self._moments:
            assert timer.moment is not None
            due = whole(timer.moment - ahead)
            if abs(due - timer.due) >= _NEAR:
                timer.due = due
                self.enlist(timer)

    def advance_to(self, moment: float) -> None:
        """Move the virtual clock to each due time in order, run what is due there, and end at `moment`, all settled."""
        for _ in self.advancing(moment):
            pass

    def advancing(self, moment: float) -> Iterator[None]:
        """Advance the virtual clock in steps: run the next due timer each time the iterator goes on."""
        clock = self.clock
        if not isinstance(clock, VirtualClock):
            raise TypeError("only a virtual clock can be advanced")
        moment = whole(moment)
        while (due := self.next_due()) is not None and due <= moment:
            clock.set(due)
            self.fire(heapq.heappop(self._heap)[3])
            yield
        clock.set(moment)

    def clear(self) -> None:
        self._heap.clear()
        self._moments.clear()

    def fire(self, timer: Timer) -> None:
        """Cancel a timer and call what it was for."""
        callback = timer.callback
        timer.cancel()
        if timer.moment is not None:
            self._moments.pop(timer, None)
        if callback is not None:
            callback()

    def _drop_stale(self) -> None:
        heap = self._heap
        while heap and not _counts(heap[0]):
            heapq.heappop(heap)

    def _compact(self) -> None:
        # Cancelled time-outs of a year would otherwise stay for that year.
        self._heap = [entry for entry in self._heap if _counts(entry)]
        heapq.heapify(self._heap)
        self._compact_at = max(1024, 2 * len(self._heap))


def _counts(entry: tuple[float, int, int, Timer]) -> bool:
    return entry[3].callback is not None and entry[2] == entry[3].entry
