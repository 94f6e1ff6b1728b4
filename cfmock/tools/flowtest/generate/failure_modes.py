"""The failures of tasks that are worth trying: for every retry and catch rule one that comes to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from cfmock.engine.flow import Flow
from cfmock.engine.model import ANY_ERROR, MapNode, Node, Series, TaskNode

_OTHER = "Example.Error"  # an error that no rule names


class Answer(Struct, frozen=True):
    """The end of a call: the task fails by `code` on this try and, of `times`, the next ones; without a code it succeeds.
    `late`: it fails because it takes longer than these seconds."""

    code: str = ""
    times: int = 1
    late: float | None = None


SUCCEEDS = Answer()

Failures = dict[str, dict[Answer, frozenset[str]]]
"""The failures worth trying, by the id of the node: each with the rules it should come to."""


def failures(flow: Flow) -> Failures:
    """Return the failures worth trying in a flow."""
    rules = [rule for _, node in flow.walk() for rule in (*node.retry, *node.catch)]
    named = dict.fromkeys(code for rule in rules for code in rule.errors if code != ANY_ERROR)
    return {node.id: _ways_to_fail(node, around, [*named, _OTHER]) for node, around in _calling(flow.series, ())}


def _calling(series: Series, around: tuple[Node, ...]) -> Iterator[tuple[Node, tuple[Node, ...]]]:
    """Yield the nodes that call something, each with those around it."""
    for node in series.nodes.values():
        if isinstance(node, TaskNode) or (isinstance(node, MapNode) and node.distributed is not None):
            yield node, around
        for inner in node.inner:
            yield from _calling(inner, (node, *around))


def _ways_to_fail(node: Node, around: Sequence[Node], codes: Sequence[str]) -> dict[Answer, frozenset[str]]:
    """For every rule of the node, and of those around it that it does not catch from, the failure that comes to it.

    A rule that names a code is shown with that; errors of one meaning (covered by the same rules) are tried once.
    """
    ways: dict[Answer, frozenset[str]] = {}
    seen: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()
    for code in codes:
        once, for_good, times = _rules_met(node, around, code)
        if (once, for_good) in seen or not (once or for_good):
            continue
        seen.add((once, for_good))
        if once:
            ways[Answer(code)] = frozenset(once)
        if for_good:
            ways[Answer(code, times)] = frozenset((*once, *for_good))
    return ways


def _rules_met(node: Node, around: Sequence[Node], code: str) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """Return the rules that a failure meets if it happens once, those it meets as well if it goes on, and for how many tries."""
    once: list[str] = []
    for_good: list[str] = []
    times = 1
    for holder in (node, *around):
        retry = holder.retry_for(code)
        if retry is not None and retry.attempts:
            (for_good if for_good or once else once).append(retry.id)
            times *= retry.attempts + 1
        catch = holder.catch_for(code)
        if catch is not None:
            (for_good if once else once).append(catch.id)
            break
    if not once:
        return (), (), 1
    return tuple(once), tuple(for_good), times
