"""The console's files: there for everybody that the guard lets in, small, and under a strict policy."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from cfmock import CloudFlow
from cfmock.server.console import pages

STATIC = Path(pages.__file__).with_name("static")
LARGEST = 100_000


def ask(url: str, path: str, method: str = "GET", **headers: str) -> tuple[int, Any, bytes]:
    request = urllib.request.Request(f"{url}/_cfmock/{path}", method=method, headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_all_files_together_are_small() -> None:
    assert sum(path.stat().st_size for path in STATIC.iterdir()) < LARGEST


def test_every_file_is_served_with_its_type_and_a_policy_that_lets_nothing_else_in() -> None:
    with CloudFlow() as cf:
        for path in STATIC.iterdir():
            name = "" if path.name == "index.html" else f"console/{path.name}"
            status, headers, content = ask(cf.url, name)
            assert (status, content) == (200, path.read_bytes())
            assert headers["Content-Security-Policy"].startswith("default-src 'self'; ")
            assert "unsafe" not in headers["Content-Security-Policy"]
            assert headers["X-Content-Type-Options"] == "nosniff"
        assert ask(cf.url, "", "HEAD")[0] == 200
        assert ask(cf.url, "", "POST")[0] == 405


@pytest.mark.parametrize(
    "name", ["console/", "console/none.js", "console/../pages.py", "console/%2e%2e/pages.py", "index.html"]
)
def test_nothing_but_the_files_is_there(name: str) -> None:
    with CloudFlow() as cf:
        assert ask(cf.url, name)[0] == 404


def test_files_need_no_token_and_what_they_show_does() -> None:
    with CloudFlow(admin_token="only-here") as cf:
        assert ask(cf.url, "")[0] == ask(cf.url, "console/app.js")[0] == 200
        assert ask(cf.url, "executions")[0] == ask(cf.url, "console/none.js")[0] == ask(cf.url, "graph.css")[0] == 401


def test_pages_of_other_sites_get_no_file() -> None:
    with CloudFlow() as cf:
        assert ask(cf.url, "", **{"Sec-Fetch-Site": "cross-site"})[0] == 403
        assert ask(cf.url, "", Host="evil.example")[0] == 403


def test_no_script_reads_html_or_makes_code() -> None:
    for path in STATIC.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        for word in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "http://",
            "https://",
        ):
            assert word not in text, f"{path.name}: {word}"
