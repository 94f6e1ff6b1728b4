"""Mocks of tasks: the scripted answers of one flow, and the resolver that answers by them.

The first mock answers whose `when` matches and whose `times` are not spent in this execution: those for the state's
name, then those for an old task's resource, then those for the action. With none left a nested flow is really started,
a task that waits for a callback waits for its report, and any other is answered by the policy for tasks without a mock.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from traceback import walk_tb
from typing import Any, Protocol

from msgspec import Struct

from cfmock.base.errors import TaskFailed
from cfmock.base.globs import Candidates
from cfmock.base.json_text import Json, json_text
from cfmock.base.near_misses import EXPLAINED, Unmatched, unmatched
from cfmock.base.patterns import Difference, NearMiss
from cfmock.base.suggestions import nearest
from cfmock.engine.commands import RUNTIME_ERROR, UNNAMED, Failure
from cfmock.engine.execution import Answer, CalledTask, TaskResolver
from cfmock.engine.model import Mode, TaskNode
from cfmock.engine.recording import SPENT
from cfmock.engine.task_calls import AnswersLater, Fails, Returns, TaskCall, TaskMock, Waits

_ACTION = "fnf:startexecution"
_FLOW = re.compile(r"acs:fnf:[^:]*:[^:]*:flow/([^/]+)\Z")


class FlowStart(Struct, frozen=True):
    """A flow that a task wants started; `execution` None: the service makes up a name."""

    flow: str
    execution: str | None
    input: Json


def flow_start(call: TaskCall) -> FlowStart | None:
    """Return the start that a task asks for, None for a task that does something else.

    The new language names the flow by `resourceArn`, beside `executionName` and `input`; `fnf:StartExecution` of the
    old one has `FlowName`, `ExecutionName`, `Input`; and there the flow may be the task's own resource. Letter case is
    not minded. An old task without parameters hands its input on. Raises a `Failure` for parameters that name no flow.
    """
    if call.action.casefold() != _ACTION:
        return None
    parameters = call.parameters if isinstance(call.parameters, Mapping) else {}
    given = {str(name).casefold(): value for name, value in parameters.items()}
    arn = call.resource_arn or given.get("resourcearn")
    found = _FLOW.match(arn) if isinstance(arn, str) else None
    flow = given.get("flowname", found.group(1) if found else None)
    execution = given.get("executionname")
    value = given.get("input", call.input if call.resource_arn is not None and not given else {})
    if not isinstance(flow, str):
        raise _refused(call, f"{arn!r} names no flow (acs:fnf:::flow/NAME does)")
    if execution is not None and not isinstance(execution, str):
        raise _refused(call, f"the name of an execution is text, not {execution!r}")
    if not isinstance(value, dict):
        raise _refused(call, "the input of a flow is an object")
    return FlowStart(flow, execution, value)


def _refused(call: TaskCall, why: str) -> Failure:
    return Failure(f"{call.product}.InvalidArgument", why)


OnResult = Callable[[Json], None]
"""Called once with what a function gave back, or with a `Failure`."""

UNMOCKED = "cfmock.UnmockedTask"
"""The error of a task without a mock, where such tasks are to fail. No error of the service."""


class Functions(Protocol):
    """The way from mocks to functions outside the core. Each calls `on_result` once, then or later."""

    def call_http(self, url: str, event: Json, on_result: OnResult, /) -> None:
        """POST the event to a locally running function."""

    def call_python(self, function: Callable[[Json], Any], event: Json, moment: float, on_result: OnResult, /) -> None:
        """Call a function of the user's with the event; `moment` is the flow time of the call, in seconds since 1970."""

    def forget(self) -> None:
        """Drop the calls made so far: their executions are gone."""


ByTask = Mapping[str, tuple[TaskMock, ...]]
"""Mocks by the state's name or the action, in the order they are tried."""


class Answerer(enum.Enum):
    """Kinds of answers to tasks that no mock answers."""

    NESTED = "nested"
    REPORT = "report"
    UNMOCKED = "unmocked"


Try = tuple[int, "TaskMock | Answerer", ByTask]
"""A try of a task: the StepEntered event of its state, who answers it, and the mocks there were. A plain tuple, since one is
made for every try."""


