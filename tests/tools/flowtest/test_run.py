"""What a flow test runs: the definition, on virtual time, with its mocks, in a world of its own."""

from __future__ import annotations

import time

import pytest

from cfmock.fixtures.loader import load
from cfmock.tools.flowtest.cases import result
from cfmock.tools.flowtest.run import FlowTestRunner, execution_name
from tests.support.flowtests import fixtures, run_one


def passed(test: str, flows: str = "") -> bool:
    found = run_one(test, flows)
    assert found.passed, (found.differences, found.path)
    return True


def test_a_test_runs_the_definition_with_the_flow_s_own_mocks():
    assert passed("input: {amount: 5}\nexpect: {output: {receipt: r1, shipped: true}, visits: [Charge, Size, Ship]}")


def test_waits_take_virtual_time_only():
    begun = time.perf_counter()
    assert passed("input: {amount: 500}\nexpect: {visits: [Pause], duration: 1m}")
    assert time.perf_counter() - begun < 30


def test_mocks_of_a_test_replace_the_flow_s_state_by_state():
    assert passed(
        "input: {amount: 5}\n"
        "tasks: {Charge: [{fails: {code: Busy}, times: 2}, {returns: {Body: {receipt: r2}}}]}\n"
        "expect: {output: {receipt: r2}, duration: 30s}"
    )


def test_canned_outcomes_play_no_part_not_even_of_nested_flows():
    flows = """\
- name: outer
  outcomes: [{output: {canned: outer}}]
  definition: |
    Type: StateMachine
    SpecVersion: v1
    Name: outer
    StartAt: Call
    States:
      - Type: Task
        Name: Call
        Action: FNF:StartExecution
        TaskMode: WaitForSystemCallback
        Parameters: {resourceArn: "acs:fnf:::flow/inner", input: {a: 1}}
        End: true
- {name: inner, outcomes: [{output: {canned: inner}}]}
"""
    found = run_one("flow: outer\nexpect: {output: {a: 1}, visits: [Call]}", flows)
    assert found.passed, found.differences
    assert found.hits == {"outer": {"Call": 1}, "inner": {"Pass": 1}}


def test_a_nested_flow_that_nobody_waits_for_runs_to_its_end_too():
    flows = """\
- name: outer
  definition: |
    Type: StateMachine
    SpecVersion: v1
    Name: outer
    StartAt: Call
    States:
      - Type: Task
        Name: Call
        Action: FNF:StartExecution
        Parameters: {resourceArn: "acs:fnf:::flow/order", input: {amount: 500}}
        End: true
"""
    found = run_one("flow: outer\nexpect: {status: Succeeded, duration: 0}", flows)
    assert found.passed, found.differences
    assert found.hits["order"]["Ship"] == 1


WAITING = """\
- name: waiting
  definition: |
    Type: StateMachine
    SpecVersion: v1
    Name: waiting
    StartAt: Ask
    States:
      - Type: Task
        Name: Ask
        Action: FC:InvokeFunction
        TaskMode: WaitForCustomCallback
        {timeout}
        End: true
"""


def test_what_waits_for_a_report_that_never_comes_is_left_running():
    assert passed("flow: waiting\nexpect: {status: Running, visits: [Ask]}", WAITING.replace("{timeout}\n", "\n"))


def test_but_its_own_time_out_comes():
    flows = WAITING.replace("{timeout}", "Timeout: 600")
    assert passed("flow: waiting\nexpect: {error: {code: FnF.TaskTimeout}, duration: 10m}", flows)


def test_visits_are_those_of_the_children_of_a_distributed_map_too():
    flows = """\
- name: fan
  definition: |
    Type: StateMachine
    SpecVersion: v1
    Name: fan
    StartAt: Each
    States:
      - Type: Map
        Name: Each
        ItemsPath: $Input.items
        Processor:
          ProcessorConfig: {ExecutionMode: Standard}
          StartAt: One
          States: [{Type: Pass, Name: One, End: true}]
        End: true
"""
    test = "flow: fan\ninput: {items: [{a: 1}, {a: 2}]}\nexpect: {visits: [Each, One, One], exact: true}"
    found = run_one(test, flows)
    assert found.passed, found.differences
    assert found.hits["fan"] == {"Each": 1, "Each[]": 1, "Each[]/One": 2}


def test_mocks_may_go_by_the_name_of_the_test():
    flows = """\
- name: named
  tasks: {A: [{when: {execution: "big_*"}, returns: {big: true}}, {returns: {big: false}}]}
  definition: |
    Type: StateMachine
    SpecVersion: v1
    Name: named
    StartAt: A
    States: [{Type: Task, Name: A, Action: "FC:InvokeFunction", End: true}]
"""
    assert passed("flow: named\nname: big order\nexpect: {output: {big: true}}", flows)
    assert passed("flow: named\nname: small order\nexpect: {output: {big: false}}", flows)


@pytest.mark.parametrize(("name", "execution"), [("big order!", "big_order"), ("7 days", "_7_days"), ("退款", "_")])
def test_the_execution_is_called_like_the_test(name, execution):
    assert execution_name(name) == execution


