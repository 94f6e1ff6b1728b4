"""Checking files: everything wrong with them, and everything odd about their flows, as one list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from cfmock.base.errors import SettingsError
from cfmock.base.findings import RULES, Finding, codes, near_code
from cfmock.base.problems import Problem, within_text
from cfmock.base.source_marks import Mark
from cfmock.base.suggestions import meant
from cfmock.engine.task_mocks import TaskMocks
from cfmock.fixtures.loader import load_sound
from cfmock.fixtures.model import NOTHING_FOUND, FixtureSet, FlowFixture
from cfmock.fixtures.sources import read_text
from cfmock.lint.lint import lint
from cfmock.lint.suppressions import ignores


class Selection(Struct, frozen=True):
    """`select` and `ignore` are codes or their beginnings, as given; nothing selected: all."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    @classmethod
    def of(cls, select: Iterable[str], ignore: Iterable[str]) -> Selection:
        """Read lists with commas, as options have them. Raises SettingsError for any word that is no code."""
        return cls(_words("--select", select), _words("--ignore", ignore))

    def wants(self, code: str) -> bool:
        """Return whether it is selected by more of its letters than ignored: `--ignore CF1 --select CF101` leaves CF101."""
        return _most(self.select or ("",), code) > _most(self.ignore, code)


def _most(words: Iterable[str], code: str) -> int:
    return max((len(word) for word in words if code.startswith(word)), default=-1)


def _words(option: str, given: Iterable[str]) -> tuple[str, ...]:
    words = [word.strip() for text in given for word in text.split(",")]
    for word in words:
        if not codes(word):
            near = meant(*near_code(word)) or f"; there are {', '.join(RULES)}"
            raise SettingsError(f"{option}: there is no check '{word}'{near}")
    return tuple(word.upper() for word in words)


class Issue(Struct, frozen=True):
    """One thing to show. A mistake has no code, and perhaps a path in its document; a finding has a code.

    `level` is error, warning or note; `mark` is a place in a file, `text` how people read it: of a definition that stands in
    quotes, its places are not places in the file.
    """

    level: str
    code: str | None
    mark: Mark
    path: str
    message: str
    text: str

    @property
    def told(self) -> str:
        """The message, with the path where there is one."""
        return f"{self.path}: {self.message}" if self.path else self.message


class CheckReport(Struct, frozen=True):
    """The result of a check. `fixtures` holds the sound part of the files."""

    issues: Sequence[Issue]
    fixtures: FixtureSet

    @property
    def mistaken(self) -> bool:
        return any(issue.level == "error" for issue in self.issues)

    def counts(self) -> dict[str, int]:
        """Count the entries of each kind."""
        kinds = ("flows", "credentials", "schedules", "faults", "tests")
        return {kind: len(getattr(self.fixtures, kind)) for kind in kinds}


def check(paths: Sequence[str], selection: Selection, variables: Mapping[str, str] | None = None) -> CheckReport:
    """Check files and folders: mistakes first, then the findings that are wanted. A folder with nothing to check is a mistake."""
    fixtures, problems = load_sound(paths, variables=variables)
    empty = [Problem.at(Mark(folder, 0, 0), NOTHING_FOUND) for folder in fixtures.empty_folders(paths)]
    issues = [Issue("error", None, each.mark, each.path, each.message, str(each)) for each in (*problems, *empty)]
    mocks = any(flow.entry for flow in fixtures.flows)  # beside bare definitions alone nobody could have written any
    odd = [(each, *_in_file(flow, each)) for flow in fixtures.flows for each in findings_of(flow, mocks=mocks)]
    odd += [(each, each.mark, each.message) for each in findings_outside(fixtures)]
    issues += [
        Issue(finding.severity.value, finding.code, mark, "", message, str(finding))
        for finding, mark, message in odd
        if selection.wants(finding.code)
    ]
    # What is wrong with a comment is found with every flow of its file, and shown once.
    return CheckReport(tuple(dict.fromkeys(issues)), fixtures)


def findings_of(flow: FlowFixture, *, mocks: bool = True) -> list[Finding]:
    """What is found in a flow, but for what its fixture ignores. Without `mocks` nobody knows which tasks have some."""
    found = lint(
        flow.flow,
        mocked=TaskMocks(flow.tasks).covers if mocks else None,
        source=read_text(flow.flow.mark.file),
        document=flow.document,
    )
    return [finding for finding in found if finding.code not in flow.ignore]


def findings_outside(fixtures: FixtureSet) -> list[Finding]:
    """What is found outside of flows, but for what comments switch off."""
    return [each for each in fixtures.findings if not ignores(read_text(each.mark.file) or "").cover(each)]


def _in_file(flow: FlowFixture, finding: Finding) -> tuple[Mark, str]:
    """Return the place of a finding in a file, and its words, with the place in the text where the file has but the text's."""
    mark = finding.mark
    if mark.file.startswith(f"{flow.mark.file}:"):
        return flow.mark, f"{finding.message}{within_text((mark.line, mark.column))}"
    return mark, finding.message
