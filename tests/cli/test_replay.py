"""`cfmock replay`."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from tests.support import histories

SECRETS = """\
Type: StateMachine
SpecVersion: v1
Name: login
StartAt: Ask
States:
  - Type: Task
    Name: Ask
    Action: FC:InvokeFunction
    Parameters: {resourceArn: ask, body: {user.$: $Input.user}}
    OutputConstructor: {user.$: $Input.user, token.$: $Output.Body.token, page.$: $Output.Body.page}
    Next: Known
  - Type: Choice
    Name: Known
    Branches: [{Condition: $Input.token == 'known', Next: Yes}]
    Default: No
  - {Type: Succeed, Name: Yes}
  - {Type: Fail, Name: No, Code: Unknown}
"""


@pytest.fixture
def files(tmp_path):
    def write(**contents):
        for name, content in contents.items():
            text = content if isinstance(content, str) else json.dumps(content, indent=1)
            (tmp_path / name.replace("_", ".")).write_text(text)
        return tmp_path

    return write


@pytest.fixture
def everything(files):
    return files(
        run_json=histories.answer(histories.everything()), flow_yaml=histories.EVERYTHING, two_yaml=histories.PASSES
    )


@pytest.fixture
def cfmock(cfmock):
    return lambda *arguments: cfmock(*map(str, arguments))


def test_a_history_that_agrees(cfmock, files):
    folder = files(run_json=[histories.passes(), histories.passes()], flow_yaml=histories.PASSES)
    ran = cfmock("replay", folder / "run.json", "--flow", folder / "flow.yaml")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.count("10 events agree") == 2
    assert ran.out.endswith("\nok: 2 executions, 20 of 20 events agree\n")


def test_the_first_difference_is_shown_from_both_sides(cfmock, files):
    events = histories.everything()
    events[-1] = {**events[-1], "EventDetail": '{"output":{"doubled":[]}}'}
    folder = files(run_json=histories.answer(events), flow_yaml=histories.EVERYTHING)
    ran = cfmock("replay", folder / "run.json", "--flow", folder / "flow.yaml")
    assert ran.code == 1
    assert f"{len(events) - 1} of {len(events)} events agree" in ran.out
    assert (
        f'event {len(events)}, ExecutionSucceeded: output.doubled[0]: nothing in the history, {{"n": 2}} here'
        in ran.out
    )
    assert "    - the service: event 83, caused by 82, after 94.25s: ExecutionSucceeded, {" in ran.out
    assert "    + cfmock:      event 83, caused by 82, after 94.25s: ExecutionSucceeded, {" in ran.out


def test_new_evidence_is_ready_for_an_issue_and_holds_no_data(cfmock, files):
    events = histories.everything()
    events[-1] = {**events[-1], "EventDetail": events[-1]["EventDetail"][:-1] + ',"billed":"top-secret"}'}
    folder = files(run_json=histories.answer(events), flow_yaml=histories.EVERYTHING)
    ran = cfmock("replay", folder / "run.json", "--flow", folder / "flow.yaml")
    assert ran.code == 0
    assert "- **execution-ends**: " in ran.out
    assert "  - 2024-06-24, event 83, ExecutionSucceeded: has 'billed' in its detail, cfmock has not" in ran.out
    assert "top-secret" not in ran.out


def test_json_and_junit(cfmock, files):
    events = histories.passes()
    events[4] = {**events[4], "ScheduleEventId": 2}
    folder = files(run_json=[events, histories.passes()], flow_yaml=histories.PASSES)
    ran = cfmock("replay", folder / "run.json", "--flow", folder / "flow.yaml", "--format", "json")
    first, second = json.loads(ran.out)["executions"]
    assert (ran.code, first["agrees"], first["agreed"], second["agrees"]) == (1, False, 4, True)
    difference = first["difference"]
    assert (difference["event"], difference["what"], difference["values"]) == (5, "cause", {"cloud": 2, "cfmock": 4})
    assert difference["cloud"]["Type"] == difference["cfmock"]["Type"] == "StepExited"
    ran = cfmock("replay", folder / "run.json", "--flow", folder / "flow.yaml", "--format", "junit")
    (suite,) = ET.fromstring(ran.out)
    assert (ran.code, suite.get("name"), suite.get("tests"), suite.get("failures")) == (1, "cli_guide_1", "2", "1")


def test_a_written_test_is_green_at_once(cfmock, everything):
    target = everything / "everything.cfmock.yaml"
    ran = cfmock("replay", everything / "run.json", "--flow", everything / "flow.yaml", "--write-test", target)
    assert ran.code == 0
    assert f"run it: cfmock test {target}" in ran.err
    tested = cfmock("test", target)
    assert (tested.code, tested.err) == (0, "")
    assert "1 passed; coverage 100 %" in tested.out
    again = cfmock("replay", everything / "run.json", "--flow", everything / "flow.yaml", "--write-test", target)
    assert again.code == 2
    assert "already exists" in again.err


def login(token, page="short"):
    return histories.recorded(
        SECRETS,
        {"Ask": [{"returns": {"Body": {"token": token, "page": page}}}]},
        {"user": "ann", "password": "hunter2"},
    )


def test_secrets_and_long_texts_are_masked(cfmock, files):
    folder = files(run_json=login("s3cret", "long text " * 20), flow_yaml=SECRETS)
    target = folder / "login.cfmock.yaml"
    ran = cfmock("replay", folder / "run.json", "--flow", folder / "flow.yaml", "--write-test", target)
    assert ran.code == 0
    assert "masked: password (--keep password leaves it as it is)" in ran.err
    text = target.read_text()
    assert "ann" in text
    assert not any(secret in text for secret in ("hunter2", "s3cret", "long text"))
    assert cfmock("test", target).code == 0


def test_a_field_that_decides_the_way_can_be_kept(cfmock, files):
    folder = files(run_json=login("known"), flow_yaml=SECRETS)
    target = folder / "login.cfmock.yaml"
    command = ("replay", folder / "run.json", "--flow", folder / "flow.yaml", "--write-test", target)
    ran = cfmock(*command)
    assert (ran.code, target.exists()) == (2, False)
    assert (
        "with password, token masked the flow goes another way at 'No'; --keep FIELD leaves a field as it is" in ran.err
    )
    assert cfmock(*command, "--keep", "token").code == 0
    assert "token: known" in target.read_text()
    assert cfmock("test", target).code == 0


def test_a_history_of_another_flow_is_refused(cfmock, everything):
    ran = cfmock("replay", everything / "run.json", "--flow", everything / "two.yaml")
    assert (ran.code, ran.out) == (2, "")
    assert "run.json:13:4: event 2 is of state 'Fork', which flow 'cli_guide_1'" in ran.err
    assert ran.err.endswith("this is a history of another flow\n")


def test_a_newer_definition_is_refused(cfmock, files):
    newer = histories.PASSES.replace("pass2", "second")
    folder = files(run_json=histories.passes(), flow_yaml=newer)
    ran = cfmock("replay", folder / "run.json", "--flow", folder / "flow.yaml")
    assert ran.code == 2
    assert "event 6 is of state 'pass2', which flow 'cli_guide_1'" in ran.err
    assert "the definition is newer than this history" in ran.err


DESCRIBED = {
    "FlowName": "cli_guide_1", "Name": "run1", "Status": "Succeeded", "StartedTime": "2024-06-24T02:58:42.030Z",
    "StoppedTime": "2024-06-24T02:58:43.000Z", "Input": "{}", "Output": "{}", "FlowDefinition": histories.PASSES,
}  # fmt: skip


def test_a_description_names_the_execution_and_counts(cfmock, files):
    folder = files(run_json=histories.passes(), flow_yaml=histories.PASSES, run1_json=DESCRIBED)
    command = ("replay", folder / "run.json", folder / "run1.json", "--flow", folder / "flow.yaml")
    assert "execution run1: 10 events agree" in cfmock(*command).out
    files(run1_json={**DESCRIBED, "Output": '{"a":1}'})
    ran = cfmock(*command)
    assert ran.code == 1
    assert "event 10, ExecutionSucceeded: Output.a: 1 in the history, nothing here" in ran.out
    files(run1_json={**DESCRIBED, "FlowDefinition": histories.PASSES.replace("pass1", "pass0")})
    ran = cfmock(*command)
    assert ran.code == 2
    assert "FlowDefinition is not what" in ran.err
    assert "('steps' differs)" in ran.err


def test_the_definition_that_was_executed_is_that_of_the_flow_whatever_its_name(cfmock, files):
    described = {**DESCRIBED, "FlowName": "deployed-as"}
    folder = files(run_json=[histories.answer(histories.passes()), described], flow_yaml=histories.PASSES)
    assert cfmock("replay", folder / "run.json", "--flow", folder / "flow.yaml").code == 0
    folder = files(flow_yaml=histories.PASSES + "# changed\n")
    ran = cfmock("replay", folder / "run.json", "--flow", folder / "flow.yaml")
    assert ran.code == 2
    assert "is a history of flow 'deployed-as', and" in ran.err


def test_of_several_flows_the_one_with_the_states_is_taken(cfmock, files):
    folder = files(run_json=histories.passes())
    (folder / "flows").mkdir()
    (folder / "flows/a.yaml").write_text(histories.PASSES)
    (folder / "flows/b.yaml").write_text(histories.EVERYTHING)
    assert cfmock("replay", folder / "run.json", "--flow", folder / "flows").code == 0
    (folder / "flows/b.yaml").write_text(histories.PASSES.replace("cli_guide_1", "other"))
    ran = cfmock("replay", folder / "run.json", "--flow", folder / "flows")
    assert ran.code == 2
    assert "holds cli_guide_1, other, and nothing says which of them" in ran.err
