"""Metrics, as Prometheus' own parser reads them."""

from __future__ import annotations

import asyncio
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cfmock import CloudFlow
from cfmock.emulator.emulator import Emulator
from cfmock.observe import call_tally
from cfmock.server.admin.metrics import LoopDelay
from tests.support.calls import make_service, task_flow
from tests.support.waiting import PATIENCE

LABELS = ("operation", "code", "le", "fault", "status", "kind")


@pytest.fixture
def cf() -> Iterator[CloudFlow]:
    with CloudFlow({"cfmock": 1, **task_flow("Charge", tasks={"Charge": [{"waits": True}]})}, journal_size=5) as server:
        yield server


def read(cf: CloudFlow) -> dict[str, dict[tuple[str, ...], float]]:
    """The samples by name and the values of their labels."""
    with urllib.request.urlopen(f"{cf.url}/_cfmock/metrics", timeout=PATIENCE) as answer:
        assert answer.headers.get_content_type() == "text/plain"
        families = list(text_string_to_metric_families(answer.read().decode()))
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in families:
        for sample in family.samples:
            labels = [sample.labels[name] for name in LABELS if name in sample.labels]
            found.setdefault(sample.name, {})[tuple(labels)] = sample.value
    return found


def test_what_happened_is_in_figures(cf: CloudFlow) -> None:
    for name in ("a", "b"):
        cf.call("StartExecution", FlowName="order", ExecutionName=name)
    cf.fault(name="slow", when={"operation": "ListFlows"}, delay="1ms")
    cf.fail("DescribeFlow", "ResourceThrottled")
    for _ in range(3):
        cf.call("ListFlows")
    with pytest.raises(Exception, match="ResourceThrottled"):
        cf.call("DescribeFlow", FlowName="order")
    with pytest.raises(Exception, match="ActionNotSupported"):
        cf.call("Nonsense")
    found = read(cf)
    calls = found["cfmock_call_duration_seconds_count"]
    assert calls[("StartExecution", "")] == 2
    assert calls[("DescribeFlow", "ResourceThrottled")] == 1
    assert calls[("other", "ActionNotSupported")] == 1
    assert found["cfmock_call_duration_seconds_bucket"][("ListFlows", "", "+Inf")] == 3
    assert 0 < found["cfmock_call_duration_seconds_sum"][("ListFlows", "")] < 3
    assert found["cfmock_faults_struck_total"][("slow",)] == 3
    assert (found["cfmock_executions"][("Running",)], found["cfmock_executions"][("Failed",)]) == (2, 0)
    assert found["cfmock_waiting_tasks"][()] == 2
    assert (found["cfmock_stored"][("flows",)], found["cfmock_stored"][("executions",)]) == (1, 2)
    assert (found["cfmock_journal_calls"][()], found["cfmock_journal_dropped_total"][()]) == (5, 2)
    assert found["cfmock_journal_bytes"][()] > 1000
    assert found["cfmock_loop_delay_seconds"][()] >= 0


def test_counters_go_on_over_a_reset(cf: CloudFlow) -> None:
    cf.call("ListFlows")
    cf.reset()
    cf.call("ListFlows")
    assert read(cf)["cfmock_call_duration_seconds_count"][("ListFlows", "")] == 2


def test_without_the_extra_the_answer_names_it(cf: CloudFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{cf.url}/_cfmock/metrics", timeout=PATIENCE)
    with refused.value as answer:
        assert answer.code == 501
        assert b"pip install 'cfmock[metrics]'" in answer.read()


def test_names_that_clients_and_rules_make_up_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_tally, "MAX_SERIES", 2)
    service = make_service({})
    emulator: Emulator = service.emulator
    for operation in ("ListFlows", "DescribeRegions", "Made", "Up"):
        service.send(operation)
    assert set(emulator.shared.tally.calls) <= {
        ("ListFlows", ""), ("DescribeRegions", ""), ("other", "ActionNotSupported"), ("other", "other"),
    }  # fmt: skip
    assert sum(sum(counts[:-1]) for counts in emulator.shared.tally.calls.values()) == 4


def test_how_late_the_loop_is_is_looked_at_only_from_when_somebody_asks() -> None:
    async def run() -> tuple[float, float]:
        delay, stopping = LoopDelay(), asyncio.Event()
        first = delay.ask(stopping)
        stopping.set()
        await asyncio.sleep(0.45)
        time.sleep(0.15)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return first, delay.ask(stopping)

    first, later = asyncio.run(run())
    assert first == 0
    assert later > 0.05
