"""Reading definitions of the new language, `Type: StateMachine`, into a `Flow`.

Refused is what the pages call required or impossible. Fields the language does not have are noted (`Flow.unread`), not
refused: nothing says that the service does, and its own examples have some.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cfmock.base.suggestions import likely
from cfmock.engine import model
from cfmock.engine.flow import Flow
from cfmock.engine.languages import amazon
from cfmock.engine.languages.reader import Fields, Section, child_id
from cfmock.engine.languages.statemachine_data_flow import AFTER, BEFORE, ITEM, StateData, StateMachineDataFlow
from cfmock.engine.model import Catch, Distributed, Language, Mode, Node, Option, Retry, Series, TaskNode

MAX_BRANCHES = 50
MAX_TIMEOUT = 604_800
MAX_INTERVAL = 86_400
MAX_WAIT = {False: 300, True: 20}  # express?
MAX_ITERATIONS = 40
MAX_ITERATIONS_WRITTEN = 100  # an older page; more than 40 at once there are not
MAX_CHILDREN = 100
MAX_ITEMS = 10_000
"""Limits of the pages."""

DATA_FLOW = StateMachineDataFlow()


def read(document: Section, *, express: bool) -> Flow:
    """Read a whole definition. Problems are left in its source; the flow counts only if there are none."""
    document.word("Type", ["StateMachine"])
    document.word("SpecVersion", ["v1"], required=True)
    name = document.text("Name", required=True)
    document.text("Description")
    series = _Scope(express, "").read(document)
    document.finish()
    return Flow(
        language=Language.STATE_MACHINE,
        own_name=name,
        place=document.here,
        series=series,
        data_flow=DATA_FLOW,
    )


class _Scope:
    """One scope being read: its states, and the names they mean to go to, checked once all are known."""

    def __init__(self, express: bool, identity: str) -> None:
        self.express = express
        self.id = identity
        self.targets: list[tuple[Section, str, str]] = []

    def read(self, section: Section) -> Series:
        start = section.text("StartAt", required=True)
        if start is not None:
            self.targets.append((section, "StartAt", start))
        sections = self.states(section)
        names: dict[str, None] = {}  # a state with a mistake in it is still there to be gone to
        nodes: dict[str, Node] = {}
        for state in sections:
            name = state.value.get("Name")
            if isinstance(name, str):
                if name in names:
                    state.complain("there is another state named '{}' in this scope", name, key="Name")
                names[name] = None
            node = self.state(state)
            if node is not None:
                nodes.setdefault(node.name, node)
        for where, key, target in self.targets:
            if target not in names:
                where.complain("there is no state '{}' in this scope", target, key=key, near=likely(target, names))
        return Series(id=self.id, place=section.here, start=start or "", nodes=nodes)

    def states(self, section: Section) -> list[Section]:
        """The states; of a mapping, which is another language's, those with the names it gives them: they may be wrong, too."""
        given = section.value.get("States")
        if not isinstance(given, dict):
            return section.sections("States", required=True)
        section.has("States")
        section.complain("'States' must be a list: {}", amazon.STATES, key="States")
        return [
            Section(section.source, {"Name": name, **state}, (*section.path, "States", name))
            for name, state in given.items()
            if isinstance(state, dict)
        ]

    def state(self, section: Section) -> Node | None:
        name = section.text("Name", required=True)
        type_ = section.word("Type", _TYPES, required=True)
        section.text("Description")
        node = None
        if name is not None and type_ is not None:
            kind, read = _TYPES[type_]
            identity = child_id(self.id, name)
            following = self.following(section, kind)
            fields = read(self, section, identity)
            node = kind(id=identity, name=name, place=section.here, next=following, **fields)
        section.finish(judge=type_ is not None)
        return node

    def target(self, section: Section, key: str, *, required: bool = False) -> str | None:
        target = section.text(key, required=required)
        if target is not None:
            self.targets.append((section, key, target))
        return target

    def following(self, section: Section, kind: type[Node]) -> str | None:
        """`Next`, or None for `End: true`: one of them, and only one; of a kind that leads nowhere, neither."""
        if kind in _ENDS:
            for key in ("Next", "End"):
                if section.has(key) and key != _ENDS[kind]:
                    section.complain("a {} has no '{}'", section.value["Type"], key, key=key)
            return None
        target, end = self.target(section, "Next"), section.flag("End")
        if target is not None and end:
            section.complain("both 'Next' and 'End' are given", key="End")
        elif target is None and not end and section.value.get("Next") is None:
            section.complain("neither 'Next' nor 'End: true' is given")
        return target

    def shared(self, section: Section, **work: Any) -> StateData:
        return StateData(
            input=section.constructor("InputConstructor", BEFORE),
            output=section.constructor("OutputConstructor", AFTER),
            globals=section.constructor("GlobalConstructor", AFTER),
            **work,
        )

    # -- the types

    def plain(self, section: Section, identity: str) -> Fields:
        return {"data": self.shared(section)}

    def fail(self, section: Section, identity: str) -> Fields:
        code, detail = section.text("Code"), section.text("Detail")
        return {"code": code or "", "detail": detail or "", "data": self.shared(section)}

    def wait(self, section: Section, identity: str) -> Fields:
        longest = MAX_WAIT[self.express]
        seconds = section.amount("Seconds", 1, longest, BEFORE, required=True)
        return {"data": self.shared(section, seconds=seconds, longest=longest)}

    def choice(self, section: Section, identity: str) -> Fields:
        options = []
        for index, branch in enumerate(section.sections("Branches", required=True)):
            condition = branch.expression("Condition", BEFORE, required=True)
            target = self.target(branch, "Next", required=True)
            branch.finish()
            options.append(Option(id=f"{identity}?{index}", place=branch.here, condition=condition, next=target))
        target = self.target(section, "Default", required=True)
        place = section.place("Default") if section.has("Default") else section.here
        default = Option(id=f"{identity}?default", place=place, condition=None, next=target)
        data = StateData(
            input=section.constructor("InputConstructor", BEFORE),
            globals=section.constructor("GlobalConstructor", AFTER),
        )
        return {"options": tuple(options), "default": default, "data": data}

    def task(self, section: Section, identity: str) -> Fields:
        action = section.text("Action", required=True)
        if action is not None and not all(action.partition(":")[::2]):
            section.complain("'Action' is <Service>:<Operation>, like FC:InvokeFunction", key="Action")
        mode = Mode(section.word("TaskMode", [mode.value for mode in Mode]) or Mode.REQUEST_COMPLETE.value)
        if self.express and mode is not Mode.REQUEST_COMPLETE:
            section.complain("an express flow has no task mode but RequestComplete", key="TaskMode")
        data = self.shared(section, parameters=section.constructor("Parameters", BEFORE))
        timeout = section.amount("Timeout", 0, MAX_TIMEOUT, BEFORE)
        return {
            "action": action or "",
            "mode": mode,
            "timeout": timeout or None,  # 0 means never
            "data": data,
            **self.errors(section, identity),
        }

    def parallel(self, section: Section, identity: str) -> Fields:
        branches = [
            _Scope(self.express, f"{identity}[{index}]").read(branch)
            for index, branch in section.branches("Branches", MAX_BRANCHES)
        ]
        data = self.shared(section)
        return {"branches": tuple(branches), "data": data, **self.errors(section, identity)}

    def map(self, section: Section, identity: str) -> Fields:
        processor = section.section("Processor", required=True)
        config = (processor.section("ProcessorConfig") if processor else None) or section.section("ProcessorConfig")
        mode = None
        if config is not None:
            mode = config.word("ExecutionMode", ["Express", "Standard"]) or "Standard"
            config.finish()
        reader = section.has("ItemReader")
        items = section.expression("ItemsPath", BEFORE, required=not reader)
        item, distributed = None, None
        if mode is not None:
            item = section.constructor("ItemConstructor", ITEM)
            distributed = self.distributed(section, identity, express=mode == "Express")
        series = Series(id="", place=section.here, start="", nodes={})
        if processor is not None:
            express = distributed.express if distributed is not None else self.express
            series = _Scope(express, f"{identity}[]").read(processor)
            processor.finish()
        return {
            "processor": series,
            "limit": self.concurrency(section, MAX_CHILDREN if mode else MAX_ITERATIONS),
            "distributed": distributed,
            "data": self.shared(section, items=items, item=item),
            **self.errors(section, identity),
        }

    def concurrency(self, section: Section, most: int) -> int:
        """The pages spell it `MaxConcuccency` in the table and `MaxConcurrency` in the text."""
        keys = "MaxConcurrency", "MaxConcuccency"
        given = [section.number(key, 1, MAX_ITERATIONS_WRITTEN) for key in keys]
        return min(given[0] or given[1] or MAX_ITERATIONS, most)

    def distributed(self, section: Section, identity: str, *, express: bool) -> Distributed:
        """Read them by our choice: they are not published. What may fail has one name in the language and another in the API."""
        tolerance = section.section("ToleratedFailure") or section
        count = tolerance.spelling("ToleratedFailureCount", "ToleratedFailedCount")
        percentage = tolerance.spelling("ToleratedFailurePercentage", "ToleratedFailedPercentage")
        batch = section.section("ItemBatcher")
        most = section.section("MaxItems") if isinstance(section.value.get("MaxItems"), dict) else section
        made = Distributed(
            express=express,
            max_items=(most or section).amount("MaxItems", 1, MAX_ITEMS, BEFORE),
            batch=batch.amount("MaxItemsPerBatch", 1, MAX_ITEMS, BEFORE, required=True) or 0 if batch else 0,
            tolerated_count=tolerance.amount(count, 0, MAX_ITEMS, BEFORE) or 0,
            tolerated_percentage=tolerance.amount(percentage, 0, 100, BEFORE, whole=False) or 0,
            reader=self.io(section, identity, "ItemReader", "OSS:GetObject"),
            writer=self.io(section, identity, "ResultWriter", "OSS:PutObject"),
        )
        for inner in (tolerance, batch, most):
            if inner is not None and inner is not section:
                inner.finish()
        return made

    def io(self, section: Section, identity: str, field: str, action: str) -> TaskNode | None:
        """An ItemReader or ResultWriter: a call that a mock answers. All its fields are the call's parameters."""
        parameters = section.constructor(field, BEFORE)
        if parameters is None:
            return None
        given = section.value[field].get("Action")
        return TaskNode(
            id=f"{identity}.{field}",
            name=f"{section.value['Name']}.{field}",
            place=section.place(field),
            action=given if isinstance(given, str) and given else action,
            data=StateData(parameters=parameters),
        )

    # -- errors

    def errors(self, section: Section, identity: str) -> Fields:
        retries = tuple(
            Retry(
                **head,
                attempts=rule.number("MaxAttempts", 0, 1_000_000, 0, required=True),
                interval=rule.number("IntervalSeconds", 0, MAX_INTERVAL, 0, required=True),
                rate=rule.number("BackoffRate", 0, 1000, 1.0, whole=False),
                longest=rule.number("MaxBackoffSeconds", 0, MAX_INTERVAL, MAX_INTERVAL),
            )
            for rule, head in section.rules("Retry", f"{identity}!retry")
        )
        catches = tuple(
            Catch(
                **head,
                next=self.target(rule, "Next", required=True) or "",
                data=rule.constructor("OutputConstructor", BEFORE),
            )
            for rule, head in section.rules("Catch", f"{identity}!catch")
        )
        return {"retry": retries, "catch": catches}


_TYPES: dict[str, tuple[type[model.Node], Callable[[_Scope, Section, str], Fields]]] = {
    # the type: its node, and who reads the fields of that
    "Pass": (model.PassNode, _Scope.plain),
    "Task": (model.TaskNode, _Scope.task),
    "Choice": (model.ChoiceNode, _Scope.choice),
    "Parallel": (model.ParallelNode, _Scope.parallel),
    "Map": (model.MapNode, _Scope.map),
    "Wait": (model.WaitNode, _Scope.wait),
    "Succeed": (model.SucceedNode, _Scope.plain),
    "Fail": (model.FailNode, _Scope.fail),
}
_ENDS: dict[type[Node], str] = {model.ChoiceNode: "", model.SucceedNode: "End", model.FailNode: "End"}
"""Nodes that name no next one, and which field for that they may have all the same."""
