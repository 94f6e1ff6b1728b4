"""The table of admin endpoints, the operations on a running emulator beside its API: `control` does them in-process, the admin
API routes them, `openapi.json` describes them."""

from __future__ import annotations

from msgspec import Struct

from cfmock.control.calls import ID
from cfmock.control.flow_detail import AFTER
from cfmock.control.part import MAX_PAGE, PAGE
from cfmock.service.overview import PLACE


class Argument(Struct, frozen=True):
    """One argument: `place` is `path`, `query` or `body` (the whole JSON body). `type` is string, integer, page (its length),
    status (of an execution), style (of a picture), number (of a change), flag, duration or, of a body, its schema in
    `server/admin/admin.schema.json`. A string may have to match `pattern`."""

    name: str
    place: str
    type: str
    help: str
    pattern: str = ""


class Endpoint(Struct, frozen=True):
    """One thing to do. `name` is the method of `Control`; `path` is below `/_cfmock/`; `answer` names the schema of the answer,
    `key` what it holds the method's result under, None if that is all of it; `lead` is an endpoint that takes its `id`; `media`
    is its content type. A method that is a generator moves the clock in steps if it is `paced`; else what it yields is to be
    called, in any thread, and what comes of that sent back. `conflicts`: it may be possible no more (409). `large`: its body is
    a document."""

    name: str
    method: str
    path: str
    help: str
    arguments: tuple[Argument, ...] = ()
    answer: str = "Nothing"
    key: str | None = None
    world: bool = True
    lead: str = ""
    media: str = "application/json"
    paced: bool = False
    conflicts: bool = False
    large: bool = False


def _query(name: str, help: str, type: str = "string") -> Argument:
    return Argument(name, "query", type, help)


WORLD = (
    _query("account", "only this account's world; default: all"),
    _query("region", "only this region's world; default: all"),
)
"""Every endpoint but `health` and `reset` of everything may be asked of one world."""


def _paged(after: str) -> tuple[Argument, Argument]:
    """Return the query parameters of a paged list; the `next` of one matches the pattern `after`."""
    return (
        _query("limit", f"the length of a page ({PAGE}), {MAX_PAGE} at most", "page"),
        Argument("after", "query", "string", "the `next` of the page before", after),
    )


FILTERS = (
    _query("operation", "only calls of this operation (a glob)"),
    _query("flow", "only calls about this flow (a glob)"),
    _query("execution", "only calls that name this execution (a glob)"),
    _query("code", "only calls answered with this error code (a glob); empty: with success"),
    _query("status", "only calls answered with this HTTP status; 0: not answered", "integer"),
    _query("access_key_id", "only calls of this key"),
    _query("request_id", "only the call of this request id"),
    _query("fault", "only calls that the fault rule of this name applied to"),
)

SVG = "image/svg+xml"

STYLES = ("inside", "outside")

STYLE = _query("style", "`inside`: the picture contains its style sheet; `outside`: the page loads graph.css", "style")

COVERAGE = _query("coverage", "`true`: coloured by what executions reached", "flag")

FLOW = Argument("name", "path", "string", "the flow's name")

EXECUTION = (
    Argument("flow", "path", "string", "the flow's name"),
    Argument("name", "path", "string", "the execution's name"),
)

