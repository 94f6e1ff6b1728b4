"""Input and output of a run of `cfmock contract`: the accepted matrix, the progress, the report."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from cfmock.base.errors import SettingsError
from cfmock.cli.main import FAILED, SUCCESS
from cfmock.cli.options import write_file

if TYPE_CHECKING:
    from cfmock.tools.contract.baseline import Accepted
    from cfmock.tools.contract.outcome import Reaction
    from cfmock.tools.contract.plan import CaseSelection
    from cfmock.tools.contract.report import MatrixReport


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


def accepted_by(options: ContractOptions) -> list[Accepted]:
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


def tell(reactions: Sequence[Reaction], options: ContractOptions, accepted: Sequence[Accepted]) -> int:
    """Tell what was found, and compare it or accept it."""
    from cfmock.tools.contract.baseline import differences, text
    from cfmock.tools.contract.report import MatrixReport

    found = None
    if options.expect is not None:
        found = differences(accepted, reactions, options.wanted.covers)
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
    from cfmock.tools.contract import page
    from cfmock.tools.contract import report as words

    if options.form != "table":
        make = {"json": words.document, "junit": junit.of_matrix, "html": page.page}[options.form]
        text = make(report)
    else:
        text = "\n".join([*table_lines(words.COLUMNS, words.rows(report)), *words.footer(report), ""])
    if options.output not in (None, "-"):
        write_file("--output", options.output, text)
    elif options.form != "table":
        click.echo(text, nl=False)
    else:
        print_table(words.COLUMNS, words.rows(report), lambda row: words.STYLES[row[2]], whole=6, cut=True)
        click.echo("\n".join(words.footer(report)))


def check_shown(url: str) -> None:
    """Raises SettingsError unless a server answers there: now rather than when all has been run."""
    from cfmock.api import client

    status, answer = client.ask(url, "contract", token=_token())
    if status != HTTPStatus.OK:
        raise SettingsError(f"--show: {url}: {answer.get('error', status)}")


def _show(report: MatrixReport, url: str) -> None:
    """Leave the report with a server; that this fails in the end changes no verdict."""
    from cfmock.api import admin_request, client

    cases = [each.to_mapping() for each in report.reactions]
    to = admin_request.endpoint("keep_contract")
    assert to is not None, "the table of endpoints has it"
    given = {"command": json.dumps(shlex.join(report.words)), "cases": json.dumps(cases)}
    try:
        status, answer = client.send(url, admin_request.admin_request(to, given, _token()))
    except SettingsError as error:
        status, answer = 0, {"error": str(error)}
    if status != HTTPStatus.OK:
        click.echo(f"cfmock contract: --show: {answer.get('error', status)}", err=True)


def _token() -> str | None:
    return os.environ.get("CFMOCK_ADMIN_TOKEN") or None


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
