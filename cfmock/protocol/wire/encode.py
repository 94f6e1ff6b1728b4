"""Results and errors to answers: always a JSON object, the right types, `Code` in errors only."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

from cfmock.base.errors import Refused, ServiceError
from cfmock.base.json_text import json_text, quoted, sendable
from cfmock.protocol.spec.model import Spec
from cfmock.protocol.wire.messages import Fields, Reply, WrittenFields

CONTENT_TYPE = "application/json;charset=utf-8"
"""As the gateway writes it, without a blank (dumps of 2022 to 2025)."""


def success(fields: Fields, request_id: str) -> Reply:
    """HTTP 200 with the operation's fields and the RequestId."""
    if type(fields) is WrittenFields:
        text = f'{{"RequestId":{quoted(request_id)},{fields.members()}}}'
    else:
        try:
            text = _frame(tuple(fields)) % (quoted(request_id), *map(quoted, fields.values()))
        except TypeError:  # not all of them are texts
            text = json_text({"RequestId": request_id, **fields})
    return Reply(200, sendable(text).encode(), request_id)


@functools.lru_cache(maxsize=256)
def _frame(names: tuple[str, ...]) -> str:
    """What is the same in all answers of texts with these names."""
    members = ",".join(f"{quoted(name)}:%s" for name in ("RequestId", *names))
    return f"{{{members}}}"


def rate_limit_headers(limit: float, wait: float) -> tuple[tuple[str, str], ...]:
    """How many calls fit, and in how many milliseconds the next one does, as the gateway tells a throttled client; tea-openapi
    0.4.0 to 0.4.5 read TimeLeft (measured), what Reset counts is unknown, the same is our choice."""
    left = "" if math.isinf(wait) else f",TimeLeft:{milliseconds(wait)},Reset:{milliseconds(wait)}"
    value = f"Limit:{limit:g},Remain:0{left}"
    return ("x-ratelimit-user-api", value), ("x-ratelimit-user", value)


def milliseconds(seconds: float) -> int:
    """A wait as headers give it: never shorter than it is."""
    return math.ceil(round(seconds * 1000, 3))  # 2.007 s are 2007 ms, though a little more to a computer


FORBIDDEN = "forbidden"
"""The reason of a call that its key's `allow` list lacks."""


class Rendered(NamedTuple):
    """A failure as it is answered: code, HTTP status, message."""

    code: str
    status: int
    message: str


def rendered(failure: ServiceError, spec: Spec, *, gateway: bool = False) -> Rendered:
    """A failure in the words of the service, or of the `gateway` if that refused it. A code that the catalogue lacks (a custom
    error) carries its own words. What a policy refuses has the gateway's words under the service's code, as in the one refusal
    that is public."""
    if gateway and isinstance(failure, Refused):
        row = spec.gateway[failure.reason]
        return Rendered(row.code.format_map(failure.facts), row.status, row.message.format_map(failure.facts))
    entry = spec.errors.get(failure.code)
    if entry is None or failure.message is not None:
        return Rendered(failure.code, failure.status or 400, failure.message or "")
    if isinstance(failure, Refused) and failure.reason == FORBIDDEN:
        message = spec.gateway[FORBIDDEN].message.format_map(failure.facts)
    else:
        message = entry.render(tuple(map(str, failure.args)))
    if failure.detail:
        message = f"{message} {failure.detail}"
    return Rendered(failure.code, failure.status or entry.status, message)


def error(failure: ServiceError, request_id: str, host: str, spec: Spec, *, gateway: bool = False) -> Reply:
    """The error answer. The gateway adds where to look for help, and what a policy refused."""
    code, status, message = rendered(failure, spec, gateway=gateway)
    body: Fields = {"RequestId": request_id, "HostId": host, "Code": code, "Message": message}
    if gateway:
        body["Recommend"] = spec.recommend.format(code=code, request_id=request_id)
        if isinstance(failure, Refused) and failure.reason == FORBIDDEN:
            body["AccessDeniedDetail"] = {
                "PolicyType": "AccountLevelIdentityBasedPolicy",
                "NoPermissionType": "ImplicitDeny",
                "AuthAction": failure.facts["action"],
                "AuthPrincipalType": failure.facts["principal_type"],
                "AuthPrincipalOwnerId": failure.facts["account"],
                "AuthPrincipalDisplayName": failure.facts["principal"],
                "EncodedDiagnosticMessage": "",
            }
    return Reply(status, json_text(body).encode("utf-8", "replace"), request_id)
