"""Flows, and what stands in for their parts: fixtures, outcomes, mocks."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from functools import partial
from typing import Any

from cfmock.base.errors import FixtureError, SettingsError
from cfmock.base.json_text import Json
from cfmock.control.nearest_calls import CannedOutcome, MockChain
from cfmock.control.part import ControlError, ControlPart, Work, worked_out
from cfmock.control.setups import SetUp
from cfmock.engine.task_calls import TaskMock
from cfmock.fixtures.loader import load
from cfmock.fixtures.model import FixtureSet
from cfmock.fixtures.seeding import apply
from cfmock.fixtures.single_entry import read_mock, read_outcome
from cfmock.fixtures.unreached import CODE as UNREACHED
from cfmock.service.world import FLOWS, World

ENDLESS = "the one before it has no `times`, so it answers for ever; give it times=1, say"
"""Why a mock, or an outcome, is never used."""


OUTCOME, MOCKS, FIXTURES = "outcome", "mocks", "fixtures"
"""Kinds of additions in the state file."""


def _read(document: Json, existing: frozenset[str]) -> FixtureSet | FixtureError:
    """Read a document: its fixtures, or its mistakes."""
    try:
        return load([document], allow_files=False, existing=existing)
    except FixtureError as error:
        return error


class FlowControl(ControlPart):
    """Loads fixtures and adds mocks and outcomes to flows."""

    def load(self, document: Json, account: str | None = None, region: str | None = None) -> Json:
        """Add what a fixture document says, or a flow definition."""
        return worked_out(self.load_in_steps(document, account, region))

    def load_in_steps(
        self, document: Json, account: str | None = None, region: str | None = None
    ) -> Generator[Work, Any, Json]:
        """Load like `load`, in steps; the reading of the document is yielded, as that may take long."""
        self.check_world(account, region)
        if not isinstance(document, Mapping):
            raise ControlError("a fixture document is a JSON object")
        fixtures = yield partial(_read, document, self.flow_names())
        if isinstance(fixtures, Exception):
            raise ControlError(str(fixtures))
        try:
            self._size_of(document)
            self.add_fixtures(fixtures, account, region, document)
        except (FixtureError, SettingsError) as error:
            raise ControlError(str(error)) from None
        self.keep_fixtures(document, account, region)
        return {"flows": [flow.name for flow in fixtures.flows]}

    def keep_fixtures(self, document: Json, account: str | None = None, region: str | None = None) -> None:
        """Let a document that was added outlive the process, where state is kept; times in it, which Python may have, as text."""
        if self.emulator.kept is not None:
            self._keep(FIXTURES, json.loads(json.dumps(document, default=str)), account, region)

    def flow_names(self) -> frozenset[str]:
        """The names of the flows there are, in any world."""
        return frozenset(name for world in self.emulator.worlds.known() for name in world.stores.flows.keys(FLOWS))

    def add_fixtures(
        self, fixtures: FixtureSet, account: str | None = None, region: str | None = None, document: Json = None
    ) -> None:
        """Add the content of fixtures, as a `document` if they came as one; settings are those of the start, so a warning tells
        of others."""
        if fixtures.settings:
            names = ", ".join(fixtures.settings)
            self.warn(f"settings count at the start only, so these are passed over: {names}")
        self.emulator.add_credentials(fixtures.credentials)
        self._everywhere(lambda world: apply(fixtures, world), account, region, document)
        self.check_fixtures(fixtures, account, region)

    def check_fixtures(self, fixtures: FixtureSet, account: str | None = None, region: str | None = None) -> None:
        """Warn of names in fixtures that were loaded, and in what was added before, that nothing has; and of what in the fixtures
        never has its turn."""
        worlds = list(self._worlds(account, region))
        loaded = {id(rule) for rule in fixtures.faults}
        for fault in worlds[0].faults.list():
            if id(fault.rule) in loaded:
                self.names.expect_calls(fault.rule, fault.name, worlds)
        for flow in dict.fromkeys(flow.name for flow in fixtures.flows):
            self.names.mocks_added(flow, worlds)
        for finding in fixtures.findings:
            if finding.code == UNREACHED:
                worlds[0].warn(str(finding))

    def add_outcome(self, outcome: Json, account: str | None = None, region: str | None = None) -> Json:
        if not isinstance(outcome, Mapping) or not isinstance(outcome.get("flow"), str):
            raise ControlError("an outcome is a JSON object with the name of its flow as 'flow'")
        rest = {key: value for key, value in outcome.items() if key != "flow"}
        try:
            value = read_outcome(rest)
        except FixtureError as error:
            raise ControlError(str(error)) from None

        setup = SetUp(CannedOutcome(outcome["flow"], value))

        def add(world: World) -> None:
            setup.uses.append(world.outcomes_of(outcome["flow"]).add(value))

        self._everywhere(add, account, region, outcome)
        self.setups.add(setup)
        self._mark("flow", outcome["flow"])
        self.names.expect_flow(outcome["flow"], list(self._worlds(account, region)), "this outcome")
        self._keep(OUTCOME, outcome, account, region)
        return {}

    def add_mocks(self, mocks: Json, account: str | None = None, region: str | None = None) -> Json:
        """`{"flow", "task", "mocks": [...]}`: ahead of the fixtures' mocks, behind those added before. Raises UnknownName as
        `check_task` does."""
        self.check_world(account, region)
        if not isinstance(mocks, Mapping) or not {"flow", "task", "mocks"} == mocks.keys():
            raise ControlError("mocks are given as a JSON object with 'flow', 'task' and 'mocks'")
        flow, task, found = mocks["flow"], mocks["task"], mocks["mocks"]
        if not isinstance(flow, str) or not isinstance(task, str) or not isinstance(found, list):
            raise ControlError("'flow' and 'task' are names, 'mocks' is a list")
        try:
            values = [read_mock(each) for each in found]
        except FixtureError as error:
            raise ControlError(str(error)) from None
        self.check_task(flow, task, account, region)
        self._size_of(mocks)
        chain = None
        for number, value in enumerate(values, 1):
            if chain is not None and chain.endless:
                self.warn(f"mock {number} of task '{task}' of flow '{flow}' never answers: {ENDLESS}")
            chain = self.add_mock(flow, task, value, account, region, chain=chain)
        return {}

    def check_task(self, flow: str, task: str, account: str | None = None, region: str | None = None) -> None:
        """Raises UnknownName if the flow is there and has no such task; warns if the flow is not there."""
        self.names.task(flow, task, list(self._worlds(account, region)))

    def begin_mocks(self, flow: str, task: str) -> SetUp:
        """A chain of mocks of a task that is yet to get its first. Raises UnknownName as `check_task` does."""
        self.check_task(flow, task)
        chain = SetUp(MockChain(flow, task))
        self.setups.add(chain)
        return chain

    def add_mock(
        self, flow: str, task: str, mock: TaskMock, account: str | None = None, region: str | None = None, *,
        chain: SetUp | None = None,
    ) -> SetUp:  # fmt: skip
        """Add a mock, to a chain of mocks if one is given that still exists; returns the chain."""
        setup = SetUp(MockChain(flow, task)) if chain is None or chain.gone else chain
        begun = bool(setup.uses)

        def add(world: World) -> None:
            mocks = world.mocks_of(flow)
            mocks.add(task, mock)
            setup.uses.append(lambda: mock in mocks.hits)

        self._everywhere(add, account, region, (flow, task, mock))
        setup.endless |= mock.endless
        self._mark("flow", flow)
        if mock.calls is None:
            self._keep(MOCKS, {"flow": flow, "task": task, "mocks": [mock.to_mapping()]}, account, region)
        for world in self._worlds(account, region):
            if world.uncalled:
                world.call_again(flow)
        if not begun:
            self.setups.add(setup)
        return setup
