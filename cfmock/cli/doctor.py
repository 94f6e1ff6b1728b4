"""`cfmock doctor`: what is installed, and what may be in the way."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import socket
import sys
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

WIDTH = 9  # of the names in front


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
        click.echo(f"{name:<{WIDTH}}  {_extras_text(found) if name == 'extras' else mark + check.text}")
    return FAILED if sick else SUCCESS


def _extras_text(found: Sequence[HealthCheck]) -> str:
    """All extras in a line: those that are installed, and of the others what they are for."""
    extras = [check for check in found if check.name in EXTRAS]
    there = ", ".join(check.name for check in extras if check.state == "ok")
    missing = {check.name: EXTRAS[check.name][1] for check in extras if check.state != "ok"}
    if not missing:
        return f"installed: {there}"
    purposes = "; ".join(f"{name}: {purpose}" for name, purpose in missing.items())
    more = f"not installed: {purposes} (pip install 'cfmock[{','.join(missing)}]')"
    return f"note: {f'installed: {there}; ' if there else ''}{more}"


command.epilog = "Example: cfmock doctor --json"


def _package() -> Iterator[HealthCheck]:
    from shutil import which

    from cfmock.base.version import __version__

    place = Path(__file__).parent.parent
    on_path = which("cfmock")
    data = {"version": __version__, "path": str(place), "command": on_path}
    text = f"{__version__}, in {place}"
    if on_path is None and not getattr(sys, "frozen", False):
        yield HealthCheck("cfmock", "note", f"{text}; no command cfmock on PATH: python -m cfmock is the same", data)
    else:
        yield HealthCheck("cfmock", "ok", text, data)


def _python() -> Iterator[HealthCheck]:
    data = {"version": platform.python_version(), "executable": sys.executable, "system": platform.platform()}
    yield HealthCheck("python", "ok", f"{data['version']}, {data['executable']}, on {data['system']}", data)


def _libraries() -> Iterator[HealthCheck]:
    versions = {name: _version(name) for name in _required()}
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        yield HealthCheck("libraries", "problem", f"missing: {', '.join(missing)}; install cfmock again", versions)
    else:
        text = ", ".join(f"{name} {version}" for name, version in versions.items())
        yield HealthCheck("libraries", "ok", text or "packed with this program", versions)


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
    health = None if refusal is None else _health(f"http://{address}")
    data = {"host": host, "port": port, "free": refusal is None, "held_by_cfmock": health is not None}
    if refusal is None:
        yield HealthCheck("port", "ok", f"{address} is free", data)
    elif health is not None:
        yield HealthCheck("port", "note", f"{address} is taken by cfmock {health['version']}", data)
    else:
        yield HealthCheck("port", "problem", f"{address}: {refusal}; serve takes another one with --port N", data)


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
        text = f"{', '.join(names)} set: Python SDKs call the proxy even for 127.0.0.1; run and contract unset them"
        yield HealthCheck("proxies", "note", text, {"variables": names})
    else:
        yield HealthCheck("proxies", "ok", "no proxy variables are set", {"variables": names})


def _server() -> Iterator[HealthCheck]:
    from cfmock.settings import resolve

    settings = resolve({}, os.environ, {})
    named = os.environ.get("CFMOCK_URL")
    url = named or f"http://{settings.host}:{settings.port}"
    health = _health(url, os.environ.get("CFMOCK_CA_FILE"))
    data = {"url": url, "answers": health is not None, "health": health}
    if health is not None:
        yield HealthCheck("server", "ok", f"{url} answers: cfmock {health['version']}, at {health['now']}", data)
    elif named:
        yield HealthCheck("server", "problem", f"{url} (CFMOCK_URL) does not answer as cfmock does", data)
    else:
        yield HealthCheck("server", "ok", f"none at {url}; start one: cfmock serve fixtures/", data)


def _health(url: str, ca_file: str | None = None) -> dict[str, Any] | None:
    """Ask a server about itself; None if nothing answers there, or something else."""
    from cfmock.api import client

    try:
        status, fields = client.ask(url, "health", ca_file, timeout=PATIENCE)
    except SettingsError:
        return None
    return fields if status == 200 and {"version", "now"} <= fields.keys() else None


CHECKS: tuple[Callable[[], Iterator[HealthCheck]], ...] = (
    _package, _python, _libraries, _extras, _pytest, _port, _proxies, _server,
)  # fmt: skip
