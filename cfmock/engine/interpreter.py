"""Executes a flow, in either language, as a generator of commands.

Order, choice, retry, catch and fork stand here as plain Python; how data move is asked of the flow's `DataFlow`.
Nothing here knows a clock, a store or who answers tasks: that is the driver's part (`scheduler`), or a test's, by `next()`
and `send()`.

An event follows from the one before it: StepEntered from the StepExited of the state before (a branch's or iteration's
first from its Entered event), a retry from the failure, an outer StepFailed from the inner one, what follows a join
from the branch that came last.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Any, TypeAlias

from msgspec.structs import replace

from cfmock.base.json_text import Json, json_text
from cfmock.engine import events, model
from cfmock.engine.commands import (
    DATA_LIMIT,
    INVALID_OUTPUT,
    ITEM_LIMIT,
    MAP_RUN_LIMIT,
    RUNTIME_ERROR,
    SUBMITTED,
    UNNAMED,
    AwaitTask,
    CallTask,
    Command,
    Datum,
    Emit,
    Failure,
    Fork,
    LimitExceeded,
    Part,
    RunMap,
    TaskTimedOut,
    Wait,
)
from cfmock.engine.data_flow import Context, Frame, Step
from cfmock.engine.events import PartShapes
from cfmock.engine.expr import DataTooLarge, Effort, ExpressionError
from cfmock.engine.flow import Flow
from cfmock.engine.model import ChoiceNode, Distributed, Mode, Node, Retry, Series, TaskNode
from cfmock.engine.task_calls import TaskCall

Work = Generator[Command, Any, Datum]

MAX_MAP_ITEMS = 10_000
MAX_MAP_RUNS = 10
"""Items, and map runs open at once, of one execution; documented."""


NodeWork: TypeAlias = "Callable[[Interpreter, Step, Any], Work]"
"""The work of the nodes of one type, which the last argument is of."""


class Interpreter:
    """Executes a flow once."""

    __slots__ = ("context", "data_flow", "flow", "observe", "tell")

    def __init__(self, flow: Flow, context: Context) -> None:
        self.flow = flow
        self.data_flow = flow.data_flow
        self.context = context
        self.observe = context.observe
        self.tell = context.tell

    def run(self, given: Datum) -> Part:
        """The execution, from ExecutionStarted to its end. Returns its output; raises the `Failure` it ends with."""
        flow, data_flow = self.flow, self.data_flow
        told: Emit = "", 0, events.EXECUTION_STARTED, (given.text,)
        last = self.tell(told) or (yield told)
        try:
            frame = data_flow.open(given, self.context)
            last = yield from self.series(flow.series, frame, last)
            output = data_flow.close(frame, self.context)
            if not isinstance(output.value, dict) and isinstance(given.value, dict):
                raise Failure(INVALID_OUTPUT, f"the output of the execution is not a JSON object: {output.text[:200]}")
        except (Failure, ExpressionError) as error:
            failure = _failure(error)
            yield "", failure.event or last, events.EXECUTION_FAILED, failure.parts
            raise failure from None
        told = "", last, events.EXECUTION_SUCCEEDED, (output.text,)
        if not self.tell(told):
            yield told
        return output

    def series(self, series: Series, frame: Frame, cause: int) -> Generator[Command, Any, int]:
        """Run the nodes of a series; returns the last event."""
        nodes, name, data_flow = series.nodes, series.start, self.data_flow
        while True:
            node = nodes[name]
            parts = data_flow.passing(node, frame) if type(node) in _WORKLESS else None
            if parts is not None:
                if self.observe is not None:
                    self.observe(node.id)
                told = name, cause, data_flow.shapes.whole, parts
                cause = self.tell(told) or (yield told)
                following = node.next
            else:
                step = Step(node, frame, self.context)
                cause = yield from self.state(step, cause)
                following = step.next
            if following is None:
                return cause
            name = following

    def state(self, step: Step, cause: int) -> Generator[Command, Any, int]:
        """Run one node, from the event of entering it to that of leaving it; returns the latter."""
        node, data_flow = step.node, self.data_flow
        if self.observe is not None:
            self.observe(node.id)
        name, shapes, parts = node.name, data_flow.shapes.entered, data_flow.before(step)
        step.entered = self.context.last + 1
        try:
            data_flow.enter(step)
            shapes, parts = data_flow.shapes.begin, (*parts, step.given.text)
            work = self.work(step)
            if work is None:
                result, end = data_flow.idle(step), data_flow.shapes.whole
            else:
                told: Emit = name, cause, shapes, parts
                step.last, end, parts = self.tell(told) or (yield told), data_flow.shapes.end, ()
                result = yield from (self.retried(step, work) if node.retry else work(self, step, node))
                cause = step.last
            output = data_flow.leave(step, result)
            shapes, parts = end, (*parts, output.text)
        except (Failure, ExpressionError) as error:
            if parts:
                step.last = yield name, cause, shapes, parts
            yield from self.failed(step, _failure(error))
            cause, shapes, parts = step.last, data_flow.shapes.exited, ()
        told = name, cause, shapes, (*parts, *data_flow.after(step))
        # Others may have to have their turn after much work.
        return (step.effort.slight and self.tell(told)) or (yield told)

    def work(self, step: Step) -> NodeWork | None:
        """Return the work of a node that has started; None if there is none."""
        node = step.node
        if type(node) is not ChoiceNode:
            return _WORK.get(type(node))
        series = self.taken(step, node)
        return None if series is None else lambda interpreter, step, node: interpreter.inside(step, series)

    # -- errors

    def failed(self, step: Step, failure: Failure) -> Generator[Command, Any, None]:
        """Tell of the failure, then go where a catch leads, or fail what is around."""
        failure.event = yield step.node.name, failure.event or step.last, events.STEP_FAILED, failure.parts
        catch = step.node.catch_for(failure.code) if failure.catchable else None
        if catch is None:
            raise failure
        if self.observe is not None:
            self.observe(catch.id)
        try:
            self.data_flow.caught(step, catch, failure)
        except (Failure, ExpressionError) as error:
            worse = _failure(error)
            worse.event = failure.event
            raise worse from None
        failure.forget_path()
        step.last, step.next = failure.event, catch.next

    def retried(self, step: Step, work: NodeWork) -> Work:
        """Only the first rule that covers an error is used for it; each counts its own attempts."""
        used: dict[Retry, int] = {}
        while True:
            step.effort = Effort(self.context.ids)
            try:
                return (yield from work(self, step, step.node))
            except (Failure, ExpressionError) as error:
                failure = _failure(error)
                rule = step.node.retry_for(failure.code) if failure.catchable else None
                if rule is None or used.get(rule, 0) >= rule.attempts:
                    raise failure from None
            used[rule] = number = used.get(rule, 0) + 1
            failure.forget_path()
            step.error, step.last = failure, failure.event or step.last
            step.retries += 1
            if self.observe is not None:
                self.observe(rule.id)
            yield Wait(rule.delay(number))

    # -- what the kinds do

    def task(self, step: Step, node: TaskNode) -> Work:
        return self.called(step, self.data_flow.call(step, node), self.data_flow.result)

    def called(self, step: Step, call: TaskCall, made: Callable[[Step, Json], Datum]) -> Work:
        """Make a call; returns what is `made` of its value for the history."""
        name, tell = call.state, self.tell
        told: Emit = name, step.last, *self.data_flow.scheduled(step, call)
        step.last = tell(told) or (yield told)
        failing = events.TASK_FAILED if call.mode is Mode.REQUEST_COMPLETE else events.TASK_SUBMIT_FAILED
        try:
            value = yield CallTask(call)
            if value is SUBMITTED:
                failing = events.TASK_FAILED
                step.last = yield name, step.last, events.TASK_SUBMITTED, ()
                value = yield AwaitTask(call)
            result = made(step, value)
        except Failure as failure:
            shapes = events.TASK_TIMED_OUT if isinstance(failure, TaskTimedOut) else failing
            step.last = failure.event = yield name, step.last, shapes, failure.parts
            raise
        told = name, step.last, events.TASK_SUCCEEDED, (result.text,)
        step.last = tell(told) or (yield told)
        return result

    def wait(self, step: Step, node: model.WaitNode) -> Work:
        yield self.data_flow.pause(step)
        return self.data_flow.idle(step)

    def fail(self, step: Step, node: model.FailNode) -> Work:
        raise Failure(node.code or UNNAMED, node.detail)

    def taken(self, step: Step, node: ChoiceNode) -> Series | None:
        """Choose where to go next; gives the series to run first, if there is one."""
        option, data_flow = node.default, self.data_flow
        for each in node.options:
            if each.condition is not None and data_flow.test(step, each.condition):
                option = each
                break
        if option is None:
            return None
        if self.observe is not None:
            self.observe(option.id)
        step.next = option.next or step.next
        return option.series

    def inside(self, step: Step, series: Series) -> Work:
        """Run the series that a choice has taken."""
        frame = self.data_flow.frame(step.given)
        step.last = yield from self.series(series, frame, step.last)
        return frame.value

    def parallel(self, step: Step, node: model.ParallelNode) -> Work:
        shapes = self.data_flow.branch
        parts = [partial(self.part, step, series, index, shapes) for index, series in enumerate(node.branches)]
        return (yield from self.joined(step, Fork(parts, len(parts))))

    def part(self, step: Step, series: Series, index: int, shapes: PartShapes, item: Json = None) -> Part:
        """A branch, or the iteration for an item. Returns what it came to, and its last event."""
        if self.observe is not None:
            self.observe(series.id)
        number, name, (entered, exited) = str(index), step.node.name, shapes
        last = yield name, step.last, entered, (number,)
        data_flow = self.data_flow
        frame = data_flow.frame(data_flow.element(step, item, index) if shapes is data_flow.iteration else step.given)
        last = yield from self.series(series, frame, last)
        last = yield name, last, exited, (number, frame.value.text)
        return frame.value.value, last

    def map(self, step: Step, node: model.MapNode) -> Work:
        if node.distributed is not None:
            return (yield from self.distributed(step, node, node.distributed))
        data_flow, series = self.data_flow, node.processor
        parts = [
            partial(self.part, step, series, index, data_flow.iteration, item)
            for index, item in enumerate(data_flow.items(step))
        ]
        return (yield from self.joined(step, Fork(parts, node.limit)))

    def joined(self, step: Step, fork: Fork) -> Work:
        ends = yield fork
        step.last = max((event for _, event in ends), default=step.last)
        return self.data_flow.result(step, self.data_flow.join(step, [value for value, _ in ends]))

    # -- distributed maps

    def distributed(self, step: Step, node: model.MapNode, settings: Distributed) -> Work:
        """Every item, or batch, is an execution of its own; see `MapRun`."""
        data_flow, context = self.data_flow, self.context
        items = yield from self.read_items(step, settings)
        batch = data_flow.amount(step, settings.batch, "MaxItemsPerBatch", 1, MAX_MAP_ITEMS)
        request = RunMap(
            name=context.ids.execution_name().replace("-", ""),
            state=node.name,
            processor=node.processor,
            express=settings.express,
            inputs=data_flow.children(step, items, batch),
            concurrency=node.limit,
            tolerated_count=data_flow.amount(step, settings.tolerated_count, "ToleratedFailureCount", 0, MAX_MAP_ITEMS),
            tolerated_percentage=data_flow.amount(
                step, settings.tolerated_percentage, "ToleratedFailurePercentage", 0, 100, whole=False
            ),
        )
        if context.map_runs >= MAX_MAP_RUNS:
            raise LimitExceeded(MAP_RUN_LIMIT, f"more than {MAX_MAP_RUNS} map runs are open")
        if self.observe is not None:
            self.observe(node.processor.id)
        started = json_text({"MapRunName": request.name})
        step.last = yield node.name, step.last, events.MAP_RUN_STARTED, (started,)
        context.map_runs += 1
        try:
            results = yield request
        finally:
            context.map_runs -= 1
        if settings.writer is None:
            return data_flow.result(step, data_flow.join(step, results))
        return (yield from self.write_results(step, settings.writer, request, results))

    def read_items(self, step: Step, settings: Distributed) -> Generator[Command, Any, list[Json]]:
        """Read the items of a distributed map: from the ItemReader's mock a list or `{"Items": [...]}`; without a reader, what
        ItemsPath gives."""
        data_flow = self.data_flow
        if settings.reader is None:
            items = data_flow.items(step)
        else:
            items = []

            def counted(step: Step, value: Json) -> Datum:
                items.extend(_items(value))
                return data_flow.result(step, {"Count": len(items)})

            yield from self.called(step, data_flow.call(step, settings.reader), counted)
        most = data_flow.amount(step, settings.max_items, "MaxItems", 1, MAX_MAP_ITEMS)
        if most is not None:
            items = items[: int(most)]
        if len(items) > MAX_MAP_ITEMS:
            raise LimitExceeded(ITEM_LIMIT, f"'{step.node.name}' has {len(items)} items, more than {MAX_MAP_ITEMS}")
        return items

    def write_results(self, step: Step, writer: TaskNode, request: RunMap, results: list[Json]) -> Work:
        """The writer's mock is given the results beside its parameters; they are too many for an event."""
        data_flow = self.data_flow
        call = data_flow.call(step, writer)
        call = replace(call, event={**call.parameters, "Results": results})
        written = yield from self.called(step, call, data_flow.result)
        return data_flow.result(step, {"MapRunName": request.name, "ResultWriter": written.value})


def _failure(error: Failure | ExpressionError) -> Failure:
    if isinstance(error, Failure):
        return error
    return (
        LimitExceeded(DATA_LIMIT, str(error)) if isinstance(error, DataTooLarge) else Failure(RUNTIME_ERROR, str(error))
    )


def _items(value: Json) -> list[Json]:
    items = value.get("Items", []) if isinstance(value, dict) else value
    if not isinstance(items, list):
        raise Failure(RUNTIME_ERROR, 'the items that were read are neither a list nor {"Items": [...]}')
    return items


_WORKLESS = (model.PassNode, model.SucceedNode)
_WORK: dict[type[Node], NodeWork] = {
    TaskNode: Interpreter.task,
    model.ParallelNode: Interpreter.parallel,
    model.MapNode: Interpreter.map,
    model.WaitNode: Interpreter.wait,
    model.FailNode: Interpreter.fail,
}
