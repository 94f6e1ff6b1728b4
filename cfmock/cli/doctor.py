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
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import click

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

PATIENCE = 2.0  # seconds that a server gets to answer
LONGEST_ANSWER = 65536  # bytes read of an answer
COLUMNS = 80  # width of a terminal, for which texts are short enough to stand in ten lines
NAMES = 11  # columns, of the names in front

Result = tuple[Literal["ok", "note", "problem"], str, Mapping[str, Any]]
"""The result of a check: fine, worth knowing, or not working; its words; its data, for programs."""


@click.command(
    "doctor", help="Show what is installed, and what may cause trouble: extras, port, proxies, a running server.",
    epilog="Example: cfmock doctor --json",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> int:
    """Exit with 1 if something does not work."""
    found = {name: check() for name, check in CHECKS.items()}
    code = FAILED if any(state == "problem" for state, _, _ in found.values()) else SUCCESS
    if as_json:
        checks = [
            dict(zip(("name", "state", "text", "data"), (name, *each), strict=True)) for name, each in found.items()
        ]
        click.echo(json.dumps({"ok": code == SUCCESS, "checks": checks}, indent=2))
        return code
    lines = {}
    for name, (state, text, _) in found.items():
        lines["extras" if name in EXTRAS else name] = text if state == "ok" else f"{state}: {text}"
    for name, text in {**lines, "extras": _extras_text(found)}.items():
        indent = " " * NAMES
        click.echo(textwrap.fill(f"{name:<{NAMES}}{text}", COLUMNS, subsequent_indent=indent, break_on_hyphens=False))
    return code


def _extras_text(found: Mapping[str, Result]) -> str:
    """All extras in a line: those that are installed and those that are not, with the way to get them if there is room."""
    states = {name: found[name][0] for name in EXTRAS if name in found}
    there, missing = ([name for name, state in states.items() if state == wanted] for wanted in ("ok", "note"))
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


def _package() -> Result:
    from shutil import which

    from cfmock.base.version import __version__

    place = Path(__file__).parent.parent
    on_path = which("cfmock")
    data = {"version": __version__, "path": str(place), "command": on_path}
    if on_path is None and not getattr(sys, "frozen", False):
        return "note", f"{__version__}; not on PATH: python -m cfmock is the same", data
    return "ok", f"{__version__}, in {_path(place, 50)}", data


def _python() -> Result:
    data = {"version": platform.python_version(), "executable": sys.executable, "system": platform.platform()}
    return "ok", f"{data['version']} on {platform.system()}, {_path(sys.executable, 45)}", data


def _libraries() -> Result:
    versions = {name: _version(name) for name in _required()}
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        return "problem", f"missing: {', '.join(missing)}; install cfmock again", versions
    text = f"all {len(versions)} are installed (their versions: cfmock doctor --json)"
    return "ok", text if versions else "packed with this program", versions


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


def _extra(name: str) -> Result:
    modules, purpose = EXTRAS[name]
    missing = [module for module in modules.split(", ") if importlib.util.find_spec(module) is None]
    data = {"installed": not missing, "missing": missing}
    if missing:
        return "note", f"not installed: {purpose} ({', '.join(missing)} missing; pip install 'cfmock[{name}]')", data
    return "ok", f"installed: {purpose}", data


def _pytest() -> Result:
    version = _version("pytest")
    plugin = any(each.name == "cfmock" for each in importlib.metadata.entry_points(group="pytest11"))
    data = {"version": version, "plugin": plugin}
    if version is None:
        return "note", "not installed here: the fixture cfmock needs it", data
    if not plugin:
        return "note", f"{version} does not find the plugin: -p cfmock.pytest_plugin", data
    return "ok", f"{version}, and it finds the plugin", data


def _port() -> Result:
    host, port, address = _usual_address()
    if port == 0:
        return "ok", "0: serve takes a free one", {"host": host, "port": port, "free": True}
    refusal = _refusal(host, port)
    holder = None if refusal is None else _at(address)
    data = {"host": host, "port": port, "free": refusal is None, "held_by_cfmock": holder is not None}
    if refusal is None:
        return "ok", f"{address} is free", data
    if holder is None:
        return "problem", f"{address}: {refusal}; try serve --port N", data
    url, health = holder
    over = ", with HTTPS" if url.startswith("https:") else ""
    return "note", f"{address} is taken by cfmock {health['version']}{over}", data


def _usual_address() -> tuple[str, int, str]:
    """Return where `serve` listens: the host, the port, and both as they stand in a URL."""
    from cfmock.settings import resolve

    settings = resolve({}, os.environ, {})
    host, port = settings.host, settings.port
    return host, port, f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _refusal(host: str, port: int) -> str | None:
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            return None
    except OSError as error:
        return (error.strerror or str(error)).lower()


def _proxies() -> Result:
    from cfmock.base.proxies import proxy_variables

    names = proxy_variables(os.environ)
    if names:
        return "note", f"{', '.join(names)} set: Python SDKs call the proxy even for 127.0.0.1", {"variables": names}
    return "ok", "no proxy variables are set", {"variables": names}


def _server() -> Result:
    named, ca_file = os.environ.get("CFMOCK_URL"), os.environ.get("CFMOCK_CA_FILE")
    address = _usual_address()[-1]
    url, health = (named, _health(named)) if named else _at(address) or (f"http://{address}", None)
    trusted = health is not None and (not url.startswith("https:") or _trusted(url, ca_file))
    data = {"url": url, "answers": health is not None, "trusted": trusted, "health": health}
    if health is None and named:
        return "problem", f"{url} (CFMOCK_URL) does not answer as cfmock does", data
    if health is None:
        return "ok", f"none at {url}; start one: cfmock serve fixtures/", data
    if not trusted:
        remedy = "CFMOCK_CA_FILE is not its CA" if ca_file else "set CFMOCK_CA_FILE to its CA"
        text = f"{url} answers, but its certificate is not trusted: {remedy}"
        return "problem" if named else "note", text, data
    return "ok", f"{url} answers: cfmock {health['version']}", data


def _at(address: str) -> tuple[str, Mapping[str, Any]] | None:
    """Return the URL and health of the server that has this address, of whichever scheme; None if that is no cfmock."""
    for url in (f"http://{address}", f"https://{address}"):
        if (health := _health(url)) is not None:
            return url, health
    return None


def _health(url: str) -> Mapping[str, Any] | None:
    """Ask a server about itself, whatever its certificate; None if nothing answers there, or something else."""
    import ssl
    from http.client import HTTPConnection, HTTPException, HTTPSConnection
    from urllib.parse import urlsplit

    from cfmock.api.client import fields_of

    any_certificate = ssl.create_default_context()
    any_certificate.check_hostname, any_certificate.verify_mode = False, ssl.CERT_NONE
    try:
        parts = urlsplit(url)
        kind = partial(HTTPSConnection, context=any_certificate) if parts.scheme == "https" else HTTPConnection
        with contextlib.closing(kind(parts.hostname or "", parts.port, timeout=PATIENCE)) as connection:
            connection.request("GET", f"{parts.path.rstrip('/')}/_cfmock/health")
            answer = connection.getresponse()
            fields = fields_of(answer.status, answer.read(LONGEST_ANSWER))
    except (OSError, ValueError, HTTPException, SettingsError):
        return None
    return fields if answer.status == 200 and {"version", "now"} <= fields.keys() else None


def _trusted(url: str, ca_file: str | None) -> bool:
    from cfmock.api import client

    try:
        client.ask(url, "health", ca_file, timeout=PATIENCE)
    except SettingsError:
        return False
    return True


CHECKS: Mapping[str, Callable[[], Result]] = {
    "cfmock": _package,
    "python": _python,
    "libraries": _libraries,
    **{name: partial(_extra, name) for name in EXTRAS},
    "pytest": _pytest,
    "port": _port,
    "proxies": _proxies,
    "server": _server,
}
