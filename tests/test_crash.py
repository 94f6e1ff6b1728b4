"""A few rounds of `make crash`: what a server has acknowledged outlives it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash import crash


@pytest.mark.parametrize("clock", ["real", "virtual"])
def test_nothing_that_was_acknowledged_is_lost_when_the_server_is_killed(clock: str, tmp_path: Path) -> None:
    record = crash(2, 7, clock, tmp_path, hands=2)
    assert record.wrong == []
    assert record.counts["kills"] == 2
    assert record.counts["looks"] > 0
