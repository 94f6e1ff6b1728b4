"""The rows the service keeps. Frozen: a change is a new row under the same key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from cfmock.engine.events import Event
from cfmock.engine.model import Flow

STANDARD = "Standard"
EXPRESS = "Express"


@dataclass(frozen=True, slots=True)
class FlowRow:
    """One flow, or one version of it. `definition` is the text as given, `compiled` what it means. Times in seconds.

    `version` is the number of a version, 0 for the flow itself; `published` the highest number given to a version of it.
    """

    id: str
    name: str
    definition: str
    compiled: Flow
    description: str
    type: str
    execution_mode: str
    created: float
    modified: float
    role_arn: str = ""
    environment: Mapping[str, Any] | None = None
    external_storage_location: str = ""
    resource_group_id: str = ""
    version: int = 0
    published: int = 0


@dataclass(frozen=True, slots=True)
class Route:
    """Where an alias leads: a version, and the share of starts that go there, in percent."""

    version: int
    weight: int


@dataclass(frozen=True, slots=True)
class AliasRow:
    """A name for one or two versions of a flow. Times in seconds."""

    name: str
    description: str
    routes: tuple[Route, ...]
    created: float


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """What starts executions of a flow at set times. `payload` is their input, JSON text or empty. Times in seconds."""

    id: str
    name: str
    description: str
    payload: str
    cron: str
    enabled: bool
    created: float
    modified: float


class ExecutionRow(NamedTuple):
    """One execution. `flow` is the flow as it was at the start; `input` and `output` are JSON texts, empty where there is none.

    A tuple, since one is made for every start. `serial` counts the executions of a world: those started within one
    millisecond keep their order.
    """

    flow: FlowRow
    name: str
    status: str
    input: str
    started: float
    serial: int
    output: str = ""
    stopped: float | None = None
    error: str = ""
    cause: str = ""
    events: Sequence[Event] | None = None  # None: of a canned outcome
    qualifier: str = ""
    map_run: str = ""
    callback_token: str = ""  # of the task to report to when it ends

    @property
    def ended(self) -> bool:
        return self.stopped is not None
