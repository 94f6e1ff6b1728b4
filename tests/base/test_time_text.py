"""Durations and times as fixtures, options and the admin API give them."""

import math

import pytest

from cfmock.base.time_text import LONGEST, duration_text, parse_duration, parse_time


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("100ms", 0.1), ("90ms", 0.09), ("2s", 2), ("5m", 300), ("1h", 3600), ("1d", 86_400), ("1.5s", 1.5),
        ("0.5ms", 0.0005), ("0s", 0), (" 2s ", 2), ("7", 7), ("0.25", 0.25), (7, 7), (0.25, 0.25), (0, 0),
        ("36525d", LONGEST),
    ],
)  # fmt: skip
def test_a_duration_is_a_number_with_a_unit_or_of_seconds(given, seconds):
    assert parse_duration(given) == seconds
    assert isinstance(parse_duration(given), float)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (0.25, "250ms"), (1.5, "1.5s"), (86400, "1d"), (7200, "2h"), (90, "90s"), (262800, "73h"), (60.5, "60.5s"),
        (0.0001, "0.1ms"), (900.0, "15m"), (-60, "-1m"),
    ],
)  # fmt: skip
def test_a_duration_is_told_as_it_is_written(seconds, text):
    assert duration_text(seconds) == text
    assert parse_duration(text, signed=True) == seconds


@pytest.mark.parametrize(
    ("seconds", "digits", "text"),
    [
        (0.10237, 2, "100ms"), (0.51234, 2, "510ms"), (12.34, 2, "12s"), (0.9999, 2, "1s"), (0.0004567, 3, "0.457ms"),
        (75.4, 2, "75s"), (119.6, 3, "2m"), (0.0, 2, "0s"),
    ],
)  # fmt: skip
def test_what_was_measured_is_told_as_well_as_it_is_known(seconds, digits, text):
    assert duration_text(seconds, digits=digits) == text


@pytest.mark.parametrize(
    "given", ["", "s", "2 s", "2x", "2S", "1h30m", "+2s", ".5s", "2.s", "1e3", "٢s", "inf", None, True, [], {}, b"2s"]
)
def test_anything_else_is_refused_with_the_right_form(given):
    with pytest.raises(ValueError, match="is not a duration like 100ms, 2s, 5m, 1h, 1d or a number of seconds"):
        parse_duration(given)


@pytest.mark.parametrize("given", [LONGEST + 1, "36526d", 10**400, math.inf, math.nan, "999999999999999d"])
def test_more_than_a_hundred_years_is_a_slip(given):
    with pytest.raises(ValueError, match="at most a hundred years"):
        parse_duration(given)


@pytest.mark.parametrize("given", ["-1s", "-100ms", -1, -0.5, -(10**400), -math.inf])
def test_a_negative_duration_is_refused_where_no_sign_is_meant(given):
    with pytest.raises(ValueError, match="negative"):
        parse_duration(given)


def test_a_sign_is_taken_where_it_is_meant():
    assert parse_duration("-20m", signed=True) == -1200
    assert parse_duration(-3, signed=True) == -3
    with pytest.raises(ValueError, match="hundred years"):
        parse_duration(-math.inf, signed=True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2024-06-01T00:00:00Z", 1_717_200_000),
        ("2024-06-01T08:00:00+08:00", 1_717_200_000),
        ("2024-05-31T18:30:00-05:30", 1_717_200_000),
        ("2024-06-01t00:00:00z", 1_717_200_000),
        ("2024-06-01 00:00:00Z", 1_717_200_000),
        ("2024-06-01T00:00:00.25Z", 1_717_200_000.25),
        ("2024-06-01T00:00:00.123456789Z", 1_717_200_000.123456789),
        ("1969-12-31T23:59:59.5Z", -0.5),
        ("0001-01-01T00:00:00Z", -62_135_596_800),
        ("9999-12-31T23:59:59+14:00", 253_402_300_799 - 14 * 3600),
    ],
)
def test_a_time_is_rfc_3339(text, seconds):
    assert parse_time(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "now", "2024-06-01", "2024-06-01T00:00:00", "2024-06-01T00:00Z", "20240601T000000Z", 1_717_200_000,
             None, "2024-06-01T00:00:00Zx", "2024-06-01T00:00:00+0800"]
)  # fmt: skip
def test_anything_else_is_no_time(text):
    with pytest.raises(ValueError, match="is not a time like 2024-06-01T00:00:00Z"):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2024-13-01T00:00:00Z", "month"),
        ("2023-02-29T00:00:00Z", "day"),
        ("2024-06-01T24:00:00Z", "hour"),
        ("2024-06-01T00:00:60Z", "second"),
        ("2024-06-01T00:00:00+24:00", "offset"),
        ("2024-06-01T00:00:00+08:60", "offset"),
        ("0001-01-01T00:00:00+00:01", "years 1 to 9999"),
        ("9999-12-31T23:59:59.9Z", "years 1 to 9999"),
        ("9999-12-31T23:59:59-14:00", "years 1 to 9999"),
    ],
)
def test_a_time_that_no_calendar_has_is_refused_with_the_reason(text, why):
    with pytest.raises(ValueError, match=why):
        parse_time(text)


def test_a_long_wrong_value_is_cut_in_the_message():
    with pytest.raises(ValueError) as caught:
        parse_duration("x" * 1_000_000)
    assert len(str(caught.value)) < 200
