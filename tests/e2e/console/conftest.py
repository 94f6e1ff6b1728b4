"""A Chromium for all tests of the console, and a server whose flow fails for one execution and waits in another."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from cfmock import CloudFlow
from tests.e2e.console.browser import CHROMIUM, DRIVER, Browser, chromium
from tests.support import raw, signing

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

FIXTURE: dict[str, Any] = {
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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not (CHROMIUM and DRIVER):
        pytest.skip("there is no chromium with chromedriver on this machine")
    with chromium() as made:
        yield made


@pytest.fixture
def cf(browser: Browser) -> Iterator[CloudFlow]:
    browser.open("about:blank")
    browser.devtools("Page.resetNavigationHistory", {})  # of a full one, Chromium goes back too far now and then
    browser.log()  # what a page says whose server went with the test before
    with CloudFlow(FIXTURE, clock="virtual", now="2024-06-01T00:00:00Z", seed=7) as made:
        for name in ("good-1", "bad-1"):
            words = json.dumps({"note": HOSTILE})
            made.call("StartExecution", FlowName="order_flow", ExecutionName=name, Input=words)
        yield made
        refused = "Failed to load resource"  # an answer of 400 or 404, as some tests want it
        assert [line for line in browser.log() if refused not in line] == [], "errors, and reports of the policy"


def wrongly_signed(cf: CloudFlow) -> str:
    """Make a call that signs a space as `+`; its request id."""
    request = signing.v1(
        "DescribeFlow", {"Name": "order flow"}, key=cf.access_key_id, secret=cf.access_key_secret,
        canonical=lambda values: signing.canonical_query(values, urllib.parse.quote_plus),
    )  # fmt: skip
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    length = f"content-length: {len(request.body)}\r\n\r\n"
    answer = raw.exchange(cf.url, f"POST {request.target} HTTP/1.1\r\n{head}{length}".encode() + request.body)
    _, _, body = raw.parsed(answer)
    assert body["Code"] == "SignatureNotMatch"
    return str(body["RequestId"])
