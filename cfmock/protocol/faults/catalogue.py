"""The actions of fault rules, in words; docs/faults.md shows these tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

MAIN: Mapping[str, str] = {
    "error": "An error of the catalogue, with its status; its message is filled in from the request. `retry_after` adds the "
    "header x-acs-retry-after, in milliseconds.",
    "custom_error": "An error that you define: `status`, `code`, `message`. `retry_after` works here, too.",
    "transport": "A broken connection, as in the table below.",
    "rate_limit": "ResourceThrottled above `burst` calls at once and `per_second` calls per second, with the gateway's "
    "rate-limit headers. All calls of the rule share one bucket. A throttled call is not carried out.",
    "clock_skew": "The clock of the server is off by this much. Above `max_time_skew`: RequestTimeTooSkewed.",
}
"""The main actions, of which a rule has at most one, and what a client gets."""

DELAY = (
    "A late answer: a fixed duration, or a random one for each call, `uniform` (`min`, `max`) or `lognormal` (`median`, "
    "`sigma`). You can combine it with all others, except `clock_skew`."
)
"""The description of `delay`, which may go with a main action."""

TransportFault = Literal["reset", "hang", "close", "truncate", "garbage", "slow"]
"""Names of what a fault does to a connection."""

TRANSPORTS: Mapping[str, str] = {
    "reset": "The connection is reset (RST) before any byte of the answer.",
    "hang": "No answer comes, and the connection stays open until the client gives up.",
    "close": "The connection is closed (FIN) before any byte of the answer.",
    "truncate": "The answer ends in the middle of its body, before its Content-Length.",
    "garbage": "Status and headers are correct, but the body is not JSON.",
    "slow": "The whole answer comes, but slowly: it takes 5s.",
}
"""The transports by name, with what a client sees of each."""

SPOILING = frozenset(("truncate", "garbage", "slow"))
"""The transports that need the operation's real answer, to spoil it."""
