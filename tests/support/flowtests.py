"""Flow tests from text: what they are run on, and one of them run."""

from __future__ import annotations

from typing import Any

from cfmock.base import yaml_source
from cfmock.fixtures.loader import load
from cfmock.fixtures.model import FixtureSet
from cfmock.tools.flowtest.cases import Result, result
from cfmock.tools.flowtest.run import FlowTestRunner

ORDER = """\
Type: StateMachine
SpecVersion: v1
Name: order
StartAt: Charge
States:
  - Type: Task
    Name: Charge
    Action: FC:InvokeFunction
    Parameters: {resourceArn: charge, body: {amount.$: $Input.amount}}
    Retry: [{Errors: [Busy], MaxAttempts: 2, IntervalSeconds: 10, BackoffRate: 2}]
    Catch: [{Errors: [Refused], Next: Refund}]
    OutputConstructor: {receipt.$: $Output.Body.receipt, amount.$: $Input.amount}
    Next: Size
  - Type: Choice
    Name: Size
    Branches: [{Condition: $Input.amount > 100, Next: Pause}]
    Default: Ship
  - {Type: Wait, Name: Pause, Seconds: 60, Next: Ship}
  - {Type: Pass, Name: Ship, OutputConstructor: {receipt.$: $Input.receipt, shipped: true}, End: true}
  - {Type: Fail, Name: Refund, Code: OrderRefused, Detail: no money}
"""
"""A flow with a retry, a catch, a choice and a wait; its points are Charge, its retry and catch, Size and its two ways,
Pause, Ship and Refund."""


def indented(text: str, by: int = 6) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in text.splitlines())


def document(tests: str, flows: str = "", name: str = "orders.cfmock.yaml") -> yaml_source.Document:
    """A fixture with the flow `order`, whose charge succeeds, further `flows`, and `tests`, as items of lists."""
    text = (
        "cfmock: 1\nflows:\n  - name: order\n    tasks: {Charge: [{returns: {Body: {receipt: r1}}}]}\n    definition: |\n"
        f"{indented(ORDER)}{indented(flows, 2)}tests:\n{indented(tests, 2)}"
    )
    return yaml_source.parse(text, name)


def fixtures(tests: str, flows: str = "") -> FixtureSet:
    return load([document(tests, flows).value])


def run_one(test: str, flows: str = "") -> Result:
    """Run the one test there is; `flow: order` and a name unless it has its own, and its keys as they stand."""
    lines = test.splitlines()
    given: dict[str, Any] = yaml_source.parse(test).value or {}
    head = [f"{key}: {value}" for key, value in {"name": "t", "flow": "order"}.items() if key not in given]
    text = "- " + "\n  ".join([*head, *lines])
    found = fixtures(text, flows)
    return result(FlowTestRunner(found), found.tests[0])
