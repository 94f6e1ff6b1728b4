"""What hurts: values, words and distortions that no sound document, expression or request has."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from cfmock.engine.expr.functions import FUNCTIONS
from cfmock.engine.expr.parser import BINDING_POWER

NAMES = frozenset({"$Input", "$Output", "$Context", "$Global", "$Item"})
"""The names that expressions of the tests may use."""

WORDS = st.sampled_from(
    [
        *sorted(NAMES), *FUNCTIONS, *BINDING_POWER, *"!-()[],.*\"'`\\", ".a", "[0]", '["k"]', "1", "2.5", '"s"', "'s'", "`r`",
        "true", "null", "in", "\\ud800", "王", " ", "\n", "1e999", "“", "\x00", "\ud800",
    ]
)  # fmt: skip
"""Pieces of expressions."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=3), parts, max_size=3),
    max_leaves=8,
)

ODD: list[Any] = [
    None, True, False, 0, -1, 1.5, 10**30, "", "x", "*", "a b", [], {}, [[]], [{}], [None], {"": 1}, {"file": "nowhere"},
    {"file": 1}, {"$ref": 1}, "2024-06-01T00:00:00Z", "99999999d", "\ud800", {"polls": 1}, {"x.$": "$Input."}, {"code": 3},
]  # fmt: skip
"""Values that stand in few places with right."""

Path = tuple[str | int, ...]


def expressions() -> st.SearchStrategy[str]:
    """Texts that look like expressions, or like nothing."""
    words = st.lists(WORDS, max_size=40)
    return words.map("".join) | words.map(" ".join) | st.text()


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where something stands in a document."""
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from paths(part, (*path, key))


def distorted(document: Any, dice: random.Random) -> Any:
    """A copy with one to three things wrong: something odd in a place, a key gone, too many or another, a list around it."""
    document = copy.deepcopy(document)
    for _ in range(dice.randint(1, 3)):
        path = dice.choice(list(paths(document)) or [()])
        if not path:
            return dice.choice(ODD)
        holder = document
        for part in path[:-1]:
            holder = holder[part]
        key, odd = path[-1], copy.deepcopy(dice.choice(ODD))
        match dice.randrange(4):
            case 0:
                holder[key] = odd
            case 1 if path != ("cfmock",):
                del holder[key]
            case 2 if isinstance(holder, dict):
                holder[dice.choice(["file", "name", f"{key}s"])] = odd
            case _:
                holder[key] = [holder[key]]
    return document