def test_tests_do_not_see_one_another():
    found = fixtures("- {name: a, flow: order, input: {amount: 1}}\n- {name: a2, flow: order, input: {amount: 1}}")
    lab = FlowTestRunner(found)
    ran = [lab.run(test) for test in found.tests * 3]
    assert {(each.status, len(each.events), each.duration) for each in ran} == {("Succeeded", len(ran[0].events), 0.0)}


def test_chance_is_the_same_every_time():
    flows = """\
- name: dice
  definition: |
    Type: StateMachine
    SpecVersion: v1
    Name: dice
    StartAt: A
    States: [{Type: Pass, Name: A, OutputConstructor: {id.$: uuid()}, End: true}]
"""
    found = fixtures("- {name: a, flow: dice}", flows)
    assert len({str(FlowTestRunner(found).run(test).output) for test in found.tests * 3}) == 1


def test_a_task_without_a_mock_is_a_warning():
    flows = """\
- name: bare
  definition: |
    Type: StateMachine
    SpecVersion: v1
    Name: bare
    StartAt: A
    States: [{Type: Task, Name: A, Action: "FC:InvokeFunction", End: true}]
"""
    found = run_one("flow: bare", flows)
    assert "no mock for the task 'A'" in found.warnings[0]


@pytest.mark.parametrize(
    ("mocks", "unused"),
    [
        ("Charge: [{when: {execution: other}, returns: {}}, {returns: {Body: {receipt: r}}}]", []),
        ("FC:InvokeFunction: [{returns: {Body: {receipt: r}}}], Charge: []", []),
        ("Charge: [{when: {execution: other}, returns: {}}]", ["task 'Charge' answered nothing: none matched"]),
        (
            "Charge: [{returns: {Body: {receipt: r}}}], FC:InvokeFunction: [{returns: {}}]",
            ["task 'FC:InvokeFunction' answered nothing: no task made this call, or mocks of its state answered it"],
        ),
    ],
)
def test_a_mock_of_the_test_s_own_that_answers_nothing_is_told(mocks, unused):
    found = run_one(f"input: {{amount: 1}}\ntasks: {{{mocks}}}\nexpect: {{exact: false}}")
    assert list(found.unused) == [f"the test's own mock of {text}" for text in unused]


def test_a_mock_of_a_state_that_is_never_entered_is_told():
    flows = """\
- name: two
  definition: {version: v1, type: flow, steps: [{type: task, name: a, resourceArn: r}, {type: fail, name: f, error: E},
    {type: task, name: b, resourceArn: r}]}
"""
    found = run_one("flow: two\ntasks: {a: [{returns: {}}], b: [{returns: {}}]}\nexpect: {status: Failed}", flows)
    assert found.passed
    assert found.unused == ("the test's own mock of task 'b' answered nothing: it was never entered",)


def test_that_a_task_has_no_mock_is_said_once_in_every_test():
    flows = """\
- name: bare
  definition: |
    version: v1
    type: flow
    steps:
      - type: foreach
        name: each
        iterationMapping: {collection: $.list, item: n}
        steps: [{type: task, name: a, resourceArn: "acs:fnf:::flow/inner", pattern: sync, serviceParams: {Input: {}}}]
- name: inner
  definition: {version: v1, type: flow, steps: [{type: task, name: b, action: "ocr:Read"}]}
"""
    found = fixtures("- {name: a, flow: bare, input: {list: [1, 2, 3]}}", flows)
    runner = FlowTestRunner(found)
    for _ in range(2):
        (warning,) = runner.run(found.tests[0]).warnings
        assert warning.startswith("flow 'inner': no mock for the task 'b'")


@pytest.mark.parametrize(
    ("flows", "runs"),
    [
        ([{}, {"account": "7"}], 0),
        ([{"account": "7"}, {}], 1),
        ([{"account": "7"}, {"account": "8"}], 0),
        ([{"region": "cn-hangzhou"}, {}, {"region": "cn-beijing"}], 0),
        ([{}, {"region": "us-west-1"}], 0),
    ],
)
def test_a_test_is_checked_by_the_flow_that_it_runs(flows, runs):
    kinds = [
        {"Type": "StateMachine", "SpecVersion": "v1", "Name": "f", "StartAt": f"S{number}",
         "States": [{"Type": "Pass", "Name": f"S{number}", "End": True}]}
        for number in range(len(flows))
    ]  # fmt: skip
    document = {
        "cfmock": 1,
        "flows": [{"name": "f", "definition": kind, **world} for kind, world in zip(kinds, flows, strict=True)],
        "tests": [{"name": "t", "flow": "f", "expect": {"visits": [f"S{runs}"], "exact": True}}],
    }
    found = load([document])
    assert result(FlowTestRunner(found), found.tests[0]).passed


def test_a_flow_of_another_account_runs_in_its_own_world():
    flows = "- {name: far, account: '7', region: cn-beijing}\n"
    assert passed("flow: far\ninput: {a: 1}\nexpect: {output: {a: 1}}", flows)


def test_a_test_takes_less_than_ten_milliseconds():
    found = fixtures("- {name: a, flow: order, input: {amount: 500}}")
    lab = FlowTestRunner(found)
    lab.run(found.tests[0])
    assert sorted(lab.run(found.tests[0]).seconds for _ in range(9))[4] < 0.010
