"""Set-up that `serve` and `run` share: fixtures and options to a running server, and its logs."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from cfmock.base.errors import SettingsError
from cfmock.base.proxies import proxy_variables, without_proxies
from cfmock.base.short_text import printable
from cfmock.cli.options import Proxying, given_variables
from cfmock.fixtures.loader import load
from cfmock.fixtures.model import NOTHING_FOUND, FixtureSet
from cfmock.server.composition import compose, guard
from cfmock.server.lifecycle import Server
from cfmock.server.tls import Tls, tls_of
from cfmock.settings import Settings, resolve, unknown_variables

if TYPE_CHECKING:
    from cfmock.control.control import Control

log = logging.getLogger("cfmock")

_NAMED = 10  # set-ups of files that are named when nothing used them


class Started(Struct, eq=False):
    """A server and what belongs to it. `proxies` are those of its commands' environment."""

    server: Server
    fixtures: FixtureSet
    settings: Settings
    proxies: Proxying

    @property
    def control(self) -> Control:
        return self.server.steering.control

    async def start(self) -> None:
        await self.server.start()

    async def stop(self) -> None:
        await self.server.stop()

    @property
    def admin_open(self) -> bool:
        """Whether the admin API, and with it the console, answers."""
        return self.server.steering.guard.open

    @property
    def variables(self) -> dict[str, str]:
        """Our own environment with what points a command at the server."""
        from cfmock.api.entered import environment  # not needed to serve

        variables = {**_inherited(), **environment(self.server)}
        if self.proxies is Proxying.NONE:
            return without_proxies(variables)
        if self.proxies is Proxying.OURS:
            url = self.server.url
            variables |= {"HTTP_PROXY": url, "http_proxy": url, "NO_PROXY": "", "no_proxy": ""}
        return variables

    def passes(self) -> bool:
        """Return whether all was well, so far as `--strict` asks; else show the violations."""
        if not self.settings.strict:
            return True
        from cfmock.observe.models import violations_text

        violations = self.control.find_violations()
        if violations:
            click.echo(f"cfmock: {violations_text(violations)}", err=True)
        return not violations

    def tell_unused(self) -> None:
        """Name the set-ups that nothing used: those that were added over the admin API, and on one line those of the files."""
        if not (self.fixtures.flows or self.fixtures.faults or self.server.steering.used):
            return
        from cfmock.api.setups import unused_text

        setups = self.control.setups
        unused = setups.unused()
        added, given = (*unused.certain, *unused.other), setups.unused_given()
        if added:
            click.echo(f"cfmock: {unused_text(added)}", err=True)
        if given:
            rest = f" and {len(given) - _NAMED} more" if len(given) > _NAMED else ""
            named = printable(", ".join(given[:_NAMED]))
            click.echo(f"cfmock: unused set-ups in the files: {named}{rest}", err=True)


def prepare(
    paths: Sequence[str], flags: Mapping[str, Any], proxies: Proxying = Proxying.NONE, **defaults: Any
) -> Started:
    """Read fixtures and options, and make a server of them. Raises FixtureError and SettingsError."""
    fixtures, settings = read(paths, flags, **defaults)
    started = make(fixtures, settings, tls_of(settings), proxies)
    if fixtures.faults or fixtures.findings or settings.state is not None:  # else there is nothing to warn of
        started.control.check_fixtures(fixtures)
    return started


def read(paths: Sequence[str], flags: Mapping[str, Any], **defaults: Any) -> tuple[FixtureSet, Settings]:
    """Fixtures and options, with the warnings that they give cause to. Raises FixtureError and SettingsError."""
    fixtures = load(list(paths), variables=given_variables(flags.get("variables")))
    settings = resolve(flags, os.environ, fixtures.settings, defaults=defaults)
    configure_log(settings)
    for warning in (*unknown_variables(os.environ), *fixtures.warnings):
        log.warning("%s", warning)
    for folder in fixtures.empty_folders(paths):
        log.warning("%s: %s", folder, NOTHING_FOUND)
    if not guard(settings).open:
        log.warning("the admin API is off: %s is not a loopback address and there is no --admin-token", settings.host)
    return fixtures, settings


def make(fixtures: FixtureSet, settings: Settings, tls: Tls | None, proxies: Proxying) -> Started:
    """Return a server that is yet to be started, in the state of the fixtures. Raises SettingsError for a proxy with TLS."""
    if proxies is Proxying.OURS and tls is not None:
        raise SettingsError("--proxy cannot be used with TLS: clients reach a proxy over plain HTTP")
    server = compose(fixtures, settings, tls)
    server.emulator.worlds.begin()
    return Started(server, fixtures, settings, proxies)


def log_removed_proxies(proxies: Proxying) -> None:
    """Log which proxy variables a command does not get, if there are any."""
    names = proxy_variables(os.environ) if proxies is Proxying.NONE else []
    if names:
        log.info(
            "CMD runs without %s: SDKs send even calls to 127.0.0.1 there and ignore NO_PROXY (--keep-proxy leaves %s)",
            " and ".join(names) if len(names) < 3 else ", ".join(names), "it" if len(names) == 1 else "them",
        )  # fmt: skip


def _inherited() -> dict[str, str]:
    """Return the environment that we inherited: the standalone program changes the folder of libraries, which is not for the
    programs it runs."""
    variables = dict(os.environ)
    if getattr(sys, "frozen", False):
        before = variables.pop("LD_LIBRARY_PATH_ORIG", None)
        variables.pop("LD_LIBRARY_PATH", None)
        if before is not None:
            variables["LD_LIBRARY_PATH"] = before
    return variables


def configure_log(settings: Settings) -> None:
    """Logs go to stderr, as text or as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else TextFormatter())
    for name in ("cfmock", "aiohttp", "asyncio"):  # what the others say may hold what clients sent, too
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.propagate = False
    log.setLevel(logging.INFO)


class TextFormatter(logging.Formatter):
    """`cfmock: MESSAGE`. Texts in it are on one line; more lines come of errors with several mistakes, and of tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        given = record.args if isinstance(record.args, tuple) else ()
        texts = tuple(printable(each) if isinstance(each, str) else each for each in given)
        message = str(record.msg) % texts if texts else record.getMessage()
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        lines = filter(None, (*message.split("\n"), *trace.split("\n")))
        return "cfmock: " + "\n  ".join(map(printable, lines))


class JsonFormatter(logging.Formatter):
    """A JSON object a record."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {"level": record.levelname.lower(), "message": record.getMessage(), "time": record.created}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields)
