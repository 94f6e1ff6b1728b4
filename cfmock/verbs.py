"""What can be done to a running emulator besides calling its API: one table.

`control` does these verbs in-process, the admin API routes them, `openapi.json` describes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: `place` is `path`, `query` or `body` (the whole JSON body)."""

    name: str
    place: str
    type: str
    help: str


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing to do. `name` is the method of `Control`; `path` is below `/_cfmock/`; `key` names a list in the answer,
    `beside` what else is there and its type: then the method gives the whole answer, else the list."""

    name: str
    method: str
    path: str
    help: str
    arguments: tuple[Argument, ...] = ()
    key: str | None = None
    beside: Mapping[str, str] = field(default_factory=dict)
    world: bool = True


def _query(name: str, help: str, type: str = "string") -> Argument:
    return Argument(name, "query", type, help)


WORLD = (
    _query("account", "only this account's world; default: all"),
    _query("region", "only this region's world; default: all"),
)
"""Every verb but `health` and `reset` of everything may be asked of one world."""

FILTERS = (
    _query("operation", "only calls of this operation"),
    _query("flow", "only calls about this flow"),
    _query("execution", "only calls that name this execution"),
    _query("code", "only calls answered with this error code; empty: with success"),
    _query("status", "only calls answered with this HTTP status; 0: not answered", "integer"),
    _query("access_key_id", "only calls of this key"),
    _query("request_id", "only the call of this request id"),
    _query("fault", "only calls that the fault rule of this name struck"),
)

VERBS = (
    Verb("health", "GET", "health", "that the server answers, its version and time", world=False),
    Verb("reset", "POST", "reset", "make everything as right after the start"),
    Verb("list_faults", "GET", "faults", "the fault rules, with how often each struck", key="faults"),
    Verb("add_fault", "POST", "faults", "add a fault rule; it comes after those that are there",
         (Argument("fault", "body", "object", "a fault rule as in a fixture"),)),
    Verb("clear_faults", "DELETE", "faults", "remove all fault rules"),
    Verb("remove_fault", "DELETE", "faults/{id}", "remove one fault rule",
         (Argument("id", "path", "string", "the rule's id"),)),
    Verb("list_calls", "GET", "calls", "the calls seen, oldest first",
         (*FILTERS,
          _query("limit", "only the newest so many", "integer"),
          _query("wait", "wait up to this long (5s) for `count` such calls"),
          _query("count", "how many calls `wait` waits for (1)", "integer")),
         key="calls", beside={"dropped": "integer", "warnings": "array"}),
    Verb("show_call", "GET", "calls/{request_id}", "one call whole, with the outcomes, mocks and faults that nearly matched",
         (Argument("request_id", "path", "string", "the call's RequestId"),)),
    Verb("clear_calls", "DELETE", "calls", "forget the calls seen"),
    Verb("show_signature", "GET", "signature/{request_id}",
         "what the server signed of a call refused as SignatureNotMatch, and the client's likely mistake",
         (Argument("request_id", "path", "string", "the call's RequestId"),)),
    Verb("list_violations", "GET", "violations",
         "what the real service would take differently from how it was meant, oldest first", key="violations"),
    Verb("list_retries", "GET", "retries", "groups of equal calls after a failure: how often, how spaced, what was used again",
         (_query("operation", "only calls of this operation"),), key="retries"),
    Verb("load", "POST", "fixtures", "add what a fixture document says; a flow of the same name is replaced",
         (Argument("document", "body", "object", "a fixture document, without names of files"),), world=False),
    Verb("add_outcome", "POST", "outcomes", "add a canned outcome, ahead of those of the fixtures",
         (Argument("outcome", "body", "object", "an outcome as in a fixture, with `flow`"),)),
    Verb("add_mocks", "POST", "mocks", "add mocks of a task, ahead of those of the fixtures",
         (Argument("mocks", "body", "object", "{flow, task, mocks: [...]}, mocks as in a fixture"),)),
    Verb("list_tasks", "GET", "tasks", "the tasks that wait for a report, with their tokens, oldest first",
         (_query("flow", "only tasks of this flow"),), key="tasks"),
    Verb("read_clock", "GET", "clock", "the flow clock: its kind and time", world=False),
    Verb("set_clock", "POST", "clock", "move a virtual clock on",
         (Argument("change", "body", "object", '{"advance": "15m"} or {"now": "2024-06-01T00:00:00Z"}'),), world=False),
    Verb("list_executions", "GET", "executions", "the executions, oldest first",
         (_query("flow", "only executions of this flow"),), key="executions"),
)  # fmt: skip
