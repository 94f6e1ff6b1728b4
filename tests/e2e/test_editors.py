"""docs/editors.md, tried with what editors are made of: the YAML language server, and a JSON Schema validator in its strict
mode."""

from __future__ import annotations

import json
import re
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from cfmock.base import yaml_source
from cfmock.engine import languages
from cfmock.fixtures import editor_schema
from tests.e2e import environments
from tests.support import pages
from tests.support.language_server import CURSOR, Completion, LanguageServer, language_server

PAGE = (Path(__file__).parents[2] / "docs" / "editors.md").read_text(encoding="utf-8")
BLOCKS = list(pages.blocks(PAGE))
FILES = {"cfmock.schema.json": editor_schema.schema_text(), "cloudflow.schema.json": languages.definition_schema()}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    """A language server set up as the page says."""
    (settings,) = (json.loads(block.text) for block in BLOCKS if '"yaml.schemas"' in block.text)
    (tags,) = re.findall(r'`"yaml.customTags": (\[.*\])`', PAGE)
    folder = tmp_path_factory.mktemp("workspace")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    given = {"schemas": settings["yaml.schemas"], "customTags": json.loads(tags)}
    try:
        with language_server(folder, {"validate": True, "completion": True, "hover": True, **given}) as running:
            running.problems("first.fdl.yaml", "")  # it has its settings now
            yield running
    except environments.Unavailable as error:
        pytest.skip(str(error))


HEAD = "Type: StateMachine\nSpecVersion: v1\nName: a\nStartAt: A\nStates:\n"
OLD_HEAD = "type: flow\nversion: v1\nsteps:\n"


# -- what the page says ----------------------------------------------------------------------------------------------------


def test_files_follow_the_schemas_that_the_settings_of_the_page_name(server: LanguageServer) -> None:
    assert server.problems("a.fdl.yaml", "Type: StateMachine\nName: 3\n")[-1] == '2: Incorrect type. Expected "string".'
    for name in ("a.cfmock.yaml", "fixtures/a.yaml"):
        assert server.problems(name, "cfmock: 1\nflowz: []\n") == ["2: Property flowz is not allowed."]
    assert server.problems("other.yaml", "cfmock: 1\nflowz: []\n") == []


def test_a_file_may_name_its_schema_itself(server: LanguageServer) -> None:
    (text,) = (block.text for block in BLOCKS if "# yaml-language-server:" in block.text)
    assert server.problems("parcel.yaml", text) == []
    wrong = text.replace("Succeed", "Success")
    assert [each.partition(":")[0] for each in server.problems("parcel.yaml", wrong)] == ["7"]


def test_a_fixture_in_json_may_name_its_schema_in_a_key(server: LanguageServer) -> None:
    (text,) = (block.text for block in BLOCKS if '{"$schema"' in block.text)
    assert server.problems("a.json", text) == []
    assert server.problems("a.json", text.replace("flows", "flowz")) == ["1: Property flowz is not allowed."]


def test_tags_of_deployment_tools_are_taken_as_the_page_says(server: LanguageServer) -> None:
    text = f"{HEAD}  - {{Type: Pass, Name: A, InputConstructor: {{a: !Ref Bucket, b: !Sub text}}, End: true}}\n"
    assert server.problems("a.fdl.yaml", text) == []
    assert server.problems("a.fdl.yaml", text.replace("!Sub", "!Other")) == ["6: Unresolved tag: !Other"]


# -- completing ------------------------------------------------------------------------------------------------------------

PLACES = {
    f"{Type} {more}".strip(): f"{HEAD}  - Type: {Type}\n    Name: A\n{textwrap.indent(more, '    ')}    {CURSOR}\n"
    for Type, more in [
        *((each, "") for each in ("Pass", "Task", "Choice", "Parallel", "Map", "Wait", "Succeed", "Fail")),
        ("Map", "ProcessorConfig: {ExecutionMode: Express}\n"),
    ]
} | {
    "Retry": f"{HEAD}  - Type: Task\n    Name: A\n    Retry:\n      - {CURSOR}\n",
    "Catch": f"{HEAD}  - Type: Task\n    Name: A\n    Catch:\n      - {CURSOR}\n",
    "Branches": f"{HEAD}  - Type: Choice\n    Name: A\n    Branches:\n      - {CURSOR}\n",
    "Processor": f"{HEAD}  - Type: Map\n    Name: A\n    Processor:\n      {CURSOR}\n",
    "ItemBatcher": f"{HEAD}  - Type: Map\n    Name: A\n    ProcessorConfig: {{}}\n    ItemBatcher:\n      {CURSOR}\n",
    "States": f"{HEAD}  - {CURSOR}\n",
    "definition": f"{CURSOR}\n",
}  # fmt: skip
OLD_PLACES = {
    each: f"{OLD_HEAD}  - type: {each}\n    name: A\n    {CURSOR}\n"
    for each in ("task", "pass", "choice", "parallel", "foreach", "wait", "succeed", "fail")
} | {
    "retry": f"{OLD_HEAD}  - type: task\n    name: A\n    retry:\n      - {CURSOR}\n",
    "catch": f"{OLD_HEAD}  - type: task\n    name: A\n    catch:\n      - {CURSOR}\n",
    "choices": f"{OLD_HEAD}  - type: choice\n    name: A\n    choices:\n      - {CURSOR}\n",
    "steps": f"{OLD_HEAD}  - {CURSOR}\n",
    "flow": f"type: flow\n{CURSOR}\n",
}
OFFERED = {
    "Wait": {"Seconds: 10", "Seconds.$: $Input.seconds", "Next: Second", "End: true"},
    "Map": {"ItemsPath: $Input.items", "MaxConcurrency: 10"},
    "Task": {"Action: FC:InvokeFunction", "TaskMode: RequestComplete", "Timeout: 60"},
    "Branches": {"Condition: $Input.amount > 100", "Next: Second"},
    "States": {"Type: Pass", "Name: First"},
    "task": {"resourceArn: acs:fc:::services/myservice/functions/charge", "action: ocr:RecognizeCharacter"},
    "wait": {"duration: 10", "timestamp: 2024-06-01T00:00:00Z"},
}


