"""Results of a check for programs: JSON, and commands of a workflow that annotate the lines of a change."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from cfmock.base.source_marks import Mark
from cfmock.tools.checks.report import CheckReport, Level
from cfmock.tools.checks.sarif import sarif

Properties = Mapping[str, str | int]


def as_json(report: CheckReport) -> str:
    """`findings`, each with level, code (null: a mistake), place, path in the document, message; and what there is."""
    document = {
        "findings": [
            {
                "level": issue.level.value,
                "code": issue.code,
                "file": issue.mark.file,
                "line": issue.mark.line or None,
                "column": issue.mark.column or None,
                "path": issue.path or None,
                "message": issue.message,
            }
            for issue in report.issues
        ],
        "warnings": list(report.fixtures.warnings),
        "counts": {f"{what}s": count for what, count in report.counts().items()},
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def as_github(report: CheckReport) -> str:
    """Return a workflow command per line: `::warning file=orders.yaml,line=12,col=7,title=CF101::state 'B' cannot be reached`."""
    lines = [_command("warning", {"title": "cfmock"}, warning) for warning in report.fixtures.warnings]
    for issue in report.issues:
        message = f"{issue.path}: {issue.message}" if issue.path else issue.message
        place = _place(issue.mark)
        lines.append(_command(_COMMANDS[issue.level], {**place, "title": issue.code or "cfmock"}, message))
    return "".join(f"{line}\n" for line in lines)


def _place(mark: Mark) -> dict[str, str | int]:
    return {"file": mark.file, "line": mark.line, "col": mark.column} if mark.line else {"file": mark.file}


def _command(name: str, properties: Properties, message: str) -> str:
    given = ",".join(f"{key}={str(value).translate(_IN_PROPERTIES)}" for key, value in properties.items())
    return f"::{name} {given}::{message.translate(_IN_MESSAGES)}"


_IN_MESSAGES = {ord("%"): "%25", ord("\r"): "%0D", ord("\n"): "%0A"}
_IN_PROPERTIES = {**_IN_MESSAGES, ord(":"): "%3A", ord(","): "%2C"}


FORMATS: dict[str, Callable[[CheckReport], str]] = {"json": as_json, "sarif": sarif, "github": as_github}
