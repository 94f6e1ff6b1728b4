"""The console in a real Chromium: each view and what can be done there, whatever texts clients send."""

from __future__ import annotations

import pytest

from cfmock import CloudFlow, ServiceError
from tests.e2e.console.browser import Browser
from tests.e2e.console.conftest import FIXTURE, HOSTILE


def show(browser: Browser, cf: CloudFlow, view: str) -> None:
    browser.open("about:blank")
    browser.look(1280, "light")
    browser.open(f"{cf.url}/_cfmock/#/{view}")


def test_a_failed_execution_tells_its_error_who_answered_and_what_nearly_did(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, "executions")
    browser.until_text("bad-1")
    browser.click("bad-1")
    browser.until_text(
        "Refused",
        HOSTILE,
        "because Charge failed with Refused",
        "mock 2 of 'Charge'",
        "Mocks that did not match",
        "StepEntered",
    )
    assert browser.run("return document.querySelector('[data-state=Charge]').dataset.status") == "failed"
    browser.click("Definition and mocks")
    browser.until("document.querySelector('.row.here')?.textContent.includes('Name: Charge')")


def test_an_execution_is_started_stopped_and_run_again(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, "executions")
    browser.until_text("good-1")
    browser.click("Start an execution")
    browser.fill("Flow", "order_flow")
    browser.fill("Name", "by-hand")
    browser.fill("Input", '{"a": 1}')
    browser.click("Start")
    browser.until_text("by-hand", "Stop")
    browser.click("Stop")
    browser.until_text("Stopped")
    browser.click("Run again")
    browser.until_text("Running", "Started by-hand-2, a repeat of by-hand.")
    assert len(cf.executions("order_flow")) == 4
    assert cf.executions("order_flow")[-1].input == {"a": 1}


@pytest.mark.parametrize(("press", "status"), [("Succeed", "Succeeded"), ("Fail", "Failed")])
def test_a_waiting_task_is_reported_on(browser: Browser, cf: CloudFlow, press: str, status: str) -> None:
    show(browser, cf, "executions/order_flow/good-1")
    browser.until_text("Approve: waits for a callback", " so far")
    browser.click("Answer it…")
    browser.until_text("Approve", "good-1")
    browser.click(press)
    browser.until_text("No task waits", f"{status} Approve of good-1", "open the execution")
    browser.click("Dismiss", "article")
    browser.until("!document.querySelector('article') && !document.querySelector('#notice').innerText")
    assert cf.execution("order_flow", "good-1").status == status


RETRIED = """\
Type: StateMachine
SpecVersion: v1
Name: retried
StartAt: Rate
States:
  - {Type: Task, Name: Rate, Action: FC:InvokeFunction, End: true, Parameters: {resourceArn: "acs:fc:::functions/rate"},
     Retry: [{Errors: [Busy], IntervalSeconds: 2, MaxAttempts: 1, BackoffRate: 1}]}
"""


def test_the_wait_between_two_tries_is_told(browser: Browser, cf: CloudFlow) -> None:
    tries = [{"fails": {"code": "Busy", "detail": "busy"}, "times": 1}, {"returns": {}}]
    cf.load({"cfmock": 1, "flows": [{"name": "retried", "definition": RETRIED, "tasks": {"Rate": tries}}]})
    cf.call("StartExecution", FlowName="retried", ExecutionName="one")
    show(browser, cf, "executions/retried/one")
    browser.until_text("Rate: waits for the next try at 00:00:02")
    cf.clock.advance("2s")
    browser.until_text("waited 2 s (retry)", "mock 2 of 'Rate' (always)", "Succeeded")


def test_calls_arrive_by_themselves_and_one_is_made_a_fault_of(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, "calls")
    browser.until_text("StartExecution")
    cf.call("ListFlows")
    browser.until_text("ListFlows")
    browser.click("ListFlows")
    browser.until_text("Request as decoded")
    browser.click("Make a fault", "main")
    browser.until_text("operation: ListFlows", "error: ResourceThrottled", "times: 1")
    browser.click("Make a fault", "form")
    browser.until_text("Remove", "is at work. Applies to clients' calls, not to executions started here.")
    with pytest.raises(ServiceError, match="ResourceThrottled"):
        cf.call("ListFlows")
    browser.click("Remove")
    browser.until_text("No faults")
    cf.call("ListFlows")


def test_a_fault_of_a_call_leaves_out_a_name_of_nothing(browser: Browser, cf: CloudFlow) -> None:
    with pytest.raises(ServiceError):
        cf.call("DescribeExecution", FlowName="order_flw", ExecutionName="good-1")
    show(browser, cf, f"calls/{cf.calls('DescribeExecution')[-1].request_id}")
    browser.until_text("FlowNotExists")
    browser.click("Make a fault", "main")
    browser.until_text("error: FlowNotExists", "times: 1")
    assert "order_flw" not in browser.text()


def test_the_clock_is_moved_from_the_header(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, "executions")
    browser.until_text("2024-06-01 00:00:00", "virtual")
    browser.fill("Advance by", "2h")
    browser.click("Advance")
    browser.until_text("2024-06-01 02:00:00", "0 executions ended, 1 tasks wait.")


def test_the_token_is_asked_for_once(browser: Browser) -> None:
    with CloudFlow(FIXTURE, admin_token="only-here") as cf:
        show(browser, cf, "flows")
        browser.until_text("Admin token")
        browser.fill("Token", "only-here")
        browser.click("Continue")
        browser.until_text("order_flow", "live")
        browser.click("Calls")
        browser.until_text("No calls yet")
        assert "Admin token" not in browser.text()
        browser.log()  # a refusal is told there
