"""Rules of schedules: `@every <n>m`, or six fields `seconds minutes hours day-of-month month day-of-week` in UTC.

The rules are those of the help page on time-based schedules: seconds are one plain number, so nothing runs more often than
once a minute; the day of the week is 1 (Monday) to 7 and takes no step; `?` means any, in the two day fields only; months and
days of the week have English names of three letters. Not said there, and so our choice: upper and lower case are the same,
where both day fields are given one of them is enough, and a time that never comes is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timezone

from cronsim import CronSim, CronSimError
from msgspec import Struct

from cfmock.base.errors import InvalidValue
from cfmock.base.suggestions import shown

MINUTE = 60

MOST_COUNTED = 10_000
"""Times that are counted one by one: a tenth of a second at the most."""


def parse(text: str) -> CronRule:
    """The rule an expression states. Raises InvalidValue, which says what would be right."""
    if text.startswith("@"):
        found = _EVERY.match(text)
        if found is None:
            raise InvalidValue.of(
                "{} is not of the form '@every <n>m' with n of 1 or more: minutes are the only unit", shown(text)
            )
        return Every(int(found.group(1)) * MINUTE)
    parts = text.split()
    if len(parts) != 1 + len(_FIELDS):
        raise InvalidValue.of("{} is neither '@every <n>m' nor six fields: seconds, {}", shown(text), ", ".join(_NAMES))
    if not _SECONDS.match(parts[0]):
        raise InvalidValue.of("{} as seconds is not one plain number from 0 to 59", shown(parts[0]))
    fields = [field.plain(part) for field, part in zip(_FIELDS, parts[1:], strict=True)]
    rule = Cron(int(parts[0]), " ".join(fields))
    try:
        rule.after(float(MINUTE))
    except (CronSimError, StopIteration):
        raise InvalidValue.of("{} names a day that never comes", shown(text)) from None
    return rule


class Every(Struct, frozen=True):
    """A fixed interval in seconds, counted from when the schedule was made, changed or enabled."""

    seconds: int

    def after(self, moment: float) -> float:
        """The first time after this one, both in seconds since 1970."""
        return moment + self.seconds

    def passed(self, moment: float, now: float) -> tuple[int, float]:
        """Count the times after a moment up to now (beyond `MOST_COUNTED` one more stands for all), and one from which
        the next is the first after now."""
        count = max(0, int((now - moment) // self.seconds))
        return min(count, MOST_COUNTED + 1), moment + count * self.seconds


class Cron(Struct, frozen=True):
    """At this second of the minutes that `minutes` names, in the five fields of Unix."""

    second: int
    minutes: str

    def after(self, moment: float) -> float:
        return next(self._times(moment))

    def passed(self, moment: float, now: float) -> tuple[int, float]:
        last = moment
        for count, time in enumerate(self._times(moment)):
            if time > now:
                return count, last
            if count == MOST_COUNTED:
                break
            last = time
        return MOST_COUNTED + 1, now

    def _times(self, moment: float) -> Iterator[float]:
        shifted = datetime.fromtimestamp(moment - self.second, timezone.utc)
        for each in CronSim(self.minutes, shifted):
            yield each.timestamp() + self.second


CronRule = Every | Cron
"""A parsed expression."""


_EVERY = re.compile(r"@every ([1-9][0-9]{0,7})m\Z", re.ASCII)
_SECONDS = re.compile(r"[0-5]?[0-9]\Z", re.ASCII)
_ITEM = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/([0-9]{1,4}))?\Z", re.ASCII)


class _Field(Struct, frozen=True):
    """One field: its name, range, the names its values have from 1 on, and whether it takes `?` and steps."""

    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()
    any: bool = False
    steps: bool = True

    def plain(self, text: str) -> str:
        """The field as Unix has it: `*`, or a list of numbers. Raises InvalidValue."""
        if text == "*" or (self.any and text == "?"):
            return "*"
        values: set[int] = set()
        for item in text.split(","):
            values.update(self._values(item, text))
        return ",".join(map(str, sorted(values)))

    def _values(self, item: str, text: str) -> range:
        found = _ITEM.match(item)
        if found is None or (found.group(3) is not None and not self.steps):
            raise self._wrong(text)
        first, last, step = found.groups()
        start = self.low if first is None else self._number(first, text)
        to_the_end = first is None or (last is None and step is not None)
        end = self.high if to_the_end else start if last is None else self._number(last, text)
        if end < start or (step is not None and int(step) == 0):
            raise self._wrong(text)
        return range(start, end + 1, int(step or 1))

    def _number(self, word: str, text: str) -> int:
        names = {name: number for number, name in enumerate(self.words, 1)}
        number = int(word) if word.isdecimal() and len(word) < 3 else names.get(word.upper())
        if number is None or not self.low <= number <= self.high:
            raise self._wrong(text)
        return number

    def _wrong(self, text: str) -> InvalidValue:
        named = f" or {self.words[0]} to {self.words[-1]}" if self.words else ""
        marks = ", ".join([",", "-", "*", *(["?"] if self.any else []), *(["/"] if self.steps else [])])
        taken = f"{self.low} to {self.high}{named} and {marks}"
        return InvalidValue.of("{} as {} is not made of {}", shown(text), self.name, taken)


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_FIELDS = (
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day-of-month", 1, 31, any=True),
    _Field("month", 1, 12, _MONTHS),
    _Field("day-of-week", 1, 7, _DAYS, any=True, steps=False),
)
_NAMES = [field.name for field in _FIELDS]
