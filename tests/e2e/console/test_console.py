"""The console in a real Chromium: each view and what can be done there, whatever texts clients send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cfmock import CloudFlow, ServiceError
from tests.e2e.console.browser import CHROMIUM, DRIVER, Browser, chromium

pytestmark = [
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="there is no chromium with chromedriver on this machine"),
    pytest.mark.xdist_group("console"),
]

PICTURES = Path(__file__).parents[3] / "build" / "console"
HOSTILE = "<img src=x onerror=document.title='broken'>\"'</script>&amp; 流程"

DEFINITION = """\
Type: StateMachine
SpecVersion: v1
Name: order_flow
StartAt: Charge
States:
  - {Type: Task, Name: Charge, Action: FC:InvokeFunction, Parameters: {resourceArn: "acs:fc:::functions/charge"}, Next: Approve}
  - {Type: Task, Name: Approve, Action: FC:InvokeFunction, TaskMode: WaitForCustomCallback, End: true,
     Parameters: {resourceArn: "acs:fc:::functions/approve"}}
"""

FIXTURE = {
    "cfmock": 1,
    "flows": [
        {
            "name": "order_flow",
            "description": HOSTILE,
            "definition": DEFINITION,
            "tasks": {
                "Charge": [
                    {"when": {"execution": "never"}, "returns": {}},
                    {"when": {"execution": "bad-*"}, "fails": {"code": "Refused", "detail": HOSTILE}},
                    {"returns": {"Body": {"note": HOSTILE}}},
                ],
                "Approve": [{"waits": True}],
            },
        }
    ],
}

VIEWS = {
    "executions": "good-1",
    "executions/order_flow/bad-1": "mock 2 of 'Charge'",
    "executions/order_flow/good-1": "Timeline",
    "waiting": "Approve",
    "calls": "StartExecution",
    "flows": "order_flow",
    "flows/order_flow": "Definition",
    "faults": "As in a fixture",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture
def cf(browser: Browser) -> Iterator[CloudFlow]:
    browser.open("about:blank")
    browser.log()  # what a page says whose server went with the test before
    with CloudFlow(FIXTURE, clock="virtual", now="2024-06-01T00:00:00Z", seed=7) as made:
        for name in ("good-1", "bad-1"):
            words = json.dumps({"note": HOSTILE})
            made.call("StartExecution", FlowName="order_flow", ExecutionName=name, Input=words)
        yield made


def show(browser: Browser, cf: CloudFlow, view: str) -> None:
    browser.open("about:blank")
    browser.open(f"{cf.url}/_cfmock/#/{view}")


def test_every_view_shows_hostile_texts_as_text_at_both_widths_and_in_both_colours(
    browser: Browser, cf: CloudFlow
) -> None:
    with pytest.raises(ServiceError):
        cf.call("DescribeFlow", Name=HOSTILE)
    for width, scheme in ((1280, "light"), (400, "dark")):
        browser.look(width, scheme)
        for view, words in VIEWS.items():
            show(browser, cf, view)
            browser.until_text(words)
            assert browser.run("return document.documentElement.scrollWidth <= innerWidth") is True, view
            assert (
                browser.run("return document.title.endsWith(' · cfmock') && !document.querySelector('main img')")
                is True
            )
            browser.picture(PICTURES / f"{view.replace('/', '-')}-{width}-{scheme}.png")
        assert browser.log() == []


def test_a_failed_execution_tells_its_error_who_answered_and_what_nearly_did(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, "executions")
    browser.until_text("bad-1")
    browser.click("bad-1")
    browser.until_text("Refused", HOSTILE, "mock 2 of 'Charge'", "What nearly did", "StepEntered")
    assert browser.run("return document.querySelector('[data-state=Charge]').dataset.status") == "failed"


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
    browser.until_text("Running")
    assert len(cf.executions("order_flow")) == 4
    assert cf.executions("order_flow")[-1].input == {"a": 1}


@pytest.mark.parametrize(("press", "status"), [("Succeed", "Succeeded"), ("Fail", "Failed")])
def test_a_waiting_task_is_reported_on(browser: Browser, cf: CloudFlow, press: str, status: str) -> None:
    show(browser, cf, "waiting")
    browser.until_text("Approve", "good-1")
    browser.click(press)
    browser.until_text("No task waits")
    assert cf.execution("order_flow", "good-1").status == status


def test_calls_arrive_by_themselves_and_one_is_made_a_fault_of(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, "calls")
    browser.until_text("StartExecution")
    cf.call("ListFlows")
    browser.until_text("ListFlows")
    browser.click("ListFlows")
    browser.until_text("Request as decoded")
    browser.click("Make a fault", "main")
    browser.until_text('{"operation":"ListFlows"}')
    browser.click("Make a fault", "form")
    browser.until_text("Remove")
    with pytest.raises(ServiceError, match="ResourceThrottled"):
        cf.call("ListFlows")
    browser.click("Remove")
    browser.until_text("No faults")
    cf.call("ListFlows")


def test_the_clock_is_moved_from_the_header(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, "executions")
    browser.until_text("2024-06-01 00:00:00", "virtual clock")
    browser.fill("Advance by", "2h")
    browser.click("Advance")
    browser.until_text("2024-06-01 02:00:00")


def test_an_empty_server_says_what_to_do_first(browser: Browser) -> None:
    with CloudFlow() as cf:
        for view, words in (("executions", "No executions yet"), ("calls", "No calls yet"), ("flows", "No flows yet")):
            show(browser, cf, view)
            browser.until_text(words, "Copy")


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
