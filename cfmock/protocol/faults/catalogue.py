"""The actions of fault rules, in words; docs/faults.md shows these tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

MAIN: Mapping[str, str] = {
    "error": "An error of the catalogue, with its status; the message's arguments are filled in from the request. With "
    "`retry_after` it carries x-acs-retry-after, in milliseconds.",
    "custom_error": "An error of your own: `status`, `code`, `message`. `retry_after` goes with it, too.",
    "transport": "A connection that breaks, as in the table below.",
    "rate_limit": "ResourceThrottled beyond `burst` calls at once and `per_second` calls a second, in one bucket for all "
    "that the rule covers, with the gateway's rate-limit headers. A throttled call never happens.",
    "clock_skew": "A server whose clock is off by so much, to either side: beyond `max_time_skew` RequestTimeTooSkewed.",
}
"""The main actions, of which a rule has at most one, and what a client gets."""

DELAY = (
    "An answer that is late, by a duration or by one drawn for each call: `uniform` (`min`, `max`) or `lognormal` (`median`, "
    "`sigma`). Beside another of these (but not `clock_skew`): that, but late."
)
"""The description of `delay`, which may stand beside a main action."""

TransportFault = Literal["reset", "hang", "close", "truncate", "garbage", "slow"]
"""Names of what a fault does to a connection."""

TRANSPORTS: Mapping[str, str] = {
    "reset": "The connection is reset (RST), without a byte of an answer.",
    "hang": "Nothing comes, and the connection stays open until the client gives up.",
    "close": "The connection is closed (FIN), without a byte of an answer.",
    "truncate": "The answer ends in the middle of its body, short of its Content-Length.",
    "garbage": "Status and headers are those of the answer, the body is no JSON.",
    "slow": "The answer is whole, but drips for 5s.",
}
"""The transports by name, with what a client sees of each."""

SPOILING = frozenset(("truncate", "garbage", "slow"))
"""The transports that need the operation's real answer, to spoil it."""
