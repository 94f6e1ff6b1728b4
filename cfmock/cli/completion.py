"""What a shell completes behind options and arguments, by the words that stand for their values in the help."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem
from click.types import StringParamType

FILES = re.compile(r"\b(PATH|FILE|FOLDER)\b")  # values that are files or folders


class CompletedText(StringParamType):
    """A text that the shell completes as one of some words; without them, as a file's name."""

    def __init__(self, words: Callable[[], Iterable[str]] | None = None) -> None:
        self._words = words

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        if self._words is None:
            return [CompletionItem(incomplete, type="file")]
        return [CompletionItem(word) for word in self._words() if word.startswith(incomplete)]


def completing(command: click.Command) -> click.Command:
    """Return the command, with what its texts are completed to."""
    for param in command.params:
        if isinstance(param.type, StringParamType):
            param.type = _completed(param) or param.type
    return command


def _completed(param: click.Parameter) -> StringParamType | None:
    form = param.metavar or ""
    if param.name in WORDS:
        return CompletedText(WORDS[param.name])
    if FILES.search(form):
        return CompletedText()
    if "|" in form:
        return CompletedText(lambda: form.split("|"))
    return None


def _operations() -> Iterable[str]:
    from cfmock.protocol.spec.model import load

    return load().operations


def _codes() -> Iterable[str]:
    from cfmock.protocol.faults.rules import TRANSPORTS
    from cfmock.protocol.spec.model import load

    return (*load().errors, *TRANSPORTS)


WORDS = {"operation": _operations, "code": _codes}
"""Names of options and arguments → what they may be."""
