"""What a client sends cannot look like a line of the log, nor steer a terminal."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable

import pytest

from cfmock.cli.server_setup import JsonFormatter, TextFormatter
from cfmock.control.control import Control
from cfmock.observe.models import violations_text
from cfmock.server.call_log import tell
from tests.support.calls import echo_flow, make_service

NASTY = "x\ncfmock: forged\x1b[2J\r\x9b\u202e\x00\u2028y"
SHOWN = r"x\ncfmock: forged\x1b[2J\r\x9b\u202e\x00\u2028y"


def record(message: str, *arguments: object, trace: bool = False) -> logging.LogRecord:
    return logging.LogRecord("cfmock", logging.INFO, "", 0, message, arguments, sys.exc_info() if trace else None)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (lambda: record("plain 流"), "cfmock: plain 流"),
        (lambda: record("of %s and %d", NASTY, 3), f"cfmock: of {SHOWN} and 3"),
        (lambda: record("%s", "100 %"), "cfmock: 100 %"),
        (lambda: record("mistakes:\n%s", ValueError("a\nb\x1b")), "cfmock: mistakes:\n  a\n  b\\x1b"),
    ],
)
def test_a_record_is_one_line_at_the_margin(made: Callable[[], logging.LogRecord], text: str) -> None:
    assert TextFormatter().format(made()) == text


def test_a_traceback_is_not_at_the_margin() -> None:
    try:
        raise ValueError(NASTY)
    except ValueError:
        lines = TextFormatter().format(record("our fault", trace=True)).splitlines()
    assert lines[0] == "cfmock: our fault"
    assert all(line.startswith("  ") for line in lines[1:])
    assert not any("\x1b" in line for line in lines)


def test_a_json_record_is_one_line_of_ascii() -> None:
    text = JsonFormatter().format(record("of %s", NASTY))
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text)["message"] == f"of {NASTY}"


def test_names_that_clients_send_stay_on_their_line(caplog: pytest.LogCaptureFixture) -> None:
    """The lines of `-v`, and the violations at the end of `--strict`."""
    service = make_service(echo_flow(), auth="off")
    service.emulator.journal.listeners.append(tell)
    with caplog.at_level(logging.INFO, "cfmock"):
        service.refusal("DescribeFlow", Name=NASTY, **{NASTY: "1"})
        service.refusal(NASTY)
    lines = [TextFormatter().format(each) for each in caplog.records]
    assert len(lines) >= 2
    assert all(line.isprintable() for line in lines)
    assert any(SHOWN in line for line in lines)
    text = violations_text(Control(service.emulator).find_violations())
    assert SHOWN in text
    assert all(line.isprintable() for line in text.split("\n"))
    assert not any(line.startswith("cfmock:") for line in text.split("\n"))
