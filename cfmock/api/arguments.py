"""Arguments of the methods that users call, and the line of theirs that a failure points at."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from cfmock.base.errors import ArgumentError, ArgumentTypeError, CfmockError
from cfmock.base.suggestions import shown


def check_whole(name: str, value: object, least: int = 0) -> None:
    """Raises ArgumentTypeError for what is no whole number, ArgumentError for one below `least`. None: not given."""
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool):
        raise ArgumentTypeError(f"{name}: {shown(value)} is not a whole number")
    if value < least:
        raise ArgumentError(f"{name}: {value} is less than {least}")


def check_text(name: str, value: object, *, optional: bool = False) -> None:
    """Raises ArgumentTypeError for what is no text; None may stand for an `optional` one that is not given."""
    if not isinstance(value, str) and not (optional and value is None):
        raise ArgumentTypeError(f"{name}: {shown(value)} is not a text")


C = TypeVar("C")

_ENTERED = ("__enter__", "__exit__", "__aenter__", "__aexit__")


def shows_callers_line(cls: type[C]) -> type[C]:
    """A class decorator for what users call: its public methods and properties, and its `with`."""
    for name, member in list(vars(cls).items()):
        if name.startswith("_") and name not in _ENTERED:
            continue
        told: tuple[type[Exception], ...] = (CfmockError,)
        if name.startswith("assert_") or name in _ENTERED:
            told = (CfmockError, AssertionError)
        if isinstance(member, property) and member.fget is not None:
            setattr(cls, name, property(_method(member.fget, told)))
        elif inspect.isfunction(member):
            setattr(cls, name, _method(member, told))
    return cls


def _method(function: Callable[..., Any], told: tuple[type[Exception], ...]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*given: Any, **named: Any) -> Any:
        __tracebackhide__ = True
        try:
            return function(*given, **named)
        except told as error:
            raise _public(error).with_traceback(None) from error.__cause__

    @functools.wraps(function)
    async def call_async(*given: Any, **named: Any) -> Any:
        __tracebackhide__ = True
        try:
            return await function(*given, **named)
        except told as error:
            raise _public(error).with_traceback(None) from error.__cause__

    return call_async if inspect.iscoroutinefunction(function) else call


def _public(error: Exception) -> Exception:
    """Return the error, one of a class of our own as the `ArgumentError` that it is."""
    own = isinstance(error, ArgumentError) and type(error) is not ArgumentError
    return ArgumentError(str(error)) if own else error
