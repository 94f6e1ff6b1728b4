"""The vendor's SDKs, each set in an environment of its own, since their dependencies conflict with one another, and the programs
from npm that the console is checked with.

Run by `make test` before the tests: makes what is missing or out of date, each by `.ci/environment`, several at once. A set
that cannot be made here leaves the reason beside its place, and its tests are skipped for it. With names, only those are made.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
VENVS = ROOT / ".venvs"
NODE = HERE / "node"
GO = HERE / "go"
JAVA = HERE / "java"
FUN = HERE / "fun"
CONSOLE = HERE / "console"
TESTCONTAINERS = HERE / "testcontainers"

# environment -> what is installed into it
SDKS = {
    "tea": ("alibabacloud-fnf20190315==2.0.1", "alibabacloud-tea-openapi==0.4.6"),
    "tea-0.3": ("alibabacloud-fnf20190315==2.0.0", "alibabacloud-tea-openapi==0.3.16"),
    "legacy": ("aliyun-python-sdk-fnf==1.8.3", "aliyun-python-sdk-core==2.16.1"),
    "mcp": ("yuppie-mcp-alibabacloud-fnf==0.2.0",),
    "schemathesis": ("schemathesis==4.32.5",),  # no SDK, but as much in need of an environment of its own
    "aiohttp": ("aiohttp==3.14.1",),  # the oldest that is allowed
    "testcontainers": ("testcontainers==4.15.0",),
}


class Unavailable(Exception):
    """An SDK cannot be had here; the text says why."""


@dataclass(frozen=True)
class Outcome:
    name: str
    problem: str | None


def command(name: str) -> list[str]:
    """What runs a driver with this set of SDKs: an interpreter for `SDKS`, `node` and `fun` (with `NODE_PATH` for it), the driver
    itself for `go` and `java`.

    Raises `Unavailable`.
    """
    folder = NODE if name == "node" else VENVS / name
    failed = _reason(folder)
    if failed.exists():
        raise Unavailable(f"the {name} SDK cannot be had here: {failed.read_text(encoding='utf-8')}")
    if name == "node":
        words, there = [shutil.which("node")], NODE / "node_modules"
    elif name == "fun":
        words, there = [shutil.which("node")], folder / "node_modules" / "@alicloud"
    elif name == "go":
        words, there = [str(folder / "driver")], folder / "driver"
    elif name == "java":
        words = [
            shutil.which("java"),
            *_JVM,
            "-cp",
            f"{folder / 'lib' / '*'}{os.pathsep}{folder / 'classes'}",
            "Driver",
        ]
        there = folder / "classes" / "Driver.class"
    elif name == "testcontainers-java":
        words, there = [shutil.which("java"), *_JVM, "-cp", str(folder / "lib" / "*")], folder / "lib"
    else:
        words, there = [str(folder / "bin" / "python")], folder / "bin" / "python"
    if words[0] is None or not there.exists():
        raise Unavailable(f"the {name} SDK is not installed: `make test` does it")
    return [word for word in words if word is not None]


def prepare(names: list[str]) -> list[Outcome]:
    """Make environments that are not there yet, four at a time: they wait for the network as much as for a core."""
    VENVS.mkdir(exist_ok=True)
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(_prepare, names or [*_OTHERS, *SDKS]))


def _prepare(name: str) -> Outcome:
    folder = NODE if name == "node" else VENVS / name
    try:
        if name in _OTHERS:
            _OTHERS[name]()
        else:
            _prepare_python(folder, SDKS[name])
    except Unavailable as error:
        _reason(folder).write_text(str(error), encoding="utf-8")
        return Outcome(name, str(error))
    _reason(folder).unlink(missing_ok=True)
    return Outcome(name, None)


def _prepare_python(folder: Path, wanted: tuple[str, ...]) -> None:
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text(encoding="utf-8").split() == list(wanted):
        return
    place = folder.relative_to(ROOT).as_posix()
    _announce(f"{place}: {', '.join(wanted)}")
    shutil.rmtree(folder, ignore_errors=True)
    # setuptools: the old SDKs import pkg_resources, which Python 3.12 no longer brings.
    _run([".ci/environment", place, sys.executable, "--", *wanted, "setuptools<81"], cwd=ROOT)
    stamp.write_text(" ".join(wanted), encoding="utf-8")


def _prepare_node() -> None:
    if not shutil.which("node") or not shutil.which("npm"):
        raise Unavailable("there is no Node.js with npm on this machine")
    stamp = NODE / "node_modules" / ".package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < (NODE / "package.json").stat().st_mtime:
        _announce(f"{NODE.relative_to(ROOT).as_posix()}/node_modules: npm ci")
        _run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=NODE)


def _prepare_npm(source: Path) -> None:
    """Packages as new as the ranges of a `package.json` allow: of Funcraft, which brings hundreds of packages that nothing else
    needs and gets no releases, and of the console."""
    if not shutil.which("node") or not shutil.which("npm"):
        raise Unavailable("there is no Node.js with npm on this machine")
    folder, source = VENVS / source.name, source / "package.json"
    made = folder / "package.json"
    if not made.exists() or made.stat().st_mtime <= source.stat().st_mtime:
        _announce(f"{folder.relative_to(ROOT).as_posix()}: npm install")
        folder.mkdir(exist_ok=True)
        wanted = json.loads(source.read_text(encoding="utf-8"))["dependencies"]
        packages = [f"{name}@{version}" for name, version in wanted.items()]
        quiet = ("--no-audit", "--no-fund", "--loglevel=error", "--no-package-lock", "--ignore-scripts")
        _run(["npm", "install", *quiet, "--prefix", str(folder), *packages], cwd=folder)
        made.touch()


def _prepare_go() -> None:
    if not shutil.which("go"):
        raise Unavailable("there is no Go on this machine")
    folder = VENVS / "go"
    if not _is_newer(folder / "driver", GO):
        _announce(f"{folder.relative_to(ROOT).as_posix()}: go build")
        _run(["go", "build", *GO_FLAGS, "-o", str(folder / "driver"), "."], cwd=GO)


def _prepare_java() -> None:
    folder = VENVS / "java"
    if _prepare_maven(folder, JAVA, "classes/Driver.class"):
        words = ["javac", "-encoding", "UTF-8", "-cp", str(folder / "lib" / "*"), "-d", str(folder / "classes")]
        _run([*words, "Driver.java"], cwd=JAVA)


def _prepare_maven(folder: Path, source: Path, made: str = "lib") -> bool:
    """The libraries that a `pom.xml` names, into `lib`, unless `made` is newer than its sources; whether it did."""
    if not shutil.which("javac") or not shutil.which("mvn"):
        raise Unavailable("there is no JDK with Maven on this machine")
    if _is_newer(folder / made, source):
        return False
    _announce(f"{folder.relative_to(ROOT).as_posix()}: mvn dependency:copy-dependencies")
    shutil.rmtree(folder, ignore_errors=True)
    _run(["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={folder / 'lib'}"], cwd=source)
    return True


def _is_newer(made: Path, sources: Path) -> bool:
    """Whether something is there and was made after all of its sources."""
    return made.exists() and made.stat().st_mtime > max(each.stat().st_mtime for each in sources.iterdir())


_OTHERS: dict[str, Callable[[], object]] = {
    "fun": partial(_prepare_npm, FUN),
    "java": _prepare_java,
    "testcontainers-java": partial(_prepare_maven, VENVS / "testcontainers-java", TESTCONTAINERS),
    "go": _prepare_go,
    "console": partial(_prepare_npm, CONSOLE),
    "node": _prepare_node,
}
"""The environments that are not Python's."""

