"""A client as a process: what is known of it when it has ended, and that nothing of it is left."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from cfmock.tools.contract import process
from cfmock.tools.contract.process import Ended
from tests.support.processes import gone
from tests.support.waiting import until


def ran(code: str, timeout: float = 30.0) -> Ended:
    words = [sys.executable, "-I", "-S", "-c", code]
    return asyncio.run(process.run(words, {"PATH": os.environ["PATH"]}, timeout))


def test_status_and_both_ends_of_the_output_are_kept():
    ended = ran("import sys; print('out'); print('why', file=sys.stderr); sys.exit(3)")
    assert (ended.exit, ended.timed_out, ended.out, ended.err, ended.said) == (3, False, "out\n", "why\n", "why")


def test_a_signal_counts_as_in_a_shell():
    assert ran("import os; os.kill(os.getpid(), 15)").exit == 128 + 15


def test_megabytes_of_output_are_taken_and_their_end_is_kept():
    ended = ran("print('x' * 5_000_000); print('the end')")
    assert ended.exit == 0
    assert len(ended.out) == process.KEPT
    assert ended.said == "the end"


def test_streams_may_be_closed_and_hold_any_bytes():
    ended = ran("import os; os.write(1, b'\\xff\\x00'); os.close(1); os.close(2); os.close(0)")
    assert (ended.exit, ended.out) == (0, "\ufffd\x00")


def test_it_has_no_terminal_to_ask():
    assert ran("import sys; print(repr(sys.stdin.read()))").said == "''"


def test_after_its_time_it_is_told_to_end_and_may_tidy_up():
    code = (
        "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(0)); print('up', flush=True); time.sleep(60)"
    )
    ended = ran(code, timeout=2)
    assert (ended.timed_out, ended.exit, ended.out) == (True, 0, "up\n")


def test_what_does_not_end_then_is_killed(monkeypatch):
    monkeypatch.setattr(process, "GRACE", 0.1)
    ended = ran(
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)", timeout=2
    )
    assert (ended.timed_out, ended.exit, ended.out) == (True, 128 + 9, "up\n")


CHILD = (
    "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']{more}); "
)


def test_what_it_leaves_running_ends_with_it():
    ended = ran(CHILD.format(more="") + "print(child.pid)")
    assert ended.seconds < 20
    until(lambda: gone(int(ended.said)))


def test_what_has_made_itself_independent_does_not_hold_it_up():
    ended = ran(CHILD.format(more=", start_new_session=True") + "print(child.pid)")
    try:
        assert ended.seconds < 20
    finally:
        os.kill(int(ended.said), 9)


def test_when_it_is_cancelled_nothing_is_left(tmp_path):
    note = tmp_path / "pids"
    code = (
        CHILD.format(more="")
        + f"open({str(note)!r}, 'w').write(f'{{__import__('os').getpid()}} {{child.pid}}\\n'); child.wait()"
    )
    code = code.replace("__import__('os')", '__import__("os")')

    async def interrupted():
        task = asyncio.create_task(process.run([sys.executable, "-c", code], dict(os.environ), 60))
        while not note.exists() or not note.read_text().endswith("\n"):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(interrupted())
    until(lambda: all(gone(int(pid)) for pid in note.read_text().split()))
