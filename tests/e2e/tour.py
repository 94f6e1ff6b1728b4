"""A tour through the API by one of the vendor's SDKs, for `cfmock contract`: `python -m tests.e2e.tour KIND`.

It ends with the first error, with the class of the SDK's exception and how long the call took as the last line on stderr.
The SDK is left at its own settings: time-outs and retries are its defaults.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

from tests.e2e.sdks import KINDS, Refused, Sdk, driver
from tests.support.waiting import PATIENCE

DEFINITION = "Type: StateMachine\nName: made\nSpecVersion: v1\nStartAt: P\nStates: [{Type: Pass, Name: P, End: true}]\n"

FIRST = "first"
"""The name of the execution of the tour's first start."""


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    """Calls that succeed one after the other: all documented codes are those of one of them."""
    yield "ListFlows", {}  # so that no other call takes the time that the SDK needs to begin
    yield "StartExecution", {"FlowName": "approval", "ExecutionName": FIRST, "Input": "{}"}
    yield "DescribeExecution", {"FlowName": "approval", "ExecutionName": FIRST}
    yield "StopExecution", {"FlowName": "approval", "ExecutionName": FIRST}
    yield "StartExecution", {"FlowName": "approval", "ExecutionName": "second", "Input": "{}"}
    yield "ReportTaskSucceeded", {"TaskToken": waiting_token(), "Output": "{}"}
    yield "CreateFlow", {"Name": "made", "Definition": DEFINITION, "Description": "made", "Type": "FDL"}
    yield "UpdateFlow", {"Name": "made", "Description": "changed"}
    schedule = {"FlowName": "made", "ScheduleName": "nightly", "CronExpression": "0 0 3 * * *"}
    yield "CreateSchedule", {**schedule, "Enable": False}
    yield "DescribeSchedule", {"FlowName": "made", "ScheduleName": "nightly"}


def waiting_token() -> str:
    """That of the task that waits for its report."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{os.environ['CFMOCK_URL']}/_cfmock/tasks", timeout=PATIENCE) as answer:
        token: str = json.load(answer)["tasks"][0]["token"]
        return token


def main(name: str) -> int:
    kind = KINDS[name]
    with driver(kind, os.environ["CFMOCK_URL"]) as process:
        sdk = Sdk(kind, process, os.environ["CFMOCK_URL"])
        for operation, parameters in steps():
            began = time.monotonic()
            try:
                sdk.call(operation, using={"timeout": None}, **parameters)
            except Refused as error:
                print(f"{error.class_name} after {time.monotonic() - began:.1f} s", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
