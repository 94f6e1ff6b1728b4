"""`cfmock serve`: serve fixtures until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import click

from cfmock.cli.options import given_variables, loading, settings_options

if TYPE_CHECKING:
    from cfmock.cli.server_setup import Started

LONGEST_END = 1.8  # seconds after a signal in which the process ends, whatever is running; two are promised


@click.command(
    "serve", help="Serve fixtures, flow definitions or folders of them. Without any, the account is empty.",
    epilog="Example: cfmock serve fixtures/ --port 8790 --clock virtual",
)  # fmt: skip
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@settings_options()
def command(paths: tuple[str, ...], **flags: Any) -> int:
    """Prints one line on stdout, `cfmock ready URL`, when it accepts connections."""
    with loading():
        from cfmock.cli import server_setup
        from cfmock.server.lifecycle import new_loop, settle_memory

        started = server_setup.prepare(paths, flags)
        settle_memory()
    loop = new_loop()
    try:
        loop.run_until_complete(_serve(started, paths, given_variables(flags["variables"])))
    except BaseException:
        loop.close()
        raise
    if started.settings.strict:
        started.tell_unused()
    _leave(0 if started.passes() else 1)


async def _serve(started: Started, paths: tuple[str, ...], variables: dict[str, str]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told(*_: Any) -> None:
        _end_at_last(stop, 1 if started.settings.strict else 0)
        loop.call_soon_threadsafe(stop.set)

    # Not the loop's own way: Python calls these between any two lines, also while one call keeps the loop busy.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, told)
    watch = None
    if started.settings.reload:
        from cfmock.cli.file_watch import reload_changed, stamps_of

        watch = partial(reload_changed, started, paths, variables, stamps_of(started.fixtures.watched(paths)))
    await started.start()
    click.echo(f"cfmock ready {started.server.url}")
    if started.admin_open:
        logging.getLogger("cfmock").info("console at %s/_cfmock/", started.server.url)
    watching = asyncio.create_task(watch()) if watch is not None else None
    await stop.wait()
    if watching is not None:
        watching.cancel()
    await started.stop()


def _end_at_last(stop: asyncio.Event, code: int) -> None:
    """See to it that the process ends in time, whatever holds it up: with this code if the server has begun to `stop`."""

    def end() -> None:
        if stop.is_set():
            _leave(code)
        click.echo("cfmock: the server was busy with one thing for too long and was stopped", err=True)
        _leave(1)

    timer = threading.Timer(LONGEST_END, end)
    timer.daemon = True
    timer.start()


def _leave(code: int) -> NoReturn:
    """End the process. Taking apart what it holds, many executions that have not ended, would take seconds."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)
