"""Reports below a test that fails or is interrupted: the calls and executions that its servers saw."""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from cfmock.api import access
from cfmock.pytest_plugin.servers import Watched, names_fixtures, own_of, servers_of

SHOWN = 20  # calls shown with a failed test: the newest


@contextlib.contextmanager
def survived(tell: Callable[[str], object]) -> Iterator[None]:
    """Catch and show an error: from a hook that reports, an exception would end pytest with all tests still to come."""
    try:
        yield
    except Exception:  # noqa: BLE001 - a mistake of ours, whatever it is
        tell(f"cfmock could not show all it saw, by a mistake of its own:\n{traceback.format_exc(limit=-3).rstrip()}")


_INTERRUPTED = pytest.StashKey[list[tuple[str, str]]]()
"""Key of what the servers of a test had seen when somebody interrupted it, for its run."""


def keep_calls(item: pytest.Item) -> None:
    """Keep them of a test that is being interrupted, of which pytest makes no report: it may have waited for ever."""
    kept = item.config.stash[_INTERRUPTED] = []
    with survived(lambda text: kept.append(("cfmock", text))):
        kept += seen(item)


def summary(terminal: Any, config: pytest.Config) -> None:
    """Show what was kept of a test that was interrupted."""
    for title, text in config.stash.get(_INTERRUPTED, []):
        terminal.section(title, sep="-")
        terminal.line(text)


def seen(item: pytest.Item) -> Iterator[tuple[str, str]]:
    """Write the calls and executions of each server that the test uses."""
    from cfmock.control.shown_executions import executions_text
    from cfmock.emulator.hints import NO_FIXTURE

    for server in servers_of(item):
        calls = _shown(server)
        if server is own_of(item) and not names_fixtures(item):
            calls = calls.replace(NO_FIXTURE, "the test has no @pytest.mark.cfmock('FIXTURE')")
        yield f"calls seen by {server.name}", calls
        text = access.ask(server.cf, partial(executions_text, since=server.executions))
        if text:
            yield f"executions seen by {server.name}", text.replace(" cf.", f" {server.name}.")


def _shown(server: Watched) -> str:
    """Return the calls of the test; without any, a proxy that they may have gone to."""
    from cfmock.base.proxies import proxy_warning
    from cfmock.observe.models import brief

    calls = server.cf.calls()
    calls = calls[next((n for n in range(len(calls), 0, -1) if calls[n - 1].request_id == server.last), 0) :]
    lines = [f"... {len(calls) - SHOWN} earlier"] if len(calls) > SHOWN else []
    for each in calls[-SHOWN:]:
        lines.append(brief(each))
        lines += [f"    violation: {violation}" for violation in each.violations]
        lines += [f"    warning: {warning}" for warning in each.warnings]
        lines += [f"    hint: {each.hint}"] if each.hint and each.hint not in each.warnings else []
    told = {warning for each in calls for warning in each.warnings}
    lines += [f"warning: {warning}" for warning in dict.fromkeys(server.cf.warnings) if warning not in told]
    if not calls:
        lines = ["none", *filter(None, [proxy_warning(os.environ)]), *lines]
    return "\n".join(lines)
