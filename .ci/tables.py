"""Writes what is made of cfmock/protocol/spec/operations.yaml: operations.json, which a process reads 30 times as fast, and
names.py, which type checkers read. `make tables`."""

import json
from pathlib import Path
from typing import Any

from cfmock.base import yaml_source

HEAD = '''"""Names of the tables as types, for type checkers. Written by `make tables`."""

from __future__ import annotations

from typing import Literal, TypedDict

from cfmock.base.json_text import Json
'''

PARAMETERS = '''

class CallParameters(TypedDict, total=False):
    """Parameters of the API's operations, in the service's spelling. A value is text, or what is sent as JSON text."""

'''


def literal(name: str, words: list[str], doc: str) -> str:
    quoted = [f'"{word}"' for word in words]
    whole = f"{name} = Literal[{', '.join(quoted)}]"
    lines = [whole] if len(whole) <= 120 else [f"{name} = Literal[", *(f"    {each}," for each in quoted), "]"]
    return "\n".join(["", *lines, f'"""{doc}"""', ""])


def names(tables: dict[str, Any]) -> str:
    found = sorted({name for operation in tables["operations"].values() for name in operation["parameters"]})
    return (
        HEAD
        + literal("ErrorCode", list(tables["errors"]), "Code of the error catalogue.")
        + literal("ExecutionStatus", tables["execution_statuses"], "Status of an execution.")
        + PARAMETERS
        + "".join(f"    {name}: Json\n" for name in found)
    )


source = Path(__file__).resolve().parent.parent / "cfmock" / "protocol" / "spec" / "operations.yaml"
tables = yaml_source.parse(source.read_bytes(), source.name).value
source.with_suffix(".json").write_text(json.dumps(tables, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
source.with_name("names.py").write_text(names(tables), encoding="utf-8")
