from __future__ import annotations

from dataclasses import dataclass

import pytest

from cfmock.__main__ import main


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture
def cfmock(capsys):
    """Runs a command line in this process."""

    def run(*arguments: str) -> Ran:
        code = main(list(arguments))
        return Ran(code, *capsys.readouterr())

    return run
