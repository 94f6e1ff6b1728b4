"""Names of flows, tasks and operations that a test gives. One that does not exist is an error, or a warning where it may yet
come to exist: a test with a misspelt name would pass and test nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cfmock.base.errors import UnknownName
from cfmock.base.globs import glob_matches
from cfmock.base.suggestions import did_you_mean
from cfmock.emulator.emulator import Emulator
from cfmock.fixtures.definitions import one_pass
from cfmock.protocol.faults.rules import FaultRule
from cfmock.service.flows import definitions_of
from cfmock.service.rows import EXPRESS
from cfmock.service.world import FLOWS, World


class NameCheck:
    """Compares names with what one emulator has. `worlds` are those that the name is for."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    # -- operations ----------------------------------------------------------------------------------------------------

    def operation(self, name: str) -> None:
        """Raises UnknownName unless the API has this operation, the glob covers one, or a client has called it."""
        operations = self._emulator.spec.operations
        known = name in operations or any(glob_matches(name, each) for each in operations)
        if not known and next(self._emulator.journal.find(operation=name), None) is None:
            raise UnknownName.of(f"there is no operation '{name}'", name, operations)

    def parameters(self, operation: str | None, names: Iterable[str]) -> None:
        """Raises UnknownName for a parameter that none of these operations (a glob) has, and that no call of them sent."""
        operations = self._emulator.spec.operations
        asked = [each for name, each in operations.items() if operation is None or glob_matches(operation, name)]
        known = dict.fromkeys(name for each in asked or operations.values() for name in each.parameters)
        for name in names:
            sent = (call.parameters for call in self._emulator.journal.find(operation=operation))
            if name not in known and not any(name in each for each in sent):
                has_not = "no operation has a" if operation is None else f"{operation} has no"
                raise UnknownName.of(f"{has_not} parameter '{name}'", name, known)

    # -- flows ---------------------------------------------------------------------------------------------------------

    def flow(self, name: str, worlds: Iterable[World]) -> None:
        """Raises UnknownName unless there is, or was, a flow of this name."""
        known = _flow_names(worlds)
        if name not in known and name not in self._emulator.shared.former_flows:
            raise UnknownName.of(f"there is no flow '{name}'", name, known)

    def expect_flow(self, name: str, worlds: Sequence[World], waiting: str) -> None:
        """Warn unless there is a flow of this name; until one comes, what is `waiting` has no effect."""
        known = _flow_names(worlds)
        if worlds and name not in known:
            self._wait_for(f"there is no flow '{name}'{did_you_mean(name, known)}", waiting, worlds)

    def expect_calls(self, rule: FaultRule, name: str, worlds: Sequence[World]) -> None:
        """Warn if the rule of this name is for flows or keys of which there are none."""
        missing = []
        if rule.when.flow.match is not None:
            missing.append(rule.missing_flow(_flow_names(worlds)))
        if self._emulator.settings.auth == "strict":
            missing.append(rule.missing_key(self._emulator.key_ids))
        for each in filter(None, missing):
            self._wait_for(each, f"the fault '{name}'", worlds)

    def _wait_for(self, missing: str, waiting: str, worlds: Sequence[World]) -> None:
        self._warn(f"{missing}: {waiting} has no effect until it comes", worlds)

    # -- tasks ---------------------------------------------------------------------------------------------------------

    def task(self, flow: str, name: str, worlds: Sequence[World]) -> None:
        """Raises UnknownName if the flow is there without such a task; warns if flow or definition are still to come."""
        rows = [row for world in worlds if (row := world.stores.flows.get(FLOWS, flow)) is not None]
        if not rows:
            self.expect_flow(flow, worlds, f"the mock of its task '{name}'")
        elif (missing := missing_task(flow, name, worlds)) is not None:
            # A fixture may leave the definition to a client.
            if all(row.definition != one_pass(flow, row.execution_mode == EXPRESS).text for row in rows):
                raise missing
            self._warn(f"flow '{flow}' has no definition: the mock of its task '{name}' waits for one", worlds)

    def mocks_added(self, flow: str, worlds: Sequence[World]) -> None:
        """Warn of mocks that were added for tasks which this flow, as it is loaded, does not have."""
        for task in dict.fromkeys(task for world in worlds if flow in world.mocks for task in world.mocks[flow].added):
            try:
                self.task(flow, task, worlds)
            except UnknownName as missing:
                self._warn(f"{missing}: the mock of it answers nothing", worlds)

    def _warn(self, text: str, worlds: Sequence[World]) -> None:
        if all(warned.text != text for warned in self._emulator.journal.warnings()):
            (worlds[0] if worlds else self._emulator.worlds).warn(text)


def missing_task(flow: str, name: str, worlds: Iterable[World]) -> UnknownName | None:
    """Return the problem that the flow, which is in one of the worlds, has no such task; None if it has."""
    found = [(world, row) for world in worlds if (row := world.stores.flows.get(FLOWS, flow)) is not None]
    definitions = [each for world, row in found for each in definitions_of(world, row)]
    if any(each.has_task(name) for each in definitions):
        return None
    if any(name in each.state_names() for each in definitions):
        return UnknownName(f"state '{name}' of flow '{flow}' is no task")
    tasks = dict.fromkeys(task for each in definitions for task in each.task_names())
    return UnknownName.of(f"flow '{flow}' has no task '{name}'", name, tasks)


def _flow_names(worlds: Iterable[World]) -> dict[str, None]:
    return dict.fromkeys(name for world in worlds for name in world.flow_names())
