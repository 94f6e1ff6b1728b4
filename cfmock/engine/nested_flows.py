"""Nested flows: what a task that starts one asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from cfmock.base.json_text import Json
from cfmock.engine.commands import Failure
from cfmock.engine.task_calls import TaskCall

_ACTION = "fnf:startexecution"
_FLOW = re.compile(r"acs:fnf:[^:]*:[^:]*:flow/([^/]+)\Z")


class FlowStart(Struct, frozen=True):
    """A flow that a task wants started; `execution` None: the service makes up a name."""

    flow: str
    execution: str | None
    input: Json


def flow_start(call: TaskCall) -> FlowStart | None:
    """Return the start that a task asks for, None for a task that does something else.

    The new language names the flow by `resourceArn`, beside `executionName` and `input`; `fnf:StartExecution` of the
    old one has `FlowName`, `ExecutionName`, `Input`; and there the flow may be the task's own resource. Letter case is
    not minded. An old task without parameters hands its input on. Raises a `Failure` for parameters that name no flow.
    """
    if call.action.casefold() != _ACTION:
        return None
    parameters = call.parameters if isinstance(call.parameters, Mapping) else {}
    given = {str(name).casefold(): value for name, value in parameters.items()}
    arn = call.resource_arn or given.get("resourcearn")
    found = _FLOW.match(arn) if isinstance(arn, str) else None
    flow = given.get("flowname", found.group(1) if found else None)
    execution = given.get("executionname")
    value = given.get("input", call.input if call.resource_arn is not None and not given else {})
    if not isinstance(flow, str):
        raise _refused(call, f"{arn!r} names no flow (acs:fnf:::flow/NAME does)")
    if execution is not None and not isinstance(execution, str):
        raise _refused(call, f"the name of an execution is text, not {execution!r}")
    if not isinstance(value, dict):
        raise _refused(call, "the input of a flow is an object")
    return FlowStart(flow, execution, value)


def _refused(call: TaskCall, why: str) -> Failure:
    return Failure(f"{call.product}.InvalidArgument", why)
