"""What the vendor's SDKs do about each error code and broken connection, measured by `cfmock contract`. Run by `make clients`.

Each SDK takes the tour of tests/e2e/tour.py, once for each case, with its own time-outs and retries. What `cfmock contract`
reports is kept in docs/clients/, where `--expect` takes it: KIND.json for a fault that strikes once, and in lasting/ for those
after which an SDK tried again, with every try struck. The table of docs/clients.md is made of these files (`make docs`).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cfmock.base.time_text import duration_text
from cfmock.protocol.faults.rules import TRANSPORTS
from cfmock.protocol.spec.model import load
from tests.e2e.environments import GO, JAVA, NODE, SDKS, command
from tests.e2e.tour import FIRST

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "clients"
RUNTIMES = FOLDER / "runtimes.json"
FIXTURE = ROOT / "tests" / "e2e" / "clients.yaml"

Json = Any

START, READ = "StartExecution", "DescribeExecution"
"""The operations whose connections are broken: one that is sent by POST, and one by GET."""

AT_ONCE = 0.05
"""Seconds between two tries that are no pause."""

LONGEST = 180
"""Seconds that a case is given."""

AGAIN = 20
"""So many tries of a call are struck where a fault lasts."""


class Client(NamedTuple):
    """An SDK that is measured: its kind in tests/e2e/sdks.py, what the page calls it, and the packages it is made of."""

    kind: str
    title: str
    environment: str

    @property
    def packages(self) -> Sequence[str]:
        if self.environment == "node":
            needs = json.loads((NODE / "package.json").read_text(encoding="utf-8"))["dependencies"]
            return [f"{name} {version}" for name, version in needs.items() if self._is_of(name)]
        if self.environment == "go":
            text = (GO / "go.mod").read_text(encoding="utf-8")
            return [
                f"{name} {version}" for name, version in re.findall(r"^\t(\S+) (\S+)$", text, re.M) if self._is_of(name)
            ]
        if self.environment == "java":
            text = (JAVA / "pom.xml").read_text(encoding="utf-8")
            found = re.findall(r"<artifactId>(.*?)</artifactId>\s*<version>(.*?)</version>\s*</dependency>", text)
            return [f"{name} {version}" for name, version in found if self._is_of(name)]
        return [package.replace("==", " ") for package in SDKS[self.environment]]

    def _is_of(self, package: str) -> bool:
        """Whether it is a package of this one of the SDKs that stand in one environment."""
        if self.environment in ("node", "java"):
            return package.endswith(_PACKAGES[self.kind])
        return ("sdk" in package) == self.kind.endswith("-legacy")


_PACKAGES = {
    "pop-core": ("/pop-core", "/fnf-2019-03-15"),
    "node-client": ("/openapi-client",),
    "node-core": ("/openapi-core",),
    "java": ("tea-openapi",),
    "java-legacy": ("java-sdk-core", "java-sdk-fnf"),
    "java-async": ("gateway-pop",),
}
"""The packages of the SDKs for Node and Java, by their endings."""

CLIENTS = (
    Client("tea", "tea 0.4", "tea"),
    Client("tea-async", "tea 0.4, async", "tea"),
    Client("tea-0.3", "tea 0.3", "tea-0.3"),
    Client("tea-0.3-async", "tea 0.3, async", "tea-0.3"),
    Client("legacy", "core 2", "legacy"),
    Client("pop-core", "pop-core", "node"),
    Client("node-client", "openapi-client", "node"),
    Client("node-core", "openapi-core", "node"),
    Client("go", "Go tea", "go"),
    Client("go-legacy", "Go SDK 1", "go"),
    Client("java", "Java tea", "java"),
    Client("java-legacy", "Java core 4", "java"),
    Client("java-async", "Java async", "java"),
)


class Case(NamedTuple):
    """One case as `cfmock contract` reports it, as far as the table tells of it."""

    operation: str
    fault: str
    recovered: bool
    spacing: Sequence[float]
    said: str
    timed_out: bool

    @property
    def key(self) -> tuple[str, str]:
        return self.operation, self.fault


def measured(client: Client, *, lasting: bool = False) -> dict[tuple[str, str], Case]:
    """The cases in the file of a client, by operation and fault."""
    text = path_of(client, lasting=lasting).read_text(encoding="utf-8")
    return {case.key: case for case in map(case_of, json.loads(text)["cases"])}


def runtimes() -> dict[str, list[str]]:
    """What each client ran on when it was measured, by its kind."""
    found: dict[str, list[str]] = json.loads(RUNTIMES.read_text(encoding="utf-8")) if RUNTIMES.exists() else {}
    return found


def path_of(client: Client, *, lasting: bool = False) -> Path:
    return (FOLDER / "lasting" if lasting else FOLDER) / f"{client.kind}.json"


def case_of(given: Json) -> Case:
    """A case of a report."""
    return Case(
        given["operation"], given["code"] or given["transport"], given["recovered"], given["spacing"], given["said"],
        given["timed_out"],
    )  # fmt: skip


# -- the table -------------------------------------------------------------------------------------------------------------


def wanted() -> list[tuple[str, str]]:
    """The cases of the table: each code once, with a start where the start documents it, and each broken connection twice."""
    spec = load()
    rows = []
    for code in spec.errors:
        operations = spec.operations_with(code)
        rows.append((START if START in operations else _called_of(operations), code))
    return rows + [(operation, name) for operation in (START, READ) for name in TRANSPORTS]


def _called_of(operations: Iterable[str]) -> str:
    tour = (
        "StopExecution",
        "ReportTaskSucceeded",
        READ,
        "CreateFlow",
        "UpdateFlow",
        "CreateSchedule",
        "DescribeSchedule",
    )
    return next(name for name in tour if name in operations)


def rows() -> Iterator[tuple[str, ...]]:
    """The rows of the table: what brings about the same in every client stands in one row."""
    clients = [(measured(client), measured(client, lasting=True)) for client in CLIENTS]
    told: dict[tuple[str, ...], list[str]] = {}
    for key in wanted():
        cells = tuple(reaction(once[key], lasting.get(key)) for once, lasting in clients)
        told.setdefault((_of(key), *cells), []).append(f"`{key[1]}`")
    for (operation, *cells), faults in told.items():
        yield ", ".join(faults) + operation, *cells


def _of(key: tuple[str, str]) -> str:
    """Of a broken connection, which of the two calls."""
    if key[1] not in TRANSPORTS:
        return ""
    return " of a start (POST)" if key[0] == START else " of a read (GET)"


def reaction(once: Case, lasting: Case | None) -> str:
    """A cell: the class of the exception and after how long it came; or how the call was tried again."""
    if lasting is None or lasting.recovered:  # the tour's next start looks like another try
        return _passed(once) if once.recovered else _raised(once)
    waits = [duration_text(pause, digits=2) for pause in lasting.spacing if pause >= AT_ONCE]
    when = f"after {', '.join(waits)}" if waits else "at once"
    tries = f"{len(lasting.spacing)} more {'tries' if len(lasting.spacing) > 1 else 'try'} {when}"
    return f"{tries}, then {_raised(lasting)}" if once.recovered else f"{tries}, in vain: {_raised(lasting)}"


def _passed(case: Case) -> str:
    """What the caller gets in place of an exception."""
    return "the whole answer" if case.fault == "slow" else "**no error**"


def _raised(case: Case) -> str:
    if case.timed_out:
        return f"**waits** for more than {duration_text(LONGEST)}"
    name, _, took = case.said.partition(" after ")
    seconds = float(took.removesuffix(" s"))
    return f"`{name.replace(case.fault, '{Code}')}`" + (
        f" after {duration_text(seconds, digits=1)}" if seconds >= 0.95 else ""
    )


# -- measuring -------------------------------------------------------------------------------------------------------------


def measure(client: Client) -> None:
    """Put a client through all cases, and write down what it did."""
    once = _contract(client, ["--operation", START], [])
    once += _contract(client, _selection(READ, TRANSPORTS), [])
    others: dict[str, list[str]] = {}
    for operation, code in wanted():
        if operation != START and code not in TRANSPORTS:
            others.setdefault(operation, []).append(code)
    for operation, codes in others.items():
        once += _contract(client, _selection(operation, codes), [])
    path_of(client).parent.mkdir(parents=True, exist_ok=True)
    _write(path_of(client), once)
    lasting = []
    for each in once:
        if each["spacing"]:
            fault = {"error": each["code"], "transport": each["transport"]}
            when = {"operation": each["operation"], "execution": FIRST, "call": list(range(2, AGAIN + 1))}
            selection = _selection(each["operation"], [each["code"] or each["transport"]])
            lasting += _contract(client, selection, [{"when": when, **fault}])
    path_of(client, lasting=True).parent.mkdir(exist_ok=True)
    _write(path_of(client, lasting=True), lasting)
    known = runtimes()
    known[client.kind] = runtime(client)
    RUNTIMES.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def runtime(client: Client) -> list[str]:
    """What a client runs on here: its language, and for Python the HTTP libraries that are there besides."""
    if client.environment == "go":
        said = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout
        return [f"Go {said.strip().removeprefix('go')}"]
    if client.environment == "java":
        said = subprocess.run(["java", "--version"], capture_output=True, text=True, check=True).stdout
        return [f"Java {said.split()[1]}"]
    program = command(client.environment)
    version = subprocess.run([*program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if client.environment == "node":
        return [f"Node {version.removeprefix('v')}"]
    asked = subprocess.run([*program, "-c", _LIBRARIES], capture_output=True, text=True, check=True)
    return [version, *filter(None, asked.stdout.splitlines())]


_LIBRARIES = """
from importlib.metadata import distributions
found = {each.name.lower(): each.version for each in distributions()}
print(*(f"{name} {found[name]}" for name in ("requests", "urllib3", "aiohttp") if name in found), sep="\\n")
"""


def _selection(operation: str, faults: Iterable[str]) -> list[str]:
    return ["--operation", operation, *(word for fault in faults for word in ("--code", fault))]


def contract(client: Client, *options: str) -> subprocess.CompletedProcess[str]:
    """Run `cfmock contract` with a client, and these options (and fixtures) beside."""
    words = [
        sys.executable,
        "-m",
        "cfmock",
        "contract",
        str(FIXTURE),
        *options,
        "--format",
        "json",
        "--timeout",
        f"{LONGEST}s",
    ]
    tour = [sys.executable, "-m", "tests.e2e.tour", client.kind]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CFMOCK_")}
    return subprocess.run(
        [*words, "--", *tour],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT)},
        text=True,
        check=False,
        capture_output=True,
    )


def _contract(client: Client, options: Sequence[str], faults: Sequence[Json]) -> list[Json]:
    with tempfile.TemporaryDirectory() as folder:
        fixture = Path(folder) / "faults.json"
        rules = [{key: part for key, part in fault.items() if part is not None} for fault in faults]
        fixture.write_text(json.dumps({"cfmock": 1, "faults": rules}), encoding="utf-8")
        done = contract(client, str(fixture), *options, "--jobs", "2")
    if done.returncode:
        raise SystemExit(f"{client.kind}: {done.stderr}")
    found: list[Json] = json.loads(done.stdout)["cases"]
    return found


def _write(path: Path, cases: Sequence[Json]) -> None:
    kept = ({key: part for key, part in case.items() if key not in ("seconds", "violations")} for case in cases)
    lines = ",\n".join(f"  {json.dumps(case)}" for case in kept)
    path.write_text(f'{{"cases": [\n{lines}\n]}}\n' if lines else '{"cases": []}\n', encoding="utf-8")


def main(kinds: Sequence[str]) -> None:
    for client in CLIENTS:
        if client.kind in (kinds or (client.kind,)):
            measure(client)
            sys.stderr.write(f"measured {client.title}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
