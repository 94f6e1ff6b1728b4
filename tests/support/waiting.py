"""Waiting for what another thread or process does."""

from __future__ import annotations

import time
from collections.abc import Callable

TRIES = 6000
"""A minute of pauses; the time limit of each test stands over it."""

PATIENCE = 60.0
"""Seconds for what should come at once: a limit that ends a test that would hang, and that no busy machine reaches."""


def until(condition: Callable[[], object]) -> None:
    """Try again and again until `condition` holds. Raises AssertionError after `TRIES`."""
    for _ in range(TRIES):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError(f"it did not come about within {TRIES} tries")
