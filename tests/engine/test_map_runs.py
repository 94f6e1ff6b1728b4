"""Map runs: looked at and changed while they run."""

from __future__ import annotations

from typing import Any

from cfmock.engine.execution import FlowExecution
from cfmock.engine.map_runs import ItemCounts, MapRun
from tests.support.lab import Lab, Seen, text_of


def begun(items: list[Any], more: str = "", tasks: dict[str, Any] | None = None) -> tuple[Lab, Seen, MapRun]:
    lab = Lab()
    lab.add(
        "f",
        text_of(
            {
                "states": f"- {{Type: Map, Name: A, ItemsPath: $Input.list, {more} ProcessorConfig: {{ExecutionMode:"
                " Standard}, Processor: {StartAt: X, States: [{Type: Wait, Name: X, Seconds: 10, Next: Y},"
                " {Type: Choice, Name: Y, Branches: [{Condition: $Input.bad, Next: Z}], Default: Ok},"
                " {Type: Fail, Name: Z, Code: Bad}, {Type: Succeed, Name: Ok}]}, End: true}"
            }
        ),
        tasks,
    )
    seen = lab.start("f", {"list": items})
    (map_run,) = seen.run.map_runs.values()
    return lab, seen, map_run


GOOD, BAD = {"bad": False}, {"bad": True}


def test_the_event_names_the_map_run() -> None:
    _, seen, map_run = begun([GOOD])
    assert seen.told("MapRunStarted")[0].data == {"output": {"MapRunName": map_run.name}}
    assert len(map_run.name) == 32


def test_a_map_run_counts_its_children() -> None:
    lab, _, map_run = begun([GOOD, BAD, GOOD, GOOD], "MaxConcurrency: 3, ToleratedFailedCount: 1,")
    assert map_run.counts == ItemCounts(pending=1, running=3, succeed=0, failed=0, aborted=0, total=4)
    lab.advance(10)
    assert map_run.counts == ItemCounts(pending=0, running=1, succeed=2, failed=1, aborted=0, total=4)
    lab.advance(10)
    assert map_run.counts == ItemCounts(pending=0, running=0, succeed=3, failed=1, aborted=0, total=4)
    assert (map_run.status.value, map_run.started, map_run.stopped) == ("Succeeded", 0, 20)


def test_a_map_run_that_fails_aborts_the_rest() -> None:
    lab, seen, map_run = begun([BAD, GOOD, GOOD], "MaxConcurrency: 1,")
    lab.advance(10)
    assert map_run.counts == ItemCounts(pending=0, running=0, succeed=0, failed=1, aborted=2, total=3)
    assert (map_run.status.value, seen.error) == ("Failed", ("Bad", ""))


def test_more_children_start_when_the_concurrency_is_raised() -> None:
    lab, seen, map_run = begun([GOOD] * 4, "MaxConcurrency: 1,")
    map_run.update(concurrency=4)
    assert map_run.counts.running == 4
    lab.advance(10)
    assert seen.status == "Succeeded"


def test_no_more_children_start_until_there_is_room_when_it_is_lowered() -> None:
    lab, _, map_run = begun([GOOD] * 4, "MaxConcurrency: 2,")
    map_run.update(concurrency=1)
    assert map_run.counts.running == 2
    lab.advance(10)
    assert map_run.counts.running == 1


def test_the_tolerance_may_be_raised_while_it_runs() -> None:
    lab, seen, map_run = begun([BAD, BAD, GOOD])
    map_run.update(tolerated_percentage=70)
    lab.advance(10)
    assert (seen.status, seen.output) == ("Succeeded", {"Items": [GOOD]})


def test_a_tolerance_lowered_below_what_has_failed_ends_it() -> None:
    lab, seen, map_run = begun([BAD, GOOD], "MaxConcurrency: 1, ToleratedFailedCount: 2,")
    lab.advance(10)
    map_run.update(tolerated_count=0)
    assert seen.error == ("FnF.ToleratedFailureExceeded", f"1 children of {map_run.name} have failed")


def test_a_map_run_that_is_over_does_not_change() -> None:
    lab, seen, map_run = begun([GOOD])
    lab.advance(10)
    map_run.update(concurrency=5, tolerated_count=3)
    assert (seen.status, map_run.concurrency, map_run.tolerated_count) == ("Succeeded", 40, 0)


def test_who_keeps_rows_may_start_the_children() -> None:
    lab = Lab()
    names: list[str] = []
    default = lab.start_map_child

    def start(parent: FlowExecution, map_run: MapRun, index: int) -> Any:
        names.append(map_run.child_name(index))
        return default(parent, map_run, index)

    lab.start_map_child = start  # type: ignore[method-assign]
    seen = lab.run(
        text_of(
            {
                "states": "- {Type: Map, Name: A, ItemsPath: 'toArray(1, 2)', ProcessorConfig: {ExecutionMode: Express},"
                " Processor: {StartAt: X, States: [{Type: Succeed, Name: X}]}, End: true}"
            }
        )
    )
    (map_run,) = seen.run.map_runs.values()
    assert names == [f"{map_run.name}-0", f"{map_run.name}-1"]


def test_ten_thousand_children_do_not_exhaust_the_stack() -> None:
    text = text_of(
        {
            "states": "- {Type: Map, Name: A, ItemsPath: $Input.list, OutputConstructor: {n.$: length($Output.Items)},"
            " ItemBatcher: {MaxItemsPerBatch: 1}, ProcessorConfig: {ExecutionMode: Express}, Processor: {StartAt: X,"
            " States: [{Type: Pass, Name: X, OutputConstructor: {}, End: true}]}, End: true}"
        }
    )
    lab = Lab()
    seen = lab.run(text, {"list": [0] * 10_000})
    assert (seen.status, seen.output) == ("Succeeded", {"n": 10_000})