GO_FLAGS = ("-trimpath",)
"""Of every build in the tests: so what one has compiled serves the next, in whatever folder."""

_JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xmx128m")
"""Options for a short life."""


def _announce(line: str) -> None:
    print(f"{line}\n", end="", flush=True)  # in one piece, as others print beside it


def _run(arguments: list[str], cwd: Path) -> None:
    # Not the settings of the environment that this runs in, nor many tries: offline, one would wait for all of them.
    ours = {"VIRTUAL_ENV", "PYTHONPATH"}
    tries = {"PIP_RETRIES": "1", "UV_HTTP_RETRIES": "1", "npm_config_fetch_retries": "1"}
    environment = {**tries, **{key: value for key, value in os.environ.items() if key not in ours}}
    done = subprocess.run(
        arguments, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        said = [line.strip() for line in done.stdout.splitlines() if line.strip()] or [f"status {done.returncode}"]
        # npm says first what went wrong, pip says it last.
        raise Unavailable(said[0 if arguments[0] == "npm" else -1])


def _reason(folder: Path) -> Path:
    """Where the reason stands that this environment could not be made."""
    return VENVS / f"{folder.name}.failed"


if __name__ == "__main__":
    outcomes = prepare(sys.argv[1:])
    for outcome in outcomes:
        if outcome.problem:
            print(f"tests that need {outcome.name} are skipped: {outcome.problem}", file=sys.stderr)
    sys.exit(any(outcome.problem for outcome in outcomes))
