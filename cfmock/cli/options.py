"""Options of commands that start a server, made from the table of settings."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import click

from cfmock.base.errors import SettingsError
from cfmock.settings import SETTINGS, Setting, read_variables

F = TypeVar("F", bound=Callable[..., Any])

_SHORT = {"verbose": "-v"}


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """Look for no garbage inside the block: next to nothing that loading makes is, and looking takes a twentieth of a start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def settings_options(*without: str, **defaults: Any) -> Callable[[F], F]:
    """A decorator: an option for every setting that has one, under the setting's name, as text, None when not given.

    `settings.resolve` reads the text, so that a wrong option and a wrong variable are refused in the same words.
    `without` are settings that mean nothing to this command; `defaults` are those that differ from the table's for it, and
    are only shown.
    """

    def decorate(function: F) -> F:
        for row in reversed(list(SETTINGS.values())):
            if row.option is not None and row.name not in without:
                function = _option(row, row.option, defaults.get(row.name, row.default))(function)
        return function

    return decorate


def _option(row: Setting, option: str, default: Any) -> Callable[[F], F]:
    names = [*([_SHORT[row.name]] if row.name in _SHORT else []), option, row.name]
    if row.form is None:
        return click.option(*names, is_flag=True, default=None, help=f"{row.help} [{row.variable}]")
    if row.many:
        return click.option(
            *names, metavar=row.form, multiple=True, callback=lambda *given: given[2] or None,
            help=f"{row.help} [{row.variable}]",
        )  # fmt: skip
    said = row.variable if default is None else f"{row.variable}; default: {default}"
    return click.option(*names, metavar=row.form, help=f"{row.help} [{said}]")


def variable_option(function: F) -> F:
    """A decorator: `--var`, as `variables`, a mapping of names to values for files of deployment tools."""
    option = click.option(
        "--var", "variables", metavar="NAME=VALUE", multiple=True, callback=lambda *given: given_variables(given[2]),
        help=f"{SETTINGS['variables'].help} [{SETTINGS['variables'].variable}]",
    )  # fmt: skip
    return option(function)


def given_variables(texts: Sequence[str] | None) -> dict[str, str]:
    """The variables that options name, else those of the environment. Raises SettingsError for other texts."""
    row = SETTINGS["variables"]
    if texts:
        return read_variables(texts, row.option or row.name)
    return read_variables(os.environ.get(row.variable), row.variable)


def server_options(function: F) -> F:
    """A decorator: `--url` of a running server and `--ca-file`, each from its variable where it is not given."""

    def url(_: click.Context, __: click.Parameter, given: str | None) -> str:
        found = given or os.environ.get("CFMOCK_URL") or "http://127.0.0.1:8790"
        return found if "://" in found else f"http://{found}"  # the form of CFMOCK_ENDPOINT

    def ca_file(_: click.Context, __: click.Parameter, given: str | None) -> str | None:
        return given or os.environ.get("CFMOCK_CA_FILE") or None

    server = "The server. [CFMOCK_URL; default: http://127.0.0.1:8790]"
    trusted = "A CA to trust, for a server with TLS. [CFMOCK_CA_FILE]"
    with_ca = click.option("--ca-file", metavar="FILE", callback=ca_file, help=trusted)(function)
    return click.option("--url", metavar="URL", callback=url, help=server)(with_ca)


def admin_token() -> str | None:
    """Return the admin token of a running server; None for one without."""
    return os.environ.get("CFMOCK_ADMIN_TOKEN") or None


class Proxying(Enum):
    """Choices of the proxy variables that a command finds in its environment."""

    NONE = "none"
    """Not those of our own environment: SDKs would send calls to 127.0.0.1 there, whatever NO_PROXY says."""

    OURS = "ours"
    """HTTP_PROXY names the server, so that clients come here under the service's own host names."""

    INHERITED = "inherited"
    """The proxy variables of our own environment."""


def proxy_options(function: F) -> F:
    """A decorator: `--proxy` and `--keep-proxy`, as `proxies`. Both together are a SettingsError."""

    def chosen(context: click.Context, _: click.Parameter, keep: bool) -> Proxying:
        if not context.meta["cfmock.proxy"]:
            return Proxying.INHERITED if keep else Proxying.NONE
        if keep:
            raise SettingsError("--keep-proxy cannot be used with --proxy, which sets HTTP_PROXY")
        return Proxying.OURS

    left = "leave HTTP_PROXY, HTTPS_PROXY and ALL_PROXY as they are"
    keep = click.option("--keep-proxy", "proxies", is_flag=True, callback=chosen, help=left)
    own = _flag("--proxy", "also set HTTP_PROXY, so that clients without an endpoint option come here")
    return own(keep(function))


def format_options(formats: Sequence[str], words: str = "Format of the report.") -> Callable[[F], F]:
    """A decorator: `--format`, as `form`, the first of the formats by default; and `--json`, the same as `--format json`."""

    def chosen(context: click.Context, _: click.Parameter, value: str) -> str:
        if not context.meta["cfmock.json"]:
            return value
        if value not in (formats[0], "json"):
            raise click.UsageError(f"--json cannot be used with --format {value}", context)
        return "json"

    kind = click.Choice(formats)
    given = click.option(
        "--format", "form", type=kind, default=formats[0], show_default=True, callback=chosen, help=words
    )
    same = _flag("--json", "The same as --format json.")
    return lambda function: given(same(function))


def _flag(option: str, words: str) -> Callable[[F], F]:
    """A decorator: a flag that the callback of another option finds in `Context.meta`, as `cfmock.json`."""

    def note(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        context.meta[f"cfmock.{parameter.name}"] = value

    return click.option(option, is_flag=True, is_eager=True, expose_value=False, callback=note, help=words)


def write_file(option: str, file: str, text: str) -> None:
    """Write the file that an option names. Raises SettingsError, which names the option."""
    with writing(file, option):
        Path(file).write_text(text, encoding="utf-8", errors="backslashreplace")


@contextlib.contextmanager
def writing(file: str | Path, option: str = "") -> Iterator[None]:
    """Raises SettingsError where the file, which the option names, cannot be written inside the block."""
    try:
        yield
    except OSError as error:
        raise SettingsError(f"{option and f'{option}: '}cannot write {file}: {error.strerror}") from None
