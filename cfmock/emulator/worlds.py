"""The registry of worlds: one for each account and region, made when it is first asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager

from msgspec import Struct

from cfmock.base.clocks import Slice
from cfmock.observe.journal import ALL, Scope, WorldKey, is_of
from cfmock.protocol.auth.credentials import DEFAULT_ACCOUNT
from cfmock.service.shared import Shared
from cfmock.service.world import World

Change = Callable[[World], object]
"""Changes one world; replayed in worlds made later. Where that takes long, it returns an iterator that does it step by step."""


class Elsewhere(Exception):  # noqa: N818 - where something is, to whoever may go there
    """A world that belongs to another replica, or to none yet."""

    def __init__(self, world: WorldKey) -> None:
        super().__init__(world)
        self.world = world


class MadeChange(Struct):
    """A change of all worlds of a scope but the `spared` ones. `size` is in bytes."""

    change: Change
    scope: Scope
    size: int
    spared: set[Scope]

    def concerns(self, world: World) -> bool:
        account, region = world.where
        scopes = (account, region), (account, None), (None, region), ALL
        return is_of(world.where, self.scope) and self.spared.isdisjoint(scopes)


class Worlds:
    """The worlds in use. `prepare` brings each new one into the state that the fixtures say; the changes made everywhere since
    are replayed in it. `owned` are those that may be made here, None: all."""

    def __init__(self, shared: Shared, prepare: Change) -> None:
        self.prepare = prepare
        self.owned: set[WorldKey] | None = None
        self._shared = shared
        self._worlds: dict[WorldKey, World] = {}
        self._changes: dict[int, MadeChange] = {}  # by number, oldest first
        self.added = 0  # bytes of all of them
        self._numbers = 0
        self._spared: tuple[Scope, ...] = ()

    def __iter__(self) -> Iterator[World]:
        """Iterate over the worlds that were made so far."""
        return iter(tuple(self._worlds.values()))

    def of(self, account: str, region: str) -> World:
        """The world of this account in this region. Raises Elsewhere if it is not here."""
        return self._worlds.get((account, region)) or self._make(account, region)

    def _make(self, account: str, region: str) -> World:
        if self.owned is not None and (account, region) not in self.owned:
            raise Elsewhere((account, region))
        world = self._worlds[account, region] = World(account, region, self._shared)
        self.prepare(world)
        for made in list(self._changes.values()):
            if made.concerns(world):
                deque(_steps(made.change, world), maxlen=0)
        return world

    def unmake(self, key: WorldKey) -> None:
        """Drop a world that could not be made whole."""
        world = self._worlds.pop(key, None)
        if world is not None:
            world.end()

    @property
    def default_key(self) -> WorldKey:
        """The world of calls whose key names no account and that name no region."""
        return DEFAULT_ACCOUNT, self._shared.settings.region

    def default(self) -> World:
        """Return that world. Raises Elsewhere if it is not here."""
        return self.of(*self.default_key)

    def begin(self) -> None:
        """Make the worlds that are there whether or not somebody calls: their schedules run."""
        for key in [self.default_key] if self.owned is None else sorted(self.owned):
            self.of(*key)

    def warn(self, text: str) -> None:
        """Tell the log, the journal, and the call that is being handled of what is about no one world."""
        self._shared.warn(self.default_key, text)

    def known(self, scope: Scope = ALL) -> Iterator[World]:
        """Iterate over the worlds in use of this account and region. The default world is made for it, and without replicas the
        one that the scope names."""
        self.begin()
        if self.owned is None and scope != ALL:
            self.of(scope[0] or DEFAULT_ACCOUNT, scope[1] or self._shared.settings.region)
        yield from [world for world in self if is_of(world.where, scope)]

    def in_steps(
        self, change: Change, scope: Scope = ALL, *, size: int = 0
    ) -> Generator[Callable[[], None], None, int]:
        """Make a change, which takes `size` bytes, in all worlds of the account and region, those made later too. Others may have
        their turn in between. Returns its number."""
        made = MadeChange(change, scope, size, set(self._spared))
        worlds = [world for world in self.known(scope) if made.concerns(world)]
        self._numbers += 1
        number = self._numbers
        self.added += size
        self._changes[number] = made
        turn = Slice()
        for world in worlds:
            steps = _steps(change, world)
            # There may be a reset meanwhile.
            while number in self._changes and self._worlds.get(world.where) is world:
                try:
                    if next(steps, steps) is steps:
                        break
                except BaseException:
                    self.no_longer(number)
                    raise
                if turn.over():
                    yield pause
                    turn = Slice()
        return number

    @contextmanager
    def sparing(self, scopes: Iterable[Scope]) -> Iterator[None]:
        """Changes that are made everywhere in this block are not made in worlds of these scopes."""
        self._spared = tuple(scopes)
        try:
            yield
        finally:
            self._spared = ()

    def no_longer(self, number: int) -> None:
        """Make the change of this number in no more worlds."""
        if number in self._changes:
            self.added -= self._changes.pop(number).size

    def end(self, scope: Scope = ALL) -> list[World]:
        """End the worlds of the account and region, and drop the changes that hold in no others. Returns those that ended;
        whoever waits for something in them is still to be told."""
        for number, made in list(self._changes.items()):
            if scope[0] in (None, made.scope[0]) and scope[1] in (None, made.scope[1]):
                self.no_longer(number)
            else:
                made.spared.add(scope)
        ended = [world for world in self if is_of(world.where, scope)]
        for world in ended:
            for flow in world.flow_names():
                world.remember(flow)
            world.end()
            del self._worlds[world.account, world.region]
        return ended

    def discard(self) -> None:
        """Release everything; the worlds cannot be used afterwards."""
        for world in self:
            world.discard()
        vars(self).clear()


def _steps(change: Change, world: World) -> Iterator[object]:
    """Make a change, one step at each iteration."""
    result = change(world)
    if isinstance(result, Iterator):
        yield from result


def pause() -> None:
    """Nothing is to be done but to let others have their turn."""
