"""What holds for every definition of either language, however it loops, fails, waits and forks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfmock.engine import scheduler
from tests.support.definitions import ACTION, legacy_flows, mocks, state_machines
from tests.support.lab import Lab, Seen, check_history

DEFINITIONS = st.one_of(state_machines(), legacy_flows())
INPUTS = st.sampled_from([{}, {"n": 3, "list": [1, {"n": 2}]}, {"x": "a", "list": []}])
FEW = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


MAX_EVENTS = 200


@pytest.fixture(autouse=True, scope="module")
def few_events() -> Iterator[None]:
    """A twenty-fifth of the limit of the service: loops that only it ends, in maps of executions, are most of the time here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scheduler, "MAX_EVENTS", MAX_EVENTS)
        yield


def begun(definition: Any, value: Any, tasks: Any) -> tuple[Lab, Seen]:
    lab = Lab()
    lab.add("f", json.dumps(definition), {ACTION: tasks})
    return lab, lab.start("f", value)


def ended(definition: Any, value: Any, tasks: Any) -> Seen:
    lab, seen = begun(definition, value, tasks)
    lab.settle(seen)
    for _ in range(10_000):
        if seen.status != "Running":
            return seen
        due = lab.timers.next_due()
        assert due is not None, "nothing is going to move it"
        lab.timers.advance_to(due)  # only a report could come before: it does not
    raise AssertionError("it does not end")


@FEW
@given(DEFINITIONS, INPUTS, mocks())
def test_it_ends_or_a_limit_ends_it(definition: Any, value: Any, tasks: Any) -> None:
    seen = ended(definition, value, tasks)
    check_history(seen.events)
    assert len(seen.events) <= MAX_EVENTS
    assert seen.events[-1].type == f"Execution{seen.status}"
    assert (seen.output is not None) == (seen.status == "Succeeded")
    assert seen.run.timeline.open == seen.run.timeline.busy == 0
    assert seen.run.waiting == {}
    flow = seen.run.flow
    assert set(seen.points) <= {point.id for point in flow.points()}


@FEW
@given(DEFINITIONS, INPUTS, mocks())
def test_the_same_seed_gives_the_same_history(definition: Any, value: Any, tasks: Any) -> None:
    first, second = (ended(definition, value, tasks) for _ in range(2))
    assert first.events == second.events
    assert first.points == second.points


@FEW
@given(DEFINITIONS, INPUTS, mocks(), st.integers(0, 3))
def test_stop_always_stops(definition: Any, value: Any, tasks: Any, moves: int) -> None:
    lab, seen = begun(definition, value, tasks)
    for _ in range(moves):
        due = lab.timers.next_due()
        if due is not None:
            lab.timers.advance_to(due)
    before = seen.status
    seen.run.stop("Enough", "")
    assert seen.status == ("Stopped" if before == "Running" else before)
    count = len(seen.events)
    check_history(seen.events)
    lab.advance(100_000_000)
    assert len(seen.events) == count
    assert lab.timers.next_due() is None, "nothing of it is left on the clock"
