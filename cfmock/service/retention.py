"""Retention of executions: which of those that have ended go when there are too many, or when they take too much.

What an execution takes is an estimate that costs next to nothing: the sizes of its texts and events, and of what it was
started with where nothing else holds that any more. What goes on running counts, too; where nothing is left to drop, no more
is started. What fixtures write stays, and does not count.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Iterable
from sys import getsizeof

from cfmock.base.errors import ServiceError
from cfmock.base.json_text import json_text, value_size
from cfmock.service.rows import AliasRow, ExecutionRow, FlowRow, ScheduleRow

DefinedRow = FlowRow | AliasRow | ScheduleRow

MAX_DEFINED = 64 * 1024 * 1024
"""Bytes that all of it may take, about."""

_ROW = 600  # bytes of a row without its texts
_COMPILED = 20  # bytes of a compiled definition for each character


class Definitions:
    """The definitions made by calls. `bytes` is about what it takes."""

    def __init__(self) -> None:
        self.bytes = 0
        self._sizes: dict[str, dict[str, tuple[int, str]]] = {}  # by flow id and row: its own size, and its definition
        self._holders: dict[str, Counter[str]] = {}  # by flow id: how many rows have a definition

    def put(self, flow: str, row: DefinedRow, *, restored: bool = False) -> None:
        """A row of a flow takes the place of the one of its name. Raises InvalidArgument where there is no room (our choice) for
        one that is not `restored`."""
        key, definition = _key(row), row.definition if isinstance(row, FlowRow) else ""
        size = _ROW + _text_size(row)
        holders = self._holders.get(flow, Counter())
        more = size + (0 if holders[definition] else _definition_size(definition))
        known = self._sizes.get(flow, {}).get(key, (0, ""))[0]
        if more > known and self.bytes + more > MAX_DEFINED and not restored:
            detail = f"The flows, versions, aliases and schedules that calls made take {self.bytes} bytes. Delete some."
            raise ServiceError("InvalidArgument", detail=detail)
        self.bytes += more
        self._holders.setdefault(flow, holders)[definition] += 1
        self._remove(flow, key)
        self._sizes.setdefault(flow, {})[key] = size, definition

    def remove(self, flow: str, row: DefinedRow) -> None:
        """A row is gone, if it counted."""
        self._remove(flow, _key(row))

    def _remove(self, flow: str, key: str) -> None:
        found = self._sizes.get(flow, {}).pop(key, None)
        if found is not None:
            size, definition = found
            self.bytes -= size
            holders = self._holders[flow]
            holders[definition] -= 1
            if not holders[definition]:
                del holders[definition]
                self.bytes -= _definition_size(definition)

    def drop(self, flow: str) -> None:
        """A flow is gone with all its rows."""
        for row in list(self._sizes.get(flow, ())):
            self._remove(flow, row)
        self._sizes.pop(flow, None)
        self._holders.pop(flow, None)


def _key(row: DefinedRow) -> str:
    return f"{type(row).__name__} {row.version if isinstance(row, FlowRow) else row.name}"


def _text_size(row: DefinedRow) -> int:
    """Characters of its texts beside the definition."""
    size = len(row.name) + len(row.description)
    if isinstance(row, ScheduleRow):
        return size + len(row.payload) + len(row.cron)
    if isinstance(row, FlowRow):
        environment = value_size(json_text(row.environment)) if row.environment else 0
        return size + len(row.role_arn) + len(row.external_storage_location) + len(row.resource_group_id) + environment
    return size


def _definition_size(definition: str) -> int:
    return (1 + _COMPILED) * len(definition)


HEADROOM = 64 * 1024 * 1024
"""Bytes that running executions may take beyond the bound before those that go on growing fail."""

STEP = 4_096
"""Bytes by which a running execution grows before that is counted."""

MAX_GONE = 4 * 1024 * 1024
"""Bytes of executions that are gone with their flows and may still be passed over, in a world."""

_MOST_TOGETHER = 32  # executions dropped at once, where there are many: one at each start would cost twice as much
_FEW_OF = 256  # of so many executions one is dropped beforehand
_EXECUTION = 1_200  # bytes of one, without its texts and events
_RUNNING = 5_000  # bytes of one whose definition runs, beside its values


class Memory:
    """The memory that the executions of all worlds take, and beside that the `definitions`. `limit` is the bound in bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.bytes = 0
        self.retentions: list[Retention] = []
        self.definitions = Definitions()
        self.told = False  # that executions are dropped
        self._flows: dict[tuple[int, int], list[int]] = {}  # how many executions hold it, and what it counts for

    @property
    def dropped(self) -> int:
        """The number of executions dropped in all worlds."""
        return sum(each.dropped for each in self.retentions)

    def oldest(self) -> Retention | None:
        """The world of the execution that has ended before all others."""
        return min((each for each in self.retentions if each.finished), key=Retention.oldest, default=None)

    def use(self, flow: FlowRow) -> None:
        """An execution holds on to this state of a flow."""
        self._flows.setdefault(_state(flow), [0, 0])[0] += 1

    def free(self, flow: FlowRow) -> None:
        """The counterpart of `use`."""
        state = _state(flow)
        used = self._flows[state]
        used[0] -= 1
        if not used[0]:
            del self._flows[state]
            self.bytes -= used[1]

    def left(self, flow: FlowRow) -> int:
        """Return how many bytes this state of a deleted flow takes, if no execution that counts holds on to it."""
        return 0 if _state(flow) in self._flows else _flow_size(flow)

    def superseded(self, before: FlowRow, after: FlowRow) -> None:
        """A flow has changed: what it was is kept for its executions only, so it counts from now on."""
        used = self._flows.get(_state(before))
        if used is not None and not used[1] and _state(before) != _state(after):
            used[1] = _flow_size(before)
            self.bytes += used[1]


