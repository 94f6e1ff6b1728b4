"""Results and errors to answers: always a JSON object, the right types, `Code` in errors only."""

from __future__ import annotations

import json

from cfmock.errors import ServiceError
from cfmock.spec.model import Spec
from cfmock.wire.messages import Fields, Reply

CONTENT_TYPE = "application/json;charset=utf-8"
"""As the gateway writes it, without a blank (dumps of 2022 to 2025)."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def success(fields: Fields, request_id: str) -> Reply:
    """HTTP 200 with the operation's fields and the RequestId."""
    return Reply(200, _encode({"RequestId": request_id, **fields}).encode(), request_id)


def error(failure: ServiceError, request_id: str, host: str, spec: Spec) -> Reply:
    """The error answer: status and message from the catalogue, the message's arguments from the failure."""
    status, message = rendered(failure, spec)
    body = {"RequestId": request_id, "HostId": host, "Code": failure.code, "Message": message}
    return Reply(status, _encode(body).encode("utf-8", "replace"), request_id)


def rendered(failure: ServiceError, spec: Spec) -> tuple[int, str]:
    """HTTP status and message of a failure. A code that the catalogue lacks (a custom error) carries its own."""
    entry = spec.errors.get(failure.code)
    if entry is None or failure.message is not None:
        return failure.status or 400, failure.message or ""
    message = entry.render(tuple(map(str, failure.args)))
    return failure.status or entry.status, f"{message} {failure.detail}" if failure.detail else message
