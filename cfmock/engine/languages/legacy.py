"""Reading definitions of the old language, `type: flow`, into a `Flow`.

Steps follow one another in the order of the list; `goto` leads to a sibling of the step that holds it. As the vendor's
editor schema does, a field that a step does not have is refused; at the top it is only noted (`Flow.unread`). `loop`,
which that schema has and no page describes, is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from typing import Any

from cfmock.base.suggestions import likely
from cfmock.base.time_text import parse_time
from cfmock.engine import model
from cfmock.engine.flow import Flow
from cfmock.engine.languages.legacy_data_flow import (
    CAUGHT,
    MAPPED,
    MAX_TIMEOUT,
    MAX_WAIT,
    OWN,
    LegacyDataFlow,
    Mappings,
    StepData,
)
from cfmock.engine.languages.reader import Fields, Section, child_id
from cfmock.engine.model import Catch, Language, Mode, Node, Option, Retry, Series

MAX_BRANCHES = 100
MAX_ITERATIONS = 100  # at once
MAX_INTERVAL = 86_400
"""Limits of the pages."""

PATTERNS = {
    "requestResponse": Mode.REQUEST_COMPLETE,
    "sync": Mode.SYSTEM_CALLBACK,
    "waitForCallback": Mode.CUSTOM_CALLBACK,
}

ACTIONS = {"fc": "FC:InvokeFunction", "fnf": "fnf:StartExecution", "mns": "MNS:SendMessage"}
"""The action that a resource of a product stands for, so that mocks and error codes have a name for it."""


def read(document: Section) -> Flow:
    """Read a whole definition. Problems are left in its source; the flow counts only if there are none."""
    document.source.strict = True
    document.word("type", ["flow"])
    document.word("version", ["v1", "v1beta1"], required=True)
    name = document.text("name")
    document.text("description")
    timeout = document.number("timeoutSeconds", 1, MAX_TIMEOUT)
    data = StepData(input=_mappings(document, "inputMappings"), output=_mappings(document, "outputMappings"))
    series = _Series(set(), "").read(document)
    document.finish()
    return Flow(
        language=Language.LEGACY,
        own_name=name,
        place=document.here,
        series=series,
        data_flow=LegacyDataFlow(data),
        timeout=timeout,
    )


def _mappings(section: Section, key: str) -> Mappings | None:
    mappings = section.sections(key)
    if section.value.get(key) is None:
        return None  # a key with nothing after it counts as absent, as everywhere
    found = []
    for mapping in mappings:
        target = mapping.text("target", required=True)
        source = mapping.value.get("source")
        if key == "errorMappings":  # their sources are the error that was caught, and nothing else
            source = mapping.word("source", CAUGHT, required=True)
        elif not mapping.has("source"):
            mapping.complain("missing '{}'", "source")
        if isinstance(source, str) and source.startswith(("$input", "$local", "$context")):
            source = mapping.expression("source", MAPPED)
        mapping.finish()
        found.append((target or "", source))
    return tuple(found)


class _Series:
    """One list of steps being read. `taken` are the names of the whole flow."""

    def __init__(self, taken: set[str], identity: str) -> None:
        self.taken = taken
        self.id = identity
        self.names: list[str] = []

    def read(self, section: Section) -> Series:
        steps = section.sections("steps", required=True)
        self.names = [name for step in steps if isinstance(name := step.value.get("name"), str)]
        nodes: dict[str, Node] = {}
        for step, after in zip_longest(steps, steps[1:]):
            following = after.value.get("name") if after is not None else None
            node = self.step(step, following if isinstance(following, str) else None)
            if node is not None:
                nodes.setdefault(node.name, node)
        start = self.names[0] if self.names else ""
        return Series(id=self.id, place=section.here, start=start, nodes=nodes)

    def inner(self, section: Section, identity: str) -> Series:
        return _Series(self.taken, identity).read(section)

    def step(self, section: Section, following: str | None) -> Node | None:
        name = section.text("name", required=True)
        type_ = section.word("type", _TYPES, required=True)
        section.text("description")
        if name is not None:
            if name in self.taken:
                section.complain("there is another step named '{}' in this flow", name, key="name")
            self.taken.add(name)
        node = None
        if name is not None and type_ is not None:
            kind, read = _TYPES[type_]
            if kind in _ENDS or section.flag("end"):
                following = None
            identity = child_id(self.id, name)
            fields = read(self, section, identity)
            node = kind(id=identity, name=name, place=section.here, next=following, **fields)
        section.finish(judge=type_ is not None)
        return node

    def goto(self, section: Section, *, required: bool = False) -> str | None:
        target = section.text("goto", required=required)
        if target is not None and target not in self.names:
            near = likely(target, self.names)
            section.complain("there is no step '{}' in this scope", target, key="goto", near=near)
        return target

    def shared(self, section: Section, **work: Any) -> StepData:
        return StepData(input=_mappings(section, "inputMappings"), output=_mappings(section, "outputMappings"), **work)

    # -- the types

    def plain(self, section: Section, identity: str) -> Fields:
        return {"data": self.shared(section)}

    def fail(self, section: Section, identity: str) -> Fields:
        code, detail = section.text("error"), section.text("cause")
        return {"code": code or "", "detail": detail or "", "data": self.shared(section)}

    def wait(self, section: Section, identity: str) -> Fields:
        section.exactly_one("duration", "timestamp")
        duration = self.computed(section, "duration", lambda: section.number("duration", 0, MAX_WAIT, whole=False))
        timestamp = self.computed(section, "timestamp", lambda: self.moment(section))
        return {"data": self.shared(section, duration=duration, timestamp=timestamp)}

    def moment(self, section: Section) -> float | None:
        text = section.text("timestamp")
        try:
            return parse_time(text) if text is not None else None
        except ValueError as error:
            section.complain("{}", str(error), key="timestamp")
            return None

    def computed(self, section: Section, key: str, constant: Callable[[], Any]) -> Any:
        """An expression over the step's input if the text begins with `$`, else what `constant` reads."""
        value = section.value.get(key)
        if isinstance(value, str) and value.startswith("$"):
            return section.expression(key, OWN)
        return constant()

    def choice(self, section: Section, identity: str) -> Fields:
        options = [
            self.option(choice, f"{identity}?{index}", conditional=True)
            for index, choice in enumerate(section.sections("choices", required=True))
        ]
        otherwise = section.section("default")
        default = self.option(otherwise, f"{identity}?default", conditional=False) if otherwise else None
        return {"options": tuple(options), "default": default, "data": self.shared(section)}

    def option(self, section: Section, identity: str, *, conditional: bool) -> Option:
        condition = section.expression("condition", OWN, required=True, missing_is_null=False) if conditional else None
        given = section.has("steps") and section.value["steps"] is not None
        series = self.inner(section, identity) if given else None
        option = Option(id=identity, place=section.here, condition=condition, next=self.goto(section), series=series)
        section.finish()
        return option

    def parallel(self, section: Section, identity: str) -> Fields:
        branches = [
            self.inner(branch, f"{identity}[{index}]") for index, branch in section.branches("branches", MAX_BRANCHES)
        ]
        return {"branches": tuple(branches), "data": self.shared(section)}

    def foreach(self, section: Section, identity: str) -> Fields:
        iteration = section.section("iterationMapping", required=True)
        work: dict[str, Any] = {}
        if iteration is not None:
            work["items"] = iteration.expression("collection", OWN, required=True)
            work["item"] = iteration.text("item", required=True) or ""
            work["index"] = iteration.text("index")
            iteration.finish()
        series = self.inner(section, f"{identity}[]")
        return {"processor": series, "limit": MAX_ITERATIONS, "data": self.shared(section, **work)}

    def task(self, section: Section, identity: str) -> Fields:
        arn, action = section.text("resourceArn"), section.text("action")
        section.exactly_one("resourceArn", "action")
        if action is not None and not all(action.partition(":")[::2]):
            section.complain("'action' is <product>:<Operation>, like ocr:RecognizeIdentityCard", key="action")
        pattern = section.word("pattern", PATTERNS) or "requestResponse"
        data = self.shared(section, parameters=self.parameters(section))
        timeout = self.computed(section, "timeoutSeconds", lambda: section.number("timeoutSeconds", 0, MAX_TIMEOUT))
        return {
            "action": action or action_of(arn or ""),
            "resource_arn": arn,
            "mode": PATTERNS[pattern],
            "timeout": timeout or None,
            "data": data,
            "retry": self.retries(section, identity),
            "catch": self.catches(section, identity),
        }

    def parameters(self, section: Section) -> tuple[tuple[str, Any], ...]:
        given = section.section("serviceParams")
        if given is None:
            return ()
        names = OWN | MAPPED
        made = [(key, given.compiled(key, value, names, bare=True)) for key, value in given.value.items()]
        return tuple((key, constructor) for key, constructor in made if constructor is not None)

    # -- errors

    def retries(self, section: Section, identity: str) -> tuple[Retry, ...]:
        return tuple(
            Retry(
                **head,
                attempts=rule.number("maxAttempts", 0, 1_000_000, 3),
                interval=rule.number("intervalSeconds", 0, MAX_INTERVAL, 1, whole=False),
                rate=rule.number("multiplier", 0, 1000, 2, whole=False),
                longest=rule.number("maxIntervalSeconds", 0, MAX_INTERVAL, MAX_INTERVAL, whole=False),
            )
            for rule, head in section.rules("retry", f"{identity}!retry")
        )

    def catches(self, section: Section, identity: str) -> tuple[Catch, ...]:
        mappings = _mappings(section, "errorMappings")
        return tuple(
            Catch(**head, next=self.goto(rule, required=True) or "", data=mappings)
            for rule, head in section.rules("catch", f"{identity}!catch")
        )


def action_of(arn: str) -> str:
    """The action of an old task's resource: that of functions for `acs:fc:…`, and in deployment files for `service/function`
    or a placeholder."""
    product = arn.split(":")[1] if arn.startswith("acs:") and arn.count(":") > 1 else "fc"
    return ACTIONS.get(product, f"{product}:Call")


_TYPES: dict[str, tuple[type[model.Node], Callable[[_Series, Section, str], Fields]]] = {
    # the type: its node, and who reads the fields of that
    "task": (model.TaskNode, _Series.task),
    "pass": (model.PassNode, _Series.plain),
    "choice": (model.ChoiceNode, _Series.choice),
    "parallel": (model.ParallelNode, _Series.parallel),
    "foreach": (model.MapNode, _Series.foreach),
    "wait": (model.WaitNode, _Series.wait),
    "succeed": (model.SucceedNode, _Series.plain),
    "fail": (model.FailNode, _Series.fail),
}
_ENDS = (model.SucceedNode, model.FailNode)  # always the last of their series
