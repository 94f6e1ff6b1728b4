"""The order of the package that import-linter does not hold: names, homes, and what lies at the root."""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODULES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "cfmock").rglob("*.py"))}


def imported(tree: ast.Module) -> set[str]:
    """The modules that a module imports, at its top and inside functions."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            found.add(node.module or "")
    return found


def test_every_class_name_stands_once_in_the_package():
    places: dict[str, list[str]] = defaultdict(list)
    for path, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def assigned(node: ast.stmt) -> set[str]:
    """The names that a statement gives a value, or a type, to."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    if type(node).__name__ == "TypeAlias":  # `type Json = ...`, from Python 3.12 on
        targets = [node.name]  # type: ignore[attr-defined]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def test_json_is_defined_once():
    homes = [path for path, tree in MODULES.items() for node in tree.body if "Json" in assigned(node)]
    assert [path.relative_to(ROOT).as_posix() for path in homes] == ["cfmock/base/json_text.py"]


def test_junit_is_written_in_one_module():
    homes = [path for path, tree in MODULES.items() if any(name.startswith("xml.") for name in imported(tree))]
    assert [path.relative_to(ROOT).as_posix() for path in homes] == ["cfmock/tools/junit.py"]


def test_no_module_imports_a_private_name_of_another():
    found = [
        f"{path.relative_to(ROOT)}: {node.module}.{alias.name}"
        for path, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.endswith("__")
    ]
    assert found == []


def test_the_pytest_plugin_uses_no_private_names():
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"
        for path, tree in MODULES.items()
        if path.parent.name == "pytest_plugin"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not ((isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")) or node.attr.endswith("__"))
    ]
    assert found == []


def test_at_most_six_modules_lie_at_the_root_of_the_package():
    assert len(list((ROOT / "cfmock").glob("*.py"))) <= 6


def test_nothing_in_the_package_imports_the_package_itself():
    assert [str(path) for path, tree in MODULES.items() if "cfmock" in imported(tree)] == []


def test_every_library_has_a_home_in_the_contracts():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    contract = re.search(r'name = "Each library has one home".*?forbidden_modules = \[(.*?)\]', text, re.DOTALL)
    assert contract is not None
    known = set(re.findall(r'"(\w+)"', contract[1]))
    used = {name.partition(".")[0] for tree in MODULES.values() for name in imported(tree)}
    assert used - known - set(sys.stdlib_module_names) - {"cfmock", "msgspec"} == set()  # of which all values are


def test_typing_extensions_is_for_type_checkers_only():
    found = []
    for path, tree in MODULES.items():
        unseen = [each for node in ast.walk(tree) if isinstance(node, ast.If) for each in checked_only(node)]
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        found += [
            (str(path), node.lineno) for node in imports if "typing_ext" in ast.unparse(node) and node not in unseen
        ]
    assert found == []


def checked_only(node: ast.If) -> list[ast.stmt]:
    """What stands below `if TYPE_CHECKING`."""
    return node.body if ast.unparse(node.test) == "TYPE_CHECKING" else []
