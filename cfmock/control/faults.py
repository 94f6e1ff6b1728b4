"""Fault rules: to list, add and remove them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from cfmock.base.errors import InvalidValue, UnknownName
from cfmock.base.json_text import Json
from cfmock.control.part import Answer, ControlError, ControlPart, NotFoundError, at_once, size_of
from cfmock.control.setups import fault_setup
from cfmock.emulator.emulator import Emulator
from cfmock.emulator.kept_state import Added, key_of
from cfmock.observe.journal import ALL, Scope
from cfmock.protocol.faults.rules import COVERS_NO_OPERATION, NO_OPERATION, FaultRule
from cfmock.protocol.spec.model import Spec
from cfmock.service.world import World

FAULT, GONE = "fault", "fault gone"
"""Kinds of additions in the state file: faults, and those of fixtures that were taken out, by what they say."""


class FaultControl(ControlPart):
    """Adds, lists and removes fault rules."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator)
        self._added: dict[str, int] = {}  # the numbers of the changes that added faults
        self._ids = 0  # given so far: no two faults of any world have one id

    def list_faults(self, scope: Scope = ALL) -> Json:
        """Return the rules of these worlds in their order, each once, with the calls it has struck in all of them."""
        merged: dict[str, dict[str, Any]] = {}
        for world in self._worlds(scope):
            for fault in world.faults.list():
                row = merged.setdefault(fault.id, {**fault.to_mapping(), "hits": 0})
                row["hits"] += fault.hits
        return list(merged.values())

    def add_fault_in_steps(self, fault: Json, scope: Scope = ALL, *, id: str | None = None) -> Answer:
        """Add a rule; returns it with its id. The reading is yielded. Raises UnknownName for an unknown operation."""
        if not isinstance(fault, Mapping):
            raise ControlError("a fault is a JSON object")
        rule = yield partial(_read, fault, self.emulator.spec)
        if id is None:
            self._ids += 1
        else:
            self._ids = max(self._ids, int(id.rpartition("-")[2]))
        fault_id = id or f"added-{self._ids}"
        setup = fault_setup(fault_id, rule)

        def add(world: World) -> None:
            setup.faults.append(world.faults.add(rule, id=fault_id))

        self._check_faults(scope, rule.size)
        self._added[fault_id] = self._everywhere(add, scope, size_of(fault))
        self.setups.add(setup)
        self._mark("fault", rule.name or fault_id)
        self.names.expect_calls(rule, rule.name or fault_id, list(self._worlds(scope)))
        self._keep(FAULT, fault, scope, fault_id)
        return {"id": fault_id, "name": rule.name or fault_id, **rule.to_mapping(), "hits": 0}

    add_fault = at_once(add_fault_in_steps)

    def put_first(self, rule: FaultRule) -> None:
        """Add a rule ahead of all others, which is no set-up of a test's own."""
        self._everywhere(lambda w: w.faults.add(rule, first=True), ALL)

    def fault_hits(self, id: str) -> int:
        """Count the calls that a rule has struck in all worlds, also after it was removed or has expired."""
        return sum(world.faults.hits_of(id) for world in self.emulator.worlds)

    def remove_fault(self, id: str, scope: Scope = ALL) -> Json:
        """Take a rule out of these worlds. Raises NotFoundError for an id that none of them has."""
        everywhere = scope == ALL
        given = {} if id in self._added else self._given_faults(scope)
        if id not in self._added and id not in given:
            raise NotFoundError(f"there is no fault '{id}'")
        self.setups.removed(id, everywhere=everywhere)
        self._mark("fault", id)
        self._no_longer_kept(scope, lambda added: added.id == id)
        if id in given:
            self.remove_given(given[id], scope, id=id)
        elif everywhere:
            self.emulator.worlds.no_longer(self._added.pop(id))
            for world in self._worlds(scope):
                world.faults.remove(id)
        else:
            self._everywhere(lambda w: w.faults.remove(id), scope)
        return {}

    def remove_given(self, key: Json, scope: Scope, *, id: str) -> None:
        """Take a rule of the fixtures out of these worlds, as long as it says what it does: `key` is made of that."""

        def remove(world: World) -> None:
            if any(fault.id == id and key_of(fault.rule) == key for fault in world.faults.list()):
                world.faults.remove(id)

        self._everywhere(remove, scope)
        self._keep(GONE, key, scope, id)

    def _given_faults(self, scope: Scope) -> dict[str, str]:
        """The keys of the rules of the fixtures, by id. Where none of these worlds is here, those of the default one."""
        worlds = list(self._worlds(scope)) or [self.emulator.worlds.default()]
        faults = {fault.id: fault for world in worlds for fault in world.faults.list()}
        return {each: key_of(fault.rule) for each, fault in faults.items() if each not in self._added}

    def clear_faults(self, scope: Scope = ALL) -> Json:
        """Take all rules out of these worlds, those of the fixtures too."""
        if self.emulator.kept is not None:
            for each, key in self._given_faults(scope).items():
                self._keep(GONE, key, scope, each)
        if scope == ALL:
            for number in self._added.values():  # worlds made later need not add them first
                self.emulator.worlds.no_longer(number)
            self._added.clear()
        self._everywhere(lambda w: w.faults.clear(), scope)
        self.setups.removed(everywhere=scope == ALL)
        self._mark("fault")
        self._no_longer_kept(scope)
        return {}

    def _no_longer_kept(self, scope: Scope, gone: Callable[[Added], bool] = lambda _: True) -> None:
        kept = self.emulator.kept
        if kept is not None:
            kept.remove(scope, lambda added: added.what == FAULT and gone(added))


def _read(fault: Mapping[str, Any], spec: Spec) -> FaultRule:
    try:
        return FaultRule.from_mapping(fault, operations=spec.operations, codes=spec.errors)
    except InvalidValue as error:
        for _, mistake in error.problems:
            if mistake.kind in (NO_OPERATION, COVERS_NO_OPERATION):
                raise UnknownName(str(error), next(iter(mistake.near), None)) from None
        raise ControlError(str(error)) from None
