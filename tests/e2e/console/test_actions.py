"""What is selected, copied, compared and kept in the console."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess

import pytest
import yaml

from cfmock import CloudFlow, ServiceError
from cfmock.api import client
from cfmock.cli.main import main
from cfmock.fixtures.loader import load
from cfmock.protocol.wire.messages import Request
from cfmock.tools.flowtest import cases
from tests.e2e.console.browser import Browser
from tests.e2e.console.conftest import FIXTURE, HOSTILE, wrongly_signed

PREPARE = """
const writeText = async (text) => { window.copied = text; };
Object.defineProperty(navigator, "clipboard", {value: {writeText}});
const later = window.setTimeout;
window.setTimeout = (act, after, ...given) => later(act, after === 1500 ? 50 : after, ...given);
"""
"""Copies are kept; a lost server is asked again soon."""


def show(browser: Browser, cf: CloudFlow, view: str, *words: str) -> None:
    browser.open("about:blank")
    browser.look(1280, "light")
    browser.open(f"{cf.url}/_cfmock/#/{view}")
    browser.run(PREPARE)
    browser.until_text(*words)


def copied(browser: Browser, button: str) -> str:
    browser.run("window.copied = null")
    browser.click(button)
    browser.until_text("Copied")
    return str(browser.run("return window.copied"))


def press(browser: Browser, key: str) -> None:
    browser.run(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: given[0], bubbles: true}))", key
    )


def test_an_execution_is_copied_as_a_test_of_its_flow_that_passes(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, "executions/order_flow/bad-1", "Refused")
    document = yaml.safe_load(copied(browser, "Copy as flow test"))
    (test,) = document["tests"]
    assert test["expect"] == {"status": "Failed", "error": {"code": "Refused"}, "visits": ["Charge"]}
    assert test["tasks"]["Charge"] == [{"fails": {"code": "Refused", "detail": HOSTILE}, "times": 1}]
    cf.call("StopExecution", FlowName="order_flow", ExecutionName="good-1")
    browser.run("location.hash = '#/executions/order_flow/good-1'")
    browser.until_text("Stopped")
    stopped = yaml.safe_load(copied(browser, "Copy as flow test"))
    assert stopped["tests"][0]["expect"] == {"visits": ["Charge", "Approve"]}, "no test can stop it"
    for each in (document, stopped):
        fixtures = load([{**FIXTURE, **each}])
        (result,) = cases.results(fixtures, fixtures.tests)
        assert result.passed


def test_a_call_is_copied_for_the_shell_and_for_python(browser: Browser, cf: CloudFlow) -> None:
    quoted = {
        "FlowName": "order_flow",
        "ExecutionName": "quoted",
        "Input": json.dumps({"it's": 'a "b" $c `d` 流程 &+%'}),
    }
    cf.call("StartExecution", **quoted)
    show(browser, cf, f"calls/{cf.calls('StartExecution')[-1].request_id}", "Request as decoded", "quoted", "流程")
    assert "Status" in browser.text(), "the answer's body"
    code = copied(browser, "Copy as Python")
    compile(code, "copied", "exec")
    given = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in quoted.items())
    assert f'print(cf.call("StartExecution", {given}))' in code
    command = copied(browser, "Copy as curl")
    if not (shutil.which("curl") and shutil.which("openssl")):
        pytest.skip("there is no curl and openssl on this machine")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert "Code" not in json.loads(done.stdout)
    assert dict(cf.calls("StartExecution")[-1].parameters) == quoted


def test_a_refused_signature_is_compared_with_what_the_client_signed(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, f"calls/{wrongly_signed(cf)}", "What the client signed")
    said = browser.run("return document.querySelector('.error').innerText")
    assert "SignatureNotMatch\n\nYour signature: a space is signed as '+'. Sign it as %20.\n\n" in said
    marks = browser.run(
        "const cells = [...document.querySelectorAll('.compare td')].filter((cell) => cell.querySelector('mark'));"
        "return cells.map((cell) => [cell.textContent, cell.querySelector('mark').textContent])"
    )
    assert marks == [["%26Name%3Dorder%2520flow", "%2520"], ["%26Name%3Dorder%2Bflow", "%2B"]]


def test_a_selected_state_has_an_address_and_back_undoes_it(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, "executions", "bad-1")
    browser.click("bad-1")
    browser.until_text("Tasks", "ExecutionFailed")
    enter = "new KeyboardEvent('keydown', {key: 'Enter', bubbles: true})"
    browser.run(f"document.querySelector('[data-state=Charge]').dispatchEvent({enter})")
    browser.until_text("Events of Charge")
    assert "ExecutionFailed" not in browser.text()
    assert browser.run("return location.hash").endswith("state=Charge")
    browser.command("refresh", {})
    browser.until_text("Events of Charge", "mock 2 of 'Charge'", "mock 1 of 'Charge'")
    browser.command("back", {})
    browser.until_text("Tasks", "ExecutionFailed")
    browser.command("back", {})
    browser.until_text("Start an execution")
    browser.click("✕ Failed 1")
    browser.until("!document.body.innerText.includes('good-1')")
    browser.command("back", {})
    browser.until_text("good-1")


def test_a_selected_state_is_scrolled_to_on_a_narrow_page(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, "executions/order_flow/bad-1", "because Charge")
    browser.look(400, "light", 500)
    assert browser.run("return document.querySelector('aside').getBoundingClientRect().top > innerHeight")
    browser.click("Charge", ".error")
    browser.until("document.querySelector('aside').getBoundingClientRect().top < 100")


EDGES = """
const part = (each) => (each > 0.04 ? ((each + 0.055) / 1.055) ** 2.4 : each / 12.92);
const light = (colour) => {
  const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((each) => part(each / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
};
const ratio = (one, two) => Math.max(light(one) / light(two), light(two) / light(one));
const page = getComputedStyle(document.body).backgroundColor;
const controls = ["main form input", "main select", ".actions button"].map((each) => document.querySelector(each));
return controls.map((each) => getComputedStyle(each))
  .flatMap((each) => [each.backgroundColor, page].map((ground) => ratio(each.borderTopColor, ground)));
"""
"""The contrast of controls' borders with what is on both sides of them."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_controls_have_edges_that_are_seen(browser: Browser, cf: CloudFlow, scheme: str) -> None:
    show(browser, cf, "faults", "a broken connection")
    browser.look(1280, scheme)
    ratios = browser.run(EDGES)
    assert min(ratios) >= 3, ratios


def test_keys_lead_through_the_console(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, "executions/order_flow/bad-1", "Refused")
    press(browser, "?")
    browser.until_text("these keys")
    browser.click("Close")
    browser.until("document.activeElement === document.body")
    press(browser, "/")
    browser.until("document.activeElement.type === 'search' && location.hash === '#/executions'")
    browser.run("document.activeElement.blur()")
    for key, title in (("c", "Calls"), ("f", "Flows"), ("w", "Waiting"), ("x", "Faults"), ("e", "Executions")):
        press(browser, "g")
        press(browser, key)
        browser.until(
            f"document.title.startsWith('{title}') && document.querySelector('h1').textContent.startsWith('{title}')",
        )
        press(browser, "/")
        browser.until("document.activeElement.type === 'search'")
        browser.run("document.activeElement.blur()")
    browser.click("Skip to content")
    assert browser.run("return [document.activeElement.id, location.hash]") == ["main", "#/executions"]
    browser.click("Start an execution")
    press(browser, "Escape")
    browser.until("!document.querySelector('.drop[open]') && document.activeElement.matches('.start > summary')")


REACHABLE = """
const all = [...document.querySelectorAll("a, button, input, select, textarea, summary, [role=button]")];
const usable = all.filter((each) => each.checkVisibility() && each.getClientRects().length && !each.disabled);
window.unreached = new Set(usable);
window.unseen = [];
addEventListener("focusin", ({target}) => {
  unreached.delete(target);
  if (getComputedStyle(target).outlineStyle === "none") unseen.push(target.outerHTML);
});
document.activeElement.blur();
return usable.length
"""
TAB = "\ue004"


@pytest.mark.parametrize(
    ("view", "words"),
    [
        ("executions/order_flow/bad-1", "because Charge"),
        ("waiting", "Approve"),
        ("calls", "bad-1"),
        ("flows/order_flow", "CF110"),
        ("faults", "a broken connection"),
    ],
)
def test_tab_reaches_all_that_can_be_used_and_shows_where_it_is(
    browser: Browser, cf: CloudFlow, view: str, words: str
) -> None:
    show(browser, cf, view, words, "live")
    count = browser.run(REACHABLE)
    keys = [{"type": kind, "value": TAB} for _ in range(count + 20) for kind in ("keyDown", "keyUp")]
    browser.command("actions", {"actions": [{"type": "key", "id": "keys", "actions": keys}]})
    assert browser.run("return [[...unreached].map((each) => each.outerHTML), unseen]") == [[], []]


def test_what_is_open_and_focused_stays_while_an_execution_goes_on(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, "executions/order_flow/good-1", "waits for a callback")
    browser.run(
        "window.before = ['aside details', '.graph svg', '.events li', '.lane'].map((each) => document.querySelector(each));"
        "before[0].open = true; before[3].focus();"
    )
    (task,) = cf.tasks("order_flow")
    cf.call("ReportTaskSucceeded", TaskToken=task["token"], Output=json.dumps({"a": HOSTILE}))
    browser.until_text("✓ Succeeded", "ExecutionSucceeded")
    browser.until("before.every((each) => each.isConnected) && before[0].open && document.activeElement === before[3]")


def test_a_flow_shows_findings_in_its_margin_and_what_was_passed(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, "flows/order_flow?line=6", "Definition", "CF110")
    lines = browser.run(
        "const text = (row, part) => row.querySelector(part).textContent;"
        "const rows = [...document.querySelectorAll('.row')];"
        "return rows.map((row) => [row.className, text(row, '.margin'), text(row, '.line')])"
    )
    assert lines[5] == ["row here", "2×", "6"]
    assert lines[6] == ["row found", "1×", "7"]
    assert browser.run(
        "return [...document.querySelectorAll('[data-state]')].map((each) => each.classList.contains('cf-reached'))"
    ) == [True, True]
    assert "PublishFlowVersion" not in browser.text()


def test_a_fault_is_made_by_a_form_of_the_schema(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, "faults", "a broken connection")
    browser.run(
        "[...document.querySelectorAll('.kind label')].find((each) => each.textContent.includes('a delay')).click()"
    )
    browser.fill("Delay", "soon")
    browser.click("Make a fault", "form")
    browser.until_text("Delay: 'soon' is not")
    browser.fill("Delay", '{"distribution": "uniform", "min": "1ms", "max": "2ms"}')
    browser.fill("Operation", "List*, DescribeFlow")
    browser.fill("Name", HOSTILE)
    made = yaml.safe_load(copied(browser, "Copy YAML"))
    assert made == {
        "faults": [
            {
                "name": HOSTILE,
                "when": {"operation": ["List*", "DescribeFlow"]},
                "delay": {"distribution": "uniform", "min": "1ms", "max": "2ms"},
            }
        ]
    }
    browser.click("Make a fault", "form")
    browser.until_text("Remove")
    cf.call("ListFlows")
    browser.until("document.querySelector('tbody tr').cells[4].textContent === '1'")
    browser.click("Remove")
    browser.until_text("No faults", f"Removed {HOSTILE}.")
    assert browser.run("return document.querySelector('tbody tr').textContent") == f"Removed {HOSTILE}. Dismiss"
    browser.click("Dismiss", "tbody")
    assert browser.run("return document.querySelectorAll('tbody tr').length") == 0


def test_the_last_error_matrix_is_shown(browser: Browser, cf: CloudFlow) -> None:
    case = {
        "operation": "StartExecution",
        "code": "ResourceThrottled",
        "exit": 0,
        "calls": 2,
        "spacing": [0.5],
        "recovered": True,
        "seen": True,
    }
    show(browser, cf, "faults", "Error matrix", "cfmock contract fixtures/ --show")
    hung = {
        **case,
        "code": None,
        "transport": "hang",
        "exit": 1,
        "spacing": [],
        "recovered": False,
        "timed_out": True,
        "said": HOSTILE,
    }
    report = json.dumps({"command": f"run {HOSTILE}", "cases": [case, hung]}).encode()
    assert client.send(cf.url, Request("POST", "/_cfmock/contract", {}, report)) == (200, {})
    browser.until_text(f"run {HOSTILE}", "✓ recovered after 1 retry", "◷ timed out")
    browser.click("All 2 cases")
    browser.until_text(HOSTILE, "1 (500 ms)")
    assert browser.log() == []


def test_the_command_of_an_empty_list_does_what_it_says(browser: Browser, capsys: pytest.CaptureFixture[str]) -> None:
    keys = [{"access_key_id": "own", "access_key_secret": "s"}]
    with CloudFlow({**FIXTURE, "credentials": keys}) as cf:
        show(browser, cf, "executions", "No executions yet", "cfmock call ")
        command = str(browser.run("return document.querySelector('.command code').textContent"))
        assert main(shlex.split(command)[1:]) == 0
        browser.until("!document.body.innerText.includes('No executions yet')")
    capsys.readouterr()


OUTER = """\
Type: StateMachine
SpecVersion: v1
Name: outer
StartAt: Order
States:
  - {Type: Task, Name: Order, Action: FNF:StartExecution, TaskMode: WaitForSystemCallback, End: true,
     Parameters: {resourceArn: "acs:fnf:::flow/order_flow", executionName: inner-1}}
"""


def test_an_execution_and_the_one_that_it_started_lead_to_each_other(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, "executions", "good-1")
    browser.until("document.querySelector('nav').innerText.replace(/\\s+/g, ' ').includes('Waiting 1 ')")
    cf.load({"cfmock": 1, "flows": [{"name": "outer", "definition": OUTER}]})
    cf.call("StartExecution", FlowName="outer", ExecutionName="outer-1")
    browser.until_text("inner-1", "started by outer-1 in Order", "Waiting\n2")
    browser.fill("Flow contains", "ute")
    browser.until("!document.querySelector('tbody').innerText.includes('good-1')")
    browser.click("outer-1", "tbody")
    browser.until_text("started order_flow / inner-1 ▶ Running")
    browser.click("order_flow / inner-1")
    browser.until_text("Started by", "outer-1 in Order")
    browser.click("outer-1", "dd")
    browser.until_text("started order_flow / inner-1 ▶ Running")


def test_a_flow_leads_to_its_own_executions_and_shows_how_much_they_reached(browser: Browser, cf: CloudFlow) -> None:
    cf.load({"cfmock": 1, "flows": [{"name": "order_flow_2"}]})
    cf.call("StartExecution", FlowName="order_flow_2", ExecutionName="other-1")
    show(browser, cf, "flows", "order_flow_2")
    cells = browser.run("return [...document.querySelectorAll('tbody tr')].map((row) => row.cells[2].textContent)")
    assert cells == ["100 %", "100 %"]
    browser.click("order_flow")
    browser.until_text("Definition")
    browser.run("document.querySelector('.facts a').click()")
    browser.until(
        "[...document.querySelectorAll('tbody tr')].map((row) => row.cells[1].textContent).join() === 'bad-1,good-1'"
    )


def test_nothing_in_the_header_moves(browser: Browser, cf: CloudFlow) -> None:
    seen = set()
    show(browser, cf, "executions", "good-1", "live")
    browser.until("Boolean(document.querySelector('.waits'))")
    for address in (
        "executions",
        "waiting",
        "calls?region=cn-shanghai",
        "executions/order_flow/bad-1?region=cn-hangzhou",
        "faults",
    ):
        browser.run("location.hash = given[0]", f"#/{address}")
        browser.until("document.title.startsWith(document.querySelector('h1').textContent.slice(0, 5))")
        find = "[...document.querySelectorAll('.top :is(a, button, input, summary, .now, .state)')]"
        seen.add(str(browser.run(f"return {find}.map((each) => [each.offsetLeft, each.offsetTop, each.offsetWidth])")))
    assert len(seen) == 1, "\n".join(seen)


def test_the_header_has_one_row_and_chooses_a_world(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, "executions", "good-1", "virtual", "live")
    assert browser.run("return document.querySelector('.top').offsetHeight") < 60
    browser.click("All accounts and regions")
    browser.until("document.querySelectorAll('.world option').length > 5")
    browser.fill("Region", "cn-shanghai")
    browser.click("Show")
    browser.until_text("No executions yet", "All accounts · cn-shanghai")
    assert browser.run("return location.hash") == "#/executions?region=cn-shanghai"
    browser.click("Calls")
    browser.until_text("No calls yet")
    browser.command("back", {})
    browser.command("back", {})
    browser.until_text("good-1", "All accounts and regions")


def test_older_calls_are_a_page_away(browser: Browser, cf: CloudFlow) -> None:
    for _ in range(99):
        cf.call("ListFlows")
    show(browser, cf, "calls", "The newest 100")
    assert "bad-1" in browser.text()
    assert "good-1" not in browser.text()
    browser.click("Older calls")
    browser.until_text("Older ones", "good-1")
    browser.command("back", {})
    browser.until_text("The newest 100")


def test_what_no_call_can_have_is_told_in_place_of_the_list(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, "calls", "The newest 2")
    browser.fill("Operation", "Exec")
    browser.fill("Execution", "ood")
    browser.until("document.querySelectorAll('tbody tr').length === 1")
    browser.click("Errors")
    browser.until_text("No call passes these filters.")
    browser.click("OK")
    browser.until("document.querySelectorAll('tbody tr').length === 1")
    browser.fill("Operation", "Exek")
    browser.until_text("Nothing matches", "there is no operation '*Exek*'")
    assert browser.run("return document.querySelector('main').firstElementChild.firstElementChild.tagName") == "H1"
    browser.click("Clear filters")
    browser.until_text("The newest 2")


def test_an_execution_of_a_narrow_list_has_its_name_left_and_its_status_right(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, "executions", "good-1")
    browser.look(400, "light")
    cells = browser.run(
        "const boxes = [...document.querySelectorAll('tbody tr:last-child td')].map((each) => each.getBoundingClientRect());"
        "return boxes.map((each) => [Math.round(each.left), Math.round(each.top)])"
    )
    status, name, flow, started, took, waits = cells
    assert name[0] < 40 < 250 < status[0]
    assert flow[0] == name[0] == waits[0]
    assert flow[1] == started[1] == took[1] < waits[1]


def test_a_hidden_tab_follows_nothing(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, "calls", "live")
    hide = (
        "Object.defineProperty(document, 'hidden', {value: given[0], configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    browser.run(hide, True)
    browser.until_text("paused")
    with pytest.raises(ServiceError):
        cf.call("DescribeFlow", Name="while-hidden")
    assert "while-hidden" not in browser.text()
    browser.run(hide, False)
    browser.until_text("live", "while-hidden")


def test_a_server_that_comes_back_is_followed_again(browser: Browser) -> None:
    with CloudFlow() as first:
        show(browser, first, "calls", "live", "No calls yet")
        port = int(first.url.rpartition(":")[2])
    browser.until_text("offline")
    with CloudFlow(port=port) as second:
        second.call("ListFlows")
        browser.until_text("live", "ListFlows")


def test_an_execution_is_started_in_the_world_that_is_shown(browser: Browser, cf: CloudFlow) -> None:
    show(browser, cf, "executions?region=cn-shanghai", "All accounts · cn-shanghai", "Start an execution")
    browser.click("Start an execution")
    browser.fill("Flow", "order_flow")
    browser.fill("Input", "{")
    browser.click("Start")
    browser.until_text("The input is not JSON")
    browser.fill("Input", "{}")
    browser.click("Start")
    browser.until_text("default · cn-shanghai", "Stop")
