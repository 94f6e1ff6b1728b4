"""The near misses of set-ups that nothing used: the call or execution that differs least from what it waits for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from msgspec import Struct

from cfmock.base.errors import UnknownName
from cfmock.base.json_text import json_text
from cfmock.base.patterns import MISSING, Difference
from cfmock.base.suggestions import did_you_mean
from cfmock.control.names import missing_task
from cfmock.emulator.emulator import Emulator
from cfmock.observe.journal import CallRecord, brief
from cfmock.protocol.faults.rules import FaultRule
from cfmock.protocol.wire.arguments import input_value
from cfmock.service.outcomes import Outcome
from cfmock.service.rows import ExecutionRow
from cfmock.service.world import FLOWS

_COMPARED = 200
"""Calls, or executions of a flow, that are compared: the newest."""

_PATH = 12
"""States of an execution that are shown."""


class CannedOutcome(Struct, frozen=True):
    """An outcome that was added to a flow."""

    flow: str
    outcome: Outcome

    def __str__(self) -> str:
        when = f" for {json_text(self.outcome.when):.200}" if self.outcome.when else ""
        return f"outcome {self.outcome.status} of flow '{self.flow}'{when}"


class MockChain(Struct, frozen=True):
    """Mocks that were added to a task, by the name of its state or action."""

    flow: str
    task: str

    def __str__(self) -> str:
        return f"mock of task '{self.task}' of flow '{self.flow}'"


class AddedFault(Struct, frozen=True):
    """A fault rule that was added."""

    id: str
    rule: FaultRule

    def __str__(self) -> str:
        return f"fault '{self.rule.name or self.id}' {json_text(self.rule.to_mapping()):.200}"


Subject = CannedOutcome | MockChain | AddedFault


def nearest(emulator: Emulator, subject: Subject) -> str:
    """Describe the nearest call or execution."""
    if isinstance(subject, AddedFault):
        return _nearest_call(list(emulator.journal.find()), subject.rule)
    found: list[ExecutionRow] = []
    for world in emulator.worlds.known():
        row = world.stores.flows.get(FLOWS, subject.flow)
        if row is not None:
            found += islice(world.stores.executions.rows(row.id), 10 * _COMPARED)
    executions = sorted(found, key=lambda each: (each.started, each.serial))[-_COMPARED:]
    if not executions:
        return _without_execution(emulator, subject.flow)
    if isinstance(subject, MockChain):
        return _of_mock(subject, executions[-1], missing_task(subject.flow, subject.task, emulator.worlds.known()))
    return _of_outcome(subject.outcome, executions)


def _without_execution(emulator: Emulator, flow: str) -> str:
    known = [name for world in emulator.worlds.known() for name in world.flow_names()]
    if flow not in known:
        why = f"there is no flow '{flow}'{did_you_mean(flow, known)}"
    else:
        why = "no execution of the flow was started"
    starts = [call for call in emulator.journal.find() if call.operation in ("StartExecution", "StartSyncExecution")]
    return f"{why}; the nearest call: {brief(starts[-1])}" if starts else why


def _of_mock(chain: MockChain, row: ExecutionRow, missing: UnknownName | None) -> str:
    who = f"execution '{row.name}' of the flow"
    if row.events is None:
        return f"{who} followed an outcome, and ran no task"
    if missing is not None:
        return str(missing)
    visits = [event.step for event in row.events if event.type == "StepEntered"]
    path = " > ".join(visits[-_PATH:]) or "no state"
    if chain.task in visits:
        return f"{who} entered it, and was answered by a mock before this one or does not match its `when`"
    if ":" in chain.task:
        return f"{who} made no such call, or a mock of the state's own name answered it; it entered {path}"
    return f"{who} never entered it; it entered {path}"


def _of_outcome(outcome: Outcome, executions: Iterable[ExecutionRow]) -> str:
    def differences(row: ExecutionRow) -> list[Difference]:
        return list(outcome.condition.differences(row.name, input_value(row.input)))

    judged = [(differences(row), row) for row in executions]
    found, row = min(reversed(judged), key=lambda pair: len(pair[0]))
    if found:
        return f"the nearest is execution '{row.name}': {'; '.join(map(str, found))}"
    return f"execution '{row.name}' was decided by an outcome before this one, or was started earlier"


def _nearest_call(calls: Sequence[CallRecord], rule: FaultRule) -> str:
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
    when = rule.when
    for name, globs, actual in (
        ("operation", when.operation, call.operation),
        ("flow", when.flow, call.flow),
        ("execution", when.execution, call.execution),
        ("access_key_id", when.access_key_id, call.access_key_id),
    ):
        if not globs.cover(actual):
            yield Difference(name, str(globs), actual or MISSING)
