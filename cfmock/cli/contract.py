"""`cfmock contract -- CMD`: what a client does about each error and broken connection."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct
from msgspec.structs import replace

from cfmock.base.errors import SettingsError
from cfmock.cli.main import FAILED, INTERRUPTED, SUCCESS
from cfmock.cli.options import Proxying, admin_token, format_options, proxy_options, settings_options, write_file
from cfmock.cli.run import CommandBehind

if TYPE_CHECKING:
    from cfmock.protocol.faults.rules import FaultRule
    from cfmock.tools.contract.clients import ClientRun, Serve, Service
    from cfmock.tools.contract.outcome import Reaction
    from cfmock.tools.contract.plan import CaseSelection
    from cfmock.tools.contract.report import MatrixReport
    from cfmock.tools.contract.run import MatrixRunner

JOURNAL = 100_000  # calls kept of a case at the least: it is judged by them
SHOWN = 20  # lines shown of what the command wrote when it fails without a fault


@click.command(
    cls=CommandBehind,
    help="Run CMD once for each error and broken connection, and show how it reacts.",
    options_metavar="[OPTIONS]",
    epilog="Example: cfmock contract fixtures/ --jobs 2 -- python client.py",
)
@click.argument("paths", nargs=-1, metavar="[PATH]... -- CMD [ARG]...")
@format_options(("table", "json", "junit", "html"))
@click.option("--output", metavar="FILE", help="Write the report to this file instead of stdout (-).")
@click.option("--operation", metavar="NAME", multiple=True, help="Test only this operation. Can be repeated.")
@click.option(
    "--code", metavar="CODE", multiple=True,
    help="Test only this error code or broken connection (reset, hang, ...). Can be repeated.",
)  # fmt: skip
@click.option(
    "--nth", metavar="N", type=click.IntRange(1), default=1, help="Fail the n-th call of the operation, not the first."
)
@click.option("--expect", metavar="FILE", help="The accepted results: exit with 1 if a result differs.")
@click.option("--update", is_flag=True, help="Write the current results to that file, as the accepted ones.")
@click.option("--show", metavar="URL", help="Also show the report in the console of this running server.")
@click.option(
    "--ok-exit", metavar="STATUS", type=click.IntRange(0, 255), multiple=True, default=(0,),
    help="Exit status with which CMD succeeds, instead of 0. Can be repeated.",
)  # fmt: skip
@click.option("--jobs", metavar="N", type=click.IntRange(1, 64), default=1, help="Run N cases at the same time.")
@click.option(
    "--timeout", metavar="DURATION", help="Stop CMD after this time. [default: 30s, or 10 times the clean run]"
)
@click.option(
    "--worker",
    is_flag=True,
    help='Start CMD once. For each case it reads a line {"case": NAME} and writes a line {"exit": STATUS, "said": TEXT}.',
)
@proxy_options
@settings_options("reload", port=0)
@click.pass_context
def command(
    ctx: click.Context, /, paths: tuple[str, ...], operation: tuple[str, ...], code: tuple[str, ...],
    proxies: Proxying, timeout: str | None, jobs: int, nth: int, worker: bool, ok_exit: tuple[int, ...], **given: Any,
) -> int:  # fmt: skip
    """The report is all that goes to stdout."""
    from cfmock.server.lifecycle import new_loop
    from cfmock.tools.contract.clients import ClientPool, FreshProcess, Worker
    from cfmock.tools.contract.plan import CaseSelection
    from cfmock.tools.contract.run import LEAST, LEAST_OF_WORKERS, MatrixRunner

    asked = {name: given.pop(name) for name in ("form", "output", "expect", "update", "show")}
    options = ContractOptions(words=ctx.obj, wanted=CaseSelection.of(operation, code), jobs=jobs, **asked)
    accepted = accepted_by(options)
    if options.output not in (None, "-"):
        check_writable("--output", options.output)
    if options.show is not None:
        check_shown(options.show)
    serve, strict = _servers(paths, given, proxies, options)
    kind = Worker if worker else FreshProcess
    lab = MatrixRunner(
        ClientPool(lambda: kind(serve, options.words)), nth, None if timeout is None else _seconds(timeout), strict,
        LEAST_OF_WORKERS if worker else LEAST, ok_exit,
    )  # fmt: skip
    loop = new_loop()
    try:
        return _until_told(loop, loop.create_task(_matrix(lab, options, accepted)))
    finally:
        loop.run_until_complete(lab.clients.close())
        loop.close()


def _servers(
    paths: Sequence[str], flags: Mapping[str, Any], proxies: Proxying, options: ContractOptions
) -> tuple[Serve, bool]:
    """Return a function that makes servers of these fixtures and options, and whether they are strict. Raises FixtureError and
    SettingsError."""
    from cfmock.cli import server_setup
    from cfmock.server.tls import tls_of

    fixtures, settings = server_setup.read(paths, flags, port=0)
    if settings.port and options.jobs > 1:
        raise SettingsError(f"--port {settings.port} needs --jobs 1: each case has its own server")
    tls = tls_of(settings)
    kept = replace(settings, journal_size=max(settings.journal_size, JOURNAL))

    def serve(rule: FaultRule | None) -> Service:
        faults = fixtures.faults if rule is None else (rule, *fixtures.faults)
        return server_setup.make(replace(fixtures, faults=faults), kept, tls, proxies)

    serve(None)  # so that options that do not go together are refused at once
    server_setup.log_removed_proxies(proxies)
    return serve, settings.strict


def _seconds(timeout: str) -> float:
    from cfmock.base.time_text import parse_duration

    try:
        seconds = parse_duration(timeout)
    except ValueError as error:
        raise SettingsError(f"--timeout: {error}") from None
    if not seconds:
        raise SettingsError("--timeout: it must be more than zero")
    return seconds


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


async def _matrix(lab: MatrixRunner, options: ContractOptions, accepted: list[Reaction]) -> int:
    from cfmock.tools.contract.outcome import operations_used
    from cfmock.tools.contract.plan import plan

    try:
        clean = await lab.clean()
    except FileNotFoundError:
        raise SettingsError(f"cfmock contract: no command '{options.words[0]}'") from None
    except OSError as error:
        raise SettingsError(f"cfmock contract: cannot run '{options.words[0]}': {error.strerror}") from None
    operations = operations_used(clean.records)
    if wrong := _wrong(lab, clean, operations, options):
        click.echo(wrong, err=True)
        return FAILED
    cases = plan(operations, options.wanted)
    if not cases:
        raise SettingsError(f"--code: {', '.join(operations)} documents none of {', '.join(options.wanted.faults)}")
    tried = dict.fromkeys(case.operation for case in cases)
    click.echo(f"cfmock contract: {len(cases)} case{'s' * (len(cases) != 1)} of {', '.join(tried)}", err=True)
    with progress(len(cases)) as advance:
        reactions = await lab.matrix(cases, clean, options.jobs, advance)
    return tell(reactions, options, accepted)


def _wrong(lab: MatrixRunner, clean: ClientRun, operations: Sequence[str], options: ContractOptions) -> str:
    """Say why there is nothing to go by; empty if all is well."""
    from cfmock.base.time_text import duration_text
    from cfmock.observe.models import violations_text

    ended = clean.ended
    if ended.timed_out or ended.exit not in lab.good:
        how = f"ended with status {ended.exit}"
        if ended.timed_out:
            how = f"was ended after {duration_text(ended.seconds, digits=2)}"
        elif ended.exit > FAILED:
            how += f" (where that is its success, give --ok-exit {ended.exit})"
        said = [f"\n  {line}" for text in (ended.out, ended.err) for line in text.rstrip().splitlines()[-SHOWN:]]
        wrote = "; it wrote:" if said else " and wrote nothing"
        return f"cfmock contract: without any fault CMD {how}{wrote}{''.join(said)}"
    if not operations:
        return "cfmock contract: CMD made no calls: point its client to CFMOCK_URL, or use --proxy"
    unused = [name for name in options.wanted.operations if name not in operations]
    if unused:
        return f"--operation: CMD does not call {', '.join(unused)}; it calls {', '.join(operations)}"
    return f"cfmock contract: {violations_text(clean.violations)}" if lab.strict and clean.violations else ""


class ContractOptions(Struct, frozen=True):
    """`words` are the command to run, `wanted` the cases, `form` the report's, which goes to `output`; `expect` names the
    accepted matrix, which `update` rewrites; `show` is the server whose console shows the report."""

    words: Sequence[str]
    wanted: CaseSelection
    jobs: int
    form: str
    output: str | None
    expect: str | None
    update: bool
    show: str | None = None


def accepted_by(options: ContractOptions) -> list[Reaction]:
    """Read the file of `--expect`; empty if it is yet to be written. Raises SourceError and SettingsError."""
    from cfmock.tools.contract import baseline

    if options.expect is None:
        if options.update:
            raise SettingsError("--update goes with --expect FILE, the file to write")
        return []
    if options.update:
        check_writable("--expect", options.expect)
    try:
        content = Path(options.expect).read_bytes()
    except FileNotFoundError:
        if options.update:
            return []
        raise SettingsError(
            f"--expect: there is no {options.expect}; --update writes it from the current results"
        ) from None
    except OSError as error:
        raise SettingsError(f"--expect: cannot read {options.expect}: {error.strerror}") from None
    return baseline.read(content, options.expect)


def tell(reactions: Sequence[Reaction], options: ContractOptions, accepted: Sequence[Reaction]) -> int:
    """Tell what was found, and compare it or accept it."""
    from cfmock.tools.contract.baseline import differences, text
    from cfmock.tools.contract.report import MatrixReport

    found = None if options.expect is None else differences(accepted, reactions, options.wanted.covers)
    report = MatrixReport(options.words, reactions, found if not options.update else None)
    _print(report, options)
    if options.show is not None:
        _show(report, options.show)
    for difference in found or () if accepted or not options.update else ():
        click.echo(str(difference), err=True)
    if options.expect is None or not options.update:
        return FAILED if found else SUCCESS
    write_file("--expect", options.expect, text(accepted, reactions, options.wanted.covers))
    click.echo(f"cfmock contract: accepted, in {options.expect}", err=True)
    return SUCCESS


def _print(report: MatrixReport, options: ContractOptions) -> None:
    from cfmock.cli.terminal import print_table, table_lines
    from cfmock.tools import junit
    from cfmock.tools.contract import report as words

    if options.form != "table":
        make = {"json": words.document, "junit": junit.of_matrix, "html": words.page}[options.form]
        text = make(report)
    else:
        text = "\n".join([*table_lines(words.COLUMNS, words.rows(report)), *words.footer(report), ""])
    if options.output not in (None, "-"):
        write_file("--output", options.output, text)
    elif options.form != "table":
        click.echo(text, nl=False)
    else:
        print_table(words.COLUMNS, words.rows(report), lambda row: words.VERDICTS[row[2]][0], whole=6, cut=True)
        click.echo("\n".join(words.footer(report)))


def check_shown(url: str) -> None:
    """Raises SettingsError unless a server answers there: now rather than when all has been run."""
    from cfmock.api import client

    status, answer = client.ask(url, "contract", token=admin_token())
    if status != HTTPStatus.OK:
        raise SettingsError(f"--show: {url}: {answer.get('error', status)}")


def _show(report: MatrixReport, url: str) -> None:
    """Leave the report with a server; that this fails in the end changes no verdict."""
    from cfmock.api import client

    cases = [each.to_mapping() for each in report.reactions]
    to = client.endpoint("keep_contract")
    assert to is not None, "the table of endpoints has it"
    given = {"command": json.dumps(shlex.join(report.words)), "cases": json.dumps(cases)}
    try:
        status, answer = client.send(url, client.admin_request(to, given, admin_token()))
    except SettingsError as error:
        status, answer = 0, {"error": str(error)}
    if status != HTTPStatus.OK:
        click.echo(f"cfmock contract: --show: {answer.get('error', status)}", err=True)


def check_writable(option: str, file: str) -> None:
    """Raises SettingsError now rather than when all has been run."""
    path = Path(file)
    if path.is_dir() or not path.parent.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise SettingsError(f"{option}: cannot write {file}")


@contextlib.contextmanager
def progress(total: int) -> Iterator[Callable[[Reaction], None]]:
    """A bar on stderr, where that is a terminal; what is given moves it on by a case."""
    if not sys.stderr.isatty():
        yield lambda reaction: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False)
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        row = bar.add_task("", total=total)
        yield lambda reaction: bar.update(row, advance=1, description=f"{reaction.case}: {reaction.verdict}")
