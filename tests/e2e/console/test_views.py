"""Each view of the console in a real Chromium, with something to show and without: it fits both widths, shows hostile texts as
text, gives axe-core nothing to mend in light and dark, and its picture is left in build/console."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cfmock import CloudFlow, ServiceError
from cfmock.api import client
from cfmock.protocol.wire.messages import Request
from tests.e2e import environments
from tests.e2e.console.browser import Browser
from tests.e2e.console.conftest import FIXTURE, HOSTILE, wrongly_signed

PICTURES = Path(__file__).parents[3] / "build" / "console"
AXE = environments.VENVS / environments.CONSOLE.name / "node_modules" / "axe-core" / "axe.min.js"

PICTURED = [(1280, "light"), (400, "dark")]
LOOKS = [*PICTURED, (1280, "dark"), (400, "light")]
"""Widths in pixels, and `light` or `dark`. Those without a picture differ from the others in colour alone."""

FILLED = {
    "executions": "good-1",
    "executions?prefix=none": "Nothing matches",
    "executions/order_flow/bad-1": "mock 2 of 'Charge'",
    "executions/order_flow/good-1?state=Charge": "Events of Charge",
    "executions/order_flow/none": "there is no execution 'none'",
    "waiting": "Approve",
    "calls": "StartExecution",
    "flows": "Outcomes",
    "flows/order_flow": "CF110",
    "flows/nightly?state=Done": "daily",
    "faults": "recovered after 1 retry",
}
"""Address → what is there when the view is."""

NIGHTLY = {
    "name": "nightly",
    "definition": "{Type: StateMachine, SpecVersion: v1, Name: nightly, StartAt: Done, States: [{Type: Succeed, Name: Done}]}",
    "outcomes": [{"when": {"execution": "late-*"}, "status": "Failed", "error": {"code": "Late", "detail": HOSTILE}}],
}
"""A flow that has what the other has not."""

MATRIX = {
    "command": HOSTILE,
    "cases": [
        {
            "operation": "ListFlows",
            "code": code,
            "exit": 0,
            "calls": 2,
            "spacing": [0.5],
            "recovered": True,
            "seen": True,
        }
        for code in ("ResourceThrottled", "InternalServerError")
    ],
}

EMPTY = {
    "executions": "No executions yet",
    "waiting": "No task waits",
    "calls": "No calls yet",
    "flows": "No flows yet",
    "faults": "No faults",
}

FIND = """
const found = [];
if (document.documentElement.scrollWidth > innerWidth) found.push(["wider than the page"]);
if (!document.title.endsWith("cfmock") || document.querySelector("main img")) found.push(["a text is read as HTML"]);
if (!window.axe) return found;
const runOnly = given[0] ? undefined : ["color-contrast"];
const {violations} = await axe.run(document, {resultTypes: ["violations"], runOnly});
return [...found, ...violations.map((each) => [each.id, each.help, ...each.nodes.map((node) => node.target.join(" "))])];
"""


class Checked:
    """A page that is searched for faults. `found` is what there is to mend, each once, with where it was first."""

    def __init__(self, browser: Browser, url: str, name: str) -> None:
        self.browser = browser
        self.name = name
        self.found: dict[str, str] = {}
        browser.open("about:blank")
        browser.log()  # what a page says whose server went with the test before
        browser.open(f"{url}/_cfmock/")
        PICTURES.mkdir(parents=True, exist_ok=True)
        if AXE.exists():
            browser.run(AXE.read_text(encoding="utf-8"))

    def show(self, views: dict[str, str], name: str = "") -> None:
        for address, words in views.items():
            self.browser.run("location.hash = given[0]", f"#/{address}")
            self.browser.until_text(words)
            self.look(name or address)

    def look(self, what: str) -> None:
        """Search the page as it is, in both widths and colours."""
        file = "".join(each if each.isalnum() else "-" for each in what)
        for width, scheme in LOOKS:
            pictured = (width, scheme) in PICTURED
            self.browser.look(width, scheme)
            for each in self.browser.run(FIND, pictured):
                self.found.setdefault(" ".join(each), f"{what}, {width} pixels, {scheme}")
            if pictured:
                (PICTURES / f"{self.name}-{file}-{width}-{scheme}.png").write_bytes(self.browser.picture())


def test_every_view_with_something_to_show(browser: Browser, cf: CloudFlow) -> None:
    with pytest.raises(ServiceError):
        cf.call("DescribeFlow", Name=HOSTILE)
    cf.fail("ListFlows", "ResourceThrottled")
    with pytest.raises(ServiceError):
        cf.call("ListFlows")
    *_, throttled = cf.calls("ListFlows")
    refused = wrongly_signed(cf)
    cf.load({"cfmock": 1, "flows": [NIGHTLY]})
    cf.call(
        "CreateSchedule",
        FlowName="nightly",
        ScheduleName="daily",
        CronExpression="0 0 3 * * *",
        Payload="{}",
        Enable=True,
    )
    report = Request("POST", "/_cfmock/contract", {}, json.dumps(MATRIX).encode())
    assert client.send(cf.url, report) == (200, {})
    page = Checked(browser, cf.url, "filled")
    page.show(FILLED)
    page.show({f"calls/{throttled.request_id}": "ResourceThrottled"}, "call")
    page.show({f"calls/{refused}": "a space is signed as '+'"}, "signature")
    assert page.found == {}
    assert [line for line in browser.log() if " 404 " not in line] == []  # an execution that is not there


def test_forms_dialogs_and_notices(browser: Browser, cf: CloudFlow) -> None:
    page = Checked(browser, cf.url, "filled")
    browser.click("Start an execution")
    browser.fill("Input", "{")
    browser.fill("Flow", "order_flow")
    browser.click("Start", "form")
    browser.until_text("The input is not JSON")
    page.look("start")
    browser.click("?")
    browser.until_text("these keys")
    page.look("keys")
    browser.click("Close")
    page.show({"waiting": "Approve"})
    browser.click("Succeed")
    browser.until_text("Succeeded Approve of good-1")
    page.look("notice")
    browser.click("All accounts and regions")
    browser.until("document.querySelectorAll('.world option').length > 5")
    page.look("world")
    page.show({"faults": "a broken connection"})
    browser.run("for (const each of document.querySelectorAll('.kind [type=checkbox]')) each.click()")
    browser.run("for (const each of document.querySelectorAll('form.card details')) each.open = true")
    browser.fill("Delay", "soon")
    browser.click("Make a fault", "form")
    browser.until_text("'soon' is not")
    page.look("fault")
    assert page.found == {}


def test_every_view_with_nothing_to_show(browser: Browser) -> None:
    with CloudFlow() as cf:
        page = Checked(browser, cf.url, "empty")
        page.show(EMPTY)
        assert page.found == {}
        assert browser.log() == []


def test_the_question_for_the_token(browser: Browser) -> None:
    with CloudFlow(FIXTURE, admin_token="only-here") as cf:
        page = Checked(browser, cf.url, "token")
        browser.until_text("Admin token")
        page.look("question")
        assert page.found == {}
        browser.log()  # a refusal is told there


def test_axe_core_was_among_the_checks() -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: `make test` does it where there is Node.js with npm")
