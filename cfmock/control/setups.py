"""Outcomes, faults and mocks added to a running emulator, and those of them that nothing used: a test with such passes without
testing what it says. Each is one set-up, in however many worlds it holds; so is a chain of mocks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterator
from functools import partial
from itertools import islice

from msgspec import Struct, field

from cfmock.base.json_text import json_text
from cfmock.base.patterns import MISSING, Difference
from cfmock.base.suggestions import did_you_mean
from cfmock.control.names import missing_task
from cfmock.emulator.emulator import Emulator
from cfmock.observe.call_record import CallRecord
from cfmock.observe.models import brief
from cfmock.protocol.faults.injector import ActiveFault
from cfmock.protocol.faults.rules import FaultRule
from cfmock.protocol.wire.arguments import input_value
from cfmock.service.outcomes import Outcome
from cfmock.service.rows import ExecutionRow
from cfmock.service.world import FLOWS

_KEPT = 10_000
"""Set-ups that are remembered, the newest: a server may run for days."""

_EXPLAINED = 50
"""Set-ups for which the nearest call is looked for."""


class SetUp(Struct, eq=False):
    """One outcome, one fault or one chain of mocks. `number` counts them from 1; `uses` tell for each world whether it was used;
    `nearest` describes the call or execution that came nearest. `uncertain`: by chance or time of day it may strike nothing.
    `gone`: removed, or reset. `endless`: a mock in the chain answers every try, so none behind it does. `id` is that of a
    fault."""

    words: str
    nearest: Callable[[Emulator], str]
    id: str | None = None
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
        used, self.gone, self.nearest = self.used, True, lambda _: ""
        self.uses, self.faults = [lambda: used], []


class Unused(Struct, frozen=True):
    """Set-ups that nothing used, a line each. `certain` are those that stood to the end and depend on no chance."""

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
            if setup.id is not None and fault in (None, setup.id):
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
        """Return the set-ups that nothing used, those that are certain with what came nearest. What was added up to number
        `after` is `other`, as the test did not ask for it, except the faults of the ids `asked`."""
        certain: list[str] = []
        other: list[str] = []
        now = self._emulator.clock.steady()
        for setup in self._all:
            if setup.used:
                continue
            early = setup.number <= after and setup.id not in asked
            expired = bool(setup.faults) and all(fault.expires_at <= now for fault in setup.faults)
            if early or expired or setup.uncertain or setup.gone:
                other.append(setup.words)
            else:
                why = f": {setup.nearest(self._emulator)}" if len(certain) < _EXPLAINED else ""
                certain.append(f"{setup.words}{why}")
        return Unused(tuple(certain), tuple(other))

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
    words = f"fault '{rule.name or id}' {json_text(rule.to_mapping()):.200}"
    uncertain = rule.when.probability < 1 or rule.when.between is not None
    return SetUp(words, partial(_nearest_call, rule), id, uncertain=uncertain)


def outcome_setup(flow: str, outcome: Outcome) -> SetUp:
    """The set-up of an outcome of a flow."""
    when = f" for {json_text(outcome.when):.200}" if outcome.when else ""
    return SetUp(f"outcome {outcome.status} of flow '{flow}'{when}", partial(_of_outcome, flow, outcome))


def mock_setup(flow: str, task: str) -> SetUp:
    """The set-up of mocks of a task, by the name of its state or action."""
    setup = SetUp(f"mock of task '{task}' of flow '{flow}'", lambda emulator: _of_mock(setup, flow, task, emulator))
    return setup


_COMPARED = 200
"""Calls, or executions of a flow, that are compared: the newest."""

_PATH = 12
"""States of an execution that are shown."""


def _newest(flow: str, emulator: Emulator) -> list[ExecutionRow]:
    """The newest executions of a flow, oldest first."""
    found: list[ExecutionRow] = []
    for world in emulator.worlds.known():
        row = world.stores.flows.get(FLOWS, flow)
        if row is not None:
            found += islice(world.stores.executions.rows(row.id), 10 * _COMPARED)
    return sorted(found, key=lambda each: (each.started, each.serial))[-_COMPARED:]


def _without_execution(emulator: Emulator, flow: str) -> str:
    known = [name for world in emulator.worlds.known() for name in world.flow_names()]
    if flow not in known:
        why = f"there is no flow '{flow}'{did_you_mean(flow, known)}"
    else:
        why = "no execution of the flow was started"
    starts = [call for call in emulator.journal.find() if call.operation in ("StartExecution", "StartSyncExecution")]
    return f"{why}; the nearest call: {brief(starts[-1])}" if starts else why


def _of_mock(setup: SetUp, flow: str, task: str, emulator: Emulator) -> str:
    if not setup.uses:
        return "it has no answer: add .returns(...), .fails(...), .calls(...) or .waits()"
    executions = _newest(flow, emulator)
    if not executions:
        return _without_execution(emulator, flow)
    row = executions[-1]
    who = f"execution '{row.name}' of the flow"
    if row.events is None:
        return f"{who} followed an outcome, and ran no task"
    missing = missing_task(flow, task, emulator.worlds.known())
    if missing is not None:
        return str(missing)
    visits = [event.step for event in row.events if event.type == "StepEntered"]
    path = " > ".join(visits[-_PATH:]) or "no state"
    if task in visits:
        return f"{who} entered it, and was answered by a mock before this one or does not match its `when`"
    if ":" in task:
        return f"{who} made no such call, or a mock of the state's own name answered it; it entered {path}"
    return f"{who} never entered it; it entered {path}"


def _of_outcome(flow: str, outcome: Outcome, emulator: Emulator) -> str:
    executions = _newest(flow, emulator)
    if not executions:
        return _without_execution(emulator, flow)
    judged = [(list(outcome.condition.differences(row.name, input_value(row.input))), row) for row in executions]
    found, row = min(reversed(judged), key=lambda pair: len(pair[0]))
    if found:
        return f"the nearest is execution '{row.name}': {'; '.join(map(str, found))}"
    return f"execution '{row.name}' was decided by an outcome before this one, or was started earlier"


def _nearest_call(rule: FaultRule, emulator: Emulator) -> str:
    calls = list(emulator.journal.find())
    if not calls:
        return "no call came"
    judged = [(list(_differences(rule, call)), call) for call in calls[-_COMPARED:]]
    found, call = min(
        reversed(judged), key=lambda pair: (len(pair[0]), any(each.path == "operation" for each in pair[0]))
    )
    if found:
        return f"the nearest call: {brief(call)}: {'; '.join(map(str, found))}"
    if rule.action is not None and rule.action.rate_limit is not None:
        why = "it matches, and the limit was not exceeded"
    else:
        why = "it matches, but is not one of the calls asked for, or another rule decided it"
    return f"the nearest call: {brief(call)}: {why}"


def _differences(rule: FaultRule, call: CallRecord) -> Iterator[Difference]:
    for name, globs, actual in rule.when.unmet(call.operation, call.flow, call.execution, call.access_key_id):
        yield Difference(name, str(globs), actual or MISSING)
