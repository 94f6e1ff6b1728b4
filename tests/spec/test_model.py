"""The tables: complete, consistent, and what the code does is what they say."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import cfmock
from cfmock.service.dispatch import HANDLERS
from cfmock.spec import model

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


@pytest.mark.parametrize(
    ("name", "python"),
    [("FlowName", "flow_name"), ("CallbackFnFTaskToken", "callback_fnf_task_token"), ("Name", "name")],
)
def test_python_names(name: str, python: str) -> None:
    assert model.python_name(name) == python
