"""`cfmock serve`: serve fixtures until told to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
from typing import Any

import click

from cfmock.cli.options import settings_options


@click.command("serve", help="Serve fixtures, flow definitions or folders of them; with none, an empty account.")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@settings_options()
def command(paths: tuple[str, ...], **flags: Any) -> int:
    """Prints one line on stdout, `cfmock ready URL`, when it accepts connections."""
    gc.disable()  # next to nothing that loading makes is garbage, and looking for it takes a twentieth of the start
    try:
        from cfmock.cli import server_setup
        from cfmock.server.lifecycle import new_loop, settle_memory

        started = server_setup.prepare(paths, flags)
        settle_memory()
    finally:
        gc.enable()
    loop = new_loop()
    try:
        loop.run_until_complete(_serve(started, paths))
    finally:
        loop.close()
    if started.settings.strict:
        started.tell_unused()
    return 0 if started.passes() else 1


command.epilog = "Example: cfmock serve fixtures/ --port 8790 --clock virtual"


async def _serve(started: Any, paths: tuple[str, ...]) -> None:
    from cfmock.cli.file_watch import Reloader

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    reloader = Reloader(started, paths) if started.settings.reload else None
    await started.start()
    click.echo(f"cfmock ready {started.server.url}")
    watching = asyncio.create_task(reloader.watch()) if reloader is not None else None
    await stop.wait()
    if watching is not None:
        watching.cancel()
    await started.stop()