UNFINISHED = {"required", "oneOf"}
"""Kinds of errors that say that something has yet to come."""


def at_home(text: str, completion: Completion) -> str:
    """The file with what was chosen in the place of the cursor, indented as editors do it."""
    indent = " " * len(text.partition(CURSOR)[0].rpartition("\n")[2])
    return text.replace(CURSOR, completion.text.replace("\n", f"\n{indent}"))


def mistakes(validator: Any, text: str, key: str) -> list[str]:
    """What does not fit below a key of a file that is being written."""
    found = validator.iter_errors(yaml_source.parse(text).value)
    return [each.message for each in found if key in each.instance_path and each.kind.name not in UNFINISHED]


def value_of(completion: Completion) -> Any:
    ((_, value),) = yaml_source.parse(completion.text).value.items()
    return value


@pytest.mark.parametrize(("name", "text"), [pytest.param(*each, id=each[0]) for each in (PLACES | OLD_PLACES).items()])
def test_completing_a_key_inserts_a_value_that_may_stand_there(server: LanguageServer, name: str, text: str) -> None:
    offered = server.complete("a.fdl.yaml", text)
    assert OFFERED.get(name, set()) <= {each.text for each in offered}
    keys = [each for each in offered if each.is_key]
    assert len(keys) > 1
    assert len({each.label for each in keys}) == len(keys), "a key is offered twice"
    validator = jsonschema_rs.Draft7Validator(json.loads(languages.definition_schema()))
    for each in keys:
        assert value_of(each) not in (None, "", each.label, "GAP"), each
        assert not mistakes(validator, at_home(text, each), each.label), each


@pytest.mark.parametrize(("name", "text"), [pytest.param(*each, id=each[0]) for each in (PLACES | OLD_PLACES).items()])
def test_a_definition_in_a_fixture_is_completed_like_a_file(server: LanguageServer, name: str, text: str) -> None:
    inline = "cfmock: 1\nflows:\n  - name: a\n    definition:\n" + textwrap.indent(text, "      ")
    offered = {each for each in server.complete("a.cfmock.yaml", inline) if each.label != "file"}
    assert offered == set(server.complete("a.fdl.yaml", text))


FIXTURE_PLACES = {
    key or "fixture": f"cfmock: 1\n{text}"
    for key, text in {
        "": f"{CURSOR}\n",
        "flow": f"flows:\n  - name: a\n    {CURSOR}\n",
        "outcome": f"flows:\n  - name: a\n    outcomes:\n      - {CURSOR}\n",
        "mock": f"flows:\n  - name: a\n    tasks:\n      A:\n        - {CURSOR}\n",
        "execution": f"flows:\n  - name: a\n    executions:\n      - {CURSOR}\n",
        "credential": f"credentials:\n  - {CURSOR}\n",
        "schedule": f"schedules:\n  - {CURSOR}\n",
        "fault": f"faults:\n  - {CURSOR}\n",
        "when": f"faults:\n  - when:\n      {CURSOR}\n",
        "delay": f"faults:\n  - delay:\n      {CURSOR}\n",
        "test": f"tests:\n  - {CURSOR}\n",
        "expect": f"tests:\n  - name: a\n    expect:\n      {CURSOR}\n",
        "settings": f"settings:\n  {CURSOR}\n",
    }.items()
}
OPEN = {"credentials", "error", "faults", "tasks", "variables", "when"}
"""Keys below which any of several may come first: a mapping or list is begun and left to the author."""