class Retention:
    """The executions of one world that may be dropped. `most` is how many there may be, `forget` takes one and these keys of
    its map runs out of the tables, and `tell` is told when the first is dropped."""

    def __init__(
        self,
        memory: Memory,
        most: int,
        forget: Callable[[ExecutionRow, Iterable[str]], None],
        tell: Callable[[str], None],
    ) -> None:
        self.count = 0
        self.dropped = 0
        self.finished: deque[ExecutionRow] = deque()
        """Those that have ended, the oldest first. Some may have gone with their flows, but never the first."""
        self._gone: set[int] = set()  # their serials
        self._gone_bytes = 0
        self._memory = memory
        self._most = most
        self._forget = forget
        self._tell = tell
        self._running: dict[int, list[int]] = {}  # by serial, in bytes: what it takes beside its history, and in all
        self._staying: set[int] = set()  # serials of what fixtures write
        self._map_runs: dict[int, tuple[str, ...]] = {}  # keys of their rows
        memory.retentions.append(self)

    def admit(self, input: str) -> None:
        """Drop what must go for one more. Raises ResourceThrottled where running executions leave no room (our choice)."""
        memory = self._memory
        self.make_room(input)
        if self.count >= self._most:
            raise ServiceError("ResourceThrottled", detail=f"{self.count} executions are kept, and all of them run.")
        if memory.bytes > memory.limit:
            raise ServiceError("ResourceThrottled", detail=f"The running executions take {memory.bytes} bytes.")

    def make_room(self, input: str) -> None:
        """Drop what must go for one more."""
        if self.count >= self._most:
            least = self._most - min(_MOST_TOGETHER, self._most // _FEW_OF)
            while self.count >= least and self.finished:
                self._drop("keep_executions")
        self._trim(_RUNNING + 2 * len(input))

    def stays(self, row: ExecutionRow) -> None:
        """It is never dropped, and does not count."""
        self._staying.add(row.serial)

    def is_staying(self, row: ExecutionRow) -> bool:
        """Return whether a fixture wrote it."""
        return row.serial in self._staying

    def runs(self, row: ExecutionRow) -> None:
        """It goes on running after its start."""
        if row.serial not in self._running:
            size = _EXECUTION + getsizeof(row.input) + len(row.callback_token)
            if row.events is not None:
                size += _RUNNING + value_size(row.input)
            whole = size if row.events is None else size + row.events.running_size
            self._running[row.serial] = [size, whole]
            self._enter(row, whole)

    def grown(self, row: ExecutionRow, history: int) -> int | None:
        """The history of a running execution and the values in it take so many bytes. Gives how many are enough to tell again;
        None if there is no more room for it."""
        self.runs(row)
        sizes = self._running[row.serial]
        self._memory.bytes += sizes[0] + history - sizes[1]
        sizes[1] = sizes[0] + history
        self._trim(0)
        if self._memory.bytes > self._memory.limit + HEADROOM:
            return None
        return history + max(STEP, history // 8)

    def ended(self, row: ExecutionRow) -> None:
        """It has ended, and may go from now on."""
        serial = row.serial
        sizes = self._running.pop(serial, None)
        if sizes is not None:
            self._memory.bytes += _size(row) - sizes[1]
        elif serial in self._staying:
            return
        else:
            self._enter(row, _size(row))
        self.finished.append(row)
        while self.count > self._most and self.finished:
            self._drop("keep_executions")

    def has_map_runs(self, row: ExecutionRow, keys: Iterable[str]) -> None:
        """These rows of map runs go with it."""
        self._map_runs[row.serial] = tuple(keys)

    def drop_flow(self, rows: Iterable[ExecutionRow]) -> None:
        """These executions, all of one flow, are gone with it."""
        for row in rows:
            if row.serial in self._staying:
                self._staying.discard(row.serial)
            elif row.ended or row.serial in self._running:
                counted = self._memory.bytes
                self._release(row)
                if row.ended:
                    self._gone.add(row.serial)
                    self._gone_bytes += counted - self._memory.bytes + self._memory.left(row.flow)
        if self._gone_bytes > MAX_GONE:
            self.finished = deque(row for row in self.finished if row.serial not in self._gone)
            self._gone.clear()
        self._skip_gone()

    def _skip_gone(self) -> None:
        while self._gone and self.finished and self.finished[0].serial in self._gone:
            self._gone.discard(self.finished.popleft().serial)
        if not self._gone:
            self._gone_bytes = 0

    def end(self) -> None:
        """The world is gone."""
        self._memory.retentions.remove(self)

    def oldest(self) -> float:
        """The moment at which the first of the finished ones has ended, in seconds since 1970. Only where one is there."""
        return self.finished[0].stopped or 0.0

    def _enter(self, row: ExecutionRow, size: int) -> None:
        self.count += 1
        self._memory.bytes += size
        self._memory.use(row.flow)

    def _trim(self, more: int) -> None:
        """Drop the oldest of all worlds, until there is room for so many bytes more, or nothing left to drop."""
        memory = self._memory
        while memory.bytes + more > memory.limit and (oldest := memory.oldest()) is not None:
            oldest._drop("keep_bytes")

    def _drop(self, setting: str) -> None:
        row = self.finished.popleft()
        self._skip_gone()
        self._forget(row, self._release(row))
        self.dropped += 1
        if not self._memory.told:
            self._memory.told = True
            self._tell(f"executions that have ended are dropped from now on, the oldest first ({setting})")

    def _release(self, row: ExecutionRow) -> tuple[str, ...]:
        """Stop counting it; returns the keys of the rows of its map runs."""
        sizes = self._running.pop(row.serial, None) if self._running else None
        self._memory.bytes -= _size(row) if sizes is None else sizes[1]
        self.count -= 1
        self._memory.free(row.flow)
        return self._map_runs.pop(row.serial, ()) if self._map_runs else ()


def _size(row: ExecutionRow) -> int:
    """About how many bytes one that has ended takes. All of an outcome may have one output."""
    size = _EXECUTION + getsizeof(row.input) + len(row.callback_token)
    if row.events is not None:
        return size + row.events.size
    return size if row.outcome is not None and row.output is row.outcome.text else size + len(row.output)


def _state(flow: FlowRow) -> tuple[int, int]:
    """Return what is the same of two rows of a flow that differ in small things only: children of a map run have rows of their
    own."""
    return id(flow.definition), id(flow.environment)


def _flow_size(flow: FlowRow) -> int:
    environment = len(json.dumps(flow.environment)) if flow.environment else 0
    return getsizeof(flow.definition) + _COMPILED * len(flow.definition) + 2 * environment
