"""`cfmock run -- CMD`: serve on a free port, run a command against it, exit with its status."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cfmock.cli.options import Proxying, loading, proxy_options, settings_options, writing

if TYPE_CHECKING:
    from cfmock.cli.server_setup import Started

NOT_FOUND, NOT_EXECUTABLE = 127, 126  # exit codes of a shell for a command that is not there, or cannot be run


class CommandBehind(click.Command):
    """Splits at `--` itself: what follows belongs to the other command, options and all, and is the context's `obj`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = args.index("--") if "--" in args else len(args)
        ctx.obj = args[at + 1 :]
        rest = super().parse_args(ctx, args[:at])
        if not ctx.obj and not ctx.resilient_parsing:
            example = (self.epilog or "").removeprefix("Example: ")
            raise click.UsageError(f"no command: put it after --, for example: {example}", ctx)
        return rest


@click.command(
    "run", cls=CommandBehind, help="Serve on a free port, run CMD with variables that point to it, exit with its status.",
    options_metavar="[OPTIONS]", epilog="Example: cfmock run fixtures/ -- mvn test",
)  # fmt: skip
@click.argument("paths", nargs=-1, metavar="[PATH]... -- CMD [ARG]...")
@settings_options(port=0)
@proxy_options
@click.option(
    "--coverage", metavar="FILE", help="write which parts of flows were reached, for `cfmock test` and `graph`"
)
@click.pass_context
def command(
    ctx: click.Context, /, paths: tuple[str, ...], proxies: Proxying, coverage: str | None, **flags: Any
) -> int:
    """Prints nothing of its own to stdout."""
    with loading():
        from cfmock.cli import server_setup
        from cfmock.server.lifecycle import new_loop, settle_memory

        started = server_setup.prepare(paths, flags, proxies, port=0)
        settle_memory()
    server_setup.log_removed_proxies(proxies)
    write = _covering(started, coverage) if coverage is not None else None
    loop = new_loop()
    try:
        return loop.run_until_complete(_run(started, ctx.obj))
    finally:
        loop.close()
        if write is not None:
            write()


def _covering(started: Started, file: str) -> Callable[[], object]:
    """Follow the executions; what is returned writes what they reached. Raises SettingsError if that cannot be written."""
    from cfmock.tools.flowtest.coverage import Coverage

    coverage = Coverage()
    coverage.count_all(started.fixtures.flows)
    started.server.emulator.observe(coverage.observe)

    def write() -> None:
        Path(file).write_text(coverage.text(), encoding="utf-8")

    with writing(file, "--coverage"):
        write()
    return write


async def _run(started: Started, words: Sequence[str]) -> int:
    await started.start()
    try:
        status = await run_command(words, started.variables)
        if status == 0:  # of a command that failed it is no wonder
            started.tell_unused()
        return status if status or started.passes() else 1
    finally:
        await started.stop()


async def run_command(words: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run it with our own stdin, stdout and stderr; signals we get are passed on. Its status, 128 + n when signal n ended it."""
    try:
        process = await asyncio.create_subprocess_exec(*words, env=dict(variables))
    except FileNotFoundError:
        click.echo(f"cfmock run: no command '{words[0]}'", err=True)
        return NOT_FOUND
    except OSError as error:
        click.echo(f"cfmock run: cannot run '{words[0]}': {error.strerror}", err=True)
        return NOT_EXECUTABLE
    loop = asyncio.get_running_loop()
    # Ctrl-C reaches the command from the terminal itself; SIGTERM only us.
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    loop.add_signal_handler(signal.SIGTERM, _pass_on, process)
    status = await process.wait()
    return status if status >= 0 else 128 - status


def _pass_on(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
