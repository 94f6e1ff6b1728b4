"""docs/check-codes.md: the first example under each code is one of it, and the second one has nothing odd."""

from __future__ import annotations

from pathlib import Path

import pytest

from cfmock.base import yaml_source
from cfmock.base.findings import RULES
from cfmock.tools.checks.examples import examples
from cfmock.tools.checks.report import Selection, check
from tests.support.lab import HEADS

EXAMPLES = examples()


def test_every_code_has_an_example_and_no_other() -> None:
    assert list(EXAMPLES) == list(RULES)


@pytest.mark.parametrize("code", EXAMPLES)
def test_the_examples_show_what_the_code_finds_and_how_it_should_be(code: str, tmp_path: Path) -> None:
    example = EXAMPLES[code]
    assert found(tmp_path / "odd.yaml", whole(example.odd)) == {code}
    assert not found(tmp_path / "right.yaml", whole(example.right))


def whole(example: str) -> str:
    """A file with the example: it is one, or the states of a flow that starts at the first of them."""
    states = yaml_source.parse(example).value
    if not isinstance(states, list):
        return example
    head = HEADS["states"].replace("StartAt: A", f"StartAt: {states[0]['Name']}")
    return head + "".join(f"  {line}\n" for line in example.splitlines())


def found(path: Path, text: str) -> set[str]:
    path.write_text(text, encoding="utf-8")
    report = check([str(path)], Selection())
    assert not report.mistaken, [issue.text for issue in report.issues]
    return {str(issue.code) for issue in report.issues}
