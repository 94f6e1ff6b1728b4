"""What the server saw: the newest calls, bounded in number and in bytes, and a line for each in a file if wanted.

Only the operation's own parameters are kept, and the caller's key id: signatures, tokens of credentials and secrets never
get in. Entries stay as the text they came as until somebody looks.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from cfmock.clock import iso

MAX_BYTES = 64 * 1024 * 1024
"""What the kept calls' parameters may take together."""


class CallRecord(NamedTuple):
    """One call. `time` is of the flow clock, seconds since 1970; `duration` in seconds of real time; `code` None on success.

    `size` is about how many bytes the parameters take. A tuple, since one is made for every call.
    """

    operation: str
    parameters: Mapping[str, str]
    access_key_id: str
    time: float
    status: int
    code: str | None
    request_id: str
    duration: float
    account: str
    region: str
    flow: str | None
    message: str | None = None
    violations: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    size: int = 0


class Journal:
    """The newest `size` calls, and how many were dropped. Everything is oldest first."""

    def __init__(self, size: int, max_bytes: int = MAX_BYTES) -> None:
        self._records: deque[CallRecord] = deque()
        self._size = size
        self._max_bytes = max_bytes
        self._bytes = 0
        self.dropped = 0
        self.seen = 0
        self.listeners: list[Callable[[CallRecord], None]] = []
        """Told of each call after it is kept."""

    def add(self, record: CallRecord) -> None:
        self.seen += 1
        self._records.append(record)
        self._bytes += record.size
        while self._records and (len(self._records) > self._size or self._bytes > self._max_bytes):
            self._bytes -= self._records.popleft().size
            self.dropped += 1
        for listener in self.listeners:
            listener(record)

    def find(self, **filters: str | None) -> Iterator[CallRecord]:
        """The calls whose fields equal all the filters given; a filter of None asks nothing.

        Names: operation, flow, code, access_key_id, account, region, request_id, or any parameter in the service's spelling.
        """
        wanted = {name: value for name, value in filters.items() if value is not None}
        return (record for record in self._records if all(_has(record, *each) for each in wanted.items()))

    def clear(self) -> None:
        """As new."""
        self._records.clear()
        self._bytes = 0
        self.dropped = 0
        self.seen = 0

    def forget(self, **filters: str | None) -> None:
        """Drop the calls that `find` would find; they count as neither seen nor dropped."""
        gone = {id(record) for record in self.find(**filters)}
        self._records = deque(record for record in self._records if id(record) not in gone)
        self._bytes = sum(record.size for record in self._records)
        self.seen -= len(gone)


_FIELDS = frozenset(("operation", "flow", "code", "access_key_id", "account", "region", "request_id"))


def _has(record: CallRecord, name: str, value: str) -> bool:
    if name in _FIELDS:
        return bool(getattr(record, name) == value)
    return record.parameters.get(name) == value


def as_json(record: CallRecord) -> dict[str, Any]:
    """A call as the admin API and the journal file give it."""
    return {
        "operation": record.operation,
        "parameters": dict(record.parameters),
        "access_key_id": record.access_key_id,
        "time": iso(record.time),
        "status": record.status,
        "code": record.code,
        "message": record.message,
        "request_id": record.request_id,
        "duration": round(record.duration, 6),
        "violations": list(record.violations),
        "faults": list(record.faults),
        "account": record.account,
        "region": record.region,
    }


def line(record: CallRecord) -> str:
    """A call as one line of a journal file."""
    return json.dumps(as_json(record), ensure_ascii=True, separators=(",", ":")) + "\n"
