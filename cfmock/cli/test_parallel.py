"""`cfmock test --jobs`: the tests shared out to processes of this same command, which write each result as a line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from typing import TYPE_CHECKING

import click

from cfmock.cli.main import SUCCESS

if TYPE_CHECKING:
    from cfmock.cli.test import TestOptions
    from cfmock.tools.flowtest.cases import Result

_LONGEST = 64 * 1024 * 1024
"""Bytes of a result."""


def run_part(options: TestOptions, part: str) -> int:
    """Run the share `2/4` of the tests, the second of four; a line of JSON on stdout for each: its number and result."""
    from cfmock.tools.flowtest.cases import gather, result
    from cfmock.tools.flowtest.run import FlowTestRunner

    number, _, of = part.partition("/")
    cases = gather(options.paths, options.wanted, variables=options.variables)
    lab = FlowTestRunner(cases.fixtures)
    for index in range(int(number) - 1, len(cases.tests), int(of)):
        click.echo(json.dumps([index, result(lab, cases.tests[index]).document()]))
        sys.stdout.flush()
    return SUCCESS


def run_parts(options: TestOptions, count: int) -> list[Result]:
    """Run all tests, in as many processes as there are to be; their results, in the order of the tests."""
    return asyncio.run(_run_parts(options, min(options.jobs, count)))


async def _run_parts(options: TestOptions, jobs: int) -> list[Result]:
    found: dict[int, Result] = {}
    parts = [asyncio.create_task(_run_part(options, f"{part}/{jobs}", found)) for part in range(1, jobs + 1)]
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


async def _run_part(options: TestOptions, part: str, found: dict[int, Result]) -> None:
    from cfmock.tools.flowtest.cases import Result

    process = await asyncio.create_subprocess_exec(
        *_command(options, part), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, limit=_LONGEST
    )
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            index, document = json.loads(line)
            result = found[index] = Result.from_document(document)
            if options.fail_fast and not result.passed:
                raise _FirstFailure
        status = await process.wait()
        if status:
            raise RuntimeError(f"part {part} of the tests ended with status {status}")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _command(options: TestOptions, part: str) -> list[str]:
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "cfmock"]
    wanted = [word for text in options.wanted for word in ("-k", text)]
    variables = [word for name, value in options.variables.items() for word in ("--var", f"{name}={value}")]
    return [*program, "test", "--part", part, *wanted, *variables, "--", *options.paths]