class TaskMocks:
    """The mocks of one flow in the order they are tried, by state name or action."""

    def __init__(self, mocks: Mapping[str, Sequence[TaskMock]] | None = None) -> None:
        self.by_task: ByTask = {}
        """Replaced as a whole when something is added: who keeps it keeps how the mocks stood then."""
        self.hits: dict[TaskMock, int] = {}
        """How many tries each has answered, of those that have answered any."""
        self.added: dict[str, tuple[TaskMock, ...]] = {}
        """Those that were added, by state name or action."""
        self.replace(mocks or {})

    def replace(self, mocks: Mapping[str, Sequence[TaskMock]]) -> None:
        """Put these in place of those there from the start; those added stay."""
        self._given = {_key(name): tuple(found) for name, found in mocks.items()}
        self._join()

    def add(self, name: str, mock: TaskMock) -> None:
        """Behind those added before, ahead of those there from the start."""
        key = _key(name)
        self.added[key] = (*self.added.get(key, ()), mock)
        self._join()

    def _join(self) -> None:
        keys = dict.fromkeys((*self.by_task, *self.added, *self._given))
        self.by_task = {key: self.added.get(key, ()) + self._given.get(key, ()) for key in keys}
        self._found: dict[str, Candidates[TaskMock]] = {}  # for tasks that were called

    @property
    def count(self) -> int:
        """The number of mocks."""
        return sum(map(len, self.by_task.values()))

    def added_to(self, name: str) -> int:
        """Return how many were added for a task, by state name or action."""
        return len(self.added.get(_key(name), ()))

    @property
    def given(self) -> Iterator[tuple[str, int, TaskMock]]:
        """The mocks there from the start: for which task, the how manieth of it from 1."""
        for task, found in self._given.items():
            for number, mock in enumerate(found, 1):
                yield task, number, mock

    def reference(self, mock: TaskMock) -> Json:
        """Return the place of a mock as values: `at` finds it again, also in another process that was given the same ones."""
        for is_added, by_task in ((True, self.added), (False, self._given)):
            for key, found in by_task.items():
                if mock in found:
                    return [key, is_added, found.index(mock)]
        return None

    def at(self, reference: Json) -> TaskMock | None:
        """The mock of a reference, if there still is one."""
        key, is_added, number = reference or ("", False, 0)
        found = (self.added if is_added else self._given).get(key, ())
        return found[number] if number < len(found) else None

    def possible(self, call: TaskCall) -> Iterator[TaskMock]:
        """Return the mocks for a call that may be for its execution, in the order they are tried."""
        by_task, found = self.by_task, self._found
        for name in (call.state, call.resource_arn, call.action):
            if name is None or not (mocks := by_task.get(key := _key(name))):
                continue
            known = found.get(key)
            if known is None:
                known = found[key] = Candidates(mocks, lambda mock: mock.condition.named)
            for _, mock in known.for_name(call.identity.execution):
                yield mock

    def covers(self, task: TaskNode) -> bool:
        """Return whether there is any mock for a task; not whether it matches."""
        return next(candidates(self.by_task, task.name, task.resource_arn, task.action), None) is not None

    def unmatched(self, call: TaskCall, spent: Mapping[object, int]) -> Unmatched | None:
        """Note that no mock answered, to be explained when somebody asks: by the mocks for this task, else by those for one whose
        name nearly is this one's; None where there are no such."""
        found = candidates(self.by_task, call.state, call.resource_arn, call.action)
        mocks = tuple([mock for _, _, mock in islice(found, EXPLAINED)])
        if mocks:
            used = tuple([spent.get(mock, 0) for mock in mocks])
            execution, text = call.identity.execution, json_text(call.input)
            return unmatched("mock", f"'{call.state}'", execution, text, call.input, mocks, used)
        name = nearest(_key(call.state), self.by_task)
        if name is None:
            return None
        near = NearMiss("mock", f"1 of '{name}'", (Difference("task", name, call.state),))
        return Unmatched("mock", f"'{name}'", "", "", (), (), near)


def candidates(by_task: ByTask, *names: str | None) -> Iterator[tuple[str, int, TaskMock]]:
    """The mocks for a task that goes by these names, in the order they are tried: under which name, the how manieth from 1."""
    for name in names:
        if name is not None:
            for number, mock in enumerate(by_task.get(_key(name), ()), 1):
                yield name, number, mock


def _key(name: str) -> str:
    # Products are written in either case: fnf:StartExecution, FNF:StartExecution.
    return name.casefold() if ":" in name else name


