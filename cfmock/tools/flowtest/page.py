"""A run of tests as one HTML file: what was tested, what failed and why, and each flow with its coverage coloured in."""

from __future__ import annotations

from collections.abc import Iterator

from cfmock.base import markup
from cfmock.base.markup import escaped
from cfmock.base.time_text import duration_text
from cfmock.graph import Highlight
from cfmock.graph.svg.svg import svg
from cfmock.tools.flowtest.cases import Result
from cfmock.tools.flowtest.coverage import FlowCoverage
from cfmock.tools.flowtest.report import TestReport, failure, missed

_STYLE = """\
.picture { overflow-x: auto; border: 1px solid var(--frame); border-radius: 6px; padding: .5rem; }
.picture svg { max-width: 100%; height: auto; } li { font-family: ui-monospace, monospace; font-size: .9em; }
meter { width: 8rem; } summary { cursor: pointer; }
"""


def page(report: TestReport) -> str:
    """The whole document."""
    body = [
        f"<h1>Flow tests</h1>\n<p>{escaped(report.summary())}</p>",
        *_problems(report),
        *_overview(report),
        *(line for flow in report.coverage for line in _flow(flow, report)),
    ]
    return markup.page(f"Flow tests: {report.summary()}", body, _STYLE)


def _anchor(flow: FlowCoverage) -> str:
    return f"flow-{escaped(flow.name)}"


def _problems(report: TestReport) -> Iterator[str]:
    if report.cases.problems:
        lines = "\n".join(map(str, report.cases.problems))
        yield f'<h2 class="bad">Mistakes</h2>\n<pre>{escaped(lines)}</pre>'


def _overview(report: TestReport) -> Iterator[str]:
    yield "<table>\n<tr><th>Flow</th><th>Tests</th><th>Failed</th><th colspan=2>Covered</th></tr>"
    for flow in report.coverage:
        results = _of(flow, report)
        failed = sum(not result.passed for result in results)
        yield (
            f'<tr><td><a href="#{_anchor(flow)}">{escaped(flow.name)}</a></td><td>{len(results)}</td>'
            f'<td class="{"bad" if failed else "faint"}">{failed}</td><td>{flow.percent} % '
            f'<span class="faint">({flow.reached} of {flow.total})</span></td>'
            f'<td><meter min="0" max="100" value="{flow.percent}"></meter></td></tr>'
        )
    yield "</table>"


def _flow(flow: FlowCoverage, report: TestReport) -> Iterator[str]:
    yield f'<h2 id="{_anchor(flow)}">{escaped(flow.name)}</h2>'
    if flow.missed:
        yield "<details open><summary>Not covered</summary>\n<ul>"
        yield from (f"<li>{escaped(line)}</li>" for line in missed(flow))
        yield "</ul></details>"
    results = _of(flow, report)
    if results:
        yield "<table>\n<tr><th></th><th>Test</th><th>Ends</th><th>Time</th><th>Where</th></tr>"
        for result in results:
            yield from _test(result)
        yield "</table>"
    if flow.flow is not None:
        picture = svg(flow.flow, Highlight(flow.hits, title=f"coverage {flow.percent} %"))
        yield f'<div class="picture">{picture}</div>'


def _of(flow: FlowCoverage, report: TestReport) -> list[Result]:
    return [result for result in report.results if result.flow == flow.name]


def _test(result: Result) -> Iterator[str]:
    word = '<b class="good">ok</b>' if result.passed else '<b class="bad">FAILED</b>'
    yield (
        f"<tr><td>{word}</td><td>{escaped(result.name)}</td><td>{escaped(result.status)}</td>"
        f'<td>{duration_text(result.duration)}</td><td class="faint">{escaped(str(result.mark))}</td></tr>'
    )
    if not result.passed:
        yield f'<tr><td></td><td colspan="4"><pre>{escaped(chr(10).join(failure(result)[1:]))}</pre></td></tr>'
