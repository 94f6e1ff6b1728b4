"""The calls that a server saw: which ones are asked for, and waiting for them; and the answers to our own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from cfmock.api import assertions, client
from cfmock.api.arguments import check_text, check_whole
from cfmock.api.entered import EnteredServer
from cfmock.base.errors import BrokenConnection, WaitTimeout
from cfmock.base.json_text import Json
from cfmock.base.suggestions import did_you_mean
from cfmock.base.time_text import duration_text, parse_duration
from cfmock.control.part import ControlError
from cfmock.emulator import hints
from cfmock.observe.journal import FIELDS
from cfmock.observe.models import Call, public_calls
from cfmock.protocol.wire.messages import TOLD, Reply


def wanted_calls(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Turn keywords into filters of calls: parameters as they look on the wire. Raises ControlError for an unknown keyword."""
    for name in filters:
        if name not in FIELDS and not name[:1].isupper():
            raise ControlError(
                f"calls have no '{name}'{did_you_mean(name, FIELDS)}: ask for {', '.join(FIELDS)}, or a parameter"
            )
    return {
        name: value if name in FIELDS or value is None else client.wire_text(value) for name, value in filters.items()
    }


async def wait_for_calls(
    entered: EnteredServer, operation: str | None, count: int, timeout: float | str, filters: Mapping[str, Any]
) -> list[Call]:
    """Wait until there are `count` such calls, in the loop. Raises as `CloudFlow.wait_for_calls`."""
    entered.check_open()
    control = entered.control
    wanted, longest = wanted_calls(filters), parse_duration(timeout)
    check_whole("count", count)
    check_text("operation", operation, optional=True)
    control.check_calls(operation, filters.keys() - set(FIELDS))
    done = asyncio.Event()
    undo = control.when_called(count, done.set, operation=operation, **wanted)
    try:
        await asyncio.wait_for(done.wait(), longest)
    except asyncio.TimeoutError:
        found = len(control.find_calls(operation=operation, **wanted))
        seen = public_calls(control.find_calls())
        what = assertions.described(operation or "any call", filters)
        raise WaitTimeout(
            f"waited {duration_text(longest)} for {count} of {what}, saw {found}; {assertions.newest(seen)}"
            f"{assertions.uncounted(operation, control.runs_begun)}"
        ) from None
    finally:
        undo()
    return public_calls(control.find_calls(operation=operation, **wanted))


def fields(reply: Reply) -> dict[str, Json]:
    """Return the fields of an answer. Raises ServiceError for an error, BrokenConnection where a fault breaks the connection."""
    if reply.transport not in TOLD:
        raise BrokenConnection(reply.transport.value)
    return client.answered(reply.status, reply.body, dict(reply.headers).get(hints.HEADER))
