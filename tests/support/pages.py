"""Pages of documentation, and somebody who follows them to the letter.

What is followed on a page, from top to bottom, in one folder that has a copy of fixtures/ (as a clone has):

- A block whose first line is `# NAME.py` (`.yaml`, `.toml`) or `// NAME.go` (`.java`) is written to a file of that name.
- A ```` ```console ```` block holds commands behind `$ ` (continued by `> `) and what they print: `...` stands for anything; ids,
  times, tokens and ports may differ. A command ending in `serve ...` goes on in the background, as in another terminal.
- A ```` ```python ```` block without a name is run: by pytest if it has tests, else as a script.
- A ```` ```yaml ```` block without a name that says `cfmock: 1` is checked.

After `<!-- run by tests/FILE.py -->` the block is left to that test. `neglected` names the blocks that nobody takes.
"""

from __future__ import annotations

import contextlib
import doctest
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from tests.e2e import environments

ROOT = Path(__file__).parent.parent.parent
PORT = "8790"
"""The port of commands on the pages; a free one takes its place."""

_BLOCK = re.compile(r"(?:<!-- run by (?P<by>\S+) -->\n)?^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$", re.M | re.S)
_NAMED = re.compile(r"(?:#|//) ([\w./-]+\.(?:go|ini|java|py|toml|yaml))\n")
_VARYING = (
    (re.compile(r"\b[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b"), "<id>"),
    (re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?"), "<time>"),
    (re.compile(r"\w{3}, \d\d \w{3} 20\d\d \d\d:\d\d:\d\d GMT"), "<date>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "<address>"),
    (re.compile(r"\bin \d+\.\d+s\b"), "in <span>"),
    (re.compile(r"\(\d+(\.\d+)?m?s\)"), "<span>"),
    (re.compile(r'("duration": )[\d.e-]+'), r"\1<span>"),
    (re.compile(r"\(\d+(\.\d+)?m?s(, \d+(\.\d+)?m?s)*\)"), "(<spacing>)"),
    (re.compile(r'("(seconds|spacing)": )(\[[\d., ]+\]|[\d.]+)'), r"\1<spans>"),
    (re.compile(r"\bdjE[\w+/=-]{20,}"), "<token>"),
    (re.compile(r"Python/\S+ aiohttp/\S+"), "<server>"),
)

NOT_DONE = {
    "python3 -m venv": ".ci/try-readme types it",
    "mkdir ../first": ".ci/try-readme types it",
    "cp -r ../cfmock/fixtures": ".ci/try-readme types it",
    "pip install": ".ci/try-readme types it; test_docs.py checks what is installed",
    "docker": "test_containers.py does what it says, without an engine",
}
"""Commands that are believed, by their beginning, and why."""

STAND_INS = {
    "mvn": "python -c \"import os, urllib.request as u; u.urlopen(os.environ['CFMOCK_URL'] + '/_cfmock/health')\""
}
"""What is done in place of programs that need a project of their own: find the server by its variable."""


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its language, its text, and the name of the file that it is, if it is one."""

    line: int
    language: str
    text: str
    by: str | None
    """The test that takes it, if not the reader does."""

    @property
    def name(self) -> str | None:
        found = _NAMED.match(self.text)
        return found[1] if found else None


@dataclass(frozen=True)
class Command:
    """What is typed behind a prompt, and what the page says it prints."""

    line: int
    text: str
    prints: str


def blocks(page: str) -> Iterator[Block]:
    for found in _BLOCK.finditer(page):
        text = textwrap.dedent(found["text"])
        yield Block(page.count("\n", 0, found.start()) + 1, found["language"], text, found["by"])


def neglected(page: str) -> list[Block]:
    """The blocks that no test runs or reads: neither a reader, nor one that is named before the block."""
    found = list(blocks(page))
    return [each for each in found if each.by is None and not _followed(each, found)]


def _followed(block: Block, all_blocks: list[Block]) -> bool:
    if block.name is None:
        return block.language in ("console", "python") or _is_fixture(block)
    words = "pytest" if block.name in _OF_PYTEST else block.name.rpartition("/")[2]
    return any(words in each.text for each in all_blocks if each.line > block.line and each.by is None)


_OF_PYTEST = ("conftest.py", "pytest.ini", "pyproject.toml")


def _is_fixture(block: Block) -> bool:
    return block.language == "yaml" and re.search(r"^cfmock: 1", block.text, re.M) is not None


def commands(block: Block) -> list[Command]:
    found: list[tuple[int, str, list[str]]] = []
    for line, text in enumerate(block.text.splitlines(keepends=True), block.line + 1):
        if text.startswith("$ "):
            found.append((line, text[2:], []))
        elif text.startswith("> ") and found and not found[-1][2]:
            found[-1] = (found[-1][0], found[-1][1] + text[2:], [])
        else:
            assert found, f"line {line}: a console block begins with a command"
            found[-1][2].append(text)
    return [Command(line, text.strip(), "".join(prints)) for line, text, prints in found]


def headings(page: str) -> list[tuple[int, str]]:
    """Level and text of the headings outside blocks."""
    return [(len(level), text) for level, text in re.findall(r"^(#+) (.*)$", _BLOCK.sub("", page), re.M)]


def alike(wanted: str, got: str) -> bool:
    """Whether an output is what the page shows, but for what differs from run to run."""
    for pattern, word in _VARYING:
        wanted, got = pattern.sub(word, wanted), pattern.sub(word, got)
    lines = [line.rstrip() for line in got.strip("\n").splitlines()]
    flags = doctest.ELLIPSIS
    return doctest.OutputChecker().check_output(wanted.strip("\n") + "\n", "\n".join(lines) + "\n", flags)


class Reader:
    """Follows one page, in a folder of their own. `left_out` says what could not be done on this machine."""

    def __init__(self, folder: Path) -> None:
        self.left_out: set[str] = set()
        self._folder = folder
        self._port = _free_port()
        self._server: subprocess.Popen[str] | None = None
        self._missing_files: dict[str, str] = {}
        self._sdk, self._no_sdk = _sdk()
        shutil.copytree(ROOT / "fixtures", folder / "fixtures")
        self._environment = self._prepare(folder.parent / f"{folder.name}-bin")

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def follow(self, page: str) -> None:
        """Raises AssertionError with the first thing that is not as the page says."""
        for block in blocks(page.replace(PORT, str(self._port))):
            if block.by is not None:
                continue
            if block.name is not None:
                self._write(block.name, block.text)
            elif block.language == "console":
                for command in commands(block):
                    self._do(command)
            elif block.language == "python":
                self._run_python(block)
            elif _is_fixture(block):
                self._write(f"line-{block.line}.yaml", block.text)
                self._do(Command(block.line, f"cfmock check line-{block.line}.yaml && echo good", "...good\n"))

    def _write(self, name: str, text: str) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self._missing_files.pop(name, None)
        if "alibabacloud_" in text and self._no_sdk:
            self._missing_files[name] = self._no_sdk

    def _run_python(self, block: Block) -> None:
        name = f"test_line_{block.line}.py" if "def test_" in block.text else f"line_{block.line}.py"
        self._write(name, block.text)
        program = "pytest -q" if name.startswith("test_") else "python"
        self._do(Command(block.line, f"{program} {name} && echo good", "...good\n"))

    def _do(self, command: Command) -> None:
        if reason := self._cannot(command.text):
            self.left_out.add(reason)
            return
        if any(re.match(rf"{re.escape(each)}\b", command.text) for each in NOT_DONE):
            return
        if re.match(r"(\w+=\S+ )*cfmock serve\b", command.text):
            got = self._serve(command.text)
        else:
            done = subprocess.run(
                ["bash", "-c", command.text], cwd=self._folder, env=self._environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            )  # fmt: skip
            got = done.stdout
        assert alike(command.prints, got), (
            f"line {command.line}: $ {command.text}\nprints\n{textwrap.indent(got, '  ')}\n"
            f"where the page says\n{textwrap.indent(command.prints, '  ')}"
        )

    def _cannot(self, text: str) -> str | None:
        for name, reason in self._missing_files.items():
            if name in text:
                return reason
        words = re.sub(r"^(\w+=\S+ )*", "", text).split()
        known = ("export", "cd", *STAND_INS, *(each.split()[0] for each in NOT_DONE))
        for program in (words[0], *(after for word, after in itertools.pairwise(words) if word == "--")):
            if program not in known and not shutil.which(program, path=self._environment["PATH"]):
                return f"there is no {program} on this machine"
        return None

    def _serve(self, text: str) -> str:
        self._stop()
        words = text if "--port" in text else f"{text} --port {self._port}"
        self._server = subprocess.Popen(
            ["bash", "-c", f"exec env {words}"], cwd=self._folder, env=self._environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert self._server.stdout is not None
        lines = []
        for line in self._server.stdout:
            lines.append(line)
            if line.startswith("cfmock ready "):
                break
        return "".join(lines)

    def _stop(self) -> None:
        if self._server is None:
            return
        with self._server as server:
            server.send_signal(signal.SIGTERM)
            assert server.stdout is not None
            for _ in server.stdout:
                pass  # so that it never waits for somebody to read its log
        assert server.returncode == 0
        self._server = None

    def _prepare(self, programs: Path) -> dict[str, str]:
        """Programs that are this working copy and this interpreter, and variables free of the machine's own settings."""
        programs.mkdir()
        (programs / "run_pytest.py").write_text(_RUN_PYTEST.format(sdk=self._sdk, options=_pytest_options()))
        _script(programs / "cfmock", f'exec "{sys.executable}" -m cfmock "$@"')
        _script(programs / "python", f'exec "{sys.executable}" "$@"')
        _script(programs / "pytest", f'exec "{sys.executable}" "{programs}/run_pytest.py" "$@"')
        for name, line in STAND_INS.items():
            _script(programs / name, line)
        kept = {
            name: value for name, value in os.environ.items()
            if not name.lower().endswith("_proxy") and not name.startswith(("CFMOCK_", "ALIBABA_", "PYTEST_", "FNF_"))
        }  # fmt: skip
        return kept | {
            "PATH": f"{programs}:{kept['PATH']}",
            "PYTHONPATH": str(ROOT),
            "CFMOCK_URL": f"http://127.0.0.1:{self._port}",
            "COLUMNS": "80",
            "NO_COLOR": "1",
        }


_RUN_PYTEST = """\
import sys

import pytest

sys.path.append({sdk!r})
sys.exit(pytest.main([*{options!r}, *sys.argv[1:]]))
"""


def _pytest_options() -> list[str]:
    """What makes an inner run print the same each time, and find our plugin where the package is not installed."""
    installed = any(each.name == "cfmock" for each in entry_points(group="pytest11"))
    return [
        *("-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"),
        *("-o", "asyncio_default_fixture_loop_scope=function"),
        *("-W", "error"),  # as readers run their own tests
        *([] if installed else ("-p", "cfmock.pytest_plugin")),
    ]


def _script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(0o755)


def _sdk() -> tuple[str, str]:
    """Where the vendor's SDK for Python stands, to be found after our own packages; or why it cannot be had."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    with contextlib.suppress(environments.Unavailable):
        folder = Path(environments.command("tea")[0]).parent.parent / "lib" / version / "site-packages"
        return (str(folder), "") if folder.is_dir() else ("", f"the SDK is installed for another Python than {version}")
    return "", "the vendor's SDK is not installed: `make test` does it"


def _free_port() -> int:
    """One that nobody else takes until it is used: not of those that connections get, and another in each process."""
    # Processes that begin together have neighbouring numbers: far apart here, so that none goes on into another's ports.
    for port in range(10_000 + os.getpid() * 101 % 20_000, 32_000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("there is no free port")
