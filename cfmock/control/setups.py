"""Outcomes, faults and mocks added to a running emulator, and those of them that nothing ever used.

A test whose set-up is never used passes without testing what it says. One outcome, one fault and one chain of mocks of a task
is one set-up, in however many worlds it holds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterator

from msgspec import Struct, field

from cfmock.control.nearest_calls import AddedFault, MockChain, Subject, nearest
from cfmock.emulator.emulator import Emulator
from cfmock.protocol.faults.injector import ActiveFault
from cfmock.protocol.faults.rules import FaultRule

_KEPT = 10_000
"""Set-ups that are remembered, the newest: a server may run for days."""

_EXPLAINED = 50
"""Set-ups for which the nearest call is looked for."""


class SetUp(Struct, eq=False):
    """One outcome, one fault or one chain of mocks. `number` counts them from 1; `uses` tell for each world whether it was used.

    `uncertain`: by chance or by time of day it may strike nothing although all is right. `gone`: removed, or reset. `endless`: a
    mock in the chain answers every try, so what is added behind it answers none. The `subject` of one that is gone from all
    worlds is words only.
    """

    subject: Subject | str
    number: int = 0
    uncertain: bool = False
    gone: bool = False
    endless: bool = False
    uses: list[Callable[[], bool]] = field(default_factory=list)
    faults: list[ActiveFault] = field(default_factory=list)

    @property
    def used(self) -> bool:
        return any(fault.hits for fault in self.faults) or any(use() for use in self.uses)

    def let_go(self) -> None:
        """Hold on to nothing of what was added and to no world: whether it was used is settled."""
        used, self.gone, self.subject = self.used, True, str(self.subject)
        self.uses, self.faults = [lambda: used], []


class Unused(Struct, frozen=True):
    """Set-ups that nothing used, a line each. `certain` are those that stood to the end and that no chance has a part in, `other`
    the rest."""

    certain: tuple[str, ...]
    other: tuple[str, ...]


class SetUps:
    """The set-ups that were added to one emulator, oldest first."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._all: deque[SetUp] = deque(maxlen=_KEPT)
        self.count = 0
        """Number of the newest set-up, counting all that were ever added."""

    def add(self, setup: SetUp) -> None:
        """Remember a new one, or a chain that gets its first mock: who adds that sets it up."""
        if setup.number:
            self._all.remove(setup)
        self.count += 1
        setup.number = self.count
        self._all.append(setup)

    def removed(self, fault: str | None = None, *, everywhere: bool) -> None:
        """The fault of this id, or every fault, was taken away, from all worlds or from some."""
        for setup in self._all:
            if isinstance(setup.subject, AddedFault) and fault in (None, setup.subject.id):
                setup.gone = True
                if everywhere:
                    setup.let_go()

    def reset(self) -> None:
        """Note that worlds were reset: what was added so far is gone from some or all of them."""
        left = [each for each in self._all if (each.uses or each.faults) and not each.used]
        for setup in self._all:
            setup.let_go()
        self._all = deque(left, _KEPT)

    def unused(self, after: int = 0, asked: Container[str] = ()) -> Unused:
        """Return the set-ups that nothing used, with the call or execution that came nearest to what is certain.

        What was added up to number `after` is `other`, since the test did not ask for it, except the faults of the ids `asked`.
        """
        certain: list[str] = []
        other: list[str] = []
        for setup in self._all:
            if setup.used:
                continue
            early = setup.number <= after and not (isinstance(setup.subject, AddedFault) and setup.subject.id in asked)
            if early or setup.uncertain or setup.gone or self._expired(setup):
                other.append(str(setup.subject))
            else:
                why = f": {self._why(setup)}" if len(certain) < _EXPLAINED else ""
                certain.append(f"{setup.subject}{why}")
        return Unused(tuple(certain), tuple(other))

    def _why(self, setup: SetUp) -> str:
        if isinstance(setup.subject, MockChain) and not setup.uses:
            return "it has no answer: add .returns(...), .fails(...), .calls(...) or .waits()"
        return "" if isinstance(setup.subject, str) else nearest(self._emulator, setup.subject)

    def _expired(self, setup: SetUp) -> bool:
        now = self._emulator.clock.steady()
        return bool(setup.faults) and all(fault.expires_at <= now for fault in setup.faults)

    def unused_given(self) -> tuple[str, ...]:
        """Return the set-ups of fixtures that nothing used, in any world."""
        uses: dict[str, bool] = {}
        for name, used in self._given():
            uses[name] = used or uses.get(name, False)
        return tuple(name for name, used in uses.items() if not used)

    def _given(self) -> Iterator[tuple[str, bool]]:
        added = {fault for setup in self._all for fault in setup.faults}
        for world in self._emulator.worlds.known():
            for flow, outcomes in world.outcomes.items():
                for number, used in enumerate(outcomes.given_uses, 1):
                    yield f"outcome {number} of flow '{flow}'", used > 0
            for flow, mocks in world.mocks.items():
                for task, number, mock in mocks.given:
                    yield f"mock {number} of task '{task}' of flow '{flow}'", mock in mocks.hits
            for fault in world.faults.list():
                if fault not in added:
                    yield f"fault '{fault.name}'", fault.hits > 0


def fault_setup(id: str, rule: FaultRule) -> SetUp:
    """The set-up of a fault that is yet to be added."""
    return SetUp(AddedFault(id, rule), uncertain=rule.when.probability < 1 or rule.when.between is not None)
