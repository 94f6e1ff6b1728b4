"""Who may know whom: imports look down only, and each third-party library has one home.

`KNOWS` is the picture of the layers, lowest first. A module is judged by the longest entry that covers it, so
`engine.expr` is stricter than `engine`. A module that no entry covers fails: a new one is given its place on purpose.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "cfmock"

GROUND = "errors clock durations ids jsontext markup settings yamlsource matching violations ports verbs"
PROTOCOL = "spec wire auth faults"
STATE = "store service"
WHOLE = "journal observed retries hints conduct exchange watch emulator fixtures control"
CORE = f"{GROUND} {PROTOCOL} engine {STATE} {WHOLE}"

# module or package -> what it may import from cfmock; its own modules always, but never in a circle
KNOWS = {
    # Ground: needs next to nothing, known to all.
    "errors": "",
    "ids": "",
    "jsontext": "",
    "markup": "",
    "violations": "",
    "ports": "",
    "verbs": "",
    "clock": "errors",
    "durations": "errors",
    "matching": "errors",
    "settings": "errors durations",
    "yamlsource": "errors",
    "spec": "errors yamlsource",
    # Protocol: from a request to a call that may pass, and back to a reply. Knows nothing of what the service does.
    "wire": "errors durations jsontext spec violations matching ids",
    "auth": "errors clock matching violations spec wire.messages wire.decode",
    "auth.signature": "errors",
    "faults": "errors clock durations ids matching spec wire.messages",
    # Engine: runs definitions. Knows neither the wire nor the store.
    "engine": "errors clock durations ids jsontext matching yamlsource",
    "engine.expr": "errors ids",
    # State: what is kept, and what each operation does with it.
    "store": "errors clock",
    "service": "errors clock durations ids jsontext matching settings ports yamlsource "
    "spec wire.messages wire.params engine store",
    # Whole: the emulator composes everything below it; what steers it stands above it.
    "journal": "errors clock matching violations wire.messages",
    "conduct": "clock faults violations wire.messages",
    "exchange": "errors clock auth faults journal service.notes spec violations wire",
    "watch": "clock conduct errors exchange journal spec wire",
    "observed": "journal",
    "retries": "journal",
    "hints": "auth.laboratory errors exchange faults journal matching service.notes",
    "emulator": f"{GROUND} {PROTOCOL} engine {STATE} journal hints conduct exchange watch cfmock",
    "fixtures": f"{GROUND} spec auth faults engine service emulator",
    "control": f"{GROUND} {PROTOCOL} engine {STATE} journal observed retries emulator fixtures cfmock",
    "flowtest": CORE,
    "checks": f"{CORE} cfmock",
    # Edge: processes, sockets, terminals, people.
    "server": f"{CORE} cfmock",
    "client": "errors clock verbs settings spec wire auth.signature cfmock",
    "expectations": "errors observed matching retries spec",
    "handles": "clock control durations engine observed",
    "cloudflow": f"{CORE} expectations handles server client",
    "contract": CORE,
    "cli": f"{CORE} flowtest checks server client cloudflow contract cfmock",
    "pytest_plugin": f"{CORE} flowtest client cloudflow contract.plan",
    "__main__": "cli errors",
    "cfmock": "errors observed retries handles cloudflow",  # __init__: the public names
}

# library -> the modules or packages that may import it
LIBRARIES = {
    "yaml": "yamlsource",
    "jsonschema_rs": "fixtures.schema",
    "aiohttp": "server",
    "multidict": "server",
    "yarl": "server",
    "trustme": "server",
    "prometheus_client": "server",
    "uvloop": "server",
    "cronsim": "service.cron",
    "cryptography": "auth.signature",
    "click": "cli",
    "rich": "cli",
    "pytest": "pytest_plugin",
    "_pytest": "pytest_plugin",
    "sortedcontainers": "store.memory",
}

EDGE = "server client cloudflow contract cli pytest_plugin __main__"

# What does I/O, sleeps or runs beside us: the core takes no part in it.
EDGE_ONLY = {
    "asyncio", "concurrent", "http", "multiprocessing", "queue", "select", "selectors", "signal", "socket",
    "socketserver", "ssl", "subprocess", "threading", "urllib.request",
}  # fmt: skip


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "cfmock"


MODULES = {module_name(path): path for path in ROOT.rglob("*.py")}


def covers(entry: str, module: str) -> bool:
    return module == entry or module.startswith(entry + ".")


def allowed(module: str, entries: str) -> bool:
    return any(covers(entry, module) for entry in entries.split())


def home(module: str) -> str | None:
    """The entry of `KNOWS` that speaks for a module."""
    return max((entry for entry in KNOWS if covers(entry, module)), key=len, default=None)


@cache
def imports(module: str) -> tuple[tuple[str, int, bool], ...]:
    """(absolute name, line, while loading) of all a module imports; `from package import module` names the module."""
    path = MODULES[module]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = ["cfmock", *module.split(".")] if module != "cfmock" else ["cfmock"]
    if path.name != "__init__.py":
        package = package[:-1]
    return tuple(_imports(tree, package, loading=True))


def _imports(node: ast.AST, package: list[str], loading: bool) -> Iterator[tuple[str, int, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name, child.lineno, loading) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = package[: len(package) - child.level + 1] if child.level else []
            source = ".".join([*base, *([child.module] if child.module else [])])
            for alias in child.names:
                full = f"{source}.{alias.name}"
                yield full if full.removeprefix("cfmock.") in MODULES else source, child.lineno, loading
        else:
            later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) or _type_checking(child)
            yield from _imports(child, package, loading and not later)


def _type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def own(name: str) -> str | None:
    """The module of ours that an import names (`cfmock` for the package itself), None for others."""
    if name == "cfmock":
        return name
    return name.removeprefix("cfmock.") if name.startswith("cfmock.") else None


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_only_what_lies_below_it(module):
    entry = home(module)
    assert entry is not None, f"{module} has no place in KNOWS yet"
    wrong = [
        f"{MODULES[module].relative_to(ROOT.parent)}:{line}: {entry} may not know {target}"
        for name, line, _ in imports(module)
        if (target := own(name)) is not None and not allowed(target, f"{KNOWS[entry]} {entry}")
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_library_is_imported_in_its_home_only(module):
    wrong = []
    for name, line, _ in imports(module):
        top = name.partition(".")[0]
        if own(name) is None and top not in sys.stdlib_module_names and not allowed(module, LIBRARIES.get(top, "")):
            wrong.append(f"{MODULES[module].relative_to(ROOT.parent)}:{line}: {name} belongs to {LIBRARIES.get(top)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_the_core_has_no_means_of_io_sleep_or_threads(module):
    if allowed(module, EDGE):
        return
    wrong = [
        f"{MODULES[module].relative_to(ROOT.parent)}:{line}: {name} is for the edge"
        for name, line, _ in imports(module)
        if any(covers(edge, name) for edge in EDGE_ONLY)
    ]
    assert not wrong, "\n".join(wrong)


def test_no_two_modules_need_each_other_to_load():
    graph = {
        module: {target for name, _, loading in imports(module) if loading and (target := own(name)) in MODULES}
        - {module}
        for module in MODULES
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("a circle of imports: " + " -> ".join(error.args[1]))


def test_the_tables_name_no_module_that_lies_outside_the_picture():
    known = set(KNOWS)
    named = {name for names in [*KNOWS.values(), *LIBRARIES.values(), EDGE] for name in names.split()}
    assert {name for name in named if home(name) is None and name not in known} == set()
