"""Finding what is written otherwise than it is meant: names of actions and errors, constants, fields that have two spellings.

Compiled, none of it can be seen any more, so this searches the document that a flow was compiled from.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple

from cfmock.base.json_text import Json
from cfmock.base.problems import Path
from cfmock.base.source_marks import Mark
from cfmock.base.suggestions import likely, meant, nearest, shown
from cfmock.base.yaml_source import Document
from cfmock.engine import commands
from cfmock.engine.expr import ExpressionSyntaxError
from cfmock.engine.expr.constructor import SUFFIX
from cfmock.engine.expr.parser import Constant, FunctionCall, Name, Select, parse
from cfmock.engine.flow import Flow
from cfmock.engine.model import ANY_ERROR, Language
from cfmock.protocol.spec.model import load

FUNCTION_ACTION, HTTP_ACTION, FLOW_PRODUCT = "FC:InvokeFunction", "HTTP:Request", "fnf"
_MESSAGE_ACTIONS = ("MNS:SendMessage", "MNS:PublishMessage")

_LENIENT = (FLOW_PRODUCT, "mns")
"""Products that may be written in either case: that of CloudFlow is, of the other the documents say nothing."""

_FLOW_ERRORS = (
    ANY_ERROR, commands.TASK_TIMEOUT, commands.RUNTIME_ERROR, commands.INVALID_LOCAL, commands.INVALID_OUTPUT,
    commands.UNNAMED,
)  # fmt: skip

_FUNCTION_ERRORS = tuple(
    f"FC.{code}"
    for code in (
        "ResourceThrottled", "ResourceExhausted", "InternalServerError", "Unknown", "ServerError", "AccessDenied",
        "ConcurrentUpdateError", "EntityTooLarge", "FunctionAlreadyExists", "FunctionNotFound", "HandledInvocationError",
        "InvalidAccessKeyID", "InvalidArgument", "LimitExceededError", "MethodNotAllowed", "MissingRequiredHeader",
        "PathNotSupported", "PreconditionFailed", "RequestTimeTooSkewed", "ServiceAlreadyExists", "ServiceNotFound",
        "ServiceUnavailable", "SignatureNotMatch", "TriggerNotFound", "UnhandledInvocationError", "UnsupportedMediaType",
    )
)  # fmt: skip
"""Codes of Function Compute with its prefix; there are more."""

_GUESSED = {
    "FC.Throttled": "FC.ResourceThrottled",
    "FC.Throttling": "FC.ResourceThrottled",
    "FC.Exhausted": "FC.ResourceExhausted",
    "FC.InternalError": "FC.InternalServerError",
    "FC.TaskTimeout": commands.TASK_TIMEOUT,
    "FnF.Timeout": commands.TASK_TIMEOUT,
    "FnF.TaskTimedOut": commands.TASK_TIMEOUT,
    "FnF.TaskFailed": ANY_ERROR,
}
"""Names that people make up from memory."""

_NEAR = 0.88  # a letter or two in a name of this length
_PRODUCTS, _NEAR_PRODUCT = ("fc", "fnf"), 0.66  # one letter in these


def near_action(name: str, *, any_case: bool) -> str | None:
    """Return the well-known action that a name was meant as; None if it is one, or like none. With `any_case` products may be
    written in either case, as in the old language."""
    product, _, operation = name.partition(":")
    known = _actions()
    right = known.get(name.casefold())
    if right is not None:
        lenient = any_case or product.casefold() in _LENIENT
        return None if right == name or (lenient and right.partition(":")[2] == operation) else right
    return _nearest(name, known)


def near_error(name: str) -> str | None:
    """Return the well-known error that a name was meant as; None as for actions. Names without a product are those of functions:
    they may be anything."""
    product, dot, code = name.partition(".")
    if not dot:
        return None
    if name in _GUESSED:
        return _GUESSED[name]
    known = _errors()
    right = known.get(name.casefold())
    if right is not None:
        # Codes of the service carry the product as the action writes it: fnf.FlowNotExists, FNF.FlowNotExists.
        written = right == name or (code in load().errors and product.casefold() == FLOW_PRODUCT)
        return None if written else _GUESSED.get(right, right)
    if nearest(product, _PRODUCTS, likeness=_NEAR_PRODUCT) is None:
        return None
    near = _nearest(name, known)
    return _GUESSED.get(near, near) if near is not None else None


@functools.cache
def _actions() -> dict[str, str]:
    names = [FUNCTION_ACTION, HTTP_ACTION, *_MESSAGE_ACTIONS, *(f"FNF:{name}" for name in load().operations)]
    return {name.casefold(): name for name in names}


@functools.cache
def _errors() -> dict[str, str]:
    names = [*_FLOW_ERRORS, *_FUNCTION_ERRORS, *(f"FnF.{code}" for code in load().errors), *_GUESSED]
    return {name.casefold(): name for name in names}


def _nearest(name: str, known: dict[str, str]) -> str | None:
    found = nearest(name, known, likeness=_NEAR)
    return known[found] if found is not None else None


Found = tuple[str, Mark, str]
ROOTS = frozenset(("$Input", "$Output", "$Context", "$Global", "$Item", "$", "$input", "$local", "$context"))
"""Beginnings of paths, in either language."""

_CONSTRUCTORS = (
    "InputConstructor", "OutputConstructor", "GlobalConstructor", "ItemConstructor", "Parameters", "ItemReader", "ResultWriter",
)  # fmt: skip

_PATHS = ("$input", "$local", "$context")
"""Beginnings of sources of mappings that are paths."""

_AMAZON = re.compile(r"\$\$\.\w|States\.[A-Z]\w+\(|\{%.*\$.*%\}\Z", re.DOTALL)
"""Paths to the context, functions, and the other language for expressions of Amazon States Language."""

_ROOT = r"\$?(Input|Output|Context|Global|Item|input|local|context)"
_TEMPLATE = re.compile(rf"\$\{{\s*{_ROOT}\b|\{{\{{\s*{_ROOT}[.\[]")
"""Templates of other languages around a root: `${Input.x}`, `{{ $Input.x }}`."""
_INSIDE = re.compile(r"(?<![\w$\\])\$(Input|Output|Context|Global|Item|input|local|context)(\.\w|\[)")
"""A path inside a text."""

_SPELLINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("", ("MaxConcurrency", "MaxConcuccency")),
    ("ToleratedFailure", ("ToleratedFailureCount", "ToleratedFailedCount")),
    ("ToleratedFailure", ("ToleratedFailurePercentage", "ToleratedFailedPercentage")),
    ("Processor", ("ProcessorConfig",)),
)
"""Of a Map: in which field, beside the Map itself, these may stand, and the names of the same."""


def spelling(flow: Flow, document: Document) -> Iterator[Found]:
    """Find odd spellings in the document of a flow; it has no mistakes, since it was compiled."""
    search: _NewSearch | _OldSearch = (
        _NewSearch(document) if flow.language is Language.STATE_MACHINE else _OldSearch(document)
    )
    return search.findings()


def output_names(flow: Flow, document: Document) -> Iterator[Found]:
    """Find names in `$Output` that are misspelt, in a Map or Parallel, where it is known what can be there."""
    for path, expression in flow.expressions:
        field = next((at for at, part in enumerate(path) if part in ("OutputConstructor", "GlobalConstructor")), None)
        if field is None:
            continue
        state: Any = document.value
        for part in path[:field]:
            state = state[part]
        known = _outputs(state)
        for name in _selected(parse(expression.text, expression.roots).node) if known else ():
            if name not in known and (near := likely(name, known)):
                words = f"the output of '{state['Name']}' has no '{name}'{meant(*near)}"
                yield "CF113", document.mark(path), words


def _outputs(state: Json) -> tuple[str, ...]:
    """Return what the output of a Map or Parallel has; nothing for any other."""
    match state.get("Type"):
        case "Map":
            return ("MapRunName", "ResultWriter") if "ResultWriter" in state else ("Items",)
        case "Parallel" if isinstance(state.get("Branches"), list):  # not parameters that look like one
            return tuple(f"Branch{index}" for index in range(len(state["Branches"])))
    return ()


def _selected(node: Any) -> Iterator[str]:
    """Yield the names that an expression takes from `$Output` itself."""
    if isinstance(node, Select) and node.base == Name("$Output") and isinstance(node.steps[0], str):
        yield node.steps[0]
    for part in astuple(node) if isinstance(node, Struct) else node if isinstance(node, tuple) else ():
        yield from _selected(part)


class _DocumentSearch:
    """The search in one document."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def mark(self, *path: str | int, key: bool = False) -> Mark:
        return self.document.mark(path, key=key)

    def action(self, name: Json, path: Path, *, old: bool) -> Iterator[Found]:
        if isinstance(name, str) and name.startswith("arn:"):
            words = f"{shown(name)} is a resource of Amazon States Language; here an action is for example FC:InvokeFunction"
            yield "CF118", self.mark(*path), words
        elif isinstance(name, str) and (near := near_action(name, any_case=old)) is not None:
            yield "CF113", self.mark(*path), f"there is no action '{name}' (did you mean '{near}'?)"

    def end(self, state: dict[str, Json], path: Path, fields: tuple[str, str]) -> Iterator[Found]:
        """Search the error that a Fail ends with."""
        for field in fields:
            if isinstance(text := state.get(field), str) and looks_computed(text):
                yield "CF114", self.mark(*path, field), f"{shown(text)} is constant text, as '{field}' always is"

    def errors(self, rules: Json, path: Path, field: str) -> Iterator[Found]:
        """Search the lists of errors of Retry or Catch."""
        for number, rule in enumerate(rules or ()):
            for index, name in enumerate(rule[field]):
                mark = self.mark(*path, number, field, index)
                if name.startswith(("States.", "Lambda.")):
                    yield "CF118", mark, f"'{name}' is an error of Amazon States Language{_ERRORS.get(name, '')}"
                elif "*" in name or (name.rpartition(".")[2].casefold() == "all" and name.casefold() != "fnf.all"):
                    yield "CF115", mark, f"'{name}' is not a wildcard: {ANY_ERROR} stands for all errors"
                elif (near := near_error(name)) is not None:
                    yield "CF113", mark, f"there is no error '{name}' (did you mean '{near}'?)"


