"""`cfmock test --jobs`: the tests shared out to processes of this same command, which write each result as a line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from msgspec import convert

from cfmock.cli.main import SUCCESS

if TYPE_CHECKING:
    from cfmock.tools.flowtest.cases import Cases, Result

_LONGEST = 64 * 1024 * 1024  # bytes of a result


def run_part(cases: Cases, part: str) -> int:
    """Run the share `2/4` of the tests, the second of four; a line of JSON on stdout for each: its number and result."""
    from cfmock.tools.flowtest.cases import result
    from cfmock.tools.flowtest.run import FlowTestRunner

    number, _, of = part.partition("/")
    lab = FlowTestRunner(cases.fixtures)
    for index in range(int(number) - 1, len(cases.tests), int(of)):
        click.echo(json.dumps([index, result(lab, cases.tests[index]).document()]))
        sys.stdout.flush()
    return SUCCESS


async def run_parts(words: Sequence[str], jobs: int, fail_fast: bool) -> list[Result]:
    """Run the tests that `cfmock test` with these words runs, in so many processes; their results, in the order of the tests."""
    found: dict[int, Result] = {}
    parts = [asyncio.create_task(_run_part(words, f"{part}/{jobs}", fail_fast, found)) for part in range(1, jobs + 1)]
    try:
        with contextlib.suppress(_FirstFailure):
            await asyncio.gather(*parts)
    finally:
        for part in parts:
            part.cancel()
        await asyncio.gather(*parts, return_exceptions=True)
    return [found[index] for index in sorted(found)]


class _FirstFailure(Exception):  # noqa: N818 - reads as what happened
    """A test has failed, and none is wanted after that."""


async def _run_part(words: Sequence[str], part: str, fail_fast: bool, found: dict[int, Result]) -> None:
    from cfmock.tools.flowtest.cases import Result

    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "cfmock"]
    command = [*program, "test", "--part", part, *words]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, limit=_LONGEST
    )
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            index, document = json.loads(line)
            result = found[index] = convert(document, Result)
            if fail_fast and not result.passed:
                raise _FirstFailure
        status = await process.wait()
        if status:
            raise RuntimeError(f"part {part} of the tests ended with status {status}")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
