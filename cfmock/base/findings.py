"""The table of codes for findings of `cfmock check`: parts of a definition that are allowed and probably not meant."""

from __future__ import annotations

import difflib
import enum
from typing import NamedTuple

from cfmock.base.source_marks import Mark


class Severity(enum.Enum):
    """The certainty that something is wrong."""

    WARNING = "warning"
    NOTE = "note"


class CheckRule(NamedTuple):
    """One code: what it finds, and why that matters."""

    code: str
    severity: Severity
    title: str
    why: str


class Finding(NamedTuple):
    """One thing found, and where."""

    code: str
    mark: Mark
    message: str

    @property
    def severity(self) -> Severity:
        return RULES[self.code].severity

    def __str__(self) -> str:
        return f"{self.mark}: {self.code}: {self.message}"


_WARNING, _NOTE = Severity.WARNING, Severity.NOTE

RULES: dict[str, CheckRule] = {
    rule.code: rule
    for rule in (
        CheckRule("CF100", _WARNING, "comment without effect", "It means to switch findings off, and names none that there are."),
        CheckRule("CF101", _WARNING, "unreachable state", "No way leads from the start of its scope to this state."),
        CheckRule("CF102", _WARNING, "shadowed catch", "Rules before this one take every error that it names."),
        CheckRule("CF103", _WARNING, "shadowed retry", "Only the first rule that names an error is used for it."),
        CheckRule("CF104", _WARNING, "default never taken", "One of the branches of the choice is always true."),
        CheckRule("CF105", _WARNING, "branch never taken", "Its condition is never true when it is asked."),
        CheckRule("CF106", _WARNING, "task without a mock", "Offline nothing answers it; `unmocked_tasks` decides its result."),
        CheckRule("CF107", _WARNING, "name differs", "The Name in a definition must equal the name of its flow."),
        CheckRule("CF108", _WARNING, "unknown field", "No rule of the language reads this field: it has no effect."),
        CheckRule("CF109", _WARNING, "token nobody waits for", "It is passed on by a task that does not wait for a report."),
        CheckRule("CF110", _WARNING, "token nobody knows", "The task waits for a report, but passes its token to nobody."),
        CheckRule("CF111", _WARNING, "no way out", "From this state no way leads to an end of its scope."),
        CheckRule("CF112", _NOTE, "global variables in a map", "Iterations that run at once overwrite one another's."),
        CheckRule("CF113", _WARNING, "misspelt name", "It is nearly the name of an action or error that is well known."),
        CheckRule("CF114", _WARNING, "constant like an expression", "It is taken as the text that it is; nothing computes it."),
        CheckRule("CF115", _WARNING, "wildcard that is none", "It is the name of one error; `FnF.ALL` alone stands for all."),
        CheckRule("CF116", _WARNING, "two spellings of a field", "Only one of them counts."),
        CheckRule("CF117", _WARNING, "computed end", "Code and Detail of a Fail are constants: the computed one has no effect."),
        CheckRule("CF118", _WARNING, "Amazon States Language", "CloudFlow has another name for it, and passes this one over."),
        CheckRule("CF120", _WARNING, "call that always fails", "Its constants make it fail, such as a pattern that is none."),
        CheckRule("CF121", _WARNING, "fault for nobody", "No flow or no key that there is fits its `when`: it strikes nothing."),
        CheckRule("CF122", _WARNING, "never used", "What stands before it in the list takes all that comes, for ever."),
    )
}  # fmt: skip


def codes(word: str) -> frozenset[str]:
    """Return the codes that a code or its beginning means, `CF1` or `cf101`; none for anything else."""
    beginning = word.upper()
    return frozenset(code for code in RULES if code.startswith(beginning) and len(beginning) > 1)


NO_CHECK = "there is no check '{}'"


def near_code(word: str) -> tuple[str, ...]:
    """Return the nearest code, of equally near ones the first; none if none is near."""
    near = max(RULES, key=lambda code: _likeness(word, code))
    return (near,) if _likeness(word, near)[0] >= _NEAR else ()


def _likeness(word: str, code: str) -> tuple[float, int]:
    given = word.upper()[: 2 * len(code)]
    return difflib.SequenceMatcher(None, given, code).ratio(), sum(map(str.__eq__, given, code))


_NEAR = 0.6
