"""Flows and executions as values."""

from __future__ import annotations

import pytest

from cfmock import CloudFlow, ExecutionDetail, FlowSummary, UnknownName
from tests.support.calls import task_flow

FIXTURE = {
    "cfmock": 1,
    **task_flow("Charge", tasks={"Charge": [{"when": {"execution": "x"}, "returns": 1}, {"returns": {}}]}),
}


def test_one_execution_tells_who_answered_its_tasks() -> None:
    with CloudFlow(FIXTURE, clock="virtual") as cf:
        cf.run("order", {"a": 1}, name="e")
        told = cf.execution("order", "e")
        assert isinstance(told, ExecutionDetail)
        assert (told.status, told.input, told.visits, told.waiting, told.outcome) == (
            "Succeeded", {"a": 1}, ("Charge",), (), None,
        )  # fmt: skip
        (tried,) = told.tasks[0]["tries"]
        assert (tried["answered_by"], tried["near_misses"][0]["name"]) == ("mock", "1 of 'Charge'")
        assert cf.executions("order")[0].events == told.events
        with pytest.raises(UnknownName, match="there is no flow 'ordr'"):
            cf.execution("ordr", "e")
        with pytest.raises(UnknownName, match="there is no execution 'f' of flow 'order'"):
            cf.execution("order", "f")


def test_flows_are_told_with_what_each_has() -> None:
    with CloudFlow(FIXTURE, clock="virtual", region="cn-beijing") as cf:
        cf.run("order", name="e")
        (flow,) = cf.flows()
        assert isinstance(flow, FlowSummary)
        assert (flow.name, flow.counts, flow.mocks, flow.outcomes, flow.findings) == (
            "order",
            {"Succeeded": 1},
            2,
            0,
            0,
        )
        assert flow.region == "cn-beijing"
