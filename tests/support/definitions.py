"""Definitions of both languages as hypothesis makes them up: legal ones, that loop, fail, wait and fork as they like."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

CODES = ("Oops", "FC.Unknown", "FnF.TaskTimeout")
ACTION = "FC:InvokeFunction"


def _errors() -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from([*CODES, "FnF.ALL"]), min_size=1, max_size=2)


# -- the new language --------------------------------------------------------------------------------------------------

CONSTRUCTORS = st.sampled_from(
    [{"n": 1}, {"n": 5, "x": "a"}, {"n.$": "length($Context.Execution.Name)"}, {"list.$": "toArray($Input, 2)"},
     {"id.$": "uuid()"}, {"n.$": "$Input.n"}, {"all.$": "$Input"}]
)  # fmt: skip
CONDITIONS = st.sampled_from(["$Input.n > 2", '$Input.x == "a"', "$Input.n == null", "true", "length($Input) > 0"])


@st.composite
def state_machines(draw: st.DrawFn) -> Json:
    return {"Type": "StateMachine", "SpecVersion": "v1", "Name": "f", **draw(_scopes(2))}


@st.composite
def _scopes(draw: st.DrawFn, depth: int) -> Json:
    names = [f"S{index}" for index in range(draw(st.integers(1, 4)))]
    states = [draw(_states(name, names, depth)) for name in names]
    return {"StartAt": names[0], "States": states}


@st.composite
def _states(draw: st.DrawFn, name: str, names: list[str], depth: int) -> Json:
    kinds = ["Pass", "Task", "Task", "Choice", "Wait", "Succeed", "Fail", *(["Parallel", "Map"] if depth else [])]
    kind = draw(st.sampled_from(kinds))
    state: Json = {"Type": kind, "Name": name}
    targets = st.sampled_from(names)
    if kind == "Choice":
        branches = st.fixed_dictionaries({"Condition": CONDITIONS, "Next": targets})
        return {**state, "Branches": draw(st.lists(branches, min_size=1, max_size=2)), "Default": draw(targets)}
    if kind == "Fail":
        return {**state, "Code": draw(st.sampled_from(CODES)), "Detail": "made up"}
    if draw(st.booleans()):
        state[draw(st.sampled_from(["InputConstructor", "OutputConstructor", "GlobalConstructor"]))] = draw(
            CONSTRUCTORS
        )
    if kind != "Succeed":
        state.update(draw(st.sampled_from([{"End": True}, {"Next": draw(targets)}])))
    if kind == "Wait":
        state["Seconds"] = draw(st.integers(1, 300))
    if kind == "Task":
        state["Action"] = ACTION
        state["TaskMode"] = draw(
            st.sampled_from(["RequestComplete", "RequestComplete", "WaitForSystemCallback", "WaitForCustomCallback"])
        )
        state["Parameters"] = {"body": {"token.$": "$Context.Current.TaskToken"}}
        state["Timeout"] = draw(st.integers(1, 60))
    if kind == "Parallel":
        state["Branches"] = draw(st.lists(_scopes(depth - 1), min_size=1, max_size=3))
    if kind == "Map":
        state["ItemsPath"] = draw(st.sampled_from(["toArray($Input, $Input, $Input)", "toArray()", "$Input.list"]))
        state["MaxConcurrency"] = draw(st.integers(1, 3))
        state["Processor"] = draw(_scopes(depth - 1))
        if draw(st.booleans()):
            state["ProcessorConfig"] = {"ExecutionMode": "Standard"}
            state["ToleratedFailurePercentage"] = draw(st.sampled_from([0, 50, 100]))
    if kind in ("Task", "Parallel", "Map"):
        interval = st.integers(0, 20)
        rule = {"Errors": _errors(), "MaxAttempts": st.integers(0, 3), "IntervalSeconds": interval}
        state["Retry"] = draw(st.lists(st.fixed_dictionaries(rule), max_size=2))
        state["Catch"] = draw(st.lists(st.fixed_dictionaries({"Errors": _errors(), "Next": targets}), max_size=2))
    return state


# -- the old language --------------------------------------------------------------------------------------------------

SOURCES = st.sampled_from(
    ["$input", "$local", "$input.n", "$local.n", "$local[*].n", "$context.task.token", 1, [1, 2], "text"]
)
MAPPINGS = st.lists(
    st.fixed_dictionaries({"target": st.sampled_from(["n", "list", "x"]), "source": SOURCES}), max_size=2
)
OLD_CONDITIONS = st.sampled_from(["$.n > 2", '$.x == "a"', "$.n == null", "true"])


@st.composite
def legacy_flows(draw: st.DrawFn) -> Json:
    flow = {"version": "v1", "type": "flow", "steps": draw(_series(2, [0]))}
    if draw(st.booleans()):
        flow["timeoutSeconds"] = draw(st.integers(1, 100_000))
    return flow


@st.composite
def _series(draw: st.DrawFn, depth: int, made: list[int]) -> list[Json]:
    first, count = made[0], draw(st.integers(1, 4))
    made[0] += count
    names = [f"s{index}" for index in range(first, first + count)]
    return [draw(_steps(name, names, depth, made)) for name in names]


@st.composite
def _steps(draw: st.DrawFn, name: str, names: list[str], depth: int, made: list[int]) -> Json:
    nested = ["choice", "parallel", "foreach"] if depth else []
    kind = draw(st.sampled_from(["pass", "task", "task", "wait", "succeed", "fail", *nested]))
    step: Json = {"type": kind, "name": name}
    if kind == "fail":
        return {**step, "error": draw(st.sampled_from(CODES))}
    for key in ("inputMappings", "outputMappings"):
        if draw(st.booleans()):
            step[key] = draw(MAPPINGS)
    if kind not in ("succeed", "fail") and draw(st.booleans()):
        step["end"] = draw(st.booleans())
    if kind == "wait":
        step["duration"] = draw(st.sampled_from([0, 1.5, 60, "$.n"]))
    if kind == "task":
        step["resourceArn"] = "acs:fc:::services/s/functions/f"
        step["pattern"] = draw(st.sampled_from(["requestResponse", "requestResponse", "sync", "waitForCallback"]))
        step["timeoutSeconds"] = draw(st.integers(1, 60))
        rule = {"errors": _errors(), "maxAttempts": st.integers(0, 3)}
        step["retry"] = draw(st.lists(st.fixed_dictionaries(rule), max_size=2))
        catch = {"errors": _errors(), "goto": st.sampled_from(names)}
        step["catch"] = draw(st.lists(st.fixed_dictionaries(catch), max_size=2))
    if kind == "choice":
        step["choices"] = [
            {"condition": draw(OLD_CONDITIONS), **draw(_option(names, depth, made))}
            for _ in range(draw(st.integers(1, 2)))
        ]
        if draw(st.booleans()):
            step["default"] = draw(_option(names, depth, made))
    if kind == "parallel":
        step["branches"] = [{"steps": draw(_series(depth - 1, made))} for _ in range(draw(st.integers(1, 3)))]
    if kind == "foreach":
        step["iterationMapping"] = {"collection": "$.list", "item": "item"}
        step["steps"] = draw(_series(depth - 1, made))
    return step


@st.composite
def _option(draw: st.DrawFn, names: list[str], depth: int, made: list[int]) -> Json:
    option: Json = {}
    if draw(st.booleans()):
        option["goto"] = draw(st.sampled_from(names))
    if draw(st.booleans()):
        option["steps"] = draw(_series(depth - 1, made))
    return option


# -- what answers their tasks ------------------------------------------------------------------------------------------


def mocks() -> st.SearchStrategy[list[Json]]:
    """Mocks for their tasks; where none is left, a task waits or gives nothing."""
    answers = st.one_of(
        st.fixed_dictionaries({"returns": st.sampled_from([{}, {"n": 3}, {"Body": {"x": "a"}, "list": [1]}, "text"])}),
        st.fixed_dictionaries({"fails": st.fixed_dictionaries({"code": st.sampled_from(CODES)})}),
    )
    more = st.fixed_dictionaries({}, optional={"after": st.integers(0, 90), "times": st.integers(1, 3)})
    return st.lists(st.builds(lambda answer, other: {**answer, **other}, answers, more), max_size=3)
