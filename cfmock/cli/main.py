"""The command group: which commands there are, loaded one at a time, and what becomes of their mistakes."""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
from collections.abc import Sequence

import click

from cfmock.base.errors import CfmockError
from cfmock.base.suggestions import did_you_mean
from cfmock.base.version import __version__

COMMANDS: dict[str, str] = {
    "serve": "Start a server, and serve until you stop it.",
    "run": "Start a server, run a command against it, exit with its status.",
    "call": "Make one signed call to a running server.",
    "check": "Find mistakes in fixtures and flow definitions.",
    "test": "Run the flow tests in fixtures and show what they cover.",
    "export": "Write the state of a running server as a fixture file.",
    "replay": "Compare recorded executions of the service with a definition.",
    "contract": "Show how a client reacts to each error and broken connection.",
    "errors": "List the error codes, and how to cause each of them.",
    "graph": "Draw a flow as Mermaid, Graphviz or SVG.",
    "schema": "Print the JSON Schema of fixtures, or of definitions.",
    "state": "Show what a state file contains.",
    "init": "Write a first fixture, flow and tests.",
    "doctor": "Show what is installed, and what may cause trouble.",
}
"""The commands, in the order of the help, each with the first line of its own help. A command is `command` in the
module of its name beside this one."""

LOGGING = ("serve", "run", "contract")
"""Commands that have a log, and name there the variables that nothing reads."""

SUCCESS, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130
"""Exit codes: all well · the thing checked failed · bad usage or a bad file · ended by Ctrl-C."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Why a file takes no more: the disk or the user's part of it is full, the file is at its limit, the device failed."""


class LazyGroup(click.Group):
    """Imports a command when it is called for: `serve` need not wait for what `errors` draws its table with."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"cfmock.cli.{cmd_name}")
        found: click.Command = module.command
        if ctx.resilient_parsing:  # a shell asks for completions
            from cfmock.cli.completion import completing

            return completing(found)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"no command '{name}'{did_you_mean(name, COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def cfmock(context: click.Context) -> None:
    """A local stand-in for Alibaba Cloud CloudFlow.

    \b
    Example:
      cfmock serve fixtures/
    """
    if context.invoked_subcommand not in LOGGING:
        from cfmock.settings import unknown_variables

        for line in unknown_variables(os.environ):
            click.echo(f"cfmock: {line}", err=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. A user's mistake is a message on stderr, our own bug a traceback."""
    _open_streams()
    try:
        words = None if argv is None else list(argv)
        code = cfmock.main(words, prog_name="cfmock", standalone_mode=False, color=_colour())
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return MISUSED
    except CfmockError as error:
        click.echo(str(error), err=True)
        return MISUSED
    except click.Abort:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has left (`cfmock errors | head`); the interpreter must not try to flush it at exit.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
        return FAILED
    except OSError as error:
        from cfmock.fixtures.sources import working_folder

        if not working_folder():
            click.echo("the working folder was removed or renamed: cd to one that exists", err=True)
            return MISUSED
        if error.errno not in NO_ROOM:
            raise
        # Errors of files that options name are caught where they are written: this one is of stdout.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
        click.echo(f"cannot write to stdout: {error.strerror}", err=True)
        return MISUSED
    return code if isinstance(code, int) else SUCCESS


def _colour() -> bool | None:
    """Never for who wants none (https://no-color.org) or has a terminal without, as with tables; else None: on a terminal."""
    return False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None


def _open_streams() -> None:
    """Open standard streams that are closed at the start. Their numbers would go to the next socket or pipe, which would then
    get all that is written to the stream, and be closed with it. Besides, make all of them take every text."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115
    # Names of files and of states need not be text that can be written.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
