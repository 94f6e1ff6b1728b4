"""The table of codes for findings of `cfmock check`: parts of a definition that are allowed and probably not meant."""

from __future__ import annotations

import enum

from msgspec import Struct

from cfmock.base.source_marks import Mark


class Severity(enum.Enum):
    """The certainty that something is wrong."""

    WARNING = "warning"
    NOTE = "note"


class CheckRule(Struct, frozen=True):
    """One code: what it finds, and why that matters."""

    code: str
    severity: Severity
    title: str
    why: str


class Finding(Struct, frozen=True):
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
        CheckRule("CF100", _WARNING, "comment without effect", "It names no code that exists, so it switches nothing off."),
        CheckRule("CF101", _WARNING, "unreachable state", "No path leads from the start of its scope to this state."),
        CheckRule("CF102", _WARNING, "shadowed catch", "Earlier rules catch every error that it names."),
        CheckRule("CF103", _WARNING, "shadowed retry", "Earlier rules retry every error that it names."),
        CheckRule("CF104", _WARNING, "default never taken", "One of the branches of the choice is always true."),
        CheckRule("CF105", _WARNING, "branch never taken", "Its condition is never true when it is evaluated."),
        CheckRule("CF106", _WARNING, "task without a mock", "Nothing answers it offline; `unmocked_tasks` decides its result."),
        CheckRule("CF107", _WARNING, "name differs", "The Name in a definition must equal the name of its flow."),
        CheckRule("CF108", _WARNING, "unknown field", "The language does not have this field, so it has no effect."),
        CheckRule("CF109", _WARNING, "token nobody waits for", "The task passes its token on, but does not wait for a report."),
        CheckRule("CF110", _WARNING, "token nobody knows", "The task waits for a report, but does not pass its token on."),
        CheckRule("CF111", _WARNING, "no way out", "No path leads from this state to an end of its scope."),
        CheckRule("CF112", _NOTE, "global variables in a map", "Iterations run at once and overwrite each other's variables."),
        CheckRule("CF113", _WARNING, "misspelt name", "It is close to the name of a known action, error or output."),
        CheckRule("CF114", _WARNING, "constant like an expression", "It is used as plain text; it is not evaluated."),
        CheckRule("CF115", _WARNING, "wildcard that is none", "It is the name of one error; only `FnF.ALL` means all errors."),
        CheckRule("CF116", _WARNING, "two spellings of a field", "Only one of them is used."),
        CheckRule("CF117", _WARNING, "computed end", "Code and Detail of a Fail are constants; a computed one has no effect."),
        CheckRule("CF118", _WARNING, "Amazon States Language", "CloudFlow has another field for it, and ignores this one."),
        CheckRule("CF120", _WARNING, "call that always fails", "Its constants make it fail, for example an invalid pattern."),
        CheckRule("CF121", _WARNING, "fault for nobody", "Its `when` matches no flow or key that exists, so it never applies."),
        CheckRule("CF122", _WARNING, "never used", "An earlier entry in the list always matches."),
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
    import difflib  # for mistakes only

    given = word.upper()[: 2 * len(code)]
    return difflib.SequenceMatcher(None, given, code).ratio(), sum(map(str.__eq__, given, code))


_NEAR = 0.6
