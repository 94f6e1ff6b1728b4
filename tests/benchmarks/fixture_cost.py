"""What the pytest fixture `cfmock` costs a test. A program: prints the median of its set-up plus tear-down, in ms."""

from __future__ import annotations

import contextlib
import statistics
import sys
import time

import pytest


@pytest.mark.cfmock("bench.yaml")
@pytest.mark.parametrize("number", range(101))
def test_uses_the_fixture(cfmock, number):
    assert cfmock.url


class Stopwatch:
    """Adds the time in which pytest sets the fixture up to the time in which it tears the test down."""

    def __init__(self) -> None:
        self.costs: list[float] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef):
        began = time.perf_counter()
        result = yield
        if fixturedef.argname == "cfmock":
            self.costs.append(time.perf_counter() - began)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item):
        began = time.perf_counter()
        result = yield
        self.costs[-1] += time.perf_counter() - began
        return result


if __name__ == "__main__":
    stopwatch = Stopwatch()
    with contextlib.redirect_stdout(sys.stderr):  # the one line printed to stdout is the result
        status = pytest.main([__file__, "-q", "-p", "no:randomly"], plugins=[stopwatch])
    if status:
        sys.exit(f"the tests that use the fixture failed ({status!r}): run pytest {__file__}")
    print(f"{statistics.median(stopwatch.costs[1:]) * 1000:.3f}")
