"""Results of a check as a SARIF log, which code hosts and editors read: version 2.1.0 of the OASIS standard."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import quote

from cfmock.base.findings import RULES, CheckRule
from cfmock.base.json_text import Json
from cfmock.base.source_marks import Mark
from cfmock.base.version import __version__
from cfmock.tools.checks.report import CheckReport, Issue

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
INFORMATION = "https://help.aliyun.com/en/document_detail/2402076.html"
"""Address of the service's page on definitions, which the rules are about."""
MISTAKE = "mistake"
"""The rule of what has no code: a file that cannot be used."""


def sarif(report: CheckReport) -> str:
    """Return the log: one run, whose rules are all that there are."""
    rules = [_MISTAKE, *map(_rule, RULES.values())]
    index = {rule["id"]: number for number, rule in enumerate(rules)}
    driver = {"name": "cfmock", "version": __version__, "informationUri": INFORMATION, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    {"level": "warning", "message": {"text": warning}} for warning in report.fixtures.warnings
                ],
            }
        ],
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


def _rule(rule: CheckRule) -> Json:
    return {
        "id": rule.code,
        "name": rule.title.title().replace(" ", ""),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {
            "text": f"{rule.why} docs/checks.md has an example; a comment switches it off: # cfmock: ignore {rule.code}"
        },
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _result(issue: Issue, index: dict[str, int]) -> Json:
    rule = issue.code or MISTAKE
    return {
        "ruleId": rule,
        "ruleIndex": index[rule],
        "level": issue.level.value,
        "message": {"text": f"{issue.path}: {issue.message}" if issue.path else issue.message},
        "locations": [{"physicalLocation": _location(issue.mark)}],
    }


def _location(mark: Mark) -> Json:
    found: Json = {"artifactLocation": {"uri": _uri(mark.file)}}
    if mark.line:
        found["region"] = {"startLine": mark.line, "startColumn": mark.column}
    return found


def _uri(file: str) -> str:
    """Relative to the folder where the check ran, as code hosts want it, unless the file was given otherwise."""
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(file.replace(os.sep, "/"), safe="/", errors="surrogateescape")
