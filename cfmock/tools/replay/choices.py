"""Choices that documents leave open and a recorded history can settle: the table `choices.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from msgspec import Struct, convert

from cfmock.base import yaml_source
from cfmock.engine import commands
from cfmock.engine.pending_task import CALLED_OFF

OWN_CODES = frozenset(
    (
        commands.RUNTIME_ERROR, commands.INVALID_OUTPUT, commands.DATA_LIMIT, commands.EVENT_LIMIT, commands.ITEM_LIMIT,
        commands.MAP_RUN_LIMIT, commands.EXECUTION_TIMEOUT, commands.UNNAMED, CALLED_OFF,
    )
)  # fmt: skip
"""Errors that the engine itself raises, by names that no page documents."""

OWN_TEXTS = OWN_CODES | {commands.TASK_TIMEOUT, commands.INVALID_LOCAL}
"""Errors that the engine itself raises; the texts of all of them are ours."""


class Confirmation(Struct, frozen=True):
    """A history that agrees with a choice."""

    date: str
    region: str
    source: str = ""


class Choice(Struct, frozen=True):
    """Something that cfmock had to choose. `types` are the events whose details it is about."""

    choice: str
    confirmed_by: tuple[Confirmation, ...]
    types: tuple[str, ...] = ()


@cache
def choices() -> Mapping[str, Choice]:
    """All of them, by key."""
    name = "choices.yaml"
    rows = yaml_source.parse(files(__package__).joinpath(name).read_bytes(), name).value
    return convert(rows, dict[str, Choice])


@cache
def choice_for(kind: str) -> str:
    """The key of the choice that the detail of this type of event is."""
    return next((key for key, choice in choices().items() if kind in choice.types), "other-events")
