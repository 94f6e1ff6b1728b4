"""Error codes as faults name them, and the code that was meant by another product's name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from cfmock.base.errors import InvalidValue
from cfmock.base.readers import Reader
from cfmock.base.suggestions import likely, shown

_OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "badrequest": ("InvalidArgument",),
    "conflict": ("ConcurrentUpdateError",),
    "entitynotexist": ("FlowNotExists", "ExecutionNotExists"),
    "executionnotfound": ("ExecutionNotExists",),
    "flownotfound": ("FlowNotExists",),
    "forbidden": ("AccessDenied",),
    "incompletesignature": ("SignatureNotMatch",),
    "internalfailure": ("InternalServerError",),
    "invalidaction": ("ActionNotSupported",),
    "invalidapi": ("ActionNotSupported",),
    "invalidsecuritytoken": ("InvalidAccessKeyID",),
    "invalidtimestamp": ("RequestTimeTooSkewed",),
    "invalidversion": ("APIVersionNotSupported",),
    "nopermission": ("AccessDenied",),
    "notfound": ("FlowNotExists", "ExecutionNotExists"),
    "operationconflict": ("ConcurrentUpdateError",),
    "quotaexceeded": ("ResourceThrottled",),
    "ratelimitexceeded": ("ResourceThrottled",),
    "requestexpired": ("RequestTimeTooSkewed",),
    "requestlimitexceeded": ("ResourceThrottled",),
    "resourcenotfound": ("FlowNotExists", "ExecutionNotExists"),
    "schedulenotfound": ("ScheduleNotExists",),
    "serviceunavailable": ("InternalServerError",),
    "statemachinedoesnotexist": ("FlowNotExists",),
    "throttling": ("ResourceThrottled",),
    "toomanyrequests": ("ResourceThrottled",),
    "unauthorized": ("AccessDenied",),
    "unknownerror": ("InternalServerError",),
    "validation": ("InvalidArgument",),
}
"""Names of other Alibaba Cloud products, its API gateway and AWS, in small letters without what stands behind a dot and without
`Exception` → the codes documented for this service."""


def likely_codes(word: Any, codes: Collection[str]) -> tuple[str, ...]:
    """Return the codes, one or two, that a wrong one probably stands for; empty if none is near."""
    if isinstance(word, str):
        name = word.partition(".")[0].casefold().removesuffix("exception")
        if name in _OTHER_NAMES:
            return _OTHER_NAMES[name]
    return likely(word, codes)


def error_code(codes: Collection[str]) -> Reader:
    """Read one of the codes."""

    def read(value: Any) -> str:
        if isinstance(value, str) and value in codes:
            return value
        raise InvalidValue.of("{} is not an error code", shown(value), near=likely_codes(value, codes))

    return read
