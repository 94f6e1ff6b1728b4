"""Results of a check for programs: JSON, and commands of a workflow that annotate the lines of a change."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

from cfmock.base.findings import RULES, CheckRule
from cfmock.base.json_text import Json
from cfmock.base.version import __version__
from cfmock.tools.checks.examples import CheckExample, examples
from cfmock.tools.checks.report import CheckReport, Issue

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
INFORMATION = "https://help.aliyun.com/en/document_detail/2402076.html"
"""Address of the service's page on definitions, which the rules are about."""
MISTAKE = "mistake"  # the rule of what has no code: a file that cannot be used


def sarif(report: CheckReport) -> str:
    """Return the log: one run, whose rules are all that there are."""
    shown = examples()
    rules = [_MISTAKE, *(_rule(rule, shown[rule.code]) for rule in RULES.values())]
    index = {rule["id"]: number for number, rule in enumerate(rules)}
    driver = {"name": "cfmock", "version": __version__, "informationUri": INFORMATION, "rules": rules}
    warnings = [{"level": "warning", "message": {"text": warning}} for warning in report.fixtures.warnings]
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": warnings}],
        "results": [_result(issue, index) for issue in report.issues],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False) + "\n"


_MISTAKE: Json = {
    "id": MISTAKE,
    "name": "FileWithMistake",
    "shortDescription": {"text": "mistake"},
    "fullDescription": {"text": "The file cannot be used as it is."},
    "help": {"text": "The message says what is wrong and, where one is near, the right word."},
    "defaultConfiguration": {"level": "error"},
}


def _rule(rule: CheckRule, example: CheckExample) -> Json:
    switch = f"A comment switches it off: # cfmock: ignore {rule.code}"
    return {
        "id": rule.code,
        "name": rule.title.title().replace(" ", ""),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.why} {switch}", "markdown": f"{rule.why}\n\n{example.markdown()}\n{switch}"},
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _result(issue: Issue, index: dict[str, int]) -> Json:
    rule, mark = issue.code or MISTAKE, issue.mark
    region = {"region": {"startLine": mark.line, "startColumn": mark.column}} if mark.line else {}
    return {
        "ruleId": rule,
        "ruleIndex": index[rule],
        "level": issue.level,
        "message": {"text": issue.told},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(mark.file)}, **region}}],
    }


def _uri(file: str) -> str:
    """Relative to the folder where the check ran, as code hosts want it, unless the file was given otherwise."""
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(file.replace(os.sep, "/"), safe="/", errors="surrogateescape")


def as_json(report: CheckReport) -> str:
    """`findings`, each with level, code (null: a mistake), place, path in the document, message; and what there is."""
    document = {
        "findings": [
            {
                "level": issue.level,
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
        "counts": report.counts(),
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def as_github(report: CheckReport) -> str:
    """Return a workflow command per line: `::warning file=orders.yaml,line=12,col=7,title=CF101::state 'B' cannot be reached`."""
    lines = [_command("warning", {"title": "cfmock"}, warning) for warning in report.fixtures.warnings]
    for issue in report.issues:
        mark = issue.mark
        place = {"line": mark.line, "col": mark.column} if mark.line else {}
        properties: dict[str, str | int] = {"file": mark.file, **place, "title": issue.code or "cfmock"}
        lines.append(_command("notice" if issue.level == "note" else issue.level, properties, issue.told))
    return "".join(f"{line}\n" for line in lines)


def _command(name: str, properties: Mapping[str, str | int], message: str) -> str:
    given = ",".join(f"{key}={str(value).translate(_IN_PROPERTIES)}" for key, value in properties.items())
    return f"::{name} {given}::{message.translate(_IN_MESSAGES)}"


_IN_MESSAGES = {ord("%"): "%25", ord("\r"): "%0D", ord("\n"): "%0A"}
_IN_PROPERTIES = {**_IN_MESSAGES, ord(":"): "%3A", ord(","): "%2C"}


FORMATS: dict[str, Callable[[CheckReport], str]] = {"json": as_json, "sarif": sarif, "github": as_github}
