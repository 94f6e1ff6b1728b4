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
    known = _known_actions()
    right = known.get(name.casefold())
    if right is not None:
        lenient = any_case or product.casefold() in _LENIENT
        return None if right == name or (lenient and right.partition(":")[2] == operation) else right
    return _nearest(name, known)


def near_error(name: str) -> str | None:
    """Return the well-known error that a name was meant as; None as for actions. Names without a product are those of functions:
    they may be anything."""
    product, dot, code = name.partition(".")
    known = _known_errors()
    right = known.get(name.casefold()) if dot else None
    if right is not None:
        # Codes of the service carry the product as the action writes it: fnf.FlowNotExists, FNF.FlowNotExists.
        written = right == name or (code in load().errors and product.casefold() == FLOW_PRODUCT)
        return None if written else right
    if not dot or nearest(product, _PRODUCTS, likeness=_NEAR_PRODUCT) is None:
        return None
    return _nearest(name, known)


@functools.cache
def _known_actions() -> dict[str, str]:
    names = [FUNCTION_ACTION, HTTP_ACTION, *_MESSAGE_ACTIONS, *(f"FNF:{name}" for name in load().operations)]
    return {name.casefold(): name for name in names}


@functools.cache
def _known_errors() -> dict[str, str]:
    names = [*_FLOW_ERRORS, *_FUNCTION_ERRORS, *(f"FnF.{code}" for code in load().errors), *_GUESSED]
    return {name.casefold(): _GUESSED.get(name, name) for name in names}


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
    search = _states if flow.language is Language.STATE_MACHINE else _steps
    for code, path, words in search(document.value):
        yield code, document.mark(path, key=code == "CF116"), words


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
        for node in nodes(expression.tree) if known else ():
            name = node.steps[0] if isinstance(node, Select) and node.base == Name("$Output") else None
            if isinstance(name, str) and name not in known and (near := likely(name, known)):
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


def parts(node: Any) -> tuple[Any, ...]:
    """Return what a node of an expression, or a tuple of some, is made of."""
    if isinstance(node, Struct):
        return astuple(node)
    return node if isinstance(node, tuple) else ()


def nodes(node: Any) -> Iterator[Any]:
    """Yield a node of an expression, and all below it, outer before inner."""
    yield node
    for part in parts(node):
        yield from nodes(part)


Odd = tuple[str, Path, str]
"""A code, the place in the document, and the words."""


def _action(name: Json, path: Path, *, old: bool) -> Iterator[Odd]:
    if isinstance(name, str) and name.startswith("arn:"):
        words = (
            f"{shown(name)} is a resource of Amazon States Language; here an action is for example FC:InvokeFunction"
        )
        yield "CF118", path, words
    elif isinstance(name, str) and (near := near_action(name, any_case=old)) is not None:
        yield "CF113", path, f"there is no action '{name}' (did you mean '{near}'?)"


def _end(state: dict[str, Json], path: Path, fields: tuple[str, str]) -> Iterator[Odd]:
    """Search the error that a Fail ends with."""
    for field in fields:
        if isinstance(text := state.get(field), str) and looks_computed(text):
            yield "CF114", (*path, field), f"{shown(text)} is constant text, as '{field}' always is"


def _errors(rules: Json, path: Path, field: str) -> Iterator[Odd]:
    """Search the lists of errors of Retry or Catch."""
    for number, rule in enumerate(rules or ()):
        for index, name in enumerate(rule[field]):
            place = (*path, number, field, index)
            if name.startswith(("States.", "Lambda.")):
                yield "CF118", place, f"'{name}' is an error of Amazon States Language{_ERRORS.get(name, '')}"
            elif "*" in name or (name.rpartition(".")[2].casefold() == "all" and name.casefold() != "fnf.all"):
                yield "CF115", place, f"'{name}' is not a wildcard: {ANY_ERROR} stands for all errors"
            elif (near := near_error(name)) is not None:
                yield "CF113", place, f"there is no error '{name}' (did you mean '{near}'?)"


_ERRORS = {
    "States.ALL": f": here {ANY_ERROR} stands for all errors",
    "States.TaskFailed": f": here {ANY_ERROR} stands for all errors",
    "States.Timeout": ": here it is FnF.TaskTimeout",
    "Lambda.TooManyRequestsException": ": here it is FC.ResourceThrottled",
}


