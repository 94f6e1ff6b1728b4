"""The schema of definitions and their readers agree: what a reader takes is valid, and what it refuses is not, wherever a
schema can say why."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from cfmock.base import yaml_source
from cfmock.base.errors import DefinitionError, SourceError
from cfmock.base.source_marks import path_text
from cfmock.engine.languages import compile_definition, definition_schema
from cfmock.fixtures import editor_schema
from cfmock.fixtures.loader import load
from cfmock.fixtures.sources import Given
from tests.support.lab import HEADS, text_of

ROOT = Path(__file__).parents[3]
CASES = Path(__file__).parents[1] / "cases"

UNSAYABLE = re.compile(
    r"there is no (state|step) '[^']|there is another (state|step) named|\n    |"  # names, and the syntax of expressions
    r"both '.*' and '.*\.\$' are given|both 'Next' and 'End' are given|nested more than|from 1 to 20, not"
)
"""What a schema has no words for: one place compared with another, the inside of a text; and express flows, of which it does not
know."""


def schema() -> Any:
    return json.loads(definition_schema())


def definitions() -> Iterator[Any]:
    for path in sorted(CASES.rglob("*.yaml")):
        document = yaml_source.parse(path.read_text(encoding="utf-8"), path.name)
        if isinstance(document.value, dict):
            yield pytest.param(document.value["definition"], id=f"{path.relative_to(CASES)}")
            continue
        for index, case in enumerate(document.value):
            if not HEADS.keys().isdisjoint(case):
                yield pytest.param(text_of(case), id=f"{path.relative_to(CASES)}:{document.mark([index]).line}")
    for flow in load([ROOT / "fixtures"]).flows:
        yield pytest.param(flow.definition, id=flow.name)


def differences(value: Any) -> str:
    """What the one finds where the other finds nothing."""
    problems = []
    try:
        compile_definition(Given("<mapping>", "", value))
    except DefinitionError as error:
        problems = [problem.message for problem in error.problems]
    sayable = [problem for problem in problems if not UNSAYABLE.search(problem)]
    found = [f"{list(error.instance_path)}: {error.message}" for error in VALIDATOR.iter_errors(value)]
    return "" if bool(found) == bool(sayable) else f"the schema: {found}, the reader: {problems}"


VALIDATOR = jsonschema_rs.Draft7Validator(schema())


@pytest.mark.parametrize("text", list(definitions()))
def test_schema_and_reader_agree(text: str) -> None:
    try:
        value = yaml_source.parse(text).value
    except SourceError:
        return  # nothing to validate
    assert not differences(value)


# Every field of both languages.
STATE_MACHINE = """
Type: StateMachine
SpecVersion: v1
Name: all
Description: d
StartAt: Pass
States:
  - Type: Pass
    Name: Pass
    InputConstructor: {a.$: $Input.a}
    OutputConstructor: {b: [1]}
    GlobalConstructor: {c: 1}
    Next: Task
  - Type: Task
    Name: Task
    Description: d
    Action: FC:InvokeFunction
    TaskMode: WaitForCustomCallback
    Parameters: {body: {token.$: $Context.Current.TaskToken}}
    Timeout: 60
    Retry: [{Description: d, Errors: [A], MaxAttempts: 3, IntervalSeconds: 1, BackoffRate: 1.5, MaxBackoffSeconds: 9}]
    Catch: [{Description: d, Errors: [FnF.ALL], Next: Fail, OutputConstructor: {e: 1}}]
    Next: Choice
  - Type: Choice
    Name: Choice
    InputConstructor: {a.$: $Input.a}
    Branches: [{Condition: $Input.a > 1, Next: Parallel}]
    Default: Map
  - Type: Parallel
    Name: Parallel
    Branches: [{StartAt: X, States: [{Type: Wait, Name: X, Seconds: 5, End: true}]}]
    End: true
  - Type: Map
    Name: Map
    ItemsPath: $Input.l
    MaxConcurrency: 2
    Processor: {StartAt: X, States: [{Type: Succeed, Name: X}]}
    Next: Far
  - Type: Map
    Name: Far
    ItemReader: {bucket: b}
    ItemConstructor: {i.$: $Item}
    ItemBatcher: {MaxItemsPerBatch: 10}
    MaxItems: {MaxItems: 100}
    ToleratedFailure: {ToleratedFailureCount: 1, ToleratedFailedPercentage: 1.5}
    ResultWriter: {bucket: b}
    Processor:
      ProcessorConfig: {ExecutionMode: Express}
      StartAt: X
      States: [{Type: Wait, Name: X, Seconds.$: $Input.s, Next: Y}, {Type: Succeed, Name: Y}]
    Next: Fail
  - {Type: Fail, Name: Fail, Code: C, Detail: d}