_ERRORS = {
    "States.ALL": f": here {ANY_ERROR} stands for all errors",
    "States.TaskFailed": f": here {ANY_ERROR} stands for all errors",
    "States.Timeout": ": here it is FnF.TaskTimeout",
    "Lambda.TooManyRequestsException": ": here it is FC.ResourceThrottled",
}


class _NewSearch(_DocumentSearch):
    """In a definition of the new language."""

    def findings(self) -> Iterator[Found]:
        for path, state in _states(self.document.value, ()):
            yield from self.state(state, path)

    def state(self, state: dict[str, Json], path: Path) -> Iterator[Found]:
        type_ = state["Type"]
        if type_ == "Task":
            yield from self.action(state["Action"], (*path, "Action"), old=False)
        if type_ in ("Task", "Parallel", "Map"):
            for field in ("Retry", "Catch"):
                yield from self.errors(state.get(field), (*path, field), "Errors")
            for index, rule in enumerate(state.get("Catch") or ()):
                field = "OutputConstructor"
                yield from self.constants(rule.get(field), (*path, "Catch", index, field), bare=False)
        for field in _CONSTRUCTORS:
            yield from self.constants(state.get(field), (*path, field), bare=False)
        if type_ == "Fail":
            yield from self.end(state, path, ("Code", "Detail"))
        if type_ == "Map":
            yield from self.spellings(state, path)

    def constants(self, value: Json, path: Path, *, bare: bool) -> Iterator[Found]:
        """Constant texts in a constructor that look like expressions. `bare`: below a key with a suffix, where `$` begins one."""
        if isinstance(value, dict):
            for key, part in value.items():
                suffixed = key.endswith(SUFFIX)
                if not suffixed or isinstance(part, dict):
                    yield from self.constants(part, (*path, key), bare=bare or suffixed)
        elif isinstance(value, list):
            for index, part in enumerate(value):
                yield from self.constants(part, (*path, index), bare=bare)
        elif isinstance(value, str) and not (bare and value.startswith("$")) and value != "$" and _computed(value):
            key = next(part for part in reversed(path) if isinstance(part, str))
            yield (
                "CF114",
                self.mark(*path),
                f"{shown(value)} is constant text; an expression goes under '{key}{SUFFIX}'",
            )

    def spellings(self, state: dict[str, Json], path: Path) -> Iterator[Found]:
        """Find a field of a Map under two names or in two places. Of two places the inner one counts."""
        for field, names in _SPELLINGS:
            places = [(inner, (*path, field))] if isinstance(inner := state.get(field), dict) else []
            places.append((state, path))
            given = [(*where, name) for owner, where in places for name in names if owner.get(name) is not None]
            for place in given[1:]:
                first, name = given[0], place[-1]
                if first[-1] != name:
                    words = f"'{name}' is another spelling of '{first[-1]}', which is given, too"
                else:
                    words = f"'{name}' is given in '{field}', too, and that one counts"
                yield "CF116", self.mark(*place, key=True), words


