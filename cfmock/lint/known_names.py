"""Actions and errors that are well known, and what a name that is nearly one of them was meant as."""

from __future__ import annotations

import functools

from cfmock.base.suggestions import nearest
from cfmock.engine import commands
from cfmock.engine.model import ANY_ERROR
from cfmock.protocol.spec.model import load

FUNCTION_ACTION, HTTP_ACTION, FLOW_PRODUCT = "FC:InvokeFunction", "HTTP:Request", "fnf"
_MESSAGE_ACTIONS = ("MNS:SendMessage", "MNS:PublishMessage")

_LENIENT = (FLOW_PRODUCT, "mns")
"""Products that may be written in either case: that of CloudFlow is, of the other the documents say nothing."""

_FLOW_ERRORS = (
    ANY_ERROR, commands.TASK_TIMEOUT, commands.RUNTIME_ERROR, commands.INVALID_LOCAL, commands.INVALID_OUTPUT,
    commands.UNNAMED,
)  # fmt: skip

_FUNCTION_ERRORS = tuple(
    f"FC.{code}"
    for code in (
        "ResourceThrottled", "ResourceExhausted", "InternalServerError", "Unknown", "ServerError", "AccessDenied",
        "ConcurrentUpdateError", "EntityTooLarge", "FunctionAlreadyExists", "FunctionNotFound", "HandledInvocationError",
        "InvalidAccessKeyID", "InvalidArgument", "LimitExceededError", "MethodNotAllowed", "MissingRequiredHeader",
        "PathNotSupported", "PreconditionFailed", "RequestTimeTooSkewed", "ServiceAlreadyExists", "ServiceNotFound",
        "ServiceUnavailable", "SignatureNotMatch", "TriggerNotFound", "UnhandledInvocationError", "UnsupportedMediaType",
    )
)  # fmt: skip
"""Codes of Function Compute with its prefix; there are more."""

_GUESSED = {
    "FC.Throttled": "FC.ResourceThrottled",
    "FC.Throttling": "FC.ResourceThrottled",
    "FC.Exhausted": "FC.ResourceExhausted",
    "FC.InternalError": "FC.InternalServerError",
    "FC.TaskTimeout": commands.TASK_TIMEOUT,
    "FnF.Timeout": commands.TASK_TIMEOUT,
    "FnF.TaskTimedOut": commands.TASK_TIMEOUT,
    "FnF.TaskFailed": ANY_ERROR,
}
"""Names that people make up from memory."""

_NEAR = 0.88  # a letter or two in a name of this length
_PRODUCTS, _NEAR_PRODUCT = ("fc", "fnf"), 0.66  # one letter in these


def near_action(name: str, *, any_case: bool) -> str | None:
    """Return the well-known action that a name was meant as; None if it is one, or like none. With `any_case` products may be
    written in either case, as in the old language."""
    product, _, operation = name.partition(":")
    known = _actions()
    right = known.get(name.casefold())
    if right is not None:
        lenient = any_case or product.casefold() in _LENIENT
        return None if right == name or (lenient and right.partition(":")[2] == operation) else right
    return _nearest(name, known)


def near_error(name: str) -> str | None:
    """Return the well-known error that a name was meant as; None as for actions. Names without a product are those of functions:
    they may be anything."""
    product, dot, code = name.partition(".")
    if not dot:
        return None
    if name in _GUESSED:
        return _GUESSED[name]
    known = _errors()
    right = known.get(name.casefold())
    if right is not None:
        # Codes of the service carry the product as the action writes it: fnf.FlowNotExists, FNF.FlowNotExists.
        written = right == name or (code in load().errors and product.casefold() == FLOW_PRODUCT)
        return None if written else _GUESSED.get(right, right)
    if nearest(product, _PRODUCTS, likeness=_NEAR_PRODUCT) is None:
        return None
    near = _nearest(name, known)
    return _GUESSED.get(near, near) if near is not None else None


@functools.cache
def _actions() -> dict[str, str]:
    names = [FUNCTION_ACTION, HTTP_ACTION, *_MESSAGE_ACTIONS, *(f"FNF:{name}" for name in load().operations)]
    return {name.casefold(): name for name in names}


@functools.cache
def _errors() -> dict[str, str]:
    names = [*_FLOW_ERRORS, *_FUNCTION_ERRORS, *(f"FnF.{code}" for code in load().errors), *_GUESSED]
    return {name.casefold(): name for name in names}


def _nearest(name: str, known: dict[str, str]) -> str | None:
    found = nearest(name, known, likeness=_NEAR)
    return known[found] if found is not None else None