"""
LEGACY = """
type: flow
version: v1
name: all
description: d
timeoutSeconds: 60
inputMappings: [{target: a, source: $input.a}]
outputMappings: [{target: a, source: 1}]
steps:
  - type: task
    name: task
    description: d
    resourceArn: acs:fc:::services/s/functions/f
    pattern: waitForCallback
    serviceParams: {body: {token: $context.task.token}}
    timeoutSeconds: 60
    inputMappings: [{target: a, source: $input.a}]
    errorMappings: [{target: e, source: $local.error}]
    retry: [{description: d, errors: [A], maxAttempts: 1, intervalSeconds: 1.5, multiplier: 1.5, maxIntervalSeconds: 5}]
    catch: [{description: d, errors: [FnF.ALL], goto: fail}]
  - {type: task, name: other, action: "ocr:Read", end: true}
  - {type: pass, name: pass, outputMappings: [{target: a, source: $local.a}]}
  - type: choice
    name: choice
    choices: [{condition: $.a > 1, steps: [{type: pass, name: p1}], goto: wait}]
    default: {steps: [{type: pass, name: p2}], goto: wait}
  - {type: parallel, name: parallel, branches: [{steps: [{type: pass, name: p3}]}]}
  - type: foreach
    name: foreach
    iterationMapping: {collection: $.l, item: i, index: n}
    steps: [{type: wait, name: until, timestamp: "2024-01-01T00:00:00Z"}]
  - {type: wait, name: wait, duration: 1.5}
  - {type: succeed, name: succeed}
  - {type: fail, name: fail, error: E, cause: c}
"""
DELETED = object()
OTHERS = (DELETED, None, "", "x", "$Input.x", "3", -1, 0.5, 10**9, True, [], [{}], {"a.$": 1})


@pytest.mark.parametrize("text", [pytest.param(STATE_MACHINE, id="StateMachine"), pytest.param(LEGACY, id="flow")])
def test_they_agree_whatever_stands_in_the_place_of_a_value(text: str) -> None:
    value = yaml_source.parse(text).value
    assert not differences(value)
    for path in list(paths(value)):
        for other in OTHERS:
            changed = with_other(value, path, other)
            found = differences(changed)
            assert not found, f"{path_text(path)}: {'deleted' if other is DELETED else json.dumps(other)}: {found}"


def test_they_agree_on_fields_that_there_are_not() -> None:
    for text in (STATE_MACHINE, LEGACY):
        value = yaml_source.parse(text).value
        for path in list(paths(value)):
            if isinstance(at(value, path), dict):
                changed = with_other(value, (*path, "unknwon"), 1)
                assert not differences(changed), path_text(path)


# -- what editors need ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [schema, editor_schema.schema], ids=["definitions", "fixtures"])
def test_every_branch_has_a_title_and_a_type(make: Callable[[], Any]) -> None:
    whole = make()
    branches = [branch for node in nodes(whole) for word in ("oneOf", "anyOf") for branch in node.get(word, ())]
    assert len(branches) > 50
    for branch in branches:
        named = whole["definitions"][branch["$ref"].rpartition("/")[2]] if "$ref" in branch else branch
        assert {"title", "type"} <= named.keys(), branch


@pytest.mark.parametrize("make", [schema, editor_schema.schema], ids=["definitions", "fixtures"])
def test_what_editors_insert_may_stand_there(make: Callable[[], Any]) -> None:
    whole = make()
    shown = 0
    for node in nodes(whole):
        for value in [*node.get("examples", ()), *([node["default"]] if "default" in node else [])]:
            part = {key: each for key, each in node.items() if key not in ("examples", "default")}
            jsonschema_rs.Draft7Validator({**part, "definitions": whole["definitions"]}).validate(value)
            shown += 1
    assert shown > 60


@pytest.mark.parametrize("make", [schema, editor_schema.schema], ids=["definitions", "fixtures"])
def test_only_keywords_of_the_draft_are_used(make: Callable[[], Any]) -> None:
    assert set().union(*nodes(make())) <= DRAFT_7


def test_every_field_is_described() -> None:
    whole = schema()
    fields = [(key, part) for node in nodes(whole) for key, part in node.get("properties", {}).items()]
    offered = [
        (key, part) for key, part in fields if {"examples", "default"} & set(part if isinstance(part, dict) else ())
    ]
    assert len(offered) > 50
    for key, part in offered:
        assert part.get("description"), key


DRAFT_7 = {
    "$ref", "$schema", "additionalProperties", "allOf", "anyOf", "const", "default", "definitions", "description", "else",
    "enum", "examples", "if", "items", "maxItems", "maximum", "minItems", "minLength", "minimum", "not", "oneOf", "pattern",
    "patternProperties", "properties", "required", "then", "title", "type",
}  # fmt: skip


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Each schema in a schema that says what may stand there; editors offer nothing of what may not (`not`)."""
    if isinstance(node, list):
        for part in node:
            yield from nodes(part)
    elif isinstance(node, dict):
        yield node
        for key, part in node.items():
            if key in ("properties", "patternProperties", "definitions"):
                yield from nodes(list(part.values()))
            elif key not in ("default", "examples", "enum", "const", "required", "type", "not"):
                yield from nodes(part)


Path_ = tuple["str | int", ...]


def paths(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from paths(part, (*path, key))


def at(value: Any, path: Path_) -> Any:
    for part in path:
        value = value[part]
    return value


def with_other(value: Any, path: Path_, other: Any) -> Any:
    copied = copy.deepcopy(value)
    *above, last = path
    holder = at(copied, tuple(above))
    if other is DELETED:
        del holder[last]
    else:
        holder[last] = other
    return copied