class _OldSearch(_DocumentSearch):
    """In a definition of the old language."""

    def findings(self) -> Iterator[Found]:
        document: Any = self.document.value
        for field in ("inputMappings", "outputMappings"):
            yield from self.mappings(document, field, ())
        for path, step in _steps(document, ()):
            yield from self.step(step, path)

    def step(self, step: dict[str, Json], path: Path) -> Iterator[Found]:
        yield from self.action(step.get("action"), (*path, "action"), old=True)
        for field in ("retry", "catch"):
            yield from self.errors(step.get(field), (*path, field), "errors")
        for field in ("inputMappings", "outputMappings", "errorMappings"):
            yield from self.mappings(step, field, path)
        if step["type"] == "fail":
            yield from self.end(step, path, ("error", "cause"))
        if step["type"] == "foreach":
            for field in ("item", "index"):
                if str(name := step["iterationMapping"].get(field)).startswith("$"):
                    yield self.key(name, (*path, "iterationMapping", field))

    def mappings(self, owner: dict[str, Json], field: str, path: Path) -> Iterator[Found]:
        for index, mapping in enumerate(owner.get(field) or ()):
            place = (*path, field, index)
            target, source = mapping["target"], mapping.get("source")
            if target.startswith("$"):
                yield self.key(target, (*place, "target"))
            if isinstance(source, str) and not source.startswith(_PATHS) and _computed(source):
                words = f"{shown(source)} is constant text; paths begin with {', '.join(_PATHS)}"
                yield "CF114", self.mark(*place, "source"), words

    def key(self, name: str, path: Path) -> Found:
        return "CF114", self.mark(*path), f"{shown(name)} is taken as the name of one key, and not as a path"


