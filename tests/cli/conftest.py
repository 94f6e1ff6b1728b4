from __future__ import annotations

import logging
import os
from dataclasses import dataclass

import pytest

from cfmock.__main__ import main
from cfmock.base.proxies import proxy_variables

LOGGERS = ("cfmock", "aiohttp", "asyncio")
"""Those that a command sets up."""


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture
def cfmock(capsys, monkeypatch):
    """Runs a command line in this process, as on a machine without a proxy."""
    for name in proxy_variables(os.environ):
        monkeypatch.delenv(name)

    def run(*arguments: str) -> Ran:
        code = main(list(arguments))
        return Ran(code, *capsys.readouterr())

    before = [(logger, logger.handlers[:], logger.propagate) for logger in map(logging.getLogger, LOGGERS)]
    yield run
    for logger, handlers, propagate in before:  # a command logs to its stderr, which is gone by now
        logger.handlers[:], logger.propagate = handlers, propagate