class ScriptedTasks(TaskResolver):
    """A `TaskResolver` over the mocks of a flow. Who keeps flows and tells users of tasks overrides the hooks."""

    def __init__(self, mocks: TaskMocks, functions: Functions | None = None) -> None:
        self.mocks = mocks
        self._functions = functions

    def answered(self, task: CalledTask, by: TaskMock | Answerer) -> None:
        """Called for each try of a task, with its answerer."""

    def start_flow(self, task: CalledTask, start: FlowStart) -> Answer | None:
        """Start a nested flow, on the timeline of the task's run if it is waited for; None where there are no others."""
        return None

    def unmocked(self, task: CalledTask) -> None:
        """Called for each task that nothing answered: return to let it succeed, raise a `Failure` to fail it."""

    def raised(self, task: CalledTask, failure: Failure) -> None:
        """Called for each function of the user's that raised something other than `TaskFailed`."""

    def resolve(self, task: CalledTask) -> Answer:
        """Answer a task by the first mock that matches, else a nested flow, a wait for a report, or `unmocked`."""
        call, spent = task.call, task.execution.spent
        for mock in self.mocks.possible(call):
            if mock.times is not None and spent.get(mock, 0) >= mock.times:
                continue
            if not mock.condition.matches(call.identity.execution, call.input):
                continue
            if mock.times is not None:
                spent[mock] = spent.get(mock, 0) + 1
                if task.execution.recording is not None:
                    task.execution.recording.keep(SPENT, self.mocks.reference(mock))
            hits = self.mocks.hits
            hits[mock] = hits.get(mock, 0) + 1
            self.answered(task, mock)
            return mock.answer if mock.answer is not None else self._call(mock, task)
        start = flow_start(call)
        if start is not None and (answer := self.start_flow(task, start)) is not None:
            return answer
        if call.mode is Mode.CUSTOM_CALLBACK:
            self.answered(task, Answerer.REPORT)
            return Waits()
        self.answered(task, Answerer.UNMOCKED)
        self.unmocked(task)
        return Returns({})

    def call_again(self, task: CalledTask) -> bool:
        """Call the function of a task that had not answered when its process died; False if there is no such function now."""
        call = task.call
        for mock in self.mocks.possible(call):
            if mock.answer is None and mock.condition.matches(call.identity.execution, call.input):
                try:
                    answer: Answer | Failure = self._call(mock, task)
                except Failure as failure:
                    answer = failure
                if not isinstance(answer, AnswersLater):
                    task.answer(answer)
                return True
        return False

    def _call(self, mock: TaskMock, task: CalledTask) -> Answer:
        """Let a function answer. It gets a copy of the event, and a copy of its answer is kept: both may be changed later."""
        call = task.call
        text = json_text(call.event)
        event = json.loads(text)
        for waiting in (task, *task.execution.waiting.values()):
            if waiting.call.task_token.shown and waiting.token in text:
                waiting.handed_out = True

        def on_result(result: Json) -> None:
            if isinstance(result, Failure) and result.place:
                self.raised(task, result)
            task.answer(_answer(call, result))

        if mock.calls is None:
            if self._functions is None or mock.http is None:
                raise Failure(UNMOCKED, f"nothing here can call a function for '{call.state}'")
            self._functions.call_http(mock.http, event, on_result)
            return AnswersLater()
        if self._functions is not None:
            self._functions.call_python(mock.calls, event, task.since, on_result)
            return AnswersLater()
        answer = _answer(call, called(mock.calls, event))
        if call.mode is not Mode.CUSTOM_CALLBACK:
            return answer
        if isinstance(answer, Fails):
            raise Failure(answer.code, answer.detail)
        return Waits()  # it was called; its report is still to come


def called(function: Callable[[Json], Any], event: Json) -> Any:
    """Call a function with an event; return its result, or a `Failure` for what it raises."""
    try:
        return function(event)
    except Exception as error:  # noqa: BLE001 - the user's own function: whatever it raises fails its task
        return failure_of(error)


def failure_of(error: BaseException) -> Failure:
    """An exception of a user's function as the error of its task: `TaskFailed` names it, any other its class."""
    if isinstance(error, TaskFailed):
        return Failure(error.code or UNNAMED, error.detail)
    try:
        detail = str(error)
    except Exception:  # noqa: BLE001 - the user's own class: its text may be anything
        detail = "an exception without a text"
    failure = Failure(type(error).__name__, detail)
    frames = [(frame.f_code, line) for frame, line in walk_tb(error.__traceback__)]
    file = next((code.co_filename for code, _ in frames if not code.co_filename.startswith(_PACKAGE)), None)
    for code, line in frames:
        if code.co_filename == file:
            failure.place = f"{file}:{line}, in {code.co_name}"
    return failure


_PACKAGE = __file__.rpartition("engine")[0]
"""The folder of this package, of which a user wants to see no line."""


def _answer(call: TaskCall, result: Json) -> Returns | Fails:
    if isinstance(result, Failure):
        return Fails(result.code, result.detail)
    try:
        value = json.loads(json_text(result))
    except (TypeError, ValueError, RecursionError) as error:
        return Fails(RUNTIME_ERROR, f"the function of '{call.state}' gave no JSON value: {error}")
    return Returns(value if call.envelope is None else {**call.envelope, "Body": value})
