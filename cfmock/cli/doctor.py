"""`cfmock doctor`: what is installed, and what may be in the way."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import socket
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import click
from msgspec import Struct
from msgspec.structs import asdict

from cfmock.base.errors import SettingsError
from cfmock.cli.main import FAILED, SUCCESS

EXTRAS: Mapping[str, tuple[str, str]] = {
    "fast": ("uvloop", "a quicker event loop"),
    "tls": ("cryptography, trustme", "--tls, RSA key pairs"),
    "metrics": ("prometheus_client", "figures for Prometheus"),
    "terraform": ("hcl2", "flows in Terraform files"),
    "postgres": ("psycopg", "replicas on PostgreSQL"),
}
"""Extra → the modules that it brings, and what they are for."""

PATIENCE = 2.0
"""Seconds that a server gets to answer."""

LONGEST_ANSWER = 65536
"""Bytes read of an answer."""

COLUMNS = 80
"""Width of a terminal, for which texts are short enough to stand in ten lines."""

NAMES = 11  # columns, of the names in front


class HealthCheck(Struct, frozen=True):
    """One line: `state` is `ok`, `note` (worth knowing) or `problem` (something does not work); `data` is for programs."""

    name: str
    state: Literal["ok", "note", "problem"]
    text: str
    data: Mapping[str, Any]


@click.command(
    "doctor", help="Show what is installed, and what may cause trouble: extras, port, proxies, a running server."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> int:
    """Exit with 1 if something does not work."""
    found = [check for make in CHECKS for check in make()]
    sick = any(check.state == "problem" for check in found)
    if as_json:
        click.echo(json.dumps({"ok": not sick, "checks": [asdict(check) for check in found]}, indent=2))
        return FAILED if sick else SUCCESS
    for name, check in {check.name if check.name not in EXTRAS else "extras": check for check in found}.items():
        mark = "" if check.state == "ok" else f"{check.state}: "
        text = _extras_text(found) if name == "extras" else mark + check.text
        indent = " " * NAMES
        click.echo(textwrap.fill(f"{name:<{NAMES}}{text}", COLUMNS, subsequent_indent=indent, break_on_hyphens=False))
    return FAILED if sick else SUCCESS


def _extras_text(found: Sequence[HealthCheck]) -> str:
    """All extras in a line: those that are installed and those that are not, with the way to get them if there is room."""
    extras = {check.name: check.state == "ok" for check in found if check.name in EXTRAS}
    there, missing = ([name for name, ok in extras.items() if ok is state] for state in (True, False))
    text = f"installed: {', '.join(there)}" if there else ""
    if not missing:
        return text
    text = f"note: {text}{'; ' if there else ''}missing: {', '.join(missing)}"
    remedy = f" (pip install 'cfmock[{','.join(missing)}]')"
    return text if NAMES + len(text + remedy) > COLUMNS else text + remedy


def _path(path: object, room: int) -> str:
    """The end of a path, if the whole is longer than the room for it."""
    text = str(path)
    return text if len(text) <= room else f"...{text[-room + 3 :]}"


command.epilog = "Example: cfmock doctor --json"


def _package() -> Iterator[HealthCheck]:
    from shutil import which

    from cfmock.base.version import __version__

    place = Path(__file__).parent.parent
    on_path = which("cfmock")
    data = {"version": __version__, "path": str(place), "command": on_path}
    if on_path is None and not getattr(sys, "frozen", False):
        text = f"{__version__}; not on PATH: python -m cfmock is the same"
        yield HealthCheck("cfmock", "note", text, data)
    else:
        yield HealthCheck("cfmock", "ok", f"{__version__}, in {_path(place, 50)}", data)


def _python() -> Iterator[HealthCheck]:
    data = {"version": platform.python_version(), "executable": sys.executable, "system": platform.platform()}
    yield HealthCheck("python", "ok", f"{data['version']} on {platform.system()}, {_path(sys.executable, 45)}", data)


def _libraries() -> Iterator[HealthCheck]:
    versions = {name: _version(name) for name in _required()}
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        yield HealthCheck("libraries", "problem", f"missing: {', '.join(missing)}; install cfmock again", versions)
    else:
        text = f"all {len(versions)} are installed (their versions: cfmock doctor --json)"
        yield HealthCheck("libraries", "ok", text if versions else "packed with this program", versions)


def _required() -> list[str]:
    """Return the distributions that every installation needs; none is named where cfmock itself is not installed as one."""
    try:
        lines = importlib.metadata.requires("cfmock") or []
    except importlib.metadata.PackageNotFoundError:
        return []
    return [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in lines if "extra ==" not in line]


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _extras() -> Iterator[HealthCheck]:
    for extra, (modules, purpose) in EXTRAS.items():
        missing = [module for module in modules.split(", ") if importlib.util.find_spec(module) is None]
        data = {"installed": not missing, "missing": missing}
        text = f"installed: {purpose}"
        if missing:
            text = f"not installed: {purpose} ({', '.join(missing)} missing; pip install 'cfmock[{extra}]')"
        yield HealthCheck(extra, "note" if missing else "ok", text, data)


def _pytest() -> Iterator[HealthCheck]:
    version = _version("pytest")
    plugin = any(each.name == "cfmock" for each in importlib.metadata.entry_points(group="pytest11"))
    data = {"version": version, "plugin": plugin}
    if version is None:
        yield HealthCheck("pytest", "note", "not installed here: the fixture cfmock needs it", data)
    elif not plugin:
        yield HealthCheck("pytest", "note", f"{version} does not find the plugin: -p cfmock.pytest_plugin", data)
    else:
        yield HealthCheck("pytest", "ok", f"{version}, and it finds the plugin", data)


def _port() -> Iterator[HealthCheck]:
    from cfmock.settings import resolve

    settings = resolve({}, os.environ, {})
    host, port = settings.host, settings.port
    if port == 0:
        yield HealthCheck("port", "ok", "0: serve takes a free one", {"host": host, "port": port, "free": True})
        return
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    refusal = _refusal(host, port)
    holder = None if refusal is None else _at(host, port)
    data = {"host": host, "port": port, "free": refusal is None, "held_by_cfmock": holder is not None}
    if refusal is None:
        yield HealthCheck("port", "ok", f"{address} is free", data)
    elif holder is not None:
        over = ", with HTTPS" if holder.url.startswith("https:") else ""
        yield HealthCheck("port", "note", f"{address} is taken by cfmock {holder.health['version']}{over}", data)
    else:
        yield HealthCheck("port", "problem", f"{address}: {refusal}; try serve --port N", data)


def _refusal(host: str, port: int) -> str | None:
    """Say why the address cannot be listened on; None if it can."""
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            return None
    except OSError as error:
        return (error.strerror or str(error)).lower()


def _proxies() -> Iterator[HealthCheck]:
    from cfmock.base.proxies import proxy_variables

    names = proxy_variables(os.environ)
    if names:
        text = f"{', '.join(names)} set: Python SDKs call the proxy even for 127.0.0.1"
        yield HealthCheck("proxies", "note", text, {"variables": names})
    else:
        yield HealthCheck("proxies", "ok", "no proxy variables are set", {"variables": names})


def _server() -> Iterator[HealthCheck]:
    from cfmock.settings import resolve

    settings = resolve({}, os.environ, {})
    named, ca_file = os.environ.get("CFMOCK_URL"), os.environ.get("CFMOCK_CA_FILE")
    found = _answering(named) if named else _at(settings.host, settings.port)
    url = named or (found.url if found else f"http://{settings.host}:{settings.port}")
    trusted = found is not None and (not url.startswith("https:") or _trusted(url, ca_file))
    data = {"url": url, "answers": found is not None, "trusted": trusted, "health": found.health if found else None}
    if found is None and named:
        yield HealthCheck("server", "problem", f"{url} (CFMOCK_URL) does not answer as cfmock does", data)
    elif found is None:
        yield HealthCheck("server", "ok", f"none at {url}; start one: cfmock serve fixtures/", data)
    elif not trusted:
        remedy = "CFMOCK_CA_FILE is not its CA" if ca_file else "set CFMOCK_CA_FILE to its CA"
        text = f"{url} answers, but its certificate is not trusted: {remedy}"
        yield HealthCheck("server", "problem" if named else "note", text, data)
    else:
        yield HealthCheck("server", "ok", f"{url} answers: cfmock {found.health['version']}", data)


class AnsweringServer(Struct, frozen=True):
    """A cfmock server that answers at this URL, with what it says about itself, whether its certificate is trusted or not."""

    url: str
    health: Mapping[str, Any]


def _at(host: str, port: int) -> AnsweringServer | None:
    """Return the server that has this port, of whichever scheme; None if that is no cfmock."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return _answering(f"http://{address}") or _answering(f"https://{address}")