def _states(scope: dict[str, Any], path: Path = ()) -> Iterator[Odd]:
    """Search all states, outer before inner."""
    for index, state in enumerate(scope["States"]):
        place = (*path, "States", index)
        yield from _state(state, place)
        if state["Type"] == "Parallel":
            for number, branch in enumerate(state["Branches"]):
                yield from _states(branch, (*place, "Branches", number))
        elif state["Type"] == "Map":
            yield from _states(state["Processor"], (*place, "Processor"))


def _state(state: dict[str, Json], path: Path) -> Iterator[Odd]:
    type_ = state["Type"]
    if type_ == "Task":
        yield from _action(state["Action"], (*path, "Action"), old=False)
    if type_ in ("Task", "Parallel", "Map"):
        for field in ("Retry", "Catch"):
            yield from _errors(state.get(field), (*path, field), "Errors")
        for index, rule in enumerate(state.get("Catch") or ()):
            yield from _constants(rule.get("OutputConstructor"), (*path, "Catch", index, "OutputConstructor"))
    for field in _CONSTRUCTORS:
        yield from _constants(state.get(field), (*path, field))
    if type_ == "Fail":
        yield from _end(state, path, ("Code", "Detail"))
    if type_ == "Map":
        yield from _spellings(state, path)


def _constants(value: Json, path: Path, *, bare: bool = False) -> Iterator[Odd]:
    """Constant texts in a constructor that look like expressions. `bare`: below a key with a suffix, where `$` begins one."""
    if isinstance(value, dict):
        for key, part in value.items():
            suffixed = key.endswith(SUFFIX)
            if not suffixed or isinstance(part, dict):
                yield from _constants(part, (*path, key), bare=bare or suffixed)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _constants(part, (*path, index), bare=bare)
    elif isinstance(value, str) and not (bare and value.startswith("$")) and value != "$" and _computed(value):
        key = next(part for part in reversed(path) if isinstance(part, str))
        yield "CF114", path, f"{shown(value)} is constant text; an expression goes under '{key}{SUFFIX}'"


def _spellings(state: dict[str, Json], path: Path) -> Iterator[Odd]:
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
            yield "CF116", place, words


def _steps(scope: dict[str, Any], path: Path = ()) -> Iterator[Odd]:
    """Search all steps, outer before inner, and the mappings of the whole."""
    for field in () if path else ("inputMappings", "outputMappings"):
        yield from _mappings(scope, field, path)
    for index, step in enumerate(scope.get("steps") or ()):
        place = (*path, "steps", index)
        yield from _step(step, place)
        yield from _steps(step, place)
    for field in ("choices", "branches"):
        for number, inner in enumerate(scope.get(field) or ()):
            yield from _steps(inner, (*path, field, number))
    if isinstance(default := scope.get("default"), dict):
        yield from _steps(default, (*path, "default"))


def _step(step: dict[str, Json], path: Path) -> Iterator[Odd]:
    yield from _action(step.get("action"), (*path, "action"), old=True)
    for field in ("retry", "catch"):
        yield from _errors(step.get(field), (*path, field), "errors")
    for field in ("inputMappings", "outputMappings", "errorMappings"):
        yield from _mappings(step, field, path)
    if step["type"] == "fail":
        yield from _end(step, path, ("error", "cause"))
    if step["type"] == "foreach":
        for field in ("item", "index"):
            if str(name := step["iterationMapping"].get(field)).startswith("$"):
                yield _key(name, (*path, "iterationMapping", field))


def _mappings(owner: dict[str, Json], field: str, path: Path) -> Iterator[Odd]:
    for index, mapping in enumerate(owner.get(field) or ()):
        place = (*path, field, index)
        target, source = mapping["target"], mapping.get("source")
        if target.startswith("$"):
            yield _key(target, (*place, "target"))
        if isinstance(source, str) and not source.startswith(_PATHS) and _computed(source):
            words = f"{shown(source)} is constant text; paths begin with {', '.join(_PATHS)}"
            yield "CF114", (*place, "source"), words


def _key(name: str, path: Path) -> Odd:
    return "CF114", path, f"{shown(name)} is taken as the name of one key, and not as a path"


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
        tree, roots, _ = parse(text, ROOTS)
    except ExpressionSyntaxError:
        return False
    return not isinstance(tree, Constant) and (bool(roots) or isinstance(tree, FunctionCall))
