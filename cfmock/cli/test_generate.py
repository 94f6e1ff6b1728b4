"""`cfmock test --init`: a first test file for the flows of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from cfmock.base.errors import SettingsError
from cfmock.base.suggestions import shown
from cfmock.cli.main import SUCCESS
from cfmock.cli.options import writing
from cfmock.fixtures.definitions import UNWRITTEN
from cfmock.fixtures.loader import load
from cfmock.fixtures.sources import SourceKind, find, kind_of, read
from cfmock.tools.checks.report import findings_of
from cfmock.tools.flowtest.cases import gather
from cfmock.tools.flowtest.generate.writer import Drafts, text


def write_tests(paths: Sequence[str], variables: Mapping[str, str]) -> int:
    """Write `order_flow.cfmock.yaml` beside `order_flow.fdl.yaml`; say what is odd in the flow, what the tests cover, where they
    fail, and what is left to the author.

    Raises SettingsError where there is nothing to write for, or a file that would be overwritten.
    """
    path = Path(paths[0])
    if len(paths) > 1 or path.is_dir():
        raise SettingsError("--init takes one file, a flow definition or a fixture with flows")
    file = next(find(path))
    target = _target(path)
    fixtures = load([path], variables=variables)
    if target.exists():
        raise SettingsError(f"{target} already exists: rename or remove it, and --init writes it again")
    flows = [flow for flow in fixtures.flows if flow.flow.mark.file != UNWRITTEN]
    if not flows:
        raise SettingsError(f"{path} has no flow with a definition")
    bare = kind_of(read(file).value) is SourceKind.DEFINITION
    if bare and any("\ud800" <= letter <= "\udfff" for letter in path.name):
        raise SettingsError(f"no fixture can name {shown(path.name)}: the name is not UTF-8")
    for finding in dict.fromkeys(finding for flow in flows for finding in findings_of(flow, mocks=False)):
        click.echo(f"{finding.severity.value}: {finding}", err=True)
    drafts = [Drafts(fixtures, flow) for flow in flows]
    written = text(drafts, {flow.name: path.name for flow in flows} if bare else {})
    with writing(target):
        target.write_text(written, encoding="utf-8")
    for each in drafts:
        failures = Counter(one.failure for one in each if one.failure)
        click.echo(f"{target}: {_tests(len(each))} of {each.flow.name} cover {each.coverage.percent} %")
        for failure, count in failures.items():
            click.echo(f"  look at {_tests(count)}: {failure}")
        for point in each.missing:
            click.echo(f"  fill in: found no way to reach {point.label} ({point.mark})")
    click.echo(f"run them: cfmock test {target if bare else f'{path} {target}'}")
    return SUCCESS


def tests_beside(paths: Sequence[str], variables: Mapping[str, str]) -> str | None:
    """Say how to run the tests that `write_tests` has written beside one of these files, None where there are none."""
    for path in map(Path, paths):
        if path.is_dir() or not (target := _target(path)).is_file():
            continue
        for words in ((str(target),), (str(path), str(target))):
            count = len(gather(words, variables=variables).tests)
            if count:
                return f"{target} next to it has {_tests(count)}: `cfmock test {' '.join(words)}`"
    return None


def _target(path: Path) -> Path:
    return path.with_name(f"{next(find(path)).stem}.cfmock.yaml")


def _tests(count: int) -> str:
    return f"{count} test{'s' * (count != 1)}"
