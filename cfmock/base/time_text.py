"""Spans and moments of time as people write them: `100ms`, `5m`, `2024-06-01T00:00:00Z`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

from cfmock.base.errors import InvalidValue
from cfmock.base.suggestions import shown

LONGEST = 36_525 * 86_400.0
"""A hundred years, in seconds. What is longer is a slip, and would lead to years that cannot be written."""

_DURATION = re.compile(r"(-?)([0-9]{1,15}(?:\.[0-9]{1,15})?)(ms|s|m|h|d|)\Z")
_UNITS = {"ms": (1, 1000), "s": (1, 1), "": (1, 1), "m": (60, 1), "h": (3600, 1), "d": (86_400, 1)}
_NO_DURATION = "{} is not a duration like 100ms, 2s, 5m, 1h, 1d or a number of seconds"

_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?"
    r"(?:[Zz]|([-+])([0-9]{2}):([0-9]{2}))\Z"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
FIRST_MOMENT, LAST_MOMENT = -62_135_596_800.0, 253_402_300_799.0
"""The years 1 to 9999 in UTC, in seconds since 1970: others cannot be written as a time again."""


def parse_duration(value: Any, *, signed: bool = False) -> float:
    """Seconds from `100ms`, `2s`, `5m`, `1h`, `1d`, or a number of seconds (also as text, as options give it). Raises
    InvalidValue, a ValueError, for anything else, for more than `LONGEST`, and for less than nothing unless `signed`."""
    if isinstance(value, str):
        found = _DURATION.match(value.strip())
        if found is None:
            raise InvalidValue.of(_NO_DURATION, shown(value))
        sign, number, unit = found.groups()
        factor, divisor = _UNITS[unit]
        seconds = float(number) * factor / divisor  # divided, since 90 times 0.001 need not be 0.09
        seconds = -seconds if sign else seconds
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value
    else:
        raise InvalidValue.of(_NO_DURATION, shown(value))
    if seconds < 0 and not signed:
        raise InvalidValue.of("{} is negative: a duration is 0 or more", shown(value))
    if not -LONGEST <= seconds <= LONGEST:  # NaN, too
        raise InvalidValue.of("{} is not a duration of at most a hundred years", shown(value))
    return float(seconds)


def duration_text(seconds: float, *, digits: int | None = None) -> str:
    """Seconds as `parse_duration` reads them, in the one unit that suits: `250ms`, `1.5s`, `10m`, `73h`, `3d`. `digits` is the
    number of significant ones, for a span that was measured; None: all."""
    value = seconds if digits is None else float(f"{seconds:.{digits}g}")
    if 0 < abs(value) < 1:
        return f"{round(value * 1000, 3):.12g}ms"
    whole = round(value, 3)
    unit, length = next(((unit, length) for unit, length in _LONG_UNITS if whole and whole % length == 0), ("s", 1))
    return f"{whole / length:.12g}{unit}"


_LONG_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60))


def parse_time(text: Any) -> float:
    """Seconds since 1970 from an RFC 3339 time: `2024-06-01T00:00:00Z`, with an offset or a fraction if need be. Raises
    InvalidValue, a ValueError, for anything else, also for a time without `Z` or offset, which depends on the machine."""
    found = _TIME.match(text) if isinstance(text, str) else None
    if found is None:
        raise InvalidValue.of("{} is not a time like 2024-06-01T00:00:00Z or 2024-06-01T08:00:00+08:00", shown(text))
    *parts, fraction, sign, hours, minutes = found.groups()
    try:
        moment = datetime(*map(int, parts), tzinfo=timezone.utc)  # type: ignore[misc,arg-type]
        if sign is not None and (int(hours) > 23 or int(minutes) > 59):
            raise ValueError("the offset is at most 23:59")
    except ValueError as error:
        raise InvalidValue.of("{} is not a time: {}", shown(text), str(error)) from None
    offset = timedelta(hours=int(hours), minutes=int(minutes)).total_seconds() if sign else 0.0
    seconds = (moment - _EPOCH).total_seconds() - (-offset if sign == "-" else offset) + float(fraction or 0)
    if not FIRST_MOMENT <= seconds <= LAST_MOMENT:
        raise InvalidValue.of("{} is not a time of the years 1 to 9999 in UTC", shown(text))
    return seconds
