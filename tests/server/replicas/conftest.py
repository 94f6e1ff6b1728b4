"""One PostgreSQL for the tests of replicas."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.postgres import Cluster, Missing, cluster


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    try:
        with cluster(fsync="off") as running:
            yield running
    except Missing as why:
        pytest.skip(str(why))
