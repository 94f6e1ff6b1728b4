"""The rows the service keeps. Frozen: a change is a new row under the same key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from cfmock.engine.events import History
from cfmock.engine.flow import Flow
from cfmock.engine.map_runs import ItemCounts, MapRun

if TYPE_CHECKING:
    from cfmock.service.outcomes import Outcome

STANDARD = "Standard"
EXPRESS = "Express"

Place = tuple[str, str]
"""A part of an index: a group of executions, and their status."""


class FlowRow(Struct, frozen=True):
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


class Route(NamedTuple):
    """A target of an alias: a version, and the share of starts that go there, in percent."""

    version: int
    weight: int


class AliasRow(NamedTuple):
    """A name for one or two versions of a flow. Times in seconds."""

    name: str
    description: str
    routes: tuple[Route, ...]
    created: float


class ScheduleRow(NamedTuple):
    """A schedule: it starts executions of a flow at set times. `payload` is their input, JSON text or empty. Times in seconds.

    `left_out` counts the runs that were left out since it was late by more than one; `due` is its next run, where state is kept.
    """

    id: str
    name: str
    description: str
    payload: str
    cron: str
    enabled: bool
    created: float
    modified: float
    left_out: int = 0
    due: float | None = None


class Parent(NamedTuple):
    """The execution, and its state, that started another."""

    flow: str
    name: str
    state: str


class ExecutionRow(Struct, frozen=True):
    """One execution. `flow` is the flow as it was at the start; `input` and `output` are JSON texts, empty where there is none.

    `serial` counts the executions of a world: those started within one millisecond keep their order.
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
    events: History | None = None  # None: of a canned outcome
    qualifier: str = ""
    map_run: str = ""
    callback_token: str = ""  # of the task to report to when it ends
    outcome: Outcome | None = None  # that decides how it goes
    outcomes: tuple[Outcome, ...] = ()  # the first of those that there were for it
    parent: Parent | None = None  # None: no execution started it

    @property
    def ended(self) -> bool:
        return self.stopped is not None

    @property
    def qualifiers(self) -> tuple[str, ...]:
        """The qualifiers it can be asked for by: the version it ran, and the alias that it was started by."""
        version = self.flow.version
        if not version:
            return ()
        return (self.qualifier,) if self.qualifier == str(version) else (self.qualifier, str(version))

    @property
    def places(self) -> Sequence[Place]:
        """Return its places in the index of its flow: in each group that it belongs to."""
        status = self.status
        if self.map_run:
            return ((group_of_map_run(self.map_run), status),)
        if not self.flow.version:
            return (("", status),)
        return (("", status), *((group_of_qualifier(each), status) for each in self.qualifiers))


def group_of_map_run(name: str) -> str:
    return f"map run {name}"


def group_of_qualifier(name: str) -> str:
    return f"qualifier {name}"


class MapRunRow(NamedTuple):
    """A map run whose execution has ended. Times in seconds."""

    name: str
    status: str
    started: float
    stopped: float | None
    concurrency: int
    tolerated_count: int
    tolerated_percentage: float
    counts: ItemCounts

    @classmethod
    def of(cls, map_run: MapRun) -> MapRunRow:
        """Return the row of a map run as it is now. One that the engine has begun has a start."""
        assert map_run.started is not None
        return cls(
            map_run.name, map_run.status.value, map_run.started, map_run.stopped, map_run.concurrency,
            map_run.tolerated_count, map_run.tolerated_percentage, map_run.counts,
        )  # fmt: skip

    @staticmethod
    def key(execution: str, name: str) -> str:
        return f"{execution}/{name}"
