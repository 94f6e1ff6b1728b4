"""Running out of file descriptors is said, once in a while."""

from __future__ import annotations

import asyncio
import errno
import logging

import pytest

from cfmock.server import descriptors
from cfmock.server.descriptors import Descriptors


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Descriptors:
    monkeypatch.setattr(descriptors.resource, "getrlimit", lambda which: (100, 100))
    caplog.set_level(logging.ERROR)
    return Descriptors()


def test_the_last_descriptor_is_said_to_be_the_last_and_not_again_at_once(
    watch: Descriptors, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.opened(98)
    assert caplog.messages == []
    for _ in range(3):
        watch.opened(99)
    assert caplog.messages == [
        "all 100 file descriptors are in use: no more clients can connect until some leave (ulimit -n)"
    ]
    monkeypatch.setattr(descriptors, "QUIET", 0.0)
    watch.opened(99)
    assert len(caplog.messages) == 2


def test_what_the_loop_says_of_it_is_said_in_its_place(watch: Descriptors, caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.new_event_loop()
    try:
        watch.attach(loop)
        for code in (errno.EMFILE, errno.ENFILE):
            loop.call_exception_handler({"message": "accept", "exception": OSError(code, "too many")})
        assert len(caplog.messages) == 1
        loop.call_exception_handler({"message": "another thing", "exception": ValueError()})
        assert caplog.messages[1].startswith("another thing")
        watch.detach()
        assert loop.get_exception_handler() is None
    finally:
        loop.close()


def test_a_handler_that_the_program_has_set_stays(watch: Descriptors) -> None:
    loop = asyncio.new_event_loop()
    try:
        own = lambda loop, context: None  # noqa: E731
        loop.set_exception_handler(own)
        watch.attach(loop)
        watch.detach()
        assert loop.get_exception_handler() is own
    finally:
        loop.close()
