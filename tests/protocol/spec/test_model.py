"""The tables: complete, consistent, and what the code does is what they say."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import cfmock
from cfmock.protocol.spec import model
from cfmock.service.dispatch import HANDLERS
from tests.support import docs

SPEC = model.load()
PACKAGE = Path(cfmock.__file__).parent
NOT_RAISED = {"InternalServerError", "ConcurrentUpdateError", "PreconditionFailed"}
"""Codes that only a fault, or a bug of ours, brings about."""


def test_all_operations_and_codes_are_there() -> None:
    assert len(SPEC.operations) == 29
    assert len(SPEC.errors) == 23


@pytest.mark.parametrize("operation", SPEC.operations.values(), ids=lambda operation: operation.name)
def test_an_operation_has_a_handler_that_takes_its_parameters(operation: model.Operation) -> None:
    handler = HANDLERS[operation.name]
    taken = [each for each in inspect.signature(handler).parameters.values() if each.kind is each.KEYWORD_ONLY]
    wanted = {parameter.python_name: parameter for parameter in operation.parameters.values()}
    assert {each.name for each in taken} == wanted.keys()
    for each in taken:
        parameter = wanted[each.name]
        assert (each.default is each.empty) == parameter.required, f"{each.name}: required in the table or optional?"


def test_every_code_is_raised_somewhere_or_comes_by_faults_only() -> None:
    named = {
        node.value
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert SPEC.errors.keys() - named <= NOT_RAISED
    for code in NOT_RAISED:
        assert SPEC.errors[code].how.startswith("only by a fault")


@pytest.mark.parametrize("entry", SPEC.errors.values(), ids=lambda entry: entry.code)
def test_a_message_takes_its_arguments(entry: model.ErrorEntry) -> None:
    message = entry.render(tuple(f"<{name}>" for name in entry.args))
    assert "%s" not in message
    assert all(f"<{name}>" in message for name in entry.args)
    with pytest.raises(ValueError, match="arguments"):
        entry.render((*entry.args, "more"))


TYPES = {"string", "integer", "boolean", "number"}
FORMATS = {
    None, "name", "json-object", "json-array", "time", "token", "definition", "cron", "integer", "version", "qualifier",
}  # fmt: skip


@pytest.mark.parametrize("operation", SPEC.operations.values(), ids=lambda operation: operation.name)
def test_an_operation_names_what_there_is(operation: model.Operation) -> None:
    assert set(operation.errors) <= SPEC.errors.keys()
    inferred, response = (docs.OPERATIONS[operation.name].get(key, ()) for key in ("inferred_errors", "response"))
    assert inferred == "all" or set(inferred) <= set(operation.errors)
    assert "RequestId" in response
    assert "Code" not in response
    parameters = operation.parameters.values()
    assert {each.type for each in parameters} <= TYPES
    assert {each.format for each in parameters} <= FORMATS


@pytest.mark.parametrize(
    ("name", "python"),
    [("FlowName", "flow_name"), ("CallbackFnFTaskToken", "callback_fnf_task_token"), ("Name", "name")],
)
def test_python_names(name: str, python: str) -> None:
    assert model.python_name(name) == python


def known() -> Iterator[tuple[str, str, str, str]]:
    """Operation, kind, name and evidence of everything in the tables of operations."""

    def within(fields: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
        for name, field in fields.items():
            yield above + name, field.get("evidence", "documented")
            yield from within(field.get("fields", {}), f"{above}{name}{'[]' if field['type'] == 'array' else ''}.")

    for operation in SPEC.operations.values():
        for parameter in operation.parameters.values():
            yield operation.name, "parameters", parameter.name, parameter.evidence
        for name, evidence in within(docs.OPERATIONS[operation.name]["response"]):
            yield operation.name, "response", name, evidence
        for code in operation.errors:
            yield operation.name, "errors", code, docs.evidence_of(operation.name, code)


def test_everything_says_first_in_one_of_four_words_how_it_is_known() -> None:
    entries = [(entry.code, entry.evidence) for entry in (*SPEC.errors.values(), *SPEC.gateway.values())]
    entries += [(f"{operation} {name}", evidence) for operation, _, name, evidence in known()]
    assert len(entries) > 500
    assert [entry for entry in entries if not entry[1].startswith(model.EVIDENCE)] == []


def test_the_table_of_fidelity_has_each_thing_once_with_how_it_is_known() -> None:
    shown, operation = [], ""
    for line in docs.fidelity("").splitlines()[2:]:
        label, what, names, evidence = (
            line.strip("| ").split(" | ") if line[2] == "`" else ["", *line.strip("| ").split(" | ")]
        )
        operation = label.strip("`") or operation
        shown += [(operation, what, name, evidence) for name in re.findall(r"`([^`]+)`", names)]
    assert shown == sorted(set(shown), key=shown.index)
    assert set(shown) == set(known())


def test_start_execution_has_the_fifteen_codes_that_its_page_documents() -> None:
    operation = SPEC.operations["StartExecution"]
    assert len(operation.errors) == 15
    assert {docs.evidence_of(operation.name, code) for code in operation.errors} == {"documented"}


def test_a_name_is_held_to_its_pattern_alone() -> None:
    """`wire.params.coerce` looks at a name that fits no further."""
    names = [
        each
        for operation in model.load().operations.values()
        for each in operation.parameters.values()
        if each.format == "name"
    ]
    assert names
    for name in names:
        more = name.enum, name.tolerated, name.minimum, name.maximum, name.min_length, name.max_length
        assert (name.type, *more) == ("string", (), (), None, None, None, None), name
