"""The matrix as one HTML file: an overview of all faults by operation, and what the client did in each case."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from cfmock.base import markup
from cfmock.base.markup import escaped
from cfmock.base.time_text import duration_text
from cfmock.tools.contract.outcome import Reaction
from cfmock.tools.contract.report import VERDICTS, MatrixReport, retries

_STYLE = """\
td, th { padding-right: 1rem; } .scroll { overflow-x: auto; } code { font-size: .9em; overflow-wrap: anywhere; }
.overview td:first-child, .overview th:first-child { white-space: nowrap; } .said { overflow-wrap: anywhere; }
"""

_LOOK = dict(zip(VERDICTS, ("good", "odd", "bad", "faint"), strict=True))
_SIGN = dict(zip(VERDICTS, ("✓", "✗", "⏱", "–"), strict=True))


def page(report: MatrixReport) -> str:
    """The whole document."""
    operations = list(dict.fromkeys(each.case.operation for each in report.reactions))
    body = [
        f"<h1>What the client does about errors</h1>\n<p><code>{escaped(shlex.join(report.words))}</code></p>",
        f"<p>{escaped(report.summary())}</p>",
        *_changes(report),
        *_overview(report, operations),
        *(line for operation in operations for line in _operation(report, operation)),
    ]
    return markup.page(f"Contract: {report.summary()}", body, _STYLE)


def _changes(report: MatrixReport) -> Iterator[str]:
    if report.differences:
        lines = "\n".join(map(str, report.differences))
        yield f'<h2 class="bad">Not as accepted</h2>\n<pre>{escaped(lines)}</pre>'


def _overview(report: MatrixReport, operations: Sequence[str]) -> Iterator[str]:
    found = {(each.case.operation, each.case.fault): each for each in report.reactions}
    heads = "".join(f'<th><a href="#{escaped(name)}">{escaped(name)}</a></th>' for name in operations)
    yield f'<div class="scroll"><table class="overview">\n<tr><th>Fault</th>{heads}</tr>'
    cases = sorted((each.case for each in report.reactions), key=lambda case: case.code is None)
    for fault in dict.fromkeys(case.fault for case in cases):
        cells = "".join(_mark(found.get((operation, fault))) for operation in operations)
        yield f"<tr><td>{escaped(fault)}</td>{cells}</tr>"
    legend = ", ".join(f'<span class="{_LOOK[word]}">{_SIGN[word]}</span> {word}' for word in VERDICTS)
    yield f'</table></div>\n<p class="faint">{legend}; empty: not tried</p>'


def _mark(reaction: Reaction | None) -> str:
    if reaction is None:
        return "<td></td>"
    tried = f' <span class="faint">{len(reaction.spacing)} retried</span>' if reaction.spacing else ""
    verdict = reaction.verdict
    return f'<td class="{_LOOK[verdict]}" title="{verdict}">{_SIGN[verdict]}{tried}</td>'


def _operation(report: MatrixReport, operation: str) -> Iterator[str]:
    yield f'<h2 id="{escaped(operation)}">{escaped(operation)}</h2>\n<div class="scroll"><table>'
    yield "<tr><th>Fault</th><th>Result</th><th>Exit</th><th>Calls</th><th>Retries</th><th>Took</th><th>Said last</th></tr>"
    for each in report.reactions:
        if each.case.operation == operation:
            yield from _row(report, each)
    yield "</table></div>"


def _row(report: MatrixReport, reaction: Reaction) -> Iterator[str]:
    yield (
        f'<tr><td>{escaped(reaction.case.fault)}</td><td class="{_LOOK[reaction.verdict]}">{reaction.verdict}</td>'
        f"<td>{reaction.exit}</td><td>{reaction.calls}</td><td>{escaped(retries(reaction))}</td>"
        f'<td>{duration_text(reaction.seconds, digits=2)}</td><td class="said"><code>{escaped(reaction.said)}</code></td></tr>'
    )
    notes = [f"violation: {each}" for each in reaction.violations]
    difference = report.difference(reaction)
    notes += [f"not as accepted: {difference}"] if difference is not None else []
    if notes:
        yield f'<tr><td></td><td colspan="6" class="bad">{"<br>".join(map(escaped, notes))}</td></tr>'
