"""Flows, and what stands in for their parts: fixtures, outcomes, mocks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from cfmock.base.errors import FixtureError, SettingsError
from cfmock.base.json_text import Json
from cfmock.base.short_text import shortened
from cfmock.control.part import CHANGE, Answer, ControlError, ControlPart, Steps, at_once, check_rules, size_of
from cfmock.control.setups import SetUp, mock_setup, outcome_setup
from cfmock.engine.task_calls import TaskMock
from cfmock.fixtures.converters import UNREACHED
from cfmock.fixtures.loader import load
from cfmock.fixtures.model import FixtureSet
from cfmock.fixtures.seeding import applying
from cfmock.fixtures.single_entry import read_mock, read_outcome
from cfmock.observe.journal import ALL, Scope
from cfmock.service.world import FLOWS, World

ENDLESS = "the one before it has no `times`, so it always answers; give it `times`, for example times=1"
"""Why a mock, or an outcome, is never used."""


OUTCOME, MOCKS, FIXTURES = "outcome", "mocks", "fixtures"
"""Kinds of additions in the state file."""


MAX_ENTRIES = 10_000
"""Flows, versions, aliases, executions, schedules and keys in one document that is added to a server at work."""

_ENTRY = 1_200  # bytes of one beside its texts


def _read(document: Json, existing: frozenset[str]) -> tuple[FixtureSet, int]:
    """Read a document: its fixtures and about how many bytes they take."""
    fixtures = load([document], allow_files=False, existing=existing)
    entries = len(fixtures.credentials) + len(fixtures.schedules) + len(fixtures.flows)
    for key in fixtures.credentials:
        check_rules(len(key.allow or ()), f"patterns of `allow` of key '{shortened(key.access_key_id)}'")
    for flow in fixtures.flows:
        entries += len(flow.versions) + len(flow.aliases) + len(flow.executions)
        check_rules(len(flow.outcomes), f"outcomes of flow '{flow.name}'")
        for task, mocks in flow.tasks.items():
            check_rules(len(mocks), f"mocks of task '{task}' of flow '{flow.name}'")
    if entries > MAX_ENTRIES:
        raise ControlError(
            f"a document has at most {MAX_ENTRIES} flows, executions and other entries; it has {entries}"
        )
    return fixtures, size_of(document) + _ENTRY * entries


@contextmanager
def _mistakes() -> Iterator[None]:
    try:
        yield
    except (FixtureError, SettingsError) as error:
        raise ControlError(str(error)) from None


class FlowControl(ControlPart):
    """Loads fixtures and adds mocks and outcomes to flows."""

    def load_in_steps(self, document: Json, scope: Scope = ALL) -> Answer:
        """Add what a fixture document, or a flow definition, says. To read it is yielded, so that others have their turn."""
        self.check_world(scope)
        if not isinstance(document, Mapping):
            raise ControlError("a fixture document is a JSON object")
        with _mistakes():
            fixtures, size = yield partial(_read, document, self.flow_names())
        self._check_room(size)
        self._check_faults(scope, sum(rule.size for rule in fixtures.faults))
        for world in self._worlds(scope):
            _check_quota(world, fixtures)
        with _mistakes():
            yield from self.add_in_steps(fixtures, scope, size)
        self.keep_fixtures(document, scope)
        return {"flows": [flow.name for flow in fixtures.flows]}

    load = at_once(load_in_steps)

    def keep_fixtures(self, document: Json, scope: Scope = ALL) -> None:
        """Let a document that was added outlive the process, where state is kept; times in it, which Python may have, as text."""
        if self.emulator.kept is not None:
            self._keep(FIXTURES, json.loads(json.dumps(document, default=str)), scope)

    def flow_names(self) -> frozenset[str]:
        """The names of the flows there are, in any world."""
        return frozenset(name for world in self.emulator.worlds.known() for name in world.stores.flows.keys(FLOWS))

    def add_in_steps(self, fixtures: FixtureSet, scope: Scope = ALL, size: int = CHANGE) -> Steps[None]:
        """Add the content of fixtures, which takes so many bytes; a warning tells of settings, which are those of the start."""
        if fixtures.settings:
            names = ", ".join(fixtures.settings)
            self.warn(f"settings are read only at the start, so these are ignored: {names}")
        self.emulator.add_credentials(fixtures.credentials)
        yield from self.emulator.worlds.in_steps(lambda world: applying(fixtures, world), scope, size=size)
        self.check_fixtures(fixtures, scope)

    add_fixtures = at_once(add_in_steps)

    def check_fixtures(self, fixtures: FixtureSet, scope: Scope = ALL) -> None:
        """Warn of names, in loaded fixtures or added before, that nothing has, and of what in the fixtures never has its turn."""
        worlds = list(self._worlds(scope))
        loaded = {id(rule) for rule in fixtures.faults}
        for fault in worlds[0].faults.list() if worlds else ():
            if id(fault.rule) in loaded:
                self.names.expect_calls(fault.rule, fault.name, worlds)
        for flow in dict.fromkeys(flow.name for flow in fixtures.flows):
            self.names.mocks_added(flow, worlds)
        for finding in fixtures.findings:
            if finding.code == UNREACHED:
                (worlds[0] if worlds else self.emulator.worlds).warn(str(finding))

    def add_outcome_in_steps(self, outcome: Json, scope: Scope = ALL) -> Answer:
        """Add a canned outcome to the flow that it names; warns if there is none. The reading is yielded. Raises ControlError."""
        if not isinstance(outcome, Mapping) or not isinstance(outcome.get("flow"), str):
            raise ControlError("an outcome is a JSON object with the name of its flow as 'flow'")
        rest = {key: value for key, value in outcome.items() if key != "flow"}
        with _mistakes():
            value = yield partial(read_outcome, rest)
        setup = outcome_setup(outcome["flow"], value)

        def add(world: World) -> None:
            setup.uses.append(world.outcomes[outcome["flow"]].add(value))

        for world in self._worlds(scope):
            check_rules(world.outcomes[outcome["flow"]].added + 1, f"outcomes of flow '{outcome['flow']}'")
        self._everywhere(add, scope, size_of(outcome))
        self.setups.add(setup)
        self._mark("flow", outcome["flow"])
        self.names.expect_flow(outcome["flow"], list(self._worlds(scope)), "this outcome")
        self._keep(OUTCOME, outcome, scope)
        return {}

    add_outcome = at_once(add_outcome_in_steps)

    def add_mocks_in_steps(self, mocks: Json, scope: Scope = ALL) -> Answer:
        """`{"flow", "task", "mocks": [...]}`: ahead of the fixtures' mocks, behind those added before; the reading is yielded.
        Raises UnknownName as `check_task` does."""
        self.check_world(scope)
        if not isinstance(mocks, Mapping) or not {"flow", "task", "mocks"} == mocks.keys():
            raise ControlError("mocks are given as a JSON object with 'flow', 'task' and 'mocks'")
        flow, task, found = mocks["flow"], mocks["task"], mocks["mocks"]
        if not isinstance(flow, str) or not isinstance(task, str) or not isinstance(found, list):
            raise ControlError("'flow' and 'task' are names, 'mocks' is a list")
        check_rules(len(found), f"mocks of task '{task}' of flow '{flow}'")
        with _mistakes():
            values = yield lambda: [read_mock(each) for each in found]
        self.check_task(flow, task, scope)
        self._check_room(size_of(mocks))
        chain = None
        for number, value in enumerate(values, 1):
            if chain is not None and chain.endless:
                self.warn(f"mock {number} of task '{task}' of flow '{flow}' never answers: {ENDLESS}")
            chain = self.add_mock(flow, task, value, scope, chain=chain)
        return {}

    add_mocks = at_once(add_mocks_in_steps)

    def check_task(self, flow: str, task: str, scope: Scope = ALL) -> None:
        """Raises UnknownName if the flow is there and has no such task; warns if the flow is not there."""
        self.names.task(flow, task, list(self._worlds(scope)))

    def begin_mocks(self, flow: str, task: str) -> SetUp:
        """A chain of mocks of a task that is yet to get its first. Raises UnknownName as `check_task` does."""
        self.check_task(flow, task)
        chain = mock_setup(flow, task)
        self.setups.add(chain)
        return chain

    def add_mock(self, flow: str, task: str, mock: TaskMock, scope: Scope = ALL, chain: SetUp | None = None) -> SetUp:
        """Add a mock, to a chain of mocks if one is given that still exists; returns the chain."""
        setup = mock_setup(flow, task) if chain is None or chain.gone else chain
        begun = bool(setup.uses)

        def add(world: World) -> None:
            mocks = world.mocks[flow]
            mocks.add(task, mock)
            setup.uses.append(lambda: mock in mocks.hits)

        for world in self._worlds(scope):
            check_rules(world.mocks[flow].added_to(task) + 1, f"mocks of task '{task}' of flow '{flow}'")
        self._everywhere(add, scope, size_of((flow, task, mock)))
        setup.endless |= mock.endless
        self._mark("flow", flow)
        if mock.calls is None:
            self._keep(MOCKS, {"flow": flow, "task": task, "mocks": [mock.to_mapping()]}, scope)
        for world in self._worlds(scope):
            if world.uncalled:
                world.call_again(flow)
        if not begun:
            self.setups.add(setup)
        return setup


def _check_quota(world: World, fixtures: FixtureSet) -> None:
    count, most = world.stores.flows.count(FLOWS), world.settings.max_flows
    if count + len(fixtures.flows) > most:
        names = {flow.name for flow in fixtures.flows}
        count += sum(world.stores.flows.get(FLOWS, name) is None for name in names)
        if count > most:
            raise ControlError(f"there would be {count} flows, and an account may have {most} (max_flows)")
