"""Records of calls as the journal keeps them, made of the fields that are read of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cfmock.observe.call_record import CallRecord
from cfmock.protocol.spec.model import load
from cfmock.protocol.wire.encode import Rendered
from cfmock.protocol.wire.messages import OperationCall, Reply, Transport


def call_record(
    operation: str,
    parameters: Mapping[str, str],
    *,
    access_key_id: str = "ak",
    account: str = "",
    region: str = "cn-hangzhou",
    request_id: str = "r",
    status: int = 200,
    code: str | None = None,
    transport: str | None = None,
    delay: float = 0.0,
    answer: bytes = b"",
    **fields: Any,
) -> CallRecord:
    """Return the record of a call; `fields` are those that it keeps as they are."""
    call = OperationCall(load().operations[operation], dict(parameters), access_key_id, account, region)
    reply = Reply(status, answer, request_id, delay=delay, transport=Transport(transport or "whole"))
    given = {"time": 0.0, "began": 0.0, "duration": 0.0, "nonce": "n", "timestamp": "t", "size": 10, **fields}
    return CallRecord(call, reply, Rendered(code, status, "") if code else None, status, **given)
