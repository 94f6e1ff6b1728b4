"""What in a definition is allowed and probably not meant: findings with codes, for `cfmock check`.

`RULES` is the list of codes with what each means; a finding is switched off by a comment on its line or on the line
above: `# cfmock: ignore[CF101]`, `# cfmock: ignore[CF101, CF106]`, or `# cfmock: ignore` for all.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cfmock.engine.expr import Constructor, Expression
from cfmock.engine.expr.parser import Comparison, Constant, Name, Node, Prefixed, Select, parse
from cfmock.engine.model import (
    ANY_ERROR,
    Catch,
    ChoiceNode,
    Flow,
    Language,
    MapNode,
    Mode,
    Option,
    Retry,
    Series,
    TaskNode,
    edges,
)
from cfmock.engine.model import Node as FlowNode
from cfmock.errors import Mark


class Severity(enum.Enum):
    """How sure it is that something is wrong."""

    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Rule:
    """One code: what it finds, and why that matters."""

    code: str
    severity: Severity
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found, and where."""

    code: str
    mark: Mark
    message: str
    severity: Severity

    def __str__(self) -> str:
        return f"{self.mark}: {self.code}: {self.message}"


_WARNING, _NOTE = Severity.WARNING, Severity.NOTE

RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in (
        Rule("CF101", _WARNING, "unreachable state", "No way leads from the start of its scope to this state."),
        Rule("CF102", _WARNING, "shadowed catch", "Rules before this one take every error that it names."),
        Rule("CF103", _WARNING, "shadowed retry", "Only the first rule that names an error is used for it."),
        Rule("CF104", _WARNING, "default never taken", "One of the branches of the choice is always true."),
        Rule("CF105", _WARNING, "branch never taken", "Its condition is never true when it is asked."),
        Rule(
            "CF106",
            _WARNING,
            "task without a mock",
            "Offline nothing answers it; `unmocked_tasks` decides what it gives.",
        ),
        Rule("CF107", _WARNING, "name differs", "The Name in a definition must equal the name of its flow."),
        Rule("CF108", _WARNING, "unknown field", "No rule of the language reads this field: it has no effect."),
        Rule("CF109", _WARNING, "token nobody waits for", "It is passed on by a task that does not wait for a report."),
        Rule("CF110", _WARNING, "token nobody knows", "The task waits for a report, but passes its token to nobody."),
        Rule("CF111", _WARNING, "no way out", "From this state no way leads to an end of its scope."),
        Rule("CF112", _NOTE, "global variables in a map", "Iterations that run at once overwrite one another's."),
    )
}


def lint(flow: Flow, *, mocked: Callable[[TaskNode], bool] | None = None, source: str | None = None) -> list[Finding]:
    """What is found in a flow, in the order of its text.

    `mocked` tells whether a task has a mock; without it nobody knows, and CF106 finds nothing. `source` is the whole text
    that the flow's places are in, where the definition is only a part of it: comments are looked for there.
    """
    found = {Finding(code, mark, message, RULES[code].severity) for code, mark, message in _findings(flow, mocked)}
    lines = (flow.text if source is None else source).splitlines()
    kept = [finding for finding in found if not _ignored(finding, lines)]
    return sorted(kept, key=lambda finding: (finding.mark.line, finding.mark.column, finding.code, finding.message))


Found = tuple[str, Mark, str]


def _findings(flow: Flow, mocked: Callable[[TaskNode], bool] | None) -> Iterator[Found]:
    if flow.own_name is not None and flow.own_name != flow.name:
        yield "CF107", flow.mark, f"the definition calls itself '{flow.own_name}', its flow is '{flow.name}'"
    for field in flow.unread:
        yield "CF108", field.mark, f"unknown field '{field.name}'{field.near}"
    yield from _series(flow.series, in_map=False)
    for node in flow.walk():
        yield from _node(flow, node[1])
    for task in flow.tasks():
        yield from _token(flow, task)
        if mocked is not None and task.mode is not Mode.CUSTOM_CALLBACK and not _starts_flow(task) and not mocked(task):
            yield "CF106", task.mark, f"task '{task.name}' ({task.action}) has no mock"


def _starts_flow(task: TaskNode) -> bool:
    return task.action.casefold() == "fnf:startexecution"


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
            yield "CF111", node.mark, f"no way leads from state '{name}' to an end"
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
    if isinstance(node, ChoiceNode):
        ways: Sequence[Option | None] = node.all_options if node.default is not None else (*node.options, None)
        return any((way.next if way is not None else None) is None and node.next is None for way in ways)
    return node.next is None


# -- rules and branches ------------------------------------------------------------------------------------------------


def _node(flow: Flow, node: FlowNode) -> Iterator[Found]:
    yield from _shadowed("CF102", "catch", node.catch)
    yield from _shadowed("CF103", "retry", node.retry)
    if isinstance(node, ChoiceNode):
        yield from _choice(node)


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
        condition = _tree(option.condition)
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


def _tree(condition: Expression) -> Node:
    return parse(condition.text, condition.roots).node


_OPPOSITES = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def _opposite(one: Node, other: Node) -> bool:
    """Whether exactly one of two conditions is true, whatever the data (or evaluating them fails)."""
    if one == Prefixed("!", other) or other == Prefixed("!", one):
        return True
    if isinstance(one, Comparison) and isinstance(other, Comparison):
        same = (one.left, one.right) == (other.left, other.right)
        return same and _OPPOSITES.get(one.operator) == other.operator
    return False


# -- tokens ------------------------------------------------------------------------------------------------------------


def _token(flow: Flow, task: TaskNode) -> Iterator[Found]:
    waits = task.mode is Mode.CUSTOM_CALLBACK
    passes = any(_names_token(flow, _tree(expression)) for expression in _expressions(flow, task))
    if passes and not waits:
        yield "CF109", task.mark, f"task '{task.name}' passes its token on but does not wait for a report"
    if waits and not passes:
        yield "CF110", task.mark, f"task '{task.name}' waits for a report, but tells nobody its token"


def _expressions(flow: Flow, task: TaskNode) -> Iterator[Expression]:
    """All that what the task sends is made of."""
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
    """Whether the token is in the value of an expression: it is named, or something that holds it."""
    root, steps = _TOKENS[flow.language]
    if isinstance(node, Name):
        return node.name == root
    if isinstance(node, Select) and isinstance(node.base, Name):
        return node.base.name == root and steps[: len(node.steps)] == node.steps[: len(steps)]
    if isinstance(node, tuple):
        return any(_names_token(flow, part) for part in node)
    parts = (getattr(node, name, None) for name in ("base", "arguments", "operand", "left", "right", "parts"))
    return any(_names_token(flow, part) for part in parts if part is not None)


# -- comments ----------------------------------------------------------------------------------------------------------

_COMMENT = re.compile(r"#\s*cfmock:\s*ignore(?:\[([^\]]*)\])?")


def _ignored(finding: Finding, lines: Sequence[str]) -> bool:
    line = finding.mark.line
    here = lines[line - 1] if line <= len(lines) else ""
    above = lines[line - 2] if 1 < line <= len(lines) + 1 else ""
    return _says(here, finding.code) or (above.lstrip().startswith("#") and _says(above, finding.code))


def _says(line: str, code: str) -> bool:
    found = _COMMENT.search(line)
    return found is not None and (found[1] is None or code in re.split(r"[\s,]+", found[1]))
