"""An example of what each code of `cfmock check` finds, and of how it should be: the table `examples.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from msgspec import Struct, convert

from cfmock.base import yaml_source

NAME = "examples.yaml"


class CheckExample(Struct, frozen=True):
    """`about` says in a sentence or two what is odd in the first file, and what the second one does about it."""

    about: str
    odd: str
    right: str

    def markdown(self) -> str:
        return f"{self.about}\n```yaml\n{self.odd}```\n\nAs it should be:\n\n```yaml\n{self.right}```\n"


def examples() -> Mapping[str, CheckExample]:
    """Return the table by code."""
    table = yaml_source.parse(files(__package__).joinpath(NAME).read_bytes(), NAME).value
    return convert(table, dict[str, CheckExample])
