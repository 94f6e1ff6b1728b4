"""Finding what in a definition is allowed and probably not meant. `findings` has the table of codes, `suppressions` the comments
that switch a finding off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from cfmock.base.findings import Finding
from cfmock.base.randomness import Ids
from cfmock.base.yaml_source import Document
from cfmock.base.yaml_source import parse as parse_source
from cfmock.engine.expr import Constructor, Effort, Expression, ExpressionError
from cfmock.engine.expr.parser import Comparison, Constant, FunctionCall, Name, Node, Prefixed, Select
from cfmock.engine.flow import Flow, Unread
from cfmock.engine.model import ANY_ERROR, Catch, ChoiceNode, Language, MapNode, Mode, Retry, Series, TaskNode, edges
from cfmock.engine.model import Node as FlowNode
from cfmock.lint.spelling import Found, nodes, output_names, parts, spelling
from cfmock.lint.suppressions import ignores


def lint(
    flow: Flow,
    *,
    mocked: Callable[[TaskNode], bool] | None = None,
    source: str | None = None,
    document: Document | None = None,
) -> list[Finding]:
    """Find what is allowed in a flow and probably not meant, in the order of its text.

    `mocked` returns whether a task has a mock; without it CF106 finds nothing. `source` is the whole text
    that the flow's places are in, where the definition is only a part of it: comments are looked for there. `document` is
    what the flow was compiled from, if not its text.
    """
    comments = ignores(flow.text if source is None else source)
    written = parse_source(flow.text, flow.mark.file) if document is None else document
    searches = (
        _findings(flow, mocked),
        failing_calls(flow, written),
        spelling(flow, written),
        output_names(flow, written),
    )
    found = {Finding(*each) for search in searches for each in search}
    found |= set(comments.findings(flow.mark.file))
    # A field that is another spelling is named as that, and not as unknown.
    spelt = {finding.mark for finding in found if finding.code == "CF116"}
    found -= {finding for finding in found if finding.code == "CF108" and finding.mark in spelt}
    kept = [finding for finding in found if not comments.cover(finding)]
    return sorted(kept, key=lambda finding: (finding.mark.line, finding.mark.column, finding.code, finding.message))


def _findings(flow: Flow, mocked: Callable[[TaskNode], bool] | None) -> Iterator[Found]:
    if flow.own_name is not None and flow.own_name != flow.name:
        yield "CF107", flow.mark, f"the definition calls itself '{flow.own_name}', its flow is '{flow.name}'"
    for field in flow.unread:
        yield _unread(field)
    yield from _series(flow.series, in_map=False)
    for _, node in flow.walk():
        yield from _shadowed("CF102", "catch", node.catch)
        yield from _shadowed("CF103", "retry", node.retry)
        if isinstance(node, ChoiceNode):
            yield from _choice(node)
    for task in flow.tasks():
        yield from _token(flow, task)
        is_served = task.mode is Mode.CUSTOM_CALLBACK or task.action.casefold() == "fnf:startexecution"
        if mocked is not None and not is_served and not mocked(task):
            yield "CF106", task.mark, f"task '{task.name}' ({task.action}) has no mock"


def _unread(field: Unread) -> Found:
    if field.foreign:
        return "CF118", field.mark, field.foreign
    if field.owner == "Fail" and field.name in ("Code.$", "Detail.$"):
        return "CF117", field.mark, f"'{field.name}' has no effect: {field.name[:-2]} of a Fail is constant"
    return "CF108", field.mark, f"unknown field '{field.name}'{field.near}"


# -- order -------------------------------------------------------------------------------------------------------------


def _series(series: Series, *, in_map: bool) -> Iterator[Found]:
    onward = {name: [edge.target for edge in edges(node)] for name, node in series.nodes.items()}
    reached = _reached([series.start], onward)
    back: dict[str, list[str]] = {name: [] for name in series.nodes}
    for name, targets in onward.items():
        for target in targets:
            back[target].append(name)
    ending = _reached([node.name for node in series.nodes.values() if _may_end(node)], back)
    for name, node in series.nodes.items():
        if name not in reached:
            yield "CF101", node.mark, f"state '{name}' cannot be reached"
        elif name not in ending:
            yield "CF111", node.mark, f"no path leads from state '{name}' to an end"
        if in_map and getattr(node.data, "globals", None) is not None:
            yield "CF112", node.mark, f"state '{name}' writes global variables inside a map"
        for inner in node.inner:
            yield from _series(inner, in_map=in_map or (isinstance(node, MapNode) and node.distributed is None))


def _reached(starts: Iterable[str], ways: dict[str, list[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += ways[name]
    return reached


def _may_end(node: FlowNode) -> bool:
    if node.next is not None or not isinstance(node, ChoiceNode):
        return node.next is None
    return node.default is None or any(option.next is None for option in node.all_options)


# -- rules and branches ------------------------------------------------------------------------------------------------


def _shadowed(code: str, what: str, rules: Sequence[Catch | Retry]) -> Iterator[Found]:
    before: set[str] = set()
    for rule in rules:
        if ANY_ERROR in before or (rule.errors and before.issuperset(rule.errors)):
            taken = ANY_ERROR if ANY_ERROR in before else ", ".join(rule.errors)
            yield code, rule.mark, f"this {what} rule is never used: an earlier one takes {taken}"
        before.update(rule.errors)


def _choice(node: ChoiceNode) -> Iterator[Found]:
    seen: list[Node] = []
    always: str | None = None
    for option in node.options:
        if option.condition is None:
            continue
        condition = option.condition.tree
        text = option.condition.text
        if always is not None:
            yield "CF105", option.mark, f"never taken: {always} comes before it"
        elif condition == Constant(False):
            yield "CF105", option.mark, f"never taken: {text} is never true"
        elif condition in seen:
            yield "CF105", option.mark, f"never taken: an earlier branch has the same condition, {text}"
        elif condition == Constant(True) or any(_opposite(condition, other) for other in seen):
            always = text
        seen.append(condition)
    if always is not None and node.default is not None:
        yield "CF104", node.default.mark, f"the default of '{node.name}' is never taken: {always} comes before it"


_OPPOSITES = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def _opposite(one: Node, other: Node) -> bool:
    """Return whether exactly one of two conditions is true, whatever the data (or evaluating them fails)."""
    if one == Prefixed("!", other) or other == Prefixed("!", one):
        return True
    if isinstance(one, Comparison) and isinstance(other, Comparison):
        same = (one.left, one.right) == (other.left, other.right)
        return same and _OPPOSITES.get(one.operator) == other.operator
    return False


# -- tokens ------------------------------------------------------------------------------------------------------------


def _token(flow: Flow, task: TaskNode) -> Iterator[Found]:
    waits = task.mode is Mode.CUSTOM_CALLBACK
    passes = any(_names_token(flow, expression.tree) for expression in _expressions(flow, task))
    wait, token = _TO_WAIT[flow.language]
    if passes and not waits:
        yield "CF109", task.mark, f"task '{task.name}' passes its token on but does not wait for a report: set {wait}"
    if waits and not passes:
        yield "CF110", task.mark, f"task '{task.name}' waits for a report, but does not pass its token on: put {token}"


_TO_WAIT = {
    Language.STATE_MACHINE: ("TaskMode: WaitForCustomCallback", "$Context.Current.TaskToken in its Parameters"),
    Language.LEGACY: ("pattern: waitForCallback", "$context.task.token in its inputMappings"),
}


def _expressions(flow: Flow, task: TaskNode) -> Iterator[Expression]:
    """Find the expressions of which the data that the task sends are made."""
    data: Any = task.data
    if flow.language is Language.STATE_MACHINE:
        for constructor in (data.parameters, data.input):
            if isinstance(constructor, Constructor):
                yield from constructor.expressions
        return
    for _, constructor in data.parameters:
        yield from constructor.expressions
    yield from (source for _, source in data.input or () if isinstance(source, Expression))


_TOKENS = {
    Language.STATE_MACHINE: ("$Context", ("Current", "TaskToken")),
    Language.LEGACY: ("$context", ("task", "token")),
}


def _names_token(flow: Flow, node: Any) -> bool:
    """Return whether the token is in the value of an expression: it is named, or something that holds it."""
    root, steps = _TOKENS[flow.language]
    if isinstance(node, Name):
        return node.name == root
    if isinstance(node, Select) and isinstance(node.base, Name):
        return node.base.name == root and steps[: len(node.steps)] == node.steps[: len(steps)]
    return any(_names_token(flow, part) for part in parts(node))


_DECISIVE = frozenset({("format", "template"), ("get", "container"), ("get", "key"), ("hash", "algorithm")})
"""Parameters on whose value it depends whether the others will do: unless it is a constant, nothing is known of the call."""
_STAND_INS: tuple[Any, ...] = ("", [], {}, 0)
"""Values by type for the other parameters, where only data say what comes."""


def failing_calls(flow: Flow, document: Document) -> Iterator[Found]:
    """Yield the calls that fail whatever the data are, each with the place of its expression and why."""
    for path, expression in flow.expressions:
        for call in nodes(expression.tree):
            if isinstance(call, FunctionCall) and (arguments := _arguments(call)) is not None:
                try:
                    call.function.call(arguments, Effort(Ids(0)))
                except ExpressionError as error:
                    yield "CF120", document.mark(path), f"this call always fails: {error.message}"


def _arguments(call: FunctionCall) -> list[Any] | None:
    """Arguments of a call that stand for any others, as far as its constants go. None: it has too few of these."""
    if not any(isinstance(argument, Constant) for argument in call.arguments):
        return None
    parameters, found = call.function.parameters, []
    for index, argument in enumerate(call.arguments):
        name, accepts = parameters[min(index, len(parameters) - 1)]
        if isinstance(argument, Constant):
            found.append(argument.value)
        elif (call.function.name, name) in _DECISIVE:
            return None
        else:
            found.append(next(value for value in _STAND_INS if type(value) in accepts))
    return found
