"""The flow clock: to read it, and to move a virtual one on."""

from __future__ import annotations

from collections.abc import Generator, Mapping

from cfmock.base.clocks import iso
from cfmock.base.errors import ClockStopped
from cfmock.base.json_text import Json
from cfmock.base.time_text import LAST_MOMENT, LONGEST, parse_duration, parse_time
from cfmock.control.part import ControlError, ControlPart

FURTHEST = LAST_MOMENT - LONGEST
"""The latest time of a clock, in seconds since 1970: flows that wait from then on still end at a time that can be written."""


class ClockControl(ControlPart):
    """Reads and moves the flow clock."""

    def read_clock(self) -> Json:
        return {"now": iso(self.emulator.clock.now()), "kind": self.emulator.settings.clock}

    def set_clock(self, change: Json) -> Generator[None, None, Json]:
        """`{"advance": "15m"}` or `{"now": "..."}`: move a virtual clock on, in steps; all that is due on the way has been done
        after them, if that moment is `reached`; else `reason` says why not."""
        if not isinstance(change, Mapping) or change.keys() not in ({"advance"}, {"now"}):
            raise ControlError('a clock is moved by {"advance": "15m"} or {"now": "2024-06-01T00:00:00Z"}')
        try:
            if "advance" in change:
                yield from self.steps(parse_duration(change["advance"]))
            else:
                yield from self.steps_to(parse_time(change["now"]))
        except ClockStopped as stop:
            return {**self.read_clock(), "reached": False, "reason": stop.reason}
        except ValueError as error:
            raise ControlError(str(error)) from None
        return {**self.read_clock(), "reached": True, "reason": None}

    def steps(self, seconds: float) -> Generator[None, None, None]:
        """Move a virtual clock on by `seconds`, a step at each iteration. Raises as `steps_to`, and ClockStopped."""
        yield from self.steps_to(self.emulator.clock.now() + seconds)

    def steps_to(self, moment: float) -> Generator[None, None, None]:
        """Move a virtual clock on, in steps. Raises ControlError on a real clock, and for a moment past or too far away."""
        if self.emulator.settings.clock != "virtual":
            raise ControlError(
                "the clock is real: start with --clock virtual (CloudFlow(..., clock='virtual')) to move it"
            )
        if moment < self.emulator.clock.now():
            raise ControlError(f"it is {iso(self.emulator.clock.now())} already, and a clock only goes on")
        if moment > FURTHEST:
            raise ControlError(f"a clock goes no further than {iso(FURTHEST)}")
        yield from self.emulator.time.advancing(moment)
