"""The matrix as text for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from cfmock.contract.matrix import Reaction

COLUMNS = ("OPERATION", "FAULT", "RESULT", "EXIT", "CALLS", "RETRIES", "SAID")

STYLES = {"recovered": "green", "failed": "yellow", "timed out": "red", "not met": "dim"}
"""How a result looks on a terminal."""


def rows(reactions: Sequence[Reaction]) -> list[tuple[str, ...]]:
    """A row for each case."""
    return [
        (
            each.case.operation, each.case.fault, each.verdict, str(each.exit), str(each.calls), retries(each), each.said,
        )
        for each in reactions
    ]  # fmt: skip


def retries(reaction: Reaction) -> str:
    """`2, after 0.5 s, 1 s`; nothing if there were none."""
    spaced = ", ".join(f"{each:.2g} s" if each < 10 else f"{each:.0f} s" for each in reaction.spacing)
    return f"{reaction.retries}, after {spaced}" if spaced else ""


def json_text(reactions: Iterable[Reaction]) -> str:
    """`{"cases": [...]}`, a line for each case."""
    lines = ",\n".join(f"  {json.dumps(each.to_mapping(), ensure_ascii=False)}" for each in reactions)
    return f'{{"cases": [\n{lines}\n]}}\n'


def summary(reactions: Sequence[Reaction]) -> str:
    """`21 cases: 3 recovered, 17 failed, 1 timed out`."""
    verdicts = [each.verdict for each in reactions]
    counts = ((verdicts.count(word), word) for word in ("recovered", "failed", "timed out", "not met"))
    said = ", ".join(f"{count} {word}" for count, word in counts if count)
    return f"{len(reactions)} case{'s' * (len(reactions) != 1)}: {said}"
