"""A run of tests as one HTML file: what was tested, what failed and why, and each flow with its coverage coloured in.

Nothing is loaded from elsewhere and nothing runs in it; names are text, whatever they hold.
"""

from __future__ import annotations

import html
from collections.abc import Iterator

from cfmock.engine.graph import Highlight, svg
from cfmock.flowtest.cases import Result
from cfmock.flowtest.coverage import FlowCoverage
from cfmock.flowtest.judge import seconds
from cfmock.flowtest.report import Report, failure, missed

_STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --faint: #57606a; --page: #fff; --soft: #f6f8fa; --frame: #d0d7de;
  --good: #1a7f37; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --faint: #9198a1; --page: #0d1117; --soft: #161b22;
  --frame: #30363d; --good: #3fb950; --bad: #f85149; } }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; color: var(--ink);
  background: var(--page); max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; color: var(--faint); font-weight: 600; }
th, td { padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--frame); vertical-align: top; }
pre { background: var(--soft); border: 1px solid var(--frame); border-radius: 6px; padding: .7rem; overflow-x: auto; }
a { color: inherit; } .good { color: var(--good); } .bad { color: var(--bad); } .faint { color: var(--faint); }
.picture { overflow-x: auto; border: 1px solid var(--frame); border-radius: 6px; padding: .5rem; }
.picture svg { max-width: 100%; height: auto; } li { font-family: ui-monospace, monospace; font-size: .9em; }
meter { width: 8rem; } summary { cursor: pointer; }
"""


def page(report: Report) -> str:
    """The whole document."""
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Flow tests: {_text(report.summary())}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            f"<h1>Flow tests</h1>\n<p>{_text(report.summary())}</p>",
            *_problems(report),
            *_overview(report),
            *(line for flow in report.coverage for line in _flow(flow, report)),
            "</body>\n</html>\n",
        ]
    )


def _text(text: str) -> str:
    return html.escape(text)


def _anchor(flow: FlowCoverage) -> str:
    return f"flow-{html.escape(flow.name, quote=True)}"


def _problems(report: Report) -> Iterator[str]:
    if report.cases.problems:
        lines = "\n".join(map(str, report.cases.problems))
        yield f'<h2 class="bad">Mistakes</h2>\n<pre>{_text(lines)}</pre>'


def _overview(report: Report) -> Iterator[str]:
    yield "<table>\n<tr><th>Flow</th><th>Tests</th><th>Failed</th><th colspan=2>Covered</th></tr>"
    for flow in report.coverage:
        results = _of(flow, report)
        failed = sum(not result.passed for result in results)
        yield (
            f'<tr><td><a href="#{_anchor(flow)}">{_text(flow.name)}</a></td><td>{len(results)}</td>'
            f'<td class="{"bad" if failed else "faint"}">{failed}</td><td>{flow.percent} % '
            f'<span class="faint">({flow.reached} of {flow.total})</span></td>'
            f'<td><meter min="0" max="100" value="{flow.percent}"></meter></td></tr>'
        )
    yield "</table>"


def _flow(flow: FlowCoverage, report: Report) -> Iterator[str]:
    yield f'<h2 id="{_anchor(flow)}">{_text(flow.name)}</h2>'
    if flow.missed:
        yield "<details open><summary>Not covered</summary>\n<ul>"
        yield from (f"<li>{_text(line)}</li>" for line in missed(flow))
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


def _of(flow: FlowCoverage, report: Report) -> list[Result]:
    return [result for result in report.results if result.flow == flow.name]


def _test(result: Result) -> Iterator[str]:
    word = '<b class="good">ok</b>' if result.passed else '<b class="bad">FAILED</b>'
    yield (
        f"<tr><td>{word}</td><td>{_text(result.name)}</td><td>{_text(result.status)}</td>"
        f'<td>{seconds(result.duration)}</td><td class="faint">{_text(str(result.mark))}</td></tr>'
    )
    if not result.passed:
        yield f'<tr><td></td><td colspan="4"><pre>{_text(chr(10).join(failure(result)[1:]))}</pre></td></tr>'