ENDPOINTS = (
    Endpoint("health", "GET", "health", "whether the server answers, with version, time and number of dropped executions",
             answer="Health", world=False),
    Endpoint("reset", "POST", "reset", "put everything back as it was right after the start"),
    Endpoint("list_faults", "GET", "faults", "the fault rules, with the number of calls affected", answer="Faults", key="faults"),
    Endpoint("add_fault", "POST", "faults", "add a fault rule after the existing ones",
         (Argument("fault", "body", "Rule", "a fault rule as in a fixture"),), answer="Fault",
         lead="remove_fault"),
    Endpoint("clear_faults", "DELETE", "faults", "remove all fault rules"),
    Endpoint("remove_fault", "DELETE", "faults/{id}", "remove one fault rule",
         (Argument("id", "path", "string", "the rule's id"),)),
    Endpoint("list_calls", "GET", "calls", "the calls seen, oldest first",
         (*FILTERS,
          _query("limit", "only this number of the newest", "integer"),
          Argument("after", "query", "string", "older ones: the `next` of the answer before", ID),
          _query("wait", "wait up to this long (5s) for `count` such calls", "duration"),
          _query("count", "how many calls `wait` waits for (1)", "integer")),
         answer="Calls"),
    Endpoint("show_call", "GET", "calls/{request_id}", "one whole call, with the outcomes, mocks and faults that nearly matched",
         (Argument("request_id", "path", "string", "the call's RequestId"),), answer="WholeCall"),
    Endpoint("clear_calls", "DELETE", "calls", "delete the journal"),
    Endpoint("show_signature", "GET", "signature/{request_id}",
         "why a call got SignatureNotMatch: the server's string to sign, and the client's likely mistake",
         (Argument("request_id", "path", "string", "the call's RequestId"),), answer="Signature"),
    Endpoint("show_contract", "GET", "contract", "the last report of `cfmock contract`, or null", answer="Contract",
             key="contract", world=False),
    Endpoint("keep_contract", "POST", "contract", "show a report in the console, instead of the previous one",
             (Argument("report", "body", "ContractReport", "the report of `cfmock contract --format json`"),), world=False,
             large=True),
    Endpoint("list_violations", "GET", "violations",
         "calls that the real service would treat differently from what was meant, oldest first", answer="Violations",
         key="violations"),
    Endpoint("list_retries", "GET", "retries", "groups of equal calls after a failure: number, spacing, and what was reused",
         (_query("operation", "only calls of this operation (a glob)"),), answer="RetryGroups", key="retries"),
    Endpoint("load", "POST", "fixtures", "add what a fixture document defines; a flow of the same name is replaced",
         (Argument("document", "body", "Document", "a fixture document, without file names"),), answer="Loaded", large=True),
    Endpoint("export", "GET", "fixture",
         "the current state as a fixture document, without credentials and Python functions",
         (_query("executions", "`true`: include the executions that have ended", "flag"),), answer="Document"),
    Endpoint("add_outcome", "POST", "outcomes", "add a canned outcome before those of the fixtures",
         (Argument("outcome", "body", "FlowOutcome", "an outcome as in a fixture, with `flow`"),)),
    Endpoint("add_mocks", "POST", "mocks", "add mocks of a task before those of the fixtures",
         (Argument("mocks", "body", "TaskMocks", "{flow, task, mocks: [...]}, mocks as in a fixture"),)),
    Endpoint("list_tasks", "GET", "tasks", "the tasks that wait for a report, with their tokens, oldest first",
         (_query("flow", "only tasks of this flow"),), answer="Tasks", key="tasks"),
    Endpoint("read_clock", "GET", "clock", "the flow clock: its kind and time", answer="Clock", world=False),
    Endpoint("set_clock", "POST", "clock", "advance a virtual clock",
         (Argument("change", "body", "ClockChange", '{"advance": "15m"} or {"now": "2024-06-01T00:00:00Z"}'),),
         answer="ClockMoved", world=False, paced=True),
    Endpoint("follow_changes", "GET", "changes",
         "a stream of changes as JSON lines: at most ten per second, the newest for each item or kind",
         (_query("since", "continue after this number; 0: all that are kept; absent: only new ones", "number"),
          _query("wait", "end after this time (5s)", "duration")),
         answer="Change", world=False, media="application/jsonl"),
    Endpoint("read_metrics", "GET", "metrics", "metrics in Prometheus' text format; needs the extra `metrics`", answer="Metrics",
         world=False, media="text/plain"),
    Endpoint("list_flows", "GET", "flows", "the flows by name, with numbers of executions, mocks, outcomes and findings",
         _paged(AFTER), answer="Flows"),
    Endpoint("show_flow", "GET", "flows/{name}",
         "one flow: definition and outline, versions, aliases, schedules, mocks and outcomes with hits, coverage, findings",
         (FLOW,), answer="WholeFlow"),
    Endpoint("draw_flow", "GET", "flows/{name}/graph.svg", "a picture of one flow; each state is a group with `data-state`",
         (FLOW, COVERAGE, STYLE), answer="Picture", media=SVG),
    Endpoint("show_style", "GET", "graph.css", "the style sheet for pictures with `style=outside`",
         answer="StyleSheet", world=False, media="text/css"),
    Endpoint("list_executions", "GET", "executions", "summaries of the executions, newest first, and how many were dropped",
         (_query("flow", "only executions of this flow (a glob)"),
          _query("status", "only executions of this status", "status"),
          _query("prefix", "only executions whose names begin with this"),
          *_paged(PLACE)), answer="Executions"),
    Endpoint("start_execution", "POST", "executions", "start an execution, as StartExecution does",
         (Argument("start", "body", "ExecutionStart", '{"flow": "...", "name": "...", "input": {...}}; `flow` is required'),),
         answer="Execution", conflicts=True),
    Endpoint("stop_execution", "POST", "executions/{flow}/{name}/stop", "stop an execution", EXECUTION, answer="Execution",
         conflicts=True),
    Endpoint("report_task", "POST", "tasks/{token}", "end a task that waits for a report",
         (Argument("token", "path", "string", "the task's token"),
          Argument("report", "body", "TaskReport", '{"succeed": {...}} or {"fail": {"code": "...", "detail": "..."}}')),
         conflicts=True),
    Endpoint("show_execution", "GET", "executions/{flow}/{name}",
         "one execution: input, output, path, what answered each task and why, what it waits for", EXECUTION,
         answer="WholeExecution"),
    Endpoint("draw_execution", "GET", "executions/{flow}/{name}/graph.svg",
         "a picture of one execution's path; each state is a group with `data-state` and, if it was entered, "
         "`data-status`", (*EXECUTION, STYLE), answer="Picture", media=SVG),
    Endpoint("list_events", "GET", "executions/{flow}/{name}/history",
         "the events of one execution, oldest first, as in GetExecutionHistory",
         (*EXECUTION, *_paged("^[0-9]{1,9}$")), answer="Events"),
)  # fmt: skip
