"""cfmock as a process of its own, as users of the command line have it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from cfmock.base.proxies import without_proxies

ROOT = Path(__file__).parents[2]


def system_program(name: str) -> str | None:
    """Where a program is that the system's administrators run, which users may not have on their PATH."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")


def environment(**more: str) -> dict[str, str]:
    """The environment without what would point cfmock or a client elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CFMOCK_", "ALIBABA_", "FNF_"))}
    return {**without_proxies(kept), "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "", **more}


def environment_with_cfmock(folder: Path, **more: str) -> dict[str, str]:
    """`environment`, in which a program finds this working copy as `cfmock` on PATH; `folder` gets it."""
    program = folder / "cfmock"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cfmock "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return environment(**{"PATH": f"{folder}:{os.environ['PATH']}", **more})


def run(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run `cfmock WORDS` to its end."""
    variables = environment(**more.pop("env", {}))
    return subprocess.run(
        [sys.executable, "-m", "cfmock", *words],
        capture_output=True, text=True, env=variables, check=False, **more,
    )  # fmt: skip


class Serving:
    """A `cfmock serve` that has said it is ready; `url` is where."""

    def __init__(self, process: subprocess.Popen[str], ready: str) -> None:
        self.process = process
        self.ready = ready
        self.url = ready.split()[-1]

    def until_said(self, *texts: str) -> None:
        """Read stderr until each of the texts has come, in this order. Raises AssertionError if it ends before."""
        _read_until(self.process.stderr, texts)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Exit code, and what came on stdout (after the ready line) and stderr (without the address of the console)."""
        self.process.send_signal(number)
        out, err = self.process.communicate()
        return self.process.returncode, out, err.replace(f"cfmock: console at {self.url}/_cfmock/\n", "")


@contextmanager
def serving(*words: str, program: Sequence[str] = ("-m", "cfmock"), **env: str) -> Iterator[Serving]:
    """`cfmock serve WORDS --port 0`, ended at the end of the block if it is not by then. `program` may stand for cfmock."""
    process = subprocess.Popen(
        [sys.executable, *program, "serve", *words, "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**env),
    )  # fmt: skip
    try:
        assert process.stdout is not None
        ready = process.stdout.readline()
        if not ready:
            raise AssertionError(process.communicate()[1])
        yield Serving(process, ready)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


class Watching:
    """A command with `--watch`, read as it goes on."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def until(self, *texts: str) -> None:
        """Read on until each of the texts has come, in this order. Raises AssertionError if the command ends before."""
        _read_until(self.process.stdout, texts)

    def interrupt(self) -> int:
        """Press Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait()


@contextmanager
def watching(*words: str) -> Iterator[Watching]:
    """`cfmock WORDS --watch`, ended at the end of the block if it is not by then."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cfmock", *words, "--watch"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(), preexec_fn=_heed_interrupts,
    )  # fmt: skip
    try:
        yield Watching(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def gone(pid: int) -> bool:
    """Whether a process is no more, or no more than a zombie."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def _read_until(stream: IO[str] | None, texts: Sequence[str]) -> None:
    assert stream is not None
    for text in texts:
        for line in iter(stream.readline, ""):
            if text in line:
                break
        else:
            raise AssertionError(f"ended without {text!r}")


def _heed_interrupts() -> None:
    """In a process to be: a shell that runs the tests in the background has told them not to."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
