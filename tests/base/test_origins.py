"""Origins of web pages, and names of this machine."""

from __future__ import annotations

import pytest

from cfmock.base.origins import Origin, is_loopback_name


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("http://localhost:3000", ("http", "localhost", 3000)),
        ("HTTP://A.Test", ("http", "a.test", 80)),
        ("https://a.test:443", ("https", "a.test", 443)),
        ("http://[::1]:80", ("http", "::1", 80)),
        ("chrome-extension://abc", ("chrome-extension", "abc", None)),
    ],
)
def test_an_origin_has_scheme_host_and_port(text: str, origin: tuple[str, str, int | None]) -> None:
    assert Origin.parse(text) == Origin(*origin)


@pytest.mark.parametrize(
    "text",
    ["null", "", "localhost", "//localhost", "http://", "http://a@localhost", "http://evil\\@localhost", "http://localhost/",
     "http://localhost?", "http://localhost#", "http://localhost:x", "http://a b", "http://[::1", "http://localhost:1:2"],
)  # fmt: skip
def test_anything_else_is_none(text: str) -> None:
    assert Origin.parse(text) is None


def test_names_of_this_machine() -> None:
    assert all(map(is_loopback_name, ("localhost", "x.localhost", "127.0.0.1", "127.8.8.8", "::1")))
    assert not any(map(is_loopback_name, ("", "evil.example", "localhost.evil.example", "10.0.0.1", "::2", "0x7f.1")))
