"""How definitions run, on virtual time: cases in `cases/flows/`, one for every rule of the languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cfmock.base import yaml_source
from cfmock.engine.commands import Failure
from tests.support.lab import Lab, check_history, text_of

CASES = Path(__file__).parent / "cases" / "flows"

# Fields of a case, beside the definition (`states`, `steps` or `text`) and `says`:
#   input, name, express, environment   what is started and how
#   tasks                               mocks, as in a fixture; a task without one fails
#   flows                               others that it may start: name -> a case with a definition and tasks
#   reports                             once only the outside can move it: {task, output | error}, in order
#   status, output, error, duration     how it ends; without `error` or `status` it succeeds
#   visits, points, children            the states entered, what an observer is told, the executions it started
#   history                             [id, cause, type, step, detail] of every event, or of those given by their ids
FIELDS = {
    "says", "states", "steps", "text", "input", "name", "express", "environment", "tasks", "flows", "reports", "status",
    "output", "error", "duration", "visits", "points", "children", "history",
}  # fmt: skip


def cases() -> list[Any]:
    found = []
    for path in sorted(CASES.rglob("*.yaml")):
        document = yaml_source.parse(path.read_text(encoding="utf-8"), path.name)
        for index, case in enumerate(document.value):
            unknown = case.keys() - FIELDS
            assert not unknown, f"{path}: {document.mark([index])}: {unknown}"
            found.append(pytest.param(case, id=f"{path.parent.name}/{path.name}:{document.mark([index]).line}"))
    return found


@pytest.mark.parametrize("case", cases())
def test_flow(case: dict[str, Any]) -> None:
    lab = Lab()
    lab.fail_unmocked = True
    for name, other in case.get("flows", {}).items():
        lab.add(name, text_of(other), other.get("tasks"), express=other.get("express", False))
    seen = lab.run(
        text_of(case),
        case.get("input"),
        case.get("tasks"),
        **{key: case[key] for key in ("name", "express", "environment") if key in case},
    )
    for report in case.get("reports", []):
        waiting = {task.call.state: task for task in seen.run.waiting.values()}
        outcome = Failure(*report["error"]) if "error" in report else report["output"]
        assert seen.run.report(waiting[report["task"]].token, outcome)
        lab.settle(seen)
    error = case.get("error")
    assert (seen.status, seen.error) == (
        case.get("status", "Failed" if error else "Succeeded"),
        tuple(error or ("", "")),
    )
    if "output" in case:
        assert seen.output == case["output"]
    if "duration" in case:
        assert seen.duration == pytest.approx(case["duration"])
    if "visits" in case:
        assert seen.visits == case["visits"]
    if "points" in case:
        assert seen.points == case["points"]
    if "children" in case:
        children = {name: child for name, child in lab.seen.items() if child is not seen}
        assert {name: child.status for name, child in children.items()} == case["children"]
    if "history" in case:
        wanted = [tuple(row) for row in case["history"]]
        ids = {row[0] for row in wanted}
        assert [row for row in seen.history() if row[0] in ids] == wanted
    check_history(seen.events)


def sized(size: int) -> str:
    """A text that makes `{"t": text}` so many bytes long."""
    return "x" * (size - len('{"t":""}'))


def test_a_state_hands_on_at_most_64_kib() -> None:
    """Measured in bytes of UTF-8, as compact JSON."""
    text = text_of({"states": "- {Type: Pass, Name: A, OutputConstructor: {u.$: $Input.t}, End: true}"})
    assert Lab().run(text, {"t": sized(65_536)}).status == "Succeeded"
    assert Lab().run(text, {"t": sized(65_537)}).error == (
        "FnF.DataLimitExceeded",
        "the input of the execution takes 65537 bytes, more than 65536",
    )
    text = text_of({"states": "- {Type: Pass, Name: A, OutputConstructor: {tt.$: $Input.t}, End: true}"})
    assert Lab().run(text, {"t": "é" * 32_764}).error == (
        "FnF.DataLimitExceeded",
        "the output of 'A' takes 65537 bytes, more than 65536",
    )


def test_what_a_task_gives_is_at_most_64_kib() -> None:
    task = "- {Type: Task, Name: A, Action: x:Y, OutputConstructor: {}, Retry: [{Errors: [FnF.ALL], MaxAttempts: 9, "
    text = text_of({"states": task + "IntervalSeconds: 1}], Catch: [{Errors: [FnF.ALL], Next: A}], End: true}"})
    assert Lab().run(text, {}, {"A": [{"returns": {"t": sized(65_536)}}]}).status == "Succeeded"
    failed = Lab().run(text, {}, {"A": [{"returns": {"t": sized(65_537)}}]})
    assert failed.error == ("FnF.DataLimitExceeded", "the output of 'A' takes 65537 bytes, more than 65536")
    assert failed.visits == ["A"], "no Retry or Catch gets to see a limit"


def test_a_step_has_at_most_32_kib_of_input_local_variable_and_output_together() -> None:
    step = "- {type: task, name: a, resourceArn: r, inputMappings: [], outputMappings: [{target: t, source: $local.t}]}"
    text = text_of({"steps": step})
    fits = (32_768 - len("{}")) // 2
    assert Lab().run(text, {}, {"a": [{"returns": {"t": sized(fits)}}]}).status == "Succeeded"
    assert Lab().run(text, {}, {"a": [{"returns": {"t": sized(fits + 1)}}]}).error == (
        "FnF.DataLimitExceeded",
        "input, local variable and output of 'a' takes 32770 bytes, more than 32768",
    )


def test_a_global_variable_has_a_value_of_at_most_256_kib() -> None:
    part = "ß" * 30_000
    doubled = "jsonToString(toArray($Input.t, $Input.t, $Input.t, $Input.t, $Input.t))"
    state = f"- {{Type: Pass, Name: A, GlobalConstructor: {{g.$: '{doubled}'}}, OutputConstructor: {{}}, End: true}}"
    assert Lab().run(text_of({"states": state}), {"t": part}).error[1].startswith("the global variable 'g' takes 3000")
    assert Lab().run(text_of({"states": state}), {"t": part[:26_000]}).status == "Succeeded"


def test_data_are_nested_a_hundred_levels_deep_at_most() -> None:
    loop = """- {Type: Pass, Name: A, OutputConstructor: {"{[": '"}]', in.$: $Input}, Next: A}"""
    seen = Lab().run(text_of({"states": loop}))
    assert seen.error == ("FnF.RuntimeError", "the output of 'A' is nested more than 100 levels deep")
    assert len(seen.visits) == 100
    old = "- {type: pass, name: a, outputMappings: [{target: x, source: $input}, {target: y, source: $local}]}\n"
    seen = Lab().run(text_of({"steps": old + "- {type: choice, name: b, choices: [{condition: 'true', goto: a}]}"}))
    assert seen.error == ("FnF.RuntimeError", "the output of 'a' is nested more than 100 levels deep")
