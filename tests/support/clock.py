"""A machine's clock in the hands of a test."""

from __future__ import annotations

from cfmock.emulator.emulator import Emulator


class MachineClock:
    """Goes on when it is told to, and can be set, forward or back."""

    def __init__(self, moment: float) -> None:
        self._moment = moment
        self._steady = 5_000.0

    def now(self) -> float:
        return self._moment

    def steady(self) -> float:
        return self._steady

    def go_on(self, seconds: float) -> None:
        self._moment += seconds
        self._steady += seconds

    def set(self, moment: float) -> None:
        self._moment = moment

    def give_to(self, emulator: Emulator) -> MachineClock:
        """Let an emulator on a real clock go by this one."""
        emulator.clock.now, emulator.clock.steady = self.now, self.steady  # type: ignore[method-assign]
        return self
