"""What a case comes to: from calls that the server saw to a reaction, and what of it is the same in every run."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from cfmock import CloudFlow, ServiceError
from cfmock.tools.contract.outcome import Facts, Reaction, operations_used, polls, reaction
from cfmock.tools.contract.plan import Case
from cfmock.tools.contract.process import Ended

FINE = Ended(0, False, 0.5, "", "")
FLOWS = {"cfmock": 1, "flows": [{"name": "f"}]}


@pytest.fixture
def cf():
    with CloudFlow(FLOWS, seed=1) as running:
        yield running


def records(cf):
    return cf._do(lambda control: control.find_calls())


def struck(cf, case: Case, call: int = 1) -> None:
    cf.fault(**case.rule(call).to_mapping())


def start(cf, tries: int) -> None:
    for _ in range(tries):
        try:
            cf.call("StartExecution", FlowName="f", ExecutionName="e1")
        except (ServiceError, ConnectionError):
            continue
        return


@pytest.mark.parametrize(
    "case", [Case("StartExecution", "ResourceThrottled"), Case("StartExecution", transport="reset")], ids=str
)
def test_a_client_that_tries_again_recovers(cf, case):
    struck(cf, case)
    start(cf, tries=3)
    found = reaction(case, FINE, records(cf))
    assert (found.verdict, found.calls, len(found.spacing), found.seen) == ("recovered", 2, 1, True)
    assert 0 <= found.spacing[0] < 5


def test_a_client_that_gives_up_fails(cf):
    case = Case("StartExecution", "AccessDenied")
    struck(cf, case)
    start(cf, tries=1)
    found = reaction(case, replace(FINE, exit=7, err="AccessDenied\n"), records(cf))
    assert (found.verdict, found.exit, found.calls, found.spacing, found.said) == ("failed", 7, 1, (), "AccessDenied")


def test_a_client_that_never_makes_the_call_has_not_met_the_fault(cf):
    case = Case("StartExecution", "AccessDenied")
    struck(cf, case, call=2)
    start(cf, tries=1)
    found = reaction(case, FINE, records(cf))
    assert (found.verdict, found.seen, found.recovered) == ("not met", False, False)


def test_one_that_was_ended_for_its_time_has_not_recovered_whatever_its_status(cf):
    case = Case("StartExecution", transport="hang")
    struck(cf, case)
    start(cf, tries=1)
    found = reaction(case, replace(FINE, timed_out=True), records(cf))
    assert (found.verdict, found.recovered) == ("timed out", False)


def test_only_violations_that_the_fault_brought_about_are_told(cf):
    case = Case("StartExecution", "AccessDenied")
    found = reaction(case, FINE, [], ["unknown parameter", "success assumed", "success assumed"], {"unknown parameter"})
    assert found.violations == ("success assumed",)


def test_repeated_reads_that_succeed_are_polls(cf):
    start(cf, tries=1)
    for name in ("f", "f", "f"):
        cf.call("DescribeFlow", Name=name)
    cf.call("ListFlows")
    with pytest.raises(ServiceError):
        cf.call("DescribeFlow", Name="nope")
    start(cf, tries=1)  # no read
    assert polls(records(cf)) == 2


def test_operations_come_in_the_order_of_their_first_calls(cf):
    cf.call("ListFlows")
    start(cf, tries=1)
    cf.call("ListFlows")
    with pytest.raises(ServiceError):
        cf.call("NoOperation")
    assert operations_used(records(cf)) == ["ListFlows", "StartExecution"]


def test_the_facts_leave_out_what_varies():
    case = Case("DescribeExecution", "AccessDenied")
    found = Reaction(case, exit=0, calls=9, spacing=(0.1, 0.2), recovered=True, polls=5, seconds=3.0, said="x")
    assert found.facts == Facts(exit=0, calls=4, retries=2, recovered=True, seen=True, timed_out=False)
    assert Reaction(case, exit=143, calls=9, spacing=(1.0,), timed_out=True).facts[:3] == (143, 0, 0)
