"""Values that are equal to others by a part of what they hold."""

from __future__ import annotations

from collections.abc import Hashable

from msgspec import Struct


class Meaning(Struct, frozen=True, eq=False):
    """A value that is equal to another of its class if their `meaning` is."""

    @property
    def meaning(self) -> Hashable:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.meaning == other.meaning

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.meaning)
