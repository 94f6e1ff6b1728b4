"""A run of tests as one HTML file: what was tested, what failed and why, and each flow with its coverage coloured in."""

from __future__ import annotations

from collections.abc import Iterator

from cfmock.base import markup
from cfmock.base.markup import cell, escaped
from cfmock.base.time_text import duration_text
from cfmock.graph.drawing import Highlight
from cfmock.graph.svg.svg import svg
from cfmock.tools.flowtest.cases import Result
from cfmock.tools.flowtest.coverage import FlowCoverage
from cfmock.tools.flowtest.report import TestReport, failure, missed

_STYLE = """\
.picture { border: 1px solid var(--frame); border-radius: 6px; padding: .5rem; margin: 1rem 0; }
.picture svg { display: block; max-width: 100%; height: auto; } ul { padding-left: 1.2rem; }
meter { width: 8rem; max-width: 100%; } summary { cursor: pointer; }
"""


_SHORT = 40  # characters of a place that leave room for the name beside it


def page(report: TestReport) -> str:
    """Return the whole document."""
    body = [
        f"<h1>Flow tests</h1>\n<p>{escaped(report.summary())}</p>",
        *markup.alarm("Mistakes", report.cases.problems),
        *_overview(report),
        *(line for flow in report.coverage for line in _flow(flow, report)),
    ]
    return markup.page(f"Flow tests: {report.summary()}", body, _STYLE)


def _anchor(flow: FlowCoverage) -> str:
    return f"flow-{escaped(flow.name)}"


def _overview(report: TestReport) -> Iterator[str]:
    yield f"<table>\n{markup.heads('Flow', 'Tests', 'Failed', 'Covered', '')}"
    for flow in report.coverage:
        results = _of(flow, report)
        failed = sum(not result.passed for result in results)
        covered = f'{flow.percent} % <span class="faint">({flow.reached} of {flow.total})</span>'
        yield markup.row(
            cell(f'<a href="#{_anchor(flow)}">{escaped(flow.name)}</a>'),
            cell(str(len(results)), "Tests"),
            cell(str(failed), "Failed", "bad" if failed else "faint"),
            cell(covered, "Covered", "whole"),
            cell(f'<meter min="0" max="100" value="{flow.percent}"></meter>'),
        )
    yield "</table>"


def _flow(flow: FlowCoverage, report: TestReport) -> Iterator[str]:
    yield f'<h2 id="{_anchor(flow)}">{escaped(flow.name)}</h2>'
    if flow.missed:
        yield "<details open><summary>Not covered</summary>\n<ul>"
        yield from (f"<li><code>{escaped(line)}</code></li>" for line in missed(flow))
        yield "</ul></details>"
    results = _of(flow, report)
    if results:
        yield f"<table>\n{markup.heads('', 'Test', 'Ends', 'Time', 'Where')}"
        yield from map(_test, results)
        yield "</table>"
    if flow.flow is not None:
        picture = svg(flow.flow, Highlight(flow.hits), titled=False)  # the heading says whose it is
        yield f'<div class="picture">{picture}</div>'


def _of(flow: FlowCoverage, report: TestReport) -> list[Result]:
    return [result for result in report.results if result.flow == flow.name]


def _test(result: Result) -> str:
    where = str(result.mark)
    word, look = ("ok", "good") if result.passed else ("FAILED", "bad")
    return markup.row(
        cell(f"<b>{word}</b>", classes=f"whole {look}"),
        cell(escaped(result.name)),
        cell(escaped(result.status), "Ends", "whole"),
        cell(duration_text(result.duration), "Time", "whole"),
        cell(escaped(where), "Where", "faint whole" if len(where) < _SHORT else "faint"),
        more="" if result.passed else f"<pre>{escaped(chr(10).join(failure(result)[1:]))}</pre>",
    )
