"""What `import cfmock` gives: the same names at run time, to type checkers, and in `__all__`."""

from __future__ import annotations

import ast
from pathlib import Path
from types import UnionType
from typing import Literal, get_origin

import pytest

import cfmock

SOURCE = ast.parse(Path(cfmock.__file__).read_text(encoding="utf-8"))


def imported_for_type_checkers() -> set[str]:
    """The names that the module imports from its own package, as those read it who do not run it."""
    return {
        alias.asname or alias.name
        for node in ast.walk(SOURCE)
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "cfmock"
        for alias in node.names
    }


def test_what_is_listed_is_what_is_exported() -> None:
    listed = set(cfmock.__all__)
    assert len(listed) == len(cfmock.__all__)
    assert imported_for_type_checkers() == listed
    assert {*cfmock._HOME, "__version__"} == listed  # the names that `__getattr__` finds


@pytest.mark.parametrize("name", cfmock.__all__)
def test_every_public_name_is_there_under_its_own_name(name: str) -> None:
    found = getattr(cfmock, name)
    if isinstance(found, type):
        assert (found.__name__, found.__module__.partition(".")[0]) == (name, "cfmock")
    else:
        assert name == "__version__" or get_origin(found) in (Literal, UnionType)


def test_what_is_not_public_is_not_there() -> None:
    assert set(dir(cfmock)) == set(cfmock.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = cfmock.Nothing
