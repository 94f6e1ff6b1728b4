"""Jobs: what one call, one run or one move of the clock sets going, until it has ended or waits.

Whatever becomes ready while something of a job is at work belongs to that job: the executions that its executions start,
what they report, what a function answers that they have called. So a job knows when nothing of it is ready any more, and
how many executions it has started.
"""

from __future__ import annotations

import math
from collections.abc import Callable


class Job:
    """One job: `ready` is how many fibers of it wait for their turn, `starts` how many executions it has started.

    Beyond `most` of them it is `stopped`: what is left of it stands until the clock is moved on, and `on_stop` is told.
    """

    __slots__ = ("most", "on_rest", "on_stop", "ready", "starts", "stopped")

    def __init__(self, most: float = math.inf, on_stop: Callable[[], None] | None = None) -> None:
        self.most = most
        self.ready = 0
        self.starts = 0
        self.stopped = False
        self.on_stop = on_stop
        self.on_rest: Callable[[], None] | None = None

    @property
    def exceeded(self) -> bool:
        """Return whether it has started more than it may."""
        return self.starts > self.most

    def rest(self) -> None:
        """Tell `on_rest` that nothing of it is ready any more."""
        told, self.on_rest = self.on_rest, None
        if told is not None:
            told()
