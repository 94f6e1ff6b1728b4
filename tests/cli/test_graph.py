"""`cfmock graph`."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

DEFINITION = """
Type: StateMachine
SpecVersion: v1
Name: orders
StartAt: First
States:
  - {Type: Choice, Name: First, Branches: [{Condition: $Input.n > 1, Next: Last}], Default: Last}
  - {Type: Pass, Name: Last, End: true}
"""


@pytest.fixture
def definition(tmp_path):
    path = tmp_path / "orders.fdl.yaml"
    path.write_text(DEFINITION)
    return str(path)


@pytest.fixture
def fixture(tmp_path, definition):
    path = tmp_path / "cloud.yaml"
    path.write_text("cfmock: 1\nflows:\n  - {name: orders, definition: {file: orders.fdl.yaml}}\n  - {name: empty}\n")
    return str(path)


@pytest.fixture
def coverage(tmp_path):
    def write(document):
        path = tmp_path / "coverage.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return str(path)

    return write


def test_a_definition_is_drawn_as_mermaid(cfmock, definition):
    ran = cfmock("graph", definition)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("flowchart TD\n")
    assert '"First<br/>Choice"' in ran.out


@pytest.mark.parametrize(("language", "begins"), [("mermaid", "flowchart"), ("dot", "digraph"), ("svg", "<svg")])
def test_each_format_can_be_asked_for(cfmock, definition, language, begins):
    ran = cfmock("graph", definition, "--format", language)
    assert ran.code == 0
    assert ran.out.startswith(begins)


def test_one_flow_of_several_is_named(cfmock, fixture):
    assert "First" in cfmock("graph", fixture, "--flow", "orders").out
    assert "First" not in cfmock("graph", fixture, "--flow", "empty").out


def test_without_a_name_several_flows_are_listed(cfmock, fixture):
    ran = cfmock("graph", fixture)
    assert (ran.code, ran.out) == (2, "")
    assert "holds empty, orders; choose one with --flow" in ran.err


def test_an_unknown_flow_is_refused_with_the_likely_one(cfmock, fixture):
    ran = cfmock("graph", fixture, "--flow", "order")
    assert (ran.code, ran.out) == (2, "")
    assert "has no flow 'order' (did you mean 'orders'?)" in ran.err


def test_a_definition_with_mistakes_is_told_with_their_places(cfmock, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(DEFINITION.replace("Default: Last", "Default: Lost"))
    ran = cfmock("graph", str(path))
    assert (ran.code, ran.out) == (2, "")
    assert "bad.yaml:7:" in ran.err


def test_coverage_is_coloured_in(cfmock, definition, coverage):
    points = [{"id": "First", "hits": 2}, {"id": "First?0", "hits": 2}, {"id": "Last", "hits": 2}]
    path = coverage({"coverage": [{"flow": "orders", "points": points}]})
    ran = cfmock("graph", definition, "--format", "svg", "--coverage", path)
    texts = [element.text for element in ET.fromstring(ran.out).iter("{http://www.w3.org/2000/svg}text")]
    assert "orders · coverage 75 %" in texts
    assert "linkStyle 1 stroke:#8c959f" in cfmock("graph", definition, "--coverage", path).out


def test_the_path_of_one_test_is_coloured_in(cfmock, definition, coverage):
    tests = [
        {"name": "short", "hits": {"orders": {"First": 1, "First?default": 1, "Last": 1}}},
        {"name": "other", "hits": {"other": {"First": 1}}},
    ]
    path = coverage({"tests": tests, "coverage": []})
    ran = cfmock("graph", definition, "--format", "svg", "--coverage", path, "--test", "short")
    texts = [element.text for element in ET.fromstring(ran.out).iter("{http://www.w3.org/2000/svg}text")]
    assert "orders · short" in texts
    ran = cfmock("graph", definition, "--coverage", path, "--test", "shrt")
    assert (ran.code, ran.err) == (2, f"{path} has no test 'shrt' that reached flow 'orders' (did you mean 'short'?)\n")
    ran = cfmock("graph", definition, "--coverage", path, "--test", "other")
    assert (ran.code, ran.err) == (2, f"{path} has no test 'other' that reached flow 'orders'; there are short\n")
    ran = cfmock("graph", definition, "--test", "short")
    assert ran.code == 2
    assert "--test needs --coverage FILE" in ran.err


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("{", "is not JSON"),
        ({"tests": []}, "is not what `cfmock test --json` writes"),
        ({"coverage": [{"flow": "orders", "points": [{"id": "First"}]}]}, "is not what `cfmock test --json` writes"),
        ([], "is not what `cfmock test --json` writes"),
        ({"coverage": [{"flow": "other", "points": []}]}, "does not cover flow 'orders', only other"),
    ],
)
def test_a_coverage_file_that_does_not_fit_is_refused(cfmock, definition, coverage, document, says):
    ran = cfmock("graph", definition, "--coverage", coverage(document))
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err


def test_files_that_are_not_there_are_refused(cfmock, definition, tmp_path):
    missing = str(tmp_path / "missing.json")
    assert cfmock("graph", missing).code == 2
    ran = cfmock("graph", definition, "--coverage", missing)
    assert ran.code == 2
    assert "cannot read" in ran.err
