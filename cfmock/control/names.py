"""Names of flows, tasks and operations that a test gives: one that does not exist is an error, or a warning where it may still
come to exist. Without this, a misspelt name lets a test pass that tests nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from cfmock.base.errors import UnknownName
from cfmock.base.patterns import glob_matches
from cfmock.base.suggestions import did_you_mean
from cfmock.emulator.emulator import Emulator
from cfmock.fixtures.definitions import one_pass
from cfmock.service.flows import definitions_of
from cfmock.service.rows import EXPRESS, FlowRow
from cfmock.service.world import FLOWS, World


class NameCheck:
    """Compares names with what one emulator has. `worlds` are those that the name is for."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    # -- operations ----------------------------------------------------------------------------------------------------

    def operation(self, name: str) -> None:
        """Raises UnknownName unless the API has this operation, the glob covers one, or a client has called it."""
        if not self.is_operation(name) and next(self._emulator.journal.find(operation=name), None) is None:
            raise UnknownName.of(f"there is no operation '{name}'", name, self._emulator.spec.operations)

    def is_operation(self, name: str) -> bool:
        """Whether the API has this operation, or one that the glob covers."""
        operations = self._emulator.spec.operations
        return name in operations or any(glob_matches(name, each) for each in operations)

    # -- flows ---------------------------------------------------------------------------------------------------------

    def flow(self, name: str, worlds: Iterable[World]) -> None:
        """Raises UnknownName unless there is, or was, a flow of this name."""
        known = _flow_names(worlds)
        if name not in known and name not in self._emulator.former_flows:
            raise UnknownName.of(f"there is no flow '{name}'", name, known)

    def expect_flow(self, patterns: Collection[str], worlds: Sequence[World], waiting: str) -> None:
        """Warn unless there is, or was, a flow that one of the globs covers; until one comes, what is `waiting` has no effect."""
        known = _flow_names(worlds)
        if any(name in known or name in self._emulator.former_flows for name in patterns):
            return
        if any(glob_matches(pattern, name) for pattern in patterns for name in known):
            return
        near = next((near for name in patterns if (near := did_you_mean(name, known))), "")
        self._warn(f"there is no flow '{' or '.join(patterns)}'{near}: {waiting} has no effect until it comes", worlds)

    # -- tasks ---------------------------------------------------------------------------------------------------------

    def task(self, flow: str, name: str, worlds: Sequence[World]) -> None:
        """Raises UnknownName if the flow is there without such a task; warns if flow or definition are still to come."""
        found = [(world, row) for world in worlds if (row := world.stores.flows.get(FLOWS, flow)) is not None]
        if not found:
            self.expect_flow([flow], worlds, f"the mock of its task '{name}'")
            return
        if any(each.has_task(name) for world, row in found for each in definitions_of(world, row)):
            return
        if any(map(_without_definition, (row for _, row in found))):
            self._warn(f"flow '{flow}' has no definition: the mock of its task '{name}' waits for one", worlds)
            return
        definitions = [each for world, row in found for each in definitions_of(world, row)]
        if any(name in each.state_names() for each in definitions):
            raise UnknownName(f"state '{name}' of flow '{flow}' is no task")
        tasks = dict.fromkeys(task for each in definitions for task in each.task_names())
        raise UnknownName.of(f"flow '{flow}' has no task '{name}'", name, tasks)

    def _warn(self, text: str, worlds: Sequence[World]) -> None:
        if all(warned.text != text for warned in self._emulator.journal.warnings()):
            worlds[0].warn(text)


def _flow_names(worlds: Iterable[World]) -> dict[str, None]:
    return dict.fromkeys(name for world in worlds for name in world.flow_names())


def _without_definition(row: FlowRow) -> bool:
    """Whether a fixture left it to a client to bring the definition."""
    return row.definition == one_pass(row.name, row.execution_mode == EXPRESS).text
