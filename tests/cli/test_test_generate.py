"""`cfmock test --init`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.flowtests import ORDER, document


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_file_beside_a_definition_defines_its_flow_and_passes_as_written(cfmock):
    Path("flows").mkdir()
    Path("flows/order.fdl.yaml").write_text(ORDER)
    ran = cfmock("test", "--init", "flows/order.fdl.yaml")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "flows/order.cfmock.yaml: 4 tests of order cover 100 %\nrun them: cfmock test flows/order.cfmock.yaml\n"
    )
    written = Path("flows/order.cfmock.yaml").read_text()
    assert "  - {name: order, definition: {file: order.fdl.yaml}}\n" in written
    ran = cfmock("test", "flows/order.cfmock.yaml", "--min-coverage", "100")
    assert ran.code == 0
    assert ran.out.endswith("4 passed; coverage 100 % (9 of 9 points)\n")
    assert cfmock("test", "flows", "--min-coverage", "100").code == 0
    ran = cfmock("test", "flows/order.fdl.yaml")
    assert (ran.code, ran.err) == (
        2,
        "no test in flows/order.fdl.yaml; flows/order.cfmock.yaml next to it has 4 tests: "
        "`cfmock test flows/order.cfmock.yaml`\n",
    )


def test_beside_a_fixture_there_are_tests_only_and_it_is_said_how_to_run_them(cfmock):
    Path("orders.yaml").write_text(document("").text)
    ran = cfmock("test", "--init", "orders.yaml")
    assert ran.out.endswith("run them: cfmock test orders.yaml orders.cfmock.yaml\n")
    assert cfmock("test", "orders.yaml").err.endswith(": `cfmock test orders.yaml orders.cfmock.yaml`\n")
    assert "flows:" not in Path("orders.cfmock.yaml").read_text()
    assert cfmock("test", "orders.yaml", "orders.cfmock.yaml", "--min-coverage", "100").code == 0


def test_what_is_left_to_the_author_is_told(cfmock):
    Path("order.fdl.yaml").write_text(
        ORDER.replace("$Input.amount > 100", """'hash($Input.amount, "MD5") == "0123"'""")
    )
    ran = cfmock("test", "--init", "order.fdl.yaml")
    assert "order.cfmock.yaml: 3 tests of order cover 77 %\n" in ran.out
    assert (
        "  fill in: found no way to reach "
        'Size: hash($Input.amount, "MD5") == "0123" (order.fdl.yaml:16:16)\n' in ran.out
    )
    assert cfmock("test", "order.cfmock.yaml").code == 0


def test_a_flow_with_a_mistake_is_checked_and_it_is_told_where_its_tests_fail(cfmock):
    Path("order.fdl.yaml").write_text(
        """Type: StateMachine
SpecVersion: v1
Name: order
StartAt: Approve
States:
  - {Type: Task, Name: Approve, Action: "FC:InvokeFunction", TaskMode: WaitForCustomCallback,
     Parameters: {token.$: $Context.Task.Token}, End: true}
"""
    )
    ran = cfmock("test", "--init", "order.fdl.yaml")
    failure = "'Approve' fails with FnF.RuntimeError: $Context has no key 'Task', in: $Context.Task.Token"
    assert ran.code == 0
    assert ran.err.startswith("warning: order.fdl.yaml:6:5: CF110: task 'Approve' waits for a report")
    assert f"order.cfmock.yaml: 1 test of order cover 100 %\n  look at 1 test: {failure}\n" in ran.out
    assert f'  # Is this meant? "{failure}"\n' in Path("order.cfmock.yaml").read_text()
    assert cfmock("test", "order.cfmock.yaml").code == 0


def test_a_failure_that_the_flow_or_a_mock_names_is_meant(cfmock):
    Path("order.fdl.yaml").write_text(
        """Type: StateMachine
SpecVersion: v1
Name: order
StartAt: Pay
States:
  - Type: Task
    Name: Pay
    Action: "FC:InvokeFunction"
    Catch: [{Errors: [FnF.TaskTimeout], Next: Refuse}]
    End: true
  - {Type: Fail, Name: Refuse, Code: Refused}
"""
    )
    ran = cfmock("test", "--init", "order.fdl.yaml")
    assert (ran.code, "look at" in ran.out) == (0, False)
    assert "code: Refused" in Path("order.cfmock.yaml").read_text()


def test_nothing_is_overwritten(cfmock):
    Path("order.fdl.yaml").write_text(ORDER)
    Path("order.cfmock.yaml").write_text("mine")
    ran = cfmock("test", "--init", "order.fdl.yaml")
    assert ran.code == 2
    assert ran.err == "order.cfmock.yaml already exists: rename or remove it, and --init writes it again\n"
    assert Path("order.cfmock.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["."], "--init takes one file, a flow definition or a fixture with flows\n"),
        (["a.yaml", "b.yaml"], "--init takes one file, a flow definition or a fixture with flows\n"),
        (["canned.yaml"], "canned.yaml has no flow with a definition\n"),
        (["gone.yaml"], "gone.yaml: no such file or folder\n"),
    ],
)
def test_a_path_it_cannot_use_is_told(cfmock, paths, message):
    Path("canned.yaml").write_text("cfmock: 1\nflows: [{name: a}]\n")
    ran = cfmock("test", "--init", *paths)
    assert (ran.code, ran.err) == (2, message)


def test_a_name_that_no_fixture_can_hold_is_refused(cfmock):
    name = os.fsdecode(b"no\xfftext.fdl.yaml")
    Path(name).write_text(ORDER)
    ran = cfmock("test", "--init", name)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "no fixture can name 'no\\udcfftext.fdl.yaml': the name is not UTF-8\n"
    assert [os.fsencode(path) for path in Path().iterdir()] == [os.fsencode(name)]


def test_flows_of_deployment_files_get_theirs_with_variables(cfmock):
    Path("ros.yaml").write_text(
        "Resources:\n  F:\n    Type: ALIYUN::FNF::Flow\n    Properties:\n      Name: {Ref: Name}\n      Definition: |\n"
        "        version: v1\n        type: flow\n        steps: [{type: pass, name: a}]\n"
    )
    assert cfmock("test", "--init", "ros.yaml", "--var", "Name=outer").code == 0
    command = ("test", "ros.yaml", "ros.cfmock.yaml", "--min-coverage", "100", "--var")
    assert cfmock(*command, "Name=outer").code == 0
    assert cfmock(*command, "Name=other").code == 2
