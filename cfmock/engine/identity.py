"""The identity of an execution."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from cfmock.base.json_text import Json


class Identity(Struct, frozen=True):
    """The identity of an execution, as its definition can read it. `environment` are the variables of its flow.

    `nesting` counts the executions that wait for this one, each inside the one before. `account` and `serial`, its number
    there, tell it from all others of its name, past ones included.
    """

    flow: str
    execution: str
    role_arn: str = ""
    region: str = ""
    environment: Mapping[str, str] | None = None
    nesting: int = 0
    account: str = ""
    serial: int = 0

    def context(self, given: Json) -> dict[str, Json]:
        """Return the value of `$Context` for an execution with this input, the same everywhere in it."""
        return {
            "Execution": {"Name": self.execution, "Input": given, "RoleArn": self.role_arn},
            # No path for these is published; the names are ours.
            "Flow": {"Name": self.flow, "Region": self.region},
            "Environment": dict(self.environment or {}),
        }