@pytest.mark.parametrize(("name", "text"), [pytest.param(*each, id=each[0]) for each in FIXTURE_PLACES.items()])
def test_completing_a_key_of_a_fixture_inserts_a_value_that_may_stand_there(
    server: LanguageServer, name: str, text: str
) -> None:
    keys = [each for each in server.complete("a.cfmock.yaml", text) if each.is_key]
    assert len(keys) > 1
    validator = jsonschema_rs.Draft7Validator(editor_schema.schema())
    for each in keys:
        if each.label not in OPEN:
            assert value_of(each) not in (None, "", each.label, "GAP"), each
            assert not mistakes(validator, at_home(text, each), each.label), each


# -- checking and explaining -----------------------------------------------------------------------------------------------

MISTAKEN = {
    f"{HEAD}  - {{Type: Pass, Name: A, End: true}}\n": [],
    f"{HEAD}  - {{Type: Pas, Name: A, End: true}}\n": ['6: Value must be "Pass" | '],
    f"{HEAD}  - {{Type: Pass, Name: A}}\n": ['6: Missing property "Next".'],
    f"{HEAD}  - {{Type: Pass, Name: A, Next: B, End: true}}\n": ['6: Incorrect type. Expected "null".'],
    f"{HEAD}  - {{Type: Wait, Name: A, End: true}}\n": ['6: Missing property "Seconds".'],
    f"{HEAD}  - {{Type: Wait, Name: A, Seconds: 500, End: true}}\n": ["6: Value is above the maximum of 300."],
    f"{HEAD}  - {{Type: Wait, Name: A, Seconds: long, End: true}}\n": [
        "6: Incorrect type. Expected one of integer, null."
    ],
    f"{HEAD}  - {{Type: Task, Name: A, Action: FC:X, TaskMode: Foo, End: true}}\n": [
        '6: Value must be "RequestComplete" | '
    ],
    f"{OLD_HEAD}  - {{type: task, name: A}}\n": ['4: Missing property "resourceArn".'],
    f"{OLD_HEAD}  - {{type: pass, name: A, Ende: true}}\n": ["4: Property Ende is not allowed."],
}


@pytest.mark.parametrize("text", MISTAKEN)
def test_a_mistake_is_named_at_its_place_in_a_file_and_in_a_fixture(server: LanguageServer, text: str) -> None:
    found = server.problems("a.fdl.yaml", text)
    assert len(found) == len(MISTAKEN[text])
    assert all(one.startswith(other) for one, other in zip(found, MISTAKEN[text], strict=True)), found
    inline = "cfmock: 1\nflows:\n  - name: a\n    definition:\n" + textwrap.indent(text, "      ")
    moved = [re.sub(r"^\d+", lambda line: str(int(line[0]) + 4), each) for each in found]
    assert server.problems("a.cfmock.yaml", inline) == moved


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("definition: {file: a.fdl.yaml}", None),
        ("definition: {file: a.fdl.yaml, Name: a}", "Property Name is not allowed."),
        ("definition: 3", 'Incorrect type. Expected "string | a mapping".'),
        ("outcomes: [{after: 2s}, {after: 3}, {after: {polls: 3}}]", None),
        ("outcomes: [{after: {polls: 0}}]", "Value is below the minimum of 1."),
        ("outcomes: [{status: Suceeded}]", 'Value is not accepted. Valid values: "Starting"'),
        ("tasks: {A: [{}]}", 'Missing property "returns".'),
    ],
)
def test_a_mistake_in_a_fixture_is_named(server: LanguageServer, entry: str, message: str | None) -> None:
    found = server.problems("a.cfmock.yaml", f"cfmock: 1\nflows:\n  - name: a\n    {entry}\n")
    assert [each.startswith(f"4: {message}") for each in found] == [True] * (message is not None), found


def test_the_word_under_the_cursor_is_explained(server: LanguageServer) -> None:
    text = f"{HEAD}  - Type: Wa{CURSOR}it\n    Name: A\n    Seconds: 10\n    End: true\n"
    assert "Lets time pass." in server.hover("a.fdl.yaml", text)
    text = text.replace(CURSOR, "").replace("Seconds", f"Sec{CURSOR}onds")
    assert "How long: 1 to 300" in server.hover("a.fdl.yaml", text)


# -- validators ------------------------------------------------------------------------------------------------------------

STRICT = """
const Ajv = require('ajv');
const heard = [];
const logger = {log: heard.push.bind(heard), warn: heard.push.bind(heard), error: heard.push.bind(heard)};
const compiled = new Ajv({strict: true, logger}).compile(JSON.parse(require('fs').readFileSync(0)));
console.log(JSON.stringify({heard, empty: compiled({})}));
"""


@pytest.mark.parametrize("name", FILES)
def test_a_schema_passes_the_strict_mode_of_ajv(name: str) -> None:
    try:
        words = [*environments.command("node"), "-e", STRICT]
    except environments.Unavailable as error:
        pytest.skip(str(error))
    done = subprocess.run(words, input=FILES[name], cwd=environments.NODE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"heard": [], "empty": False}
