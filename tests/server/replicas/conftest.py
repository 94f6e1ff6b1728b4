"""One PostgreSQL for the tests of replicas."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import Cluster, Missing, cluster


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    try:
        with cluster(fsync="off") as running:
            yield running
    except Missing as why:
        pytest.skip(str(why))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker runs all of them, so that they share the cluster."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("postgres"))
