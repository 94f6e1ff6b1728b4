"""Errors of `CloudFlow` and its handles show the caller's line, not the inside of this package.

What is raised on purpose, and what an assertion says, begins its traceback in the method that was called, and pytest leaves
that frame out.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from cfmock.base.errors import ArgumentError, CfmockError

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
        elif inspect.iscoroutinefunction(member):
            setattr(cls, name, _coroutine_method(member, told))
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

    return call


def _coroutine_method(
    function: Callable[..., Awaitable[Any]], told: tuple[type[Exception], ...]
) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(function)
    async def call(*given: Any, **named: Any) -> Any:
        __tracebackhide__ = True
        try:
            return await function(*given, **named)
        except told as error:
            raise _public(error).with_traceback(None) from error.__cause__

    return call


def _public(error: Exception) -> Exception:
    """Return the error, one of a class of our own as the `ArgumentError` that it is."""
    own = isinstance(error, ArgumentError) and type(error) is not ArgumentError
    return ArgumentError(str(error)) if own else error
