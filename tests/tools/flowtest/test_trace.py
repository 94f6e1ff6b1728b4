"""The way of an execution in words."""

from types import SimpleNamespace

from cfmock.engine.languages import compile_text
from cfmock.tools.flowtest import run

TEXT = """
Type: StateMachine
Name: f
SpecVersion: v1
StartAt: "Route: first"
States:
  - {Type: Choice, Name: "Route: first", Branches: [{Condition: "$Input.a == 1", Next: End}], Default: End}
  - {Type: Succeed, Name: End}
"""


def test_a_state_may_have_a_colon_in_its_name() -> None:
    flow = compile_text(TEXT)
    points = {point.id: point for point in flow.points()}
    passed = [point for point in points.values() if point.label != "Route: first: $Input.a == 1"]
    row = SimpleNamespace(name="e", flow=flow)
    ran = SimpleNamespace(passages=[(row, point.id, 1) for point in passed], points={"f": points})
    ran.passages = [run.Passage(*each) for each in ran.passages]
    assert run.path(ran) == ["Route: first (default) -> End"]
