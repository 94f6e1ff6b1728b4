"""`cfmock contract -- CMD`: what a client does about each error and broken connection."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cfmock.cli.main import FAILED, INTERRUPTED, MISUSED, SUCCESS
from cfmock.cli.options import settings_options
from cfmock.cli.run import CommandBehind

if TYPE_CHECKING:
    from cfmock.contract.matrix import Reaction
    from cfmock.contract.plan import Selection
    from cfmock.contract.run import Lab

JOURNAL = 100_000
"""Calls kept of a case at the least: it is judged by them."""

SHOWN = 20
"""Lines shown of what the command wrote when it fails without a fault."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    words: Sequence[str]
    wanted: Selection
    nth: int
    jobs: int
    timeout: float | None
    format: str
    output: str | None


@click.command(
    cls=CommandBehind,
    help="Run CMD once for each error and broken connection, and show what it does about them.",
    options_metavar="[OPTIONS]",
)
@click.argument("paths", nargs=-1, metavar="[PATH]... -- CMD [ARG]...")
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", help="Form of the report.",
)  # fmt: skip
@click.option("--output", metavar="FILE", help="Write the report to this file instead of stdout.")
@click.option("--operation", "operations", metavar="NAME", multiple=True, help="Only this operation. May be repeated.")
@click.option(
    "--code", "codes", metavar="CODE", multiple=True,
    help="Only this error code or broken connection (reset, hang, ...). May be repeated.",
)  # fmt: skip
@click.option(
    "--nth",
    metavar="N",
    type=click.IntRange(1),
    default=1,
    help="Strike the n-th call of the operation, not the first.",
)
@click.option("--jobs", metavar="N", type=click.IntRange(1, 64), default=1, help="Run so many cases at a time.")
@click.option("--timeout", metavar="DURATION", help="End CMD after so long. [default: 30s, or 10 times the clean run]")
@click.option("--proxy", is_flag=True, help="also set HTTP_PROXY, so that clients without an endpoint option come here")
@settings_options("reload", port=0)
@click.pass_context
def command(
    ctx: click.Context, /, paths: tuple[str, ...], form: str, output: str | None, operations: tuple[str, ...],
    codes: tuple[str, ...], nth: int, jobs: int, timeout: str | None, proxy: bool,
    **flags: Any,
) -> int:  # fmt: skip
    if not ctx.obj:
        raise click.UsageError("no command: put it behind --, as in: cfmock contract fixtures/ -- python client.py")
    from cfmock.contract.plan import Selection
    from cfmock.contract.run import Lab
    from cfmock.server.runner import new_loop

    options = Options(ctx.obj, Selection.of(operations, codes), nth, jobs, _seconds(timeout), form, output)
    serve = _servers(paths, flags, proxy, jobs)
    lab = Lab(serve, options.words, options.nth, options.timeout)
    loop = new_loop()
    try:
        return _until_told(loop, loop.create_task(_contract(lab, options)))
    finally:
        loop.close()


command.epilog = "Example: cfmock contract fixtures/ --jobs 2 -- python client.py"


def _seconds(timeout: str | None) -> float | None:
    from cfmock.durations import parse_duration
    from cfmock.errors import SettingsError

    if timeout is None:
        return None
    try:
        seconds = parse_duration(timeout)
    except ValueError as error:
        raise SettingsError(f"--timeout: {error}") from None
    if not seconds:
        raise SettingsError("--timeout: that is no time at all")
    return seconds


def _servers(paths: Sequence[str], flags: Any, proxy: bool, jobs: int) -> Callable[[Any], Any]:
    """What makes a fresh server of the fixtures and options."""
    from cfmock.cli import starting
    from cfmock.errors import SettingsError
    from cfmock.server.tls import tls_of

    fixtures, settings = starting.read(paths, flags, port=0)
    if settings.port and jobs > 1:
        raise SettingsError(f"--port {settings.port} goes with one job at a time: each has a server of its own")
    settings = dataclasses.replace(settings, journal_size=max(settings.journal_size, JOURNAL))
    tls = tls_of(settings)

    def serve(rule: Any) -> Any:
        faults = fixtures.faults if rule is None else (rule, *fixtures.faults)
        return starting.make(dataclasses.replace(fixtures, faults=faults), settings, tls, proxy)

    return serve


def _until_told(loop: asyncio.AbstractEventLoop, task: asyncio.Task[int]) -> int:
    """Run to the end, or until a signal; then everything that was started is ended first."""
    told: list[int] = []

    def stop(number: int) -> None:
        told.append(number)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop, number)
    try:
        return loop.run_until_complete(task)
    except asyncio.CancelledError:
        return INTERRUPTED if signal.SIGINT in told else 128 + told[0]


async def _contract(lab: Lab, options: Options) -> int:
    from cfmock.contract.matrix import operations_used
    from cfmock.contract.plan import plan

    try:
        clean = await lab.clean()
    except FileNotFoundError:
        return _say(MISUSED, f"cfmock contract: no command '{options.words[0]}'")
    except OSError as error:
        return _say(MISUSED, f"cfmock contract: cannot run '{options.words[0]}': {error.strerror}")
    if clean.ended.exit or clean.ended.timed_out:
        return _say(FAILED, *_failed_clean(clean.ended))
    operations = operations_used(clean.records)
    if not operations:
        return _say(
            FAILED, "cfmock contract: CMD called nothing; it finds the server by CFMOCK_URL and such, or --proxy"
        )
    cases = plan(operations, options.wanted)
    click.echo(f"cfmock contract: {len(cases)} cases of {', '.join(operations)}", err=True)
    with _progress(len(cases)) as tell:
        reactions = await lab.matrix(cases, lab.limit(clean), options.jobs, tell)
    return _report(reactions, options)


def _failed_clean(ended: Any) -> list[str]:
    how = f"was ended after {ended.seconds:.0f} s" if ended.timed_out else f"ended with status {ended.exit}"
    lines = (ended.err or ended.out).rstrip().splitlines()
    return [f"cfmock contract: without any fault CMD {how}; it wrote:", *(f"  {line}" for line in lines[-SHOWN:])]


def _say(code: int, *lines: str) -> int:
    click.echo("\n".join(lines), err=True)
    return code


def _report(reactions: Sequence[Reaction], options: Options) -> int:
    from cfmock.contract import report

    if options.format == "json":
        _write(options.output, report.json_text(reactions))
        return SUCCESS
    from cfmock.cli.terminal import print_table, table_lines

    rows = report.rows(reactions)
    if options.output is not None:
        _write(options.output, "\n".join([*table_lines(report.COLUMNS, rows), "", f"{report.summary(reactions)}\n"]))
    else:
        print_table(report.COLUMNS, rows, lambda row: report.STYLES[row[2]])
        click.echo(f"\n{report.summary(reactions)}")
    return SUCCESS


def _write(file: str | None, text: str) -> None:
    from cfmock.errors import SettingsError

    if file is None:
        click.echo(text, nl=False)
        return
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"--output: cannot write {file}: {error.strerror}") from None


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[Reaction], None]]:
    """A bar on stderr, where that is a terminal; what is given moves it on by a case."""
    if not sys.stderr.isatty():
        yield lambda reaction: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        row = bar.add_task("", total=total)
        yield lambda reaction: bar.update(row, advance=1, description=f"{reaction.case}: {reaction.verdict}")
