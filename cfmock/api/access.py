"""Access to a CloudFlow beyond its public methods, for plugins of test frameworks: its control and what it has loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from cfmock.api.cloudflow import CloudFlow
    from cfmock.api.keywords import Source
    from cfmock.control.control import Control
    from cfmock.fixtures.model import FixtureSet, FlowFixture

T = TypeVar("T")


def ask(cf: CloudFlow, function: Callable[[Control], T]) -> T:
    """Call a function with the control of an entered CloudFlow, in the thread that it belongs to."""
    return cf._do(function)


def load_first(cf: CloudFlow, paths: Iterable[Source]) -> None:
    """Load these paths before its sources, which may replace what they define. For one that is not entered yet."""
    cf._base = tuple(paths)


def discard(cf: CloudFlow) -> None:
    """Let go at once of all that the server of a CloudFlow holds, after its end; nothing can be looked at any more."""
    entered, cf._entered = cf._entered, None
    cf._loaded = []
    if entered is not None:
        entered.control.emulator.discard()


def loaded_fixtures(cf: CloudFlow) -> list[FixtureSet]:
    """Return all that it has loaded: at its start, and since."""
    return list(cf._loaded)


def loaded_flows(cf: CloudFlow) -> list[FlowFixture]:
    """Return the flows that it has loaded: of those of one name the newest."""
    return list({flow.key: flow for fixtures in cf._loaded for flow in fixtures.flows}.values())
