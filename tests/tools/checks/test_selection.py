"""Codes to select and to ignore: the longer word decides, and what is no code is a mistake."""

from __future__ import annotations

import pytest

from cfmock.base.errors import SettingsError
from cfmock.base.findings import RULES
from cfmock.tools.checks.report import Selection


@pytest.mark.parametrize(
    ("select", "ignore", "wanted"),
    [
        ([], [], set(RULES)),
        (["CF101"], [], {"CF101"}),
        (["CF101,CF103", "cf105"], [], {"CF101", "CF103", "CF105"}),
        (["CF11"], [], {f"CF11{number}" for number in range(9)}),
        ([], ["CF10"], {f"CF11{number}" for number in range(9)} | {"CF120", "CF121", "CF122"}),
        (["CF"], ["CF1"], set()),
        (["CF101"], ["CF1"], {"CF101"}),
        (["CF10"], ["CF101, CF10"], set()),
        (["CF10"], ["CF1", "CF100"], {f"CF10{number}" for number in range(1, 10)}),
    ],
)
def test_the_longer_word_decides(select: list[str], ignore: list[str], wanted: set[str]) -> None:
    selection = Selection.of(select, ignore)
    assert {code for code in RULES if selection.wants(code)} == wanted


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("CF1O1", "there is no check 'CF1O1' (did you mean 'CF101'?)"),
        ("CF101,CF10I", "there is no check 'CF10I' (did you mean 'CF100'?)"),
        ("C103", "there is no check 'C103' (did you mean 'CF103'?)"),
        ("unreachable", f"there is no check 'unreachable'; there are {', '.join(RULES)}"),
        ("C", f"there is no check 'C'; there are {', '.join(RULES)}"),
        ("", f"there is no check ''; there are {', '.join(RULES)}"),
        ("CF101,", f"there is no check ''; there are {', '.join(RULES)}"),
    ],
)
def test_what_is_no_code_is_a_mistake(word: str, said: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Selection.of([], [word])
    assert str(raised.value) == f"--ignore: {said}"
