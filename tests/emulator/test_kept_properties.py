"""Random calls, reports, moves of the clock and restarts: the same answers as without the restarts."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cfmock.base.errors import ServiceError
from tests.crash import FLOWS, INPUTS, STARTED
from tests.support.kept import KeptService

NAMES = st.sampled_from(["a", "b", "late-c"])
STEPS = st.one_of(
    st.tuples(st.just("start"), st.sampled_from(STARTED), NAMES),
    st.tuples(st.just("start"), st.sampled_from(STARTED), st.just("")),
    st.tuples(st.just("stop"), st.sampled_from(STARTED), NAMES),
    st.tuples(st.just("look"), st.sampled_from(STARTED), NAMES),
    st.tuples(st.just("report"), st.sampled_from(["succeed", "fail"]), st.integers(0, 2)),
    st.tuples(st.just("advance"), st.sampled_from([0.1, 0.5, 1.0, 2.0, 61.0]), st.just(0)),
    st.tuples(st.just("fault"), st.sampled_from(["StartExecution", "DescribeExecution"]), st.just(0)),
    st.tuples(st.just("publish"), st.sampled_from(STARTED), st.just(0)),
    st.tuples(st.just("restart"), st.just(0), st.just(0)),
)


def answered(service: KeptService, step: tuple[str, Any, Any]) -> Any:
    """What a step is answered, without what differs from call to call."""
    kind, one, other = step
    try:
        if kind == "start":
            given = json.dumps(INPUTS.get(one, {}))
            found = service("StartExecution", FlowName=one, Input=given, **({"ExecutionName": other} if other else {}))
        elif kind == "stop":
            found = service("StopExecution", FlowName=one, ExecutionName=other)
        elif kind == "look":
            found = {
                "fields": {**service("DescribeExecution", FlowName=one, ExecutionName=other), "RequestId": ""},
                "events": service.history(one, other),
            }
        elif kind == "report":
            tasks = service.control.list_tasks()
            if len(tasks) <= other:
                return None
            token = tasks[other]["token"]
            if one == "succeed":
                found = service("ReportTaskSucceeded", TaskToken=token, Output='{"r": 1}')
            else:
                found = service("ReportTaskFailed", TaskToken=token, Error="Refused", Cause="c")
        elif kind == "publish":
            found = service("PublishFlowVersion", FlowName=one)
        elif kind == "advance":
            service.advance(one)
            return service.now
        else:
            service.control.add_fault({"when": {"operation": one, "call": [2]}, "error": "ResourceThrottled"})
            service.commit()
            return None
    except ServiceError as error:
        return error.code
    return {**found, "RequestId": ""}


def played(folder: Path, steps: list[tuple[str, Any, Any]], *, restarts: bool) -> list[Any]:
    """What every step was answered, and what is there at the end."""
    fixture = folder / "flows.yaml"
    fixture.write_text(FLOWS, encoding="utf-8")
    service = KeptService(folder / f"{restarts}.db", str(fixture))
    answers = []
    for step in steps:
        if step[0] != "restart":
            answers.append(answered(service, step))
        elif restarts:
            service = service.restarted()
    for flow in STARTED:
        for each in service("ListExecutions", FlowName=flow, Limit=100)["Executions"]:
            answers.append([flow, each, service.history(flow, each["Name"])])
    return answers


@settings(max_examples=30, deadline=None)
@given(st.lists(STEPS, min_size=3, max_size=20))
def test_restarts_make_no_difference(steps: list[tuple[str, Any, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            without = played(Path(folder), steps, restarts=False)
            assert played(Path(folder), steps, restarts=True) == without
        finally:
            KeptService.close_all()