def _computed(text: str) -> bool:
    """Return whether a text looks computed, or holds a path: for texts that are not written for people alone."""
    return looks_computed(text) or _INSIDE.search(text) is not None


def looks_computed(text: str) -> bool:
    """Return whether a constant text is a path or an expression of either language, or of Amazon States Language."""
    if _AMAZON.match(text) or _TEMPLATE.search(text):
        return True
    if "$" not in text and "(" not in text:
        return False
    try:
        tree = parse(text, ROOTS)
    except ExpressionSyntaxError:
        return False
    if isinstance(tree.node, Constant):
        return False
    return bool(tree.roots) or isinstance(tree.node, FunctionCall)


def _states(scope: dict[str, Any], path: Path) -> Iterator[tuple[Path, dict[str, Json]]]:
    """Yield all states, outer before inner, with their paths."""
    for index, state in enumerate(scope["States"]):
        place = (*path, "States", index)
        yield place, state
        if state["Type"] == "Parallel":
            for number, branch in enumerate(state["Branches"]):
                yield from _states(branch, (*place, "Branches", number))
        elif state["Type"] == "Map":
            yield from _states(state["Processor"], (*place, "Processor"))


def _steps(scope: dict[str, Any], path: Path) -> Iterator[tuple[Path, dict[str, Json]]]:
    """Yield all steps, outer before inner, with their paths."""
    for index, step in enumerate(scope.get("steps") or ()):
        place = (*path, "steps", index)
        yield place, step
        yield from _steps(step, place)
        for field in ("choices", "branches"):
            for number, inner in enumerate(step.get(field) or ()):
                yield from _steps(inner, (*place, field, number))
        if isinstance(default := step.get("default"), dict):
            yield from _steps(default, (*place, "default"))
