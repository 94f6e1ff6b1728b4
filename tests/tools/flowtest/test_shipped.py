"""The flow tests in fixtures/: all pass, and every flow is covered."""

from __future__ import annotations

from pathlib import Path

import pytest

from cfmock.tools.flowtest.cases import gather, result
from cfmock.tools.flowtest.coverage import Coverage
from cfmock.tools.flowtest.report import failure, missed
from cfmock.tools.flowtest.run import FlowTestRunner

FIXTURES = Path(__file__).parents[3] / "fixtures"
CASES = gather([FIXTURES])
LAB = FlowTestRunner(CASES.fixtures)


@pytest.mark.parametrize("test", [pytest.param(test, id=f"{test.flow}: {test.name}") for test in CASES.tests])
def test_a_shipped_flow_test_passes(test):
    found = result(LAB, test)
    assert found.passed, "\n".join(failure(found))
    assert not found.warnings + found.unused


def test_every_shipped_definition_is_covered():
    coverage = Coverage()
    coverage.count_all(CASES.fixtures.flows)
    for test in CASES.tests:
        coverage.add(result(LAB, test).hits)
    assert len(list(coverage)) >= 12
    assert {flow.name: missed(flow) for flow in coverage if flow.percent < 95} == {}
