"""Which cases a client is put through."""

from __future__ import annotations

import pytest

from cfmock.base.errors import SettingsError
from cfmock.protocol.faults.rules import TRANSPORTS
from cfmock.protocol.spec.model import load
from cfmock.tools.contract.plan import Case, CaseSelection, cases_of, plan

ALL = CaseSelection()


def test_an_operation_is_tried_with_each_documented_code_and_each_broken_connection():
    cases = plan(["DescribeExecution"], ALL)
    assert [case.code for case in cases if case.code] == list(load().operations["DescribeExecution"].errors)
    assert [case.transport for case in cases if case.transport] == list(TRANSPORTS)


def test_operations_keep_the_order_of_their_use():
    cases = plan(["StartExecution", "DescribeExecution"], CaseSelection.of([], ["reset", "AccessDenied"]))
    assert [str(case) for case in cases] == [
        "StartExecution AccessDenied", "StartExecution reset", "DescribeExecution AccessDenied", "DescribeExecution reset",
    ]  # fmt: skip


def test_a_selection_is_of_operations_and_of_faults():
    wanted = CaseSelection.of(["ListFlows"], ["hang"])
    assert plan(["ListFlows", "StartExecution"], wanted) == [Case("ListFlows", transport="hang")]


def test_all_that_cannot_be_selected_is_told_at_once_with_the_likely_word():
    with pytest.raises(SettingsError) as caught:
        CaseSelection.of(["StartExecutions"], ["rest", "ResourceThrotled", "hang"])
    assert str(caught.value).splitlines() == [
        "--operation: there is no operation 'StartExecutions' (did you mean 'StartExecution'?)",
        "--code: 'rest' is neither an error code nor one of reset, hang, close, truncate, garbage, slow (did you mean 'reset'?)",
        "--code: 'ResourceThrotled' is neither an error code nor one of reset, hang, close, truncate, garbage, slow "
        "(did you mean 'ResourceThrottled'?)",
    ]


@pytest.mark.parametrize(
    "case", [Case("StartExecution", "AccessDenied"), Case("ListFlows", transport="close")], ids=str
)
def test_the_rule_of_a_case_strikes_one_call_of_its_operation(case):
    rule = case.rule(3)
    assert rule.when.call == (3,)
    assert (rule.action.error, rule.action.transport) == (case.code, case.transport)
    assert rule.when.operation.patterns == (case.operation,)


@pytest.mark.parametrize("code", load().errors)
def test_only_what_exists_already_is_done_first(code):
    assert Case("StartExecution", code).rule(1).after_operation == code.endswith("AlreadyExists")


def test_in_two_cases_of_an_operation_the_client_waits():
    assert [case.fault for case in cases_of("ListFlows") if case.waits] == ["hang", "slow"]
