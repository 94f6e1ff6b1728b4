"""What every picture shows: loops, captions, and the status of parts."""

from __future__ import annotations

import pytest

from cfmock.engine.languages import compile_definition
from cfmock.graph.drawing import Highlight, Status, captions, links

POLL = """
Type: StateMachine
SpecVersion: v1
Name: poll
StartAt: Look
States:
  - {Type: Task, Name: Look, Action: 'ECS:Describe', Catch: [{Errors: [Gone], Next: Over}], Next: Ready}
  - Type: Choice
    Name: Ready
    Branches: [{Condition: $Input.ready, Next: Over}]
    Default: Look
  - {Type: Pass, Name: Over, End: true}
  - {Type: Pass, Name: Lost, Next: Look}
"""


@pytest.fixture
def poll():
    return compile_definition(POLL)


def shown(flow):
    return {(link.edge.source, link.edge.target, link.label): link.loop for link in links(flow.series)}


def test_a_link_to_a_state_that_was_passed_is_a_loop(poll):
    assert shown(poll) == {
        ("Look", "Ready", ""): False,
        ("Look", "Over", "Gone"): False,
        ("Ready", "Over", "$Input.ready"): False,
        ("Ready", "Look", "default"): True,
        ("Lost", "Look", ""): False,  # never reached, so it leads nowhere back
    }


def test_a_state_that_goes_to_itself_is_a_loop():
    flow = compile_definition(
        POLL.replace("Next: Lost", "Next: Look").replace("Name: Lost, Next: Look", "Name: Lost, Next: Lost")
    )
    assert shown(flow)["Lost", "Lost", ""] is True


def test_nine_thousand_states_in_a_row_exhaust_no_stack():
    states = "\n".join(f"  - {{Type: Pass, Name: s{index}, Next: s{index + 1}}}" for index in range(9_000))
    flow = compile_definition(
        f"Type: StateMachine\nSpecVersion: v1\nName: long\nStartAt: s0\nStates:\n{states}\n"
        "  - {Type: Pass, Name: s9000, Next: s0}"
    )
    assert sum(link.loop for link in links(flow.series)) == 1


@pytest.mark.parametrize(
    ("hits", "failed", "expected"),
    [
        ({"Look": 1, "Ready": 1, "Ready?0": 1, "Over": 1}, (), ["Look Ready", "Ready Over"]),
        ({"Look": 2, "Ready": 2, "Ready?0": 1, "Ready?default": 1}, (), ["Look Ready", "Ready Look", "Ready Over"]),
        ({"Look": 1, "Look!catch0": 1, "Over": 1}, (), ["Look Over"]),
        ({"Look": 2, "Look!catch0": 1, "Ready": 1}, (), ["Look Over", "Look Ready"]),
        ({"Look": 1}, ("Look",), []),
    ],
)  # fmt: skip
def test_a_link_was_taken_if_its_part_was_used_or_the_state_was_left_no_other_way(poll, hits, failed, expected):
    highlight = Highlight(hits, frozenset(failed))
    taken = [
        f"{link.edge.source} {link.edge.target}"
        for link in links(poll.series)
        if highlight.of_link(link, poll.series.nodes[link.edge.source]) is Status.REACHED
    ]
    assert sorted(taken) == expected


def test_a_failure_outweighs_a_visit():
    assert Highlight({"a": 1}, frozenset({"a"})).of("a") is Status.FAILED
    assert Highlight({"a": 1}).of("a") is Status.REACHED
    assert Highlight({"a": 0}).of("a") is Status.MISSED


def test_a_task_is_captioned_with_what_it_calls_and_waits_for():
    flow = compile_definition(
        "version: v1\ntype: flow\nsteps:\n"
        "  - {type: task, name: a, resourceArn: 'acs:fc:::services/shop/functions/charge', pattern: waitForCallback}"
    )
    assert captions(flow.series.first) == ("charge", "waits for a callback")
