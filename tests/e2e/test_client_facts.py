"""What docs/clients.md says of the vendor's SDKs below its table."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from cfmock import CloudFlow
from tests.e2e import environments

FLOWS = {"cfmock": 1, "settings": {"auth": "off"}, "flows": [{"name": "f"}]}

TEA = """
import asyncio, json, sys, time
from alibabacloud_fnf20190315.client import Client
from alibabacloud_fnf20190315.models import ListFlowsRequest
from alibabacloud_tea_openapi.models import Config
from alibabacloud_tea_util.models import RuntimeOptions

def client(**more):
    return Client(Config(access_key_id="a", access_key_secret="b", endpoint=sys.argv[1], protocol="http", **more))

def raised(call, *given):
    try:
        call(*given)
    except Exception as error:
        return type(error).__name__
"""

RETRIES = """
from darabonba.policy.retry import RetryOptions
options = {"retryCondition": [{"maxAttempts": 2, "exception": ["ThrottlingException"]}]}
throttled = client(retry_options=RetryOptions(options))
"""


def ran(environment: str, cf: CloudFlow, code: str) -> Any:
    """What code prints as JSON that an SDK runs against the server, whose address is its first argument."""
    try:
        program = environments.command(environment)
    except environments.Unavailable as error:
        pytest.skip(str(error))
    flag = "-e" if environment == "node" else "-c"
    done = subprocess.run(
        [*program, flag, code, cf.endpoint],
        cwd=environments.NODE,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def cf():
    with CloudFlow(FLOWS) as cf:
        yield cf


@pytest.mark.parametrize(
    ("fault", "raises"),
    [
        ({"error": "ResourceThrottled"}, "ClientException"),
        ({"error": "ResourceThrottled", "retry_after": "100ms"}, "ThrottlingException"),
        ({"error": "InvalidArgument", "retry_after": "100ms"}, "ThrottlingException"),
        ({"error": "InternalServerError", "retry_after": "100ms"}, "ThrottlingException"),
        ({"error": "ResourceThrottled", "retry_after": 0}, "ClientException"),
    ],
)
def test_throttling_is_what_names_a_time_to_wait(cf: CloudFlow, fault: dict[str, Any], raises: str) -> None:
    cf.fault(when={"operation": "ListFlows"}, **fault)
    code = f"{TEA}print(json.dumps(raised(client().list_flows, ListFlowsRequest())))"
    assert ran("tea", cf, code) == raises
    assert ran("tea-0.3", cf, code) == "TeaException"


@pytest.mark.parametrize(
    ("environment", "fault", "calls"),
    [
        ("tea", {"transport": "reset"}, 1),
        ("tea", {"error": "InternalServerError"}, 1),
        ("tea-0.3", {"transport": "reset"}, 4),
        ("tea-0.3", {"error": "InternalServerError"}, 1),
    ],
)
def test_autoretry_is_of_the_older_generation(
    cf: CloudFlow, environment: str, fault: dict[str, Any], calls: int
) -> None:
    cf.fault(when={"operation": "ListFlows"}, **fault)
    options = "RuntimeOptions(autoretry=True, max_attempts=3)"
    ran(
        environment,
        cf,
        f"{TEA}print(json.dumps(raised(client().list_flows_with_options, ListFlowsRequest(), {options})))",
    )
    assert len(cf.calls("ListFlows")) == calls


def test_attempts_count_the_first_and_back_off_holds_up_the_loop(cf: CloudFlow) -> None:
    cf.fault(when={"operation": "ListFlows"}, error="ResourceThrottled", retry_after="400ms")
    code = f"""{TEA}{RETRIES}
async def main():
    turns, call = 0, asyncio.ensure_future(throttled.list_flows_async(ListFlowsRequest()))
    longest, last = 0, time.monotonic()
    while not call.done():
        await asyncio.sleep(0.01)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    print(json.dumps([type(call.exception()).__name__, longest]))

asyncio.run(main())
"""
    raised, longest = ran("tea", cf, code)
    assert (raised, len(cf.calls("ListFlows"))) == ("ThrottlingException", 2)
    assert longest >= 0.4


def test_pop_core_rejects_with_an_object_that_is_no_error(cf: CloudFlow) -> None:
    cf.fault(when={"operation": "ListFlows"}, transport="garbage")
    code = """
const Core = require("@alicloud/pop-core");
const core = new Core({accessKeyId: "a", accessKeySecret: "b", endpoint: "http://" + process.argv[1], apiVersion: "2019-03-15"});
core.request("ListFlows", {}).catch((e) => console.log(JSON.stringify([e instanceof Error, "stack" in e, Object.keys(e)])));
"""
    assert ran("node", cf, code) == [False, False, ["name", "message", "at", "text"]]
