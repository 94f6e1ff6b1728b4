"""Common base of the parts of `Control`: an emulator, its worlds, names in them, set-ups, and how lists are paged."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Generator, Iterator
from enum import Enum
from typing import Any, ParamSpec, TypeVar

from cfmock.base.errors import ArgumentError
from cfmock.base.json_text import Json, value_size
from cfmock.base.suggestions import did_you_mean, shown
from cfmock.control.names import NameCheck
from cfmock.control.setups import SetUps
from cfmock.emulator.emulator import Emulator
from cfmock.emulator.kept_state import Added
from cfmock.emulator.worlds import Change
from cfmock.observe.change_feed import Kind
from cfmock.observe.journal import ALL, Scope
from cfmock.protocol.auth.credentials import DEFAULT_ACCOUNT
from cfmock.service.rows import ExecutionRow, FlowRow
from cfmock.service.world import FLOWS, World

MAX_ADDED = 64 * 1024 * 1024
"""Bytes of fixtures, outcomes, mocks and faults that are added to a server at work, about, as values."""

MAX_RULES = 1_000
"""Fault rules, outcomes of a flow and mocks of a task that are added to a server at work: calls may have to pass by them all."""

CHANGE = 200
"""Bytes of a change beside what it keeps."""


class ControlError(ArgumentError):
    """A control endpoint that was asked for something it cannot do; `problems` of a rule or document, a line each."""


class NotFoundError(ControlError):
    """A control endpoint that was asked about something that is not there."""


class ConflictError(ControlError):
    """A control endpoint that was asked for what can be done no more, or not now: a name that is taken, a task that has ended."""


class ControlPart:
    """The endpoints of one emulator that are about one kind of thing. `account` and `region` name a world; without them lists
    show all, and what is added holds in all worlds, those still to come too."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.names = NameCheck(emulator)
        self.setups = SetUps(emulator)

    def warn(self, text: str) -> None:
        """Add a warning to the log and to `list_warnings`."""
        self.emulator.worlds.warn(text)

    def _mark(self, kind: Kind, name: str = "") -> None:
        """Mark a change that holds in all worlds."""
        self.emulator.shared.feed.mark(kind, self.emulator.worlds.default_key, *filter(None, (name,)))

    def check_flow(self, flow: str | None) -> None:
        """Raises UnknownName for a flow that there neither is nor was, in any world."""
        if flow is not None:
            self.names.flow(flow, list(self._worlds(ALL)))

    def _one_world(self, scope: Scope) -> World:
        """The world that is meant where one thing is named: the default one, unless account or region say otherwise."""
        self.check_world(scope)
        account, region = scope
        return self.emulator.worlds.of(account or DEFAULT_ACCOUNT, region or self.emulator.settings.region)

    def _flow(self, world: World, name: str) -> FlowRow:
        """Raises NotFoundError, with the one that was probably meant."""
        row = world.stores.flows.get(FLOWS, name)
        if row is None:
            raise NotFoundError(f"there is no flow '{name}'{did_you_mean(name, world.flow_names())}")
        return row

    def _execution(self, world: World, flow: str, name: str) -> ExecutionRow:
        row = world.stores.executions.get(self._flow(world, flow).id, name)
        if row is None:
            near = did_you_mean(name, world.names_in(world.stores.executions, flow, name))
            raise NotFoundError(f"there is no execution '{name}' of flow '{flow}'{near}")
        return row

    def _worlds(self, scope: Scope) -> Iterator[World]:
        self.check_world(scope)
        return self.emulator.worlds.known(scope)

    def _keep(self, what: str, document: Json, scope: Scope, id: str = "") -> None:
        """Keep an addition in the state file, where there is one."""
        kept = self.emulator.kept
        if kept is not None:
            kept.add(Added(what, document, *scope, id))

    def _everywhere(self, change: Change, scope: Scope, size: int = CHANGE) -> int:
        """Make a change in all these worlds, which takes so many bytes. Raises ControlError where there is no room for it."""
        self.check_world(scope)
        self._check_room(size)
        return worked_out(self.emulator.worlds.in_steps(change, scope, size=size))

    def _check_faults(self, scope: Scope, more: int) -> None:
        """Raises ControlError for too many fault rules in any world; one with several patterns counts as many."""
        for world in self._worlds(scope):
            check_rules(world.faults.size + more, "fault rules and patterns in them")

    def _check_room(self, size: int) -> None:
        added = self.emulator.worlds.added
        if added + size > MAX_ADDED:
            text = f"what was added since the start takes {added} bytes, and there is no room for {size} more: reset the server"
            raise ControlError(text)

    @property
    def regions(self) -> Collection[str]:
        """Return the regions that a world may be in."""
        return {*self.emulator.spec.regions, self.emulator.settings.region}

    def check_world(self, scope: Scope) -> None:
        """Raises ControlError for an account or region that there is not."""
        for what, name, known in zip(
            ("key of account", "region"), scope, (self.emulator.accounts, self.regions), strict=True
        ):
            if name is not None and name not in known:
                raise ControlError(f"there is no {what} '{name}'{did_you_mean(name, known)}")


def size_of(given: Json) -> int:
    """About how many bytes a change takes that keeps this, and what is made of it."""
    return CHANGE + 2 * value_size(repr(given))


def check_rules(count: int, of_what: str) -> None:
    """Raises ControlError for more rules than may be added."""
    if count > MAX_RULES:
        raise ControlError(f"no more than {MAX_RULES} {of_what} can be added: reset the server")


def shown_fields(value: object, *names: str) -> dict[str, Json]:
    """These attributes of a value, as an answer has them."""
    found = {name: getattr(value, name) for name in names}
    return {name: part.value if isinstance(part, Enum) else part for name, part in found.items()}


P = ParamSpec("P")
T = TypeVar("T")
Work = Callable[[], Any]
Steps = Generator[Work, Any, T]
"""What takes longer: yields what is to be done, and is sent what came of it, or the error raised there."""
Answer = Steps[Json]


def at_once(steps: Callable[P, Steps[T]]) -> Callable[P, T]:
    """Make a method of one that answers in steps: it does what they yield itself."""

    @functools.wraps(steps)
    def method(*given: P.args, **named: P.kwargs) -> T:
        return worked_out(steps(*given, **named))

    return method


def worked_out(steps: Steps[T]) -> T:
    """Return the answer of what yields work, doing that here and at once."""
    try:
        work = next(steps)
        while True:
            try:
                done = work()
            except Exception as error:  # noqa: BLE001 - whoever yielded the work is told
                work = steps.throw(error)
            else:
                work = steps.send(done)
    except StopIteration as stop:
        answer: T = stop.value
        return answer


PAGE = 50
"""Entries of a page, unless more or fewer are asked for."""

MAX_PAGE = 1_000
"""Entries of a page."""


def read_after(text: str, read: Callable[[str], T]) -> T:
    """Read the place where a page begins, as the page before named it; `read` raises ValueError for what none has named."""
    try:
        return read(text)
    except ValueError:
        raise ControlError(f"after: {shown(text)} is not the `next` of a page") from None
