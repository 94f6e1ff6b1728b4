"""The nonces that were answered, so that none is answered twice."""

from __future__ import annotations

from collections import deque

from cfmock.base.short_text import digest

MOST = 100_000
"""Nonces that are remembered; the oldest go first. Our choice: some 20 MB."""


class Nonces:
    """The nonces answered within the time a request stays valid, as digests. `keep` is that time to either side, in seconds."""

    def __init__(self, keep: float) -> None:
        self._keep = 2 * keep
        self._known: set[bytes] = set()
        self._in_order: deque[tuple[float, bytes]] = deque()

    def __len__(self) -> int:
        return len(self._known)

    def is_new(self, access_key_id: str, nonce: str, now: float) -> bool:
        """Whether no call of this key with this nonce was answered, in the time that counts."""
        self._purge(now)
        return digest(f"{access_key_id}\n{nonce}") not in self._known

    def remember(self, access_key_id: str, nonce: str, now: float) -> None:
        """A call with this nonce was answered."""
        seen = digest(f"{access_key_id}\n{nonce}")
        if seen not in self._known:
            self._known.add(seen)
            self._in_order.append((now, seen))
            self._purge(now)

    def _purge(self, now: float) -> None:
        oldest = self._in_order
        while oldest and (oldest[0][0] < now - self._keep or len(oldest) > MOST):
            self._known.discard(oldest.popleft()[1])