def _answering(url: str) -> AnsweringServer | None:
    """Ask a server about itself, whatever its certificate; None if nothing answers there, or something else."""
    import ssl
    from http.client import HTTPConnection, HTTPException, HTTPSConnection
    from urllib.parse import urlsplit

    from cfmock.api.client import fields_of

    any_certificate = ssl.create_default_context()
    any_certificate.check_hostname, any_certificate.verify_mode = False, ssl.CERT_NONE
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "https":
            connection: HTTPConnection = HTTPSConnection(host, port, timeout=PATIENCE, context=any_certificate)
        else:
            connection = HTTPConnection(host, port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("GET", f"{parts.path.rstrip('/')}/_cfmock/health")
            answer = connection.getresponse()
            fields = fields_of(answer.status, answer.read(LONGEST_ANSWER))
    except (OSError, ValueError, HTTPException, SettingsError):
        return None
    return AnsweringServer(url, fields) if answer.status == 200 and {"version", "now"} <= fields.keys() else None


def _trusted(url: str, ca_file: str | None) -> bool:
    from cfmock.api import client

    try:
        client.ask(url, "health", ca_file, timeout=PATIENCE)
    except SettingsError:
        return False
    return True


CHECKS: tuple[Callable[[], Iterator[HealthCheck]], ...] = (
    _package, _python, _libraries, _extras, _pytest, _port, _proxies, _server,
)  # fmt: skip
