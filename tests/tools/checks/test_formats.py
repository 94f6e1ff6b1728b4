"""What `cfmock check` tells programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from cfmock.base.findings import RULES
from cfmock.tools.checks.formats import FORMATS
from cfmock.tools.checks.report import Selection, check

ODD = """\
Type: StateMachine
SpecVersion: v1
Name: odd
StartAt: Each
States:
  - Type: Map
    Name: Each
    ItemsPath: $Input.list
    Processor: {StartAt: X, States: [{Type: Pass, Name: X, GlobalConstructor: {a: 1}, End: true}]}
    End: true
  - {Type: Pass, Name: "100 %:\\n, done", End: true}
"""
WRONG = "cfmock: 1\nflows:\n  - name: a\n    outcomes: [{status: Suceeded}]\n"
STATUS = "'Suceeded' is not one of Starting, Running, Stopped, Succeeded, Failed, TimedOut"
QUOTED = json.dumps({"cfmock": 1, "flows": [{"name": "odd", "definition": ODD}]}, indent=1)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def told(form: str, **files: str) -> str:
    """The files `a.yaml`, by their names without the ending; checked together with one that is not there."""
    for name, text in files.items():
        Path(f"{name}.yaml").write_text(text, encoding="utf-8")
    return FORMATS[form](check([".", "gone.yaml"], Selection()))


def test_json_lists_mistakes_and_findings_with_their_places() -> None:
    document = json.loads(told("json", odd=ODD, wrong=WRONG, other="a: 1"))
    keys = ("level", "code", "file", "line", "column", "path", "message")
    assert [tuple(each[key] for key in keys) for each in document["findings"]] == [
        ("error", None, "gone.yaml", None, None, None, "no such file or folder"),
        ("error", None, "wrong.yaml", 4, 17, "flows[0].outcomes[0].status", STATUS),
        ("note", "CF112", "odd.yaml", 9, 38, None, "state 'X' writes global variables inside a map"),
        ("warning", "CF101", "odd.yaml", 11, 5, None, "state '100 %:\n, done' cannot be reached"),
    ]
    assert document["warnings"] == ["skipped, neither a fixture (no 'cfmock' key) nor a flow definition: other.yaml"]
    assert document["counts"] == {"flows": 2, "credentials": 0, "schedules": 0, "faults": 0, "tests": 0}


def test_workflow_commands_escape_what_would_end_them() -> None:
    assert told("github", **{"odd,1: 5%": ODD}, wrong=WRONG, other="a: 1").splitlines() == [
        "::warning title=cfmock::skipped, neither a fixture (no 'cfmock' key) nor a flow definition: other.yaml",
        "::error file=gone.yaml,title=cfmock::no such file or folder",
        f"::error file=wrong.yaml,line=4,col=17,title=cfmock::flows[0].outcomes[0].status: {STATUS}",
        "::notice file=odd%2C1%3A 5%25.yaml,line=9,col=38,title=CF112::state 'X' writes global variables inside a map",
        "::warning file=odd%2C1%3A 5%25.yaml,line=11,col=5,title=CF101::state '100 %25:%0A, done' cannot be reached",
    ]


def test_a_definition_in_quotes_is_told_at_its_flow_with_the_place_in_the_text() -> None:
    assert "file=quoted.yaml,line=4,col=3,title=CF101::" in (out := told("github", quoted=QUOTED))
    assert "cannot be reached (line 11, column 5 of the text)\n" in out


# -- SARIF -----------------------------------------------------------------------------------------------------------------

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}


def strict(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def many(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


PLACE = {"type": "integer", "minimum": 1}
SARIF = strict(
    ["version", "runs", "$schema"],
    **{"$schema": {"const": "https://json.schemastore.org/sarif-2.1.0.json"}, "version": {"const": "2.1.0"}},
    runs=many(
        strict(
            ["tool", "results"],
            columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
            tool=strict(
                ["driver"],
                driver=strict(
                    ["name", "rules", "informationUri"],
                    name={"const": "cfmock"},
                    version={"type": "string"},
                    informationUri={"type": "string", "format": "uri", "pattern": "^https://"},
                    rules=many(
                        strict(
                            ["id", "shortDescription", "help"],
                            id={"type": "string", "pattern": "^(CF[0-9]{3}|mistake)$"},
                            name={"type": "string", "pattern": "^[A-Za-z]+$"},
                            shortDescription=TEXT,
                            fullDescription=TEXT,
                            help=strict(["text"], text={"type": "string"}, markdown={"type": "string"}),
                            defaultConfiguration=strict(["level"], level=LEVEL),
                        )
                    ),
                ),
            ),
            invocations=many(
                strict(
                    ["executionSuccessful"],
                    executionSuccessful={"type": "boolean"},
                    toolExecutionNotifications=many(strict(["message"], message=TEXT, level=LEVEL)),
                )
            ),
            results=many(
                strict(
                    ["ruleId", "message", "locations"],
                    ruleId={"type": "string"},
                    ruleIndex={"type": "integer", "minimum": 0},
                    level=LEVEL,
                    message=TEXT,
                    locations=many(
                        strict(
                            ["physicalLocation"],
                            physicalLocation=strict(
                                ["artifactLocation"],
                                artifactLocation=strict(["uri"], uri={"type": "string", "format": "uri-reference"}),
                                region=strict(["startLine"], startLine=PLACE, startColumn=PLACE),
                            ),
                        )
                    ),
                )
            ),
        )
    ),
)
"""The part of the standard's own schema that we fill in: as strict as that is."""


def test_sarif_has_the_shape_of_the_standard() -> None:
    log = json.loads(
        told("sarif", **{"odd,1: 5%": ODD}, wrong=WRONG, quoted=QUOTED.replace('"odd"', '"b"'), other="a: 1")
    )
    validator = jsonschema_rs.Draft7Validator(SARIF, validate_formats=True)
    assert [error.message for error in validator.iter_errors(log)] == []
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["mistake", *RULES]
    assert all(rule["help"]["markdown"].count("```yaml\n") == 2 for rule in rules[1:])
    assert {rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"]} == {True}
    first, wrong, *_ = run["results"]
    assert first["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": "gone.yaml"}}}]
    assert (wrong["ruleId"], wrong["level"]) == ("mistake", "error")
    assert wrong["message"]["text"] == f"flows[0].outcomes[0].status: {STATUS}"
    assert wrong["locations"][0]["physicalLocation"]["region"] == {"startLine": 4, "startColumn": 17}
    places = {result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"]}
    assert places == {"gone.yaml", "wrong.yaml", "quoted.yaml", "odd%2C1%3A%205%25.yaml"}
    assert "neither a fixture" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_a_file_given_by_its_whole_path_is_a_whole_uri(tmp_path: Path) -> None:
    Path("odd one.yaml").write_text(ODD)
    log = json.loads(FORMATS["sarif"](check([str(tmp_path)], Selection.of(["CF101"], []))))
    (result,) = log["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == (
        (tmp_path / "odd one.yaml").as_uri()
    )
