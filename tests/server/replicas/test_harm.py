"""A few rounds of `tests.crash_replicas`: what replicas have acknowledged outlives any of them."""

from __future__ import annotations

from pathlib import Path

from tests.crash_replicas import crash
from tests.support.postgres import Cluster


def test_nothing_that_was_acknowledged_is_lost_when_replicas_are_harmed(postgres: Cluster, tmp_path: Path) -> None:
    record = crash(2, 7, postgres, tmp_path, hands=1, rest=0.15)
    assert record.wrong == []
    assert record.counts["looks"] > 0
