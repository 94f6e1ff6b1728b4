"""The service as data: operations, their parameters and answers, the error catalogue and the limits.

`load()` reads `operations.json` beside this file once a process. `make tables` makes it of `operations.yaml`, which is the one
to edit, but takes 12 ms to read, a twentieth of a start. Sources: the API pages and metadata of CloudFlow 2019-03-15 and the
vendor's SDKs.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, convert

EVIDENCE = ("documented", "measured", "inferred", "our choice")
"""Evidence of a fact: from the pages, the metadata or the SDKs' models; from real answers and clients, seen by us or reported in
public; by reasoning from those; or not at all. The first word of every `evidence`, which may go on to what differs."""


class Parameter(Struct, frozen=True):
    """One request parameter."""

    name: str
    python_name: str
    type: str
    required: bool = False
    may_be_empty: bool = False
    format: str | None = None
    enum: tuple[str, ...] = ()
    tolerated: tuple[str, ...] = ()
    minimum: int | float | None = None
    maximum: int | float | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    evidence: str = EVIDENCE[0]


class Operation(Struct, frozen=True):
    """One operation: `method` is the one the SDKs use, `action` its RAM name (`fnf:StartExecution`), `errors` its codes."""

    name: str
    method: str
    action: str
    parameters: Mapping[str, Parameter]
    errors: tuple[str, ...]


class ErrorEntry(Struct, frozen=True):
    """One code of the catalogue: HTTP status, message template with a `%s` for each of `args`, and how it comes about."""

    code: str
    status: int
    message: str
    args: tuple[str, ...]
    how: str
    evidence: str

    def render(self, args: tuple[str, ...]) -> str:
        """Return the message for these arguments. A wrong number of them is a mistake in our code: ValueError."""
        if len(args) != len(self.args):
            raise ValueError(f"{self.code} takes {len(self.args)} arguments, got {len(args)}")
        return self.message % args if args else self.message


class GatewayError(Struct, frozen=True):
    """The gateway's answer for one reason to refuse a call; code and message may name `{facts}`."""

    reason: str
    code: str
    status: int
    message: str
    evidence: str


class Region(Struct, frozen=True):
    """One region of the service: id and its names in the console's languages."""

    id: str
    zh: str
    en: str


class Spec(Struct, frozen=True):
    """Everything in `operations.yaml`."""

    api_version: str
    operations: Mapping[str, Operation]
    errors: Mapping[str, ErrorEntry]
    gateway: Mapping[str, GatewayError]  # by reason
    recommend: str  # the gateway's address of help, naming `{code}` and `{request_id}`
    limits: Mapping[str, Any]
    regions: Mapping[str, Region]
    region_ids: frozenset[str]
    execution_statuses: tuple[str, ...]
    name_pattern: re.Pattern[str]

    def operations_with(self, code: str) -> list[str]:
        """Return the operations in whose documented table the code stands."""
        return [operation.name for operation in self.operations.values() if code in operation.errors]


def python_name(name: str) -> str:
    """`FlowName` → `flow_name`, `CallbackFnFTaskToken` → `callback_fnf_task_token`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.replace("FnF", "Fnf")).lower()


@functools.lru_cache(maxsize=1)
def load() -> Spec:
    """Load the tables, once a process."""
    raw = json.loads(Path(__file__).with_name("operations.json").read_bytes())
    for row in raw["operations"].values():
        row["parameters"] = {
            name: {**given, "name": name, "python_name": python_name(name)} for name, given in row["parameters"].items()
        }
    return Spec(
        api_version=raw["api_version"],
        operations=convert(_named(raw["operations"]), dict[str, Operation]),
        errors=convert(_named(raw["errors"], "code"), dict[str, ErrorEntry]),
        gateway=convert(_named(raw["gateway"]["errors"], "reason"), dict[str, GatewayError]),
        recommend=raw["gateway"]["recommend"],
        limits=raw["limits"],
        regions={row["id"]: Region(**row) for row in raw["regions"]},
        region_ids=frozenset(row["id"] for row in raw["regions"]),
        execution_statuses=tuple(raw["execution_statuses"]),
        name_pattern=re.compile(raw["limits"]["name_pattern"][:-1] + r"\Z"),
    )


def _named(rows: Any, key: str = "name") -> Any:
    return {name: {**row, key: name} for name, row in rows.items()}
