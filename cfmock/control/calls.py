"""The calls seen, and what they show about clients: violations and retries."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import Any

from msgspec import to_builtins

from cfmock.base.clocks import iso
from cfmock.base.globs import is_glob
from cfmock.base.json_text import Json
from cfmock.base.suggestions import shown
from cfmock.control.part import Answer, ControlError, ControlPart, NotFoundError, Steps, at_once
from cfmock.emulator.worlds import pause
from cfmock.observe.call_record import CallRecord, as_json, explain, whole
from cfmock.observe.call_ring import matches
from cfmock.observe.journal import ALL, Scope
from cfmock.observe.models import Violation, moment
from cfmock.observe.retries import Retries, groups

MAX_SIZE = 4 * 1024 * 1024
"""Bytes of the calls in an answer, about, unless it has one only."""

MAX_SORTED = 10_000
"""Calls in which retries are looked for, the newest."""

BLOCKS = 16
"""Blocks of calls that are searched before others have their turn."""

ID = "^[0-9A-F-]{1,64}$"
"""What a RequestId looks like."""


class CallControl(ControlPart):
    """Answers questions about calls."""

    def check_calls(self, operation: str | None, parameters: Collection[str] = (), flow: str | None = None) -> None:
        """Raises UnknownName unless the API has this operation, the glob covers one, or a client has called it; likewise for the
        names of its parameters, and for a flow that there neither is nor was and that no call names."""
        if operation is not None:
            self.names.operation(operation)
        if parameters:
            self.names.parameters(operation, parameters)
        if flow is not None and not is_glob(flow) and next(self.emulator.journal.find(flow=flow), None) is None:
            self.check_flow(flow)

    def find_calls(self, scope: Scope = ALL, **filters: str | int | None) -> list[CallRecord]:
        return list(self.emulator.journal.find(scope, **filters))

    def find_calls_in_steps(self, scope: Scope = ALL, **filters: str | int | None) -> Steps[list[CallRecord]]:
        """Find like `find_calls`, letting others have their turn."""
        worlds = []
        for blocks in self.emulator.journal.find_by_blocks(scope, **filters):
            found: list[CallRecord] = []
            for number, some in enumerate(blocks, 1):
                found += some
                if number % BLOCKS == 0:
                    yield pause
            worlds.append(found)
        return worlds[0] if len(worlds) == 1 else sorted(chain.from_iterable(worlds), key=attrgetter("ended"))

    def list_calls_in_steps(
        self,
        limit: int | None = None,
        after: str | None = None,
        operation: str | None = None,
        scope: Scope = ALL,
        **filters: str | int | None,
    ) -> Answer:
        """The newest calls that fit; `after` is the `next` of the answer before. Raises UnknownName as `check_calls` does."""
        self.check_world(scope)
        self.check_calls(operation)
        if after is not None and not re.match(ID, after):
            raise ControlError(f"after: {shown(after)} is not the `next` of a page")
        journal = self.emulator.journal
        records = yield from self.find_calls_in_steps(scope, operation=operation, **filters)
        if after is not None:
            # None are before one that is gone, or not among them.
            del records[next((at for at, each in enumerate(records) if each.request_id == after), 0) :]
        newest = records[len(records) - _fitting(records, limit) :]
        explain(newest)
        more = {"next": newest[0].request_id} if newest and len(newest) < len(records) else {}
        return {
            "calls": [as_json(record) for record in newest],
            "dropped": journal.dropped(scope),
            "warnings": [{"time": iso(each.time), "text": each.text} for each in journal.warnings(scope)],
            **more,
        }

    list_calls = at_once(list_calls_in_steps)

    def show_call(self, request_id: str, scope: Scope = ALL) -> Json:
        """One call whole, with what nearly matched it."""
        return whole(self._call(request_id, scope))

    def show_signature(self, request_id: str, scope: Scope = ALL) -> Json:
        """Show the text that the server signed for a refused call, and the client's likely mistake."""
        explained = self._call(request_id, scope).details.signature
        if explained is None:
            raise NotFoundError(f"call '{request_id}' was not refused for its signature")
        return explained.to_mapping()

    def _call(self, request_id: str, scope: Scope) -> CallRecord:
        self.check_world(scope)
        found = self.find_calls(scope, request_id=request_id)
        if not found:
            raise NotFoundError(f"there is no call '{request_id}' in the journal")
        return found[-1]

    def list_warnings(self) -> list[str]:
        """List warnings for the author of a test, as of tasks without a mock."""
        return [each.text for each in self.emulator.journal.warnings()]

    def clear_calls(self, scope: Scope = ALL) -> Json:
        self.check_world(scope)
        self.emulator.journal.forget(scope)
        return {}

    def when_called_in_steps(self, count: int, tell: Callable[[], None], **filters: Any) -> Steps[Callable[[], None]]:
        """Call `tell` once there are `count` such calls, at once if there are; returns a function that undoes it."""
        journal = self.emulator.journal
        left = count  # counted on, since the journal may drop them meanwhile

        def undo() -> None:
            if heard in journal.listeners:
                journal.listeners.remove(heard)

        def heard(record: CallRecord) -> None:
            nonlocal left
            left -= matches(record, filters)
            if left <= 0:
                undo()
                tell()

        steps = self.find_calls_in_steps(**filters)
        journal.listeners.append(heard)
        try:
            found = yield from steps  # in a line of its own: `left` changes meanwhile
        except BaseException:  # whoever waits has left
            undo()
            raise
        left -= len(found)
        if left <= 0 and heard in journal.listeners:
            undo()
            tell()
        return undo

    when_called = at_once(when_called_in_steps)

    def find_violations(self, scope: Scope = ALL) -> list[Violation]:
        self.check_world(scope)
        return [
            Violation(*seen.violation, seen.operation, seen.request_id, moment(seen.time))
            for seen in self.emulator.monitor.violations(self.emulator.clock.now(), scope)
        ]

    def list_violations(self, scope: Scope = ALL) -> Json:
        """Return the violations in the form of the admin API, oldest first; times are ISO 8601 text."""
        found = self.find_violations(scope)
        return [{**to_builtins(each), "time": each.time and iso(each.time.timestamp())} for each in found]

    def find_retries(self, operation: str | None = None, scope: Scope = ALL) -> list[Retries]:
        self.check_world(scope)
        return groups(self.find_calls(scope, operation=operation)[-MAX_SORTED:])

    def list_retries(self, operation: str | None = None, scope: Scope = ALL) -> Answer:
        """Sorting the calls is yielded, as that may take long. Raises UnknownName as `check_calls` does."""
        self.check_calls(operation)
        self.check_world(scope)
        calls = yield from self.find_calls_in_steps(scope, operation=operation)
        found = yield partial(groups, calls[-MAX_SORTED:])
        return [each.to_mapping() for each in found]


def _fitting(records: Sequence[CallRecord], limit: int | None) -> int:
    """How many of the newest an answer may hold."""
    size = count = 0
    for record in reversed(records):
        size += record.size
        if count == limit or (count and size > MAX_SIZE):
            break
        count += 1
    return count
