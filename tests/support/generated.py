"""Definitions of both languages as hypothesis makes them: every point of them can be reached, and every condition is a
simple comparison.

Names are numbered, so that no two states share one and every condition asks for something of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from hypothesis import strategies as st

from cfmock.base import yaml_source

Json = Any
Draw = Callable[..., Any]

OPERATORS = ("==", "!=", "<", "<=", ">", ">=")
CONSTANTS = st.one_of(st.integers(-5, 500), st.sampled_from(["a", "done", "x y", "7"]), st.booleans())


class _Maker:
    """One definition being made. `prefix` is how a condition names what came before."""

    def __init__(self, draw: Draw, prefix: str) -> None:
        self.draw = draw
        self.prefix = prefix
        self.numbers = count(1)

    def name(self, kind: str) -> str:
        return f"{kind}{next(self.numbers)}"

    def chance(self) -> bool:
        return bool(self.draw(st.booleans()))

    def comparison(self, path: str) -> str:
        constant = self.draw(CONSTANTS)
        if isinstance(constant, bool):
            return self.draw(st.sampled_from([path, f"!{path}", f"{path} == {str(constant).lower()}"]))
        operator = self.draw(st.sampled_from(OPERATORS if isinstance(constant, int) else OPERATORS[:2]))
        text = str(constant) if isinstance(constant, int) else f'"{constant}"'
        return f"{path} {operator} {text}"

    def condition(self, path: str = "") -> str:
        base = path or self.prefix
        first = self.comparison(f"{base}.{self.name('v')}")
        if not self.chance():
            return first
        second = self.comparison(f"{base}.{self.name('v')}.{self.name('w')}")
        return f"{first} {self.draw(st.sampled_from(['&&', '||']))} {second}"

    def conditions(self, path: str = "") -> list[str]:
        """Of one choice: each of its own data, or one thing compared with several."""
        number = self.draw(st.integers(1, 3))
        if self.chance():
            return [self.condition(path) for _ in range(number)]
        name = f"{path or self.prefix}.{self.name('kind')}"
        return [f'{name} == "{word}"' for word in ("red", "green", "blue")[:number]]


class _States(_Maker):
    def __init__(self, draw: Draw) -> None:
        super().__init__(draw, "$Input")

    def scope(self, depth: int) -> dict[str, Json]:
        """Blocks that follow one another; each begins with a task, so that conditions have something to ask."""
        states: list[dict[str, Json]] = []
        blocks = [
            self.draw(st.sampled_from(list(_BLOCKS if depth else _FLAT))) for _ in range(self.draw(st.integers(1, 3)))
        ]
        after = self.name("End")
        states.append({"Type": "Succeed", "Name": after})
        for block in reversed(blocks):
            made = getattr(self, block)(after, depth)
            states = [*made, *states]
            after = made[0]["Name"]
        return {"StartAt": after, "States": states}

    def call(self, after: str, *, plain: bool = False, reads: bool = True) -> list[dict[str, Json]]:
        name = self.name("Call")
        task: dict[str, Json] = {"Type": "Task", "Name": name, "Action": "FC:InvokeFunction", "Next": after}
        fail: list[dict[str, Json]] = []
        if not plain and self.chance():
            task["Retry"] = [self.retry() for _ in range(self.draw(st.integers(1, 2)))]
        if not plain and self.chance():
            fail = [{"Type": "Fail", "Name": self.name("Bad"), "Code": "Bad"}]
            codes = [[self.name("C")], *([["FnF.ALL"]] if self.chance() else [])]
            task["Catch"] = [{"Errors": errors, "Next": fail[0]["Name"]} for errors in codes]
            if self.chance():
                task["Catch"][0]["Errors"] += task.get("Retry", [{"Errors": []}])[0]["Errors"]
        if not plain and reads and self.chance():
            task["Parameters"] = {"body": {"a.$": f"$Input.{self.name('p')}", "b": 1}}
        return [task, *fail]

    def retry(self) -> dict[str, Json]:
        attempts = self.draw(st.integers(1, 3))
        return {"Errors": [self.name("R")], "MaxAttempts": attempts, "IntervalSeconds": 1, "BackoffRate": 2}

    def task(self, after: str, depth: int) -> list[dict[str, Json]]:
        return self.call(after)

    def wait(self, after: str, depth: int) -> list[dict[str, Json]]:
        wait = {"Type": "Wait", "Name": self.name("Wait"), "Next": after}
        return [wait | ({"Seconds": 5} if self.chance() else {"Seconds.$": f"$Input.{self.name('s')}"})]

    def choice(self, after: str, depth: int) -> list[dict[str, Json]]:
        name, path, renamed = self.name("Pick"), "", None
        if self.chance():  # what came before, under another name
            renamed = self.name("Rename")
            key = self.name("k")
            path = f"$Input.{key}"
        branches, more = [], []
        join = self.call(after, plain=True)
        for condition in self.conditions(path):
            target = join[0]["Name"]
            if self.chance():
                way = [{"Type": "Fail", "Name": self.name("Off"), "Code": "Off"}]
                if self.chance():  # what was renamed is all there is to read then
                    way = self.call(target, reads=renamed is None)
                target, more = way[0]["Name"], [*more, *way]
            branches.append({"Condition": condition, "Next": target})
        choice = {"Type": "Choice", "Name": name, "Branches": branches, "Default": join[0]["Name"]}
        first = self.call(renamed or name, plain=True)
        if renamed is None:
            return [*first, choice, *more, *join]
        key = path.partition(".")[2]
        constructor = {f"{key}.$": f"$Input.{self.name('deep')}.{self.name('r')}"}
        return [
            *first,
            {"Type": "Pass", "Name": renamed, "OutputConstructor": constructor, "Next": name},
            choice,
            *more,
            *join,
        ]

    def poll(self, after: str, depth: int) -> list[dict[str, Json]]:
        call, pause, pick, bad = (self.name(kind) for kind in ("Poll", "Pause", "Ready", "Broken"))
        return [
            {"Type": "Task", "Name": call, "Action": "FC:InvokeFunction", "Next": pick},
            {
                "Type": "Choice",
                "Name": pick,
                "Branches": [
                    {"Condition": '$Input.Body.status == "running"', "Next": pause},
                    {"Condition": '$Input.Body.status == "failed"', "Next": bad},
                ],
                "Default": after,
            },
            {"Type": "Wait", "Name": pause, "Seconds": 10, "Next": call},
            {"Type": "Fail", "Name": bad, "Code": "Broken"},
        ]

    def around(self, after: str) -> dict[str, Json]:
        """What catches what goes wrong inside; every scope calls a task that fails by what it is told to."""
        found: dict[str, Json] = {"Next": after}
        if self.chance():
            found["Retry"] = [self.retry()]
        if self.chance():
            found["Catch"] = [{"Errors": [self.name("C")], "Next": after}]
        return found

    def inner(self, depth: int) -> dict[str, Json]:
        scope = self.scope(depth - 1)
        first = self.call(scope["StartAt"], plain=True)
        return {"StartAt": first[0]["Name"], "States": [*first, *scope["States"]]}

    def parallel(self, after: str, depth: int) -> list[dict[str, Json]]:
        branches = [self.inner(depth) for _ in range(self.draw(st.integers(1, 2)))]
        join = self.call(after, plain=True)
        return [
            {"Type": "Parallel", "Name": self.name("Both"), "Branches": branches, **self.around(join[0]["Name"])},
            *join,
        ]

    def map(self, after: str, depth: int) -> list[dict[str, Json]]:
        join = self.call(after, plain=True)
        node = {"Type": "Map", "Name": self.name("Each"), "ItemsPath": f"$Input.{self.name('items')}"}
        return [node | {"Processor": self.inner(depth)} | self.around(join[0]["Name"]), *join]


_FLAT = ("task", "wait", "choice", "poll")
_BLOCKS = (*_FLAT, "parallel", "map")


class _Steps(_Maker):
    def __init__(self, draw: Draw) -> None:
        super().__init__(draw, "$")

    def scope(self, depth: int) -> list[dict[str, Json]]:
        kinds = [self.draw(st.sampled_from(_BLOCKS if depth else _FLAT)) for _ in range(self.draw(st.integers(1, 3)))]
        return [step for kind in kinds for step in getattr(self, kind)(depth)]

    def call(self, *, plain: bool = False) -> dict[str, Json]:
        step: dict[str, Json] = {
            "type": "task",
            "name": self.name("call"),
            "resourceArn": "acs:fc:::services/s/functions/f",
        }
        if not plain and self.chance():
            errors = [self.name("R")]
            step["retry"] = [{"errors": errors, "maxAttempts": self.draw(st.integers(1, 3)), "intervalSeconds": 1}]
        if not plain and self.chance():
            step["inputMappings"] = [{"target": "a", "source": f"$input.{self.name('p')}"}]
        return step

    def task(self, depth: int) -> list[dict[str, Json]]:
        step = self.call()
        if not self.chance():
            return [step]
        after = {"type": "pass", "name": self.name("after")}
        step["catch"] = [{"errors": [self.name("C")], "goto": after["name"]}]
        return [step, self.call(plain=True), after]

    def wait(self, depth: int) -> list[dict[str, Json]]:
        return [{"type": "wait", "name": self.name("wait"), "duration": 5 if self.chance() else f"$.{self.name('s')}"}]

    def choice(self, depth: int) -> list[dict[str, Json]]:
        join = {"type": "pass", "name": self.name("join")}
        choices: list[dict[str, Json]] = []
        for condition in self.conditions():
            option: dict[str, Json] = {"condition": condition, "goto": join["name"]}
            if self.chance():
                option["steps"] = [self.call()]
            choices.append(option)
        return [
            self.call(plain=True),
            {"type": "choice", "name": self.name("pick"), "choices": choices, "default": {"goto": join["name"]}},
            join,
        ]

    def poll(self, depth: int) -> list[dict[str, Json]]:
        start = {"type": "pass", "name": self.name("start"), "outputMappings": [{"target": "status", "source": "new"}]}
        pause = {"type": "wait", "name": self.name("pause"), "duration": 10}
        call, join = self.call(plain=True), {"type": "pass", "name": self.name("join")}
        done = {"condition": '$.status == "done"', "goto": join["name"]}
        pick = {"type": "choice", "name": self.name("ready"), "choices": [done], "default": {"goto": pause["name"]}}
        return [start, pause, call, pick, join]

    def parallel(self, depth: int) -> list[dict[str, Json]]:
        branches = [{"steps": self.scope(depth - 1)} for _ in range(self.draw(st.integers(1, 2)))]
        return [{"type": "parallel", "name": self.name("both"), "branches": branches}]

    def map(self, depth: int) -> list[dict[str, Json]]:
        mapping = {"collection": f"$.{self.name('items')}", "item": self.name("item")}
        return [
            {"type": "foreach", "name": self.name("each"), "iterationMapping": mapping, "steps": self.scope(depth - 1)}
        ]


@st.composite
def statemachine_definitions(draw: Draw) -> str:
    """The text of a definition of the new language."""
    head = {"Type": "StateMachine", "SpecVersion": "v1", "Name": "generated"}
    return yaml_source.dump({**head, **_States(draw).scope(draw(st.integers(0, 2)))})


@st.composite
def legacy_definitions(draw: Draw) -> str:
    """The text of a definition of the old language."""
    return yaml_source.dump({"version": "v1", "type": "flow", "steps": _Steps(draw).scope(draw(st.integers(0, 2)))})
