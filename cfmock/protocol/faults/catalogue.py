"""The actions of fault rules, in words (docs/faults.md shows these tables), and the error codes that they may name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

from cfmock.base.readers import Reader, one_of
from cfmock.base.suggestions import likely

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


_FOREIGN = (
    ("AccessDenied", "forbidden nopermission unauthorized"),
    ("ActionNotSupported", "invalidaction invalidapi"),
    ("APIVersionNotSupported", "invalidversion"),
    ("ConcurrentUpdateError", "conflict operationconflict"),
    ("ExecutionNotExists", "executionnotfound"),
    ("FlowNotExists", "flownotfound statemachinedoesnotexist"),
    ("FlowNotExists ExecutionNotExists", "entitynotexist notfound resourcenotfound"),
    ("InternalServerError", "internalfailure serviceunavailable unknownerror"),
    ("InvalidAccessKeyID", "invalidsecuritytoken"),
    ("InvalidArgument", "badrequest validation"),
    ("RequestTimeTooSkewed", "invalidtimestamp requestexpired"),
    ("ResourceThrottled", "quotaexceeded ratelimitexceeded requestlimitexceeded throttling toomanyrequests"),
    ("ScheduleNotExists", "schedulenotfound"),
    ("SignatureNotMatch", "incompletesignature"),
)
"""Codes of this service with their names at other Alibaba Cloud products, its API gateway and AWS, in small letters without
what stands behind a dot and without `Exception`."""

_OTHER_NAMES = {name: tuple(codes.split()) for codes, names in _FOREIGN for name in names.split()}


def likely_codes(word: Any, codes: Collection[str]) -> tuple[str, ...]:
    """Return the codes, one or two, that a wrong one probably stands for; empty if none is near."""
    if isinstance(word, str):
        name = word.partition(".")[0].casefold().removesuffix("exception")
        if name in _OTHER_NAMES:
            return _OTHER_NAMES[name]
    return likely(word, codes)


def error_code(codes: Collection[str]) -> Reader:
    """Read one of the codes."""
    return one_of(codes, "{} is not an error code", likely_codes)
