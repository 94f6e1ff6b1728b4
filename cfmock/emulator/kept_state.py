"""State that outlives the process: what of an emulator goes into its state file, and how it comes back.

The tables of the worlds write their changes down as they happen (`service.tables`). What changes with nearly every
call (the clock, chance, counts of faults and outcomes) is looked at when a batch of changes is about to be written.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from cfmock.base.clocks import Clock, HeldClock, VirtualClock
from cfmock.base.errors import SettingsError
from cfmock.base.json_text import Json, ascii_text
from cfmock.base.randomness import Ids
from cfmock.base.version import __version__
from cfmock.emulator.worlds import Worlds
from cfmock.observe.journal import ALL, Scope
from cfmock.protocol.faults.rules import FaultRule
from cfmock.service.row_texts import digest
from cfmock.service.shared import Shared
from cfmock.service.store.statements import (
    DELETE_ROW,
    PUT_META,
    PUT_ROW,
    StateStore,
    StoredRows,
    forget_all,
    forget_world,
)
from cfmock.service.tables import ChangeLog
from cfmock.service.world import World

if TYPE_CHECKING:
    from cfmock.service.restoring import Restorer

HITS, USES, NUMBERS, GIVEN, ADDED = "fault hits", "outcome uses", "numbers", "given", "added"
"""Kinds of rows, beside those of the tables: given is what the fixtures said of a flow or schedule when it was applied."""


class Added(NamedTuple):
    """Something that was added to a running emulator: an outcome, mocks, a fault or fixtures, as a document. It is gone from the
    worlds of `spared`."""

    what: str
    document: Json
    account: str | None
    region: str | None
    id: str = ""
    spared: Sequence[Scope] = ()

    @property
    def scope(self) -> Scope:
        return self.account, self.region

    def less(self, scope: Scope) -> Added | None:
        """What is left of it once it is gone from the worlds of this account and region; None: nothing."""
        pairs = tuple(zip(scope, self.scope, strict=True))
        if all(given in (None, own) for given, own in pairs):
            return None
        apart = any(None not in pair and pair[0] != pair[1] for pair in pairs)
        if apart or list(scope) in map(list, self.spared):
            return self
        return self._replace(spared=[*self.spared, scope])


class CountedRandom(random.Random):
    """Chance whose whole state is a number beside its seed, so that it can be kept with each batch of changes."""

    seed_text = ""
    count = 0

    def getrandbits(self, k: int, /) -> int:
        """`k` random bits."""
        found, had = 0, 0
        while had < k:
            self.count += 1
            block = blake2b(f"{self.seed_text} {self.count}".encode(), digest_size=64).digest()
            found, had = found << 512 | int.from_bytes(block, "big"), had + 512
        return found >> (had - k)

    def random(self) -> float:
        """A number in [0, 1)."""
        return self.getrandbits(53) * 2.0**-53


class KeptIds(Ids):
    """Chance that goes on after a restart. Request ids come from a source of their own: each call takes one, also those that
    change nothing."""

    def __init__(self, seed: int | str | None) -> None:
        super().__init__(seed)
        self.kept = self.random = CountedRandom()
        self._bits = self.kept.getrandbits
        self._request_bits = random.Random().getrandbits

    def begin(self, seed: str, key: bytes, count: int, starts: int) -> None:
        """Go on from what a file says; `starts` counts the processes there were before."""
        self.kept.seed_text, self.kept.count = seed, count
        self._key = key
        self._request_bits = random.Random(f"{seed} requests {starts}").getrandbits

    def seed(self, seed: int | str | None) -> None:
        """Begin from the start of a sequence, as after a reset."""
        self.kept.count = 0
        self._seed = seed


class KeptState:
    """The state of one emulator and the file it is kept in."""

    def __init__(self, file: StateStore) -> None:
        self.file = file
        self._stored: StoredRows = file
        self.changes = ChangeLog()
        self._shared: Shared | None = None
        self._worlds: Iterable[World] = ()
        self._noted: dict[tuple[str, str, str], str] = {}  # what was written of what is looked at
        self._hits: dict[str, set[str]] = {}  # the faults of which that is so, by world
        self._restorers: dict[str, Restorer] = {}
        self._holding = ExitStack()
        self._additions: dict[int, Added] = {}
        self._now = self._ahead = 0.0

    # -- coming back

    def begin(self, shared: Shared, worlds: Worlds) -> None:
        """Bring back the worlds of the file, without what goes on in them, which `resume` does once all mocks are there. Raises
        SettingsError for a file of another kind of clock."""
        self._shared, self._worlds = shared, worlds
        meta, clock = self.file.meta(), shared.clock
        kind = _kind_of(clock)
        if meta.get("clock", kind) != kind:
            text = f"its executions use a {meta['clock']} clock (--clock {meta['clock']})"
            raise SettingsError(f"{self.file.name}: {text}")
        self._begin_file(shared, meta)
        self._now = clock.now()
        self._ahead = self._now - clock.steady()
        if isinstance(clock, VirtualClock):
            self._now = float(meta.get("now", self._now))
            clock.restart(self._now)
        self._holding.enter_context(shared.scheduler.held())
        self.changes.coming_back = True
        for text in filter(None, self.file.worlds()):
            account, _, region = text.rpartition("/")
            worlds.of(account, region)

    def _begin_file(self, shared: Shared, meta: Mapping[str, str]) -> None:
        ids: Any = shared.ids
        given = shared.settings.seed
        seed = meta.get("seed") or (Ids().uuid() if given is None else str(given))
        key = meta.get("key") or random.Random(f"seal {seed}").randbytes(32).hex()
        starts = int(meta.get("starts", "0")) + 1
        ids.begin(seed, bytes.fromhex(key), int(meta.get("chance", "0")), starts)
        clock = _kind_of(shared.clock)
        written = {"clock": clock, "version": __version__, "seed": seed, "key": key, "starts": str(starts)}
        for name, value in written.items():
            self.changes.add(PUT_META, name, value)

    def bring_back(self, world: World) -> None:
        """Fill a world that has just been made with what the file has of it."""
        world.given = dict(self._stored.rows(world.key, GIVEN)) if self.changes.coming_back else {}
        if self.changes.coming_back:
            from cfmock.service.restoring import Restorer  # only where there is something to bring back

            restorer = self._restorers[world.key] = Restorer(world, self._stored, self.file.name, self._ahead)
            with self._paused():
                restorer.rows()
            numbers = dict(self._stored.rows(world.key, NUMBERS))
            world.serial = max(world.serial, int(numbers.get("serial", "0")))

    def count(self, world: World) -> None:
        """Give faults and outcomes, which have been added, the counts that the file has of them."""
        hits = dict(self._stored.rows(world.key, HITS))
        self._hits[world.key] = set(hits)
        for key, fault in _keyed_faults(world):
            if key in hits:
                fault.resume(*json.loads(hits[key]))
        for flow, text in self._stored.rows(world.key, USES):
            world.outcomes[flow].resume(json.loads(text))

    def resume(self) -> None:
        """Resume the executions of the worlds: what is ready does so before this returns."""
        shared = self._shared
        assert shared is not None
        restorers, self._restorers = [*self._restorers.values()], {}
        with self._paused():
            for restorer in restorers:
                self.count(restorer.world)
            for restorer in restorers:
                restorer.resume()
            clock = shared.clock
            if isinstance(clock, HeldClock):
                clock.release()
            elif isinstance(clock, VirtualClock):
                clock.restart(self._now)
            for restorer in restorers:
                restorer.arrive()
        self.changes.coming_back = False
        for restorer in restorers:
            restorer.fail_lost()
        self._holding.close()

    @contextmanager
    def unwritten(self) -> Iterator[None]:
        """Nothing that changes in this block is for the file."""
        with self._paused():
            yield
        self._noted.clear()

    def added(self, rows: Iterable[tuple[str, str]] | None = None) -> list[Added]:
        """Return the additions to the running emulator that it does not have yet, the oldest first; of these `rows`, if given."""
        found = sorted((int(key), text) for key, text in (self.file.rows("", ADDED) if rows is None else rows))
        new = {number: Added(*json.loads(text)) for number, text in found if number not in self._additions}
        self._additions |= new
        return list(new.values())

    def add(self, what: Added) -> None:
        """Keep what was added to the running emulator."""
        if not self.changes.coming_back:
            self._set_addition(max(self._additions, default=0) + 1, what)

    def remove(self, scope: Scope, gone: Callable[[Added], bool]) -> None:
        """Keep no longer, for the worlds of this account and region, what was added and is gone."""
        for number, added in list(self._additions.items()):
            left = added.less(scope) if gone(added) else added
            if left is not added:
                self._set_addition(number, left)

    def _set_addition(self, number: int, added: Added | None) -> None:
        if added is None:
            del self._additions[number]
            self.changes.add(DELETE_ROW, "", ADDED, str(number))
        else:
            self._additions[number] = added
            self.changes.add(PUT_ROW, "", ADDED, str(number), ascii_text(added))

    @contextmanager
    def _paused(self) -> Iterator[None]:
        self.changes.paused = True
        try:
            yield
        finally:
            self.changes.paused = False

    # -- going away

    def collect(self) -> None:
        """Write down what has changed of what is only looked at now."""
        shared, worlds = self._shared, self._worlds
        if shared is None or self.changes.coming_back:
            return
        self._note_common(shared)
        for world in worlds:
            self._note(world.key, NUMBERS, "serial", str(world.serial))
            if world.counted_faults:
                world.counted_faults = False
                faults = dict(_keyed_faults(world))
                for key, fault in faults.items():
                    self._note(world.key, HITS, key, ascii_text([fault.hits, fault.standing().matched]))
                for key in self._hits.get(world.key, set()) - faults.keys():  # those that are gone
                    self._noted.pop((world.key, HITS, key), None)
                    self.changes.add(DELETE_ROW, world.key, HITS, key)
                self._hits[world.key] = set(faults)
            for flow in world.counted_outcomes:
                self._note(world.key, USES, flow, ascii_text([used for _, used in world.outcomes[flow].uses()]))
            world.counted_outcomes.clear()

    def _note_common(self, shared: Shared) -> None:
        """Write down what is of no one world."""
        ids: Any = shared.ids
        self._note("", "", "chance", str(ids.kept.count))
        if isinstance(shared.clock, VirtualClock):
            self._note("", "", "now", repr(shared.clock.now()))

    def _note(self, world: str, kind: str, key: str, text: str) -> None:
        place = world, kind, key
        if self._noted.get(place) != text:
            self._noted[place] = text
            if world:
                self.changes.add(PUT_ROW, world, kind, key, text)
            else:
                self.changes.add(PUT_META, key, text)

    def forget(self, worlds: Sequence[World], scope: Scope) -> None:
        """These worlds, those of the account and region (None: of all), are as at the start."""
        if scope != ALL:
            self.forget_worlds(worlds, scope)
            return
        self._noted.clear()
        self._additions.clear()
        for change in forget_all():
            self.changes.add(*change)
        if self._shared is not None:
            self._begin_file(self._shared, {})

    def forget_worlds(self, worlds: Sequence[World], scope: Scope) -> None:
        """These worlds are as at the start, and what was added to them is gone."""
        keys = {world.key for world in worlds}
        self._noted = {place: text for place, text in self._noted.items() if place[0] not in keys}
        for key in keys:
            for change in forget_world(key):
                self.changes.add(*change)
        self.remove(scope, lambda _: True)


def _kind_of(clock: Clock) -> str:
    return "virtual" if isinstance(clock, VirtualClock) else "real"


def is_news(world: World, place: str, said: object) -> bool:
    """Return whether fixtures say something else of a flow or schedule than they did when it was applied last; they
    always do where no state is kept."""
    if world.given is None or world.shared.changes is None:
        return True
    key = digest(repr(said))
    if world.shared.changes.coming_back and world.given.get(place) == key:
        return False
    world.given[place] = key
    world.shared.changes.add(PUT_ROW, world.key, GIVEN, place, key)
    return True


def _keyed_faults(world: World) -> list[tuple[str, Any]]:
    """The faults of a world by what they say, and the how manieth that says so it is: the same in each process."""
    seen: Counter[str] = Counter()
    found = []
    for fault in world.faults.list():
        text = key_of(fault.rule)
        seen[text] += 1
        found.append((f"{text}#{seen[text]}", fault))
    return found


def key_of(rule: FaultRule) -> str:
    """A key for what a fault says: the same in each process."""
    return digest(json.dumps(rule.to_mapping(), default=str, sort_keys=True, separators=(",", ":")))
