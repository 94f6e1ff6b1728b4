"""Feed hostile inputs to cfmock; exit 1 if one is answered badly or costs too much.

    python -m tests.fuzz [--seconds N | --inputs N | --changed N [--seed N]] [TARGET ...]

Hypothesis makes inputs at random; `--changed` makes many more of each by cutting them up and putting them together. Where
atheris is installed in .venvs/fuzz (`make fuzz` sees to it), it goes on from them beside it, towards code that was not reached
before. What they found is kept in a cache folder and tried first the next time.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from tests.fuzz.targets import LIMIT, TARGETS, Meter, Target, listen

ROOT = Path(__file__).parents[2]
GUIDED = ROOT / ".venvs" / "fuzz" / "bin" / "python"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cfmock-fuzz"

SECONDS = 60.0
"""Of all targets together, unless told otherwise."""

ROUND = 100
"""Examples between two looks at the clock."""

MADE_UP, MOST_KNOWN = 2_000, 10_000
"""Inputs of hypothesis that are changed, and those made of them that are changed further."""

MOST_PROBLEMS = 20
"""Different mistakes after which a target is left."""

SHOWN = 600
"""Characters of an input that are shown."""


def test_of(target: Target, meter: Meter, examples: int) -> Any:
    """A test of hypothesis that feeds the target; atheris drives it too."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=DirectoryBasedExampleDatabase(CACHE / "hypothesis"),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(target.inputs)
    def test(value: Any) -> None:
        meter.feed(value)

    # What its database knows it by.
    test.__qualname__ = test.__name__ = target.name
    return test


def made_up(target: Target, number: int, examples: int = MADE_UP) -> list[Any]:
    """What hypothesis makes up of a seed."""
    found: list[Any] = []

    @seed(number)
    @settings(max_examples=examples, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck))
    @given(target.inputs)
    def gather(value: Any) -> None:
        found.append(value)

    gather()
    return found


def where(error: BaseException) -> str:
    """What tells a mistake from others: its kind and the last places it came through."""
    return (
        f"{type(error)} {[(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)[-2:]]}"
    )


@dataclass
class Fuzzing:
    """How long to go on: until so many seconds are over or, if they are given, there were so many inputs. `seed` is that of
    inputs which are changed."""

    seconds: float
    inputs: int | None
    seed: int

    def at_random(self, target: Target) -> bool:
        """Whether all that hypothesis made up passed."""
        meter, ends, problem = Meter(target), time.monotonic() + self.seconds, None
        while problem is None and (meter.count < self.inputs if self.inputs else time.monotonic() < ends):
            try:
                test_of(target, meter, ROUND if self.inputs is None else min(ROUND, self.inputs - meter.count))()
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                problem = traceback.format_exc()
        return report(meter, "hypothesis", problem)

    def by_change(self, target: Target) -> bool:
        """Whether all passed that was made by changing inputs of hypothesis, and those that were answered in some new way."""
        assert self.inputs is not None
        meter, dice = Meter(target), random.Random(self.seed)
        known: list[Any] = made_up(target, self.seed)
        seen: set[object] = set()
        problems: dict[str, str] = {}
        queue = list(known)
        while meter.count < self.inputs and len(problems) < MOST_PROBLEMS:
            value = queue.pop() if queue else target.change(dice.choice(known), dice.choice(known), dice)
            try:
                like = meter.feed(value)
            except Exception as error:
                problems.setdefault(where(error), f"{value!r:.{SHOWN}}\n{traceback.format_exc()}")
            else:
                if like not in seen and len(seen) < MOST_KNOWN:
                    seen.add(like)
                    known.append(value)
        print(f"    {len(seen)} kinds of answers", flush=True)
        return report(meter, f"seed {self.seed}", "\n".join(problems.values()))

    def guided(self, targets: list[Target]) -> subprocess.Popen[str] | None:
        """Atheris at work on the targets, where it can be had."""
        if self.inputs is not None or not GUIDED.exists():
            return None
        return subprocess.Popen(
            [GUIDED, "-m", "tests.fuzz.guided", str(self.seconds), str(CACHE / "atheris"), *(each.name for each in targets)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip


def followed(process: subprocess.Popen[str]) -> bool:
    """Whether all that atheris made up passed. What was slow, watched at each step, is measured again unwatched."""
    said, _ = process.communicate()
    sound = process.returncode == 0
    if not sound:
        print(said)
    for part in said.split("begun: ")[1:]:
        name, _, told = part.partition("\n")
        meter = Meter(TARGETS[name])
        for data in re.findall(r"^slowest: (.*)$", told, re.MULTILINE)[-3:]:
            test_of(meter.target, meter, ROUND).hypothesis.fuzz_one_input(ast.literal_eval(data))
        meter.count = max(map(int, re.findall(r"^fed: (\d+)$", told, re.MULTILINE)), default=meter.count)
        problem = None if told.rstrip().endswith("ended: 0") else "\n".join(told.splitlines()[-60:])
        sound &= report(meter, "atheris", problem)
    return sound


def report(meter: Meter, engine: str, problem: str | None) -> bool:
    """Print a line, and what went wrong; whether nothing did."""
    slow = meter.slowest > LIMIT
    verdict = "FAILED" if problem else "SLOW" if slow else "ok"
    print(
        f"{meter.target.name:<13} {engine:<11} {meter.count:>8} inputs, slowest {meter.slowest * 1000:>6.1f} ms  {verdict}",
        flush=True,
    )
    if problem:
        print(problem)
    elif meter.slowest > LIMIT / 2:
        print(f"    the {meter.number}th: {meter.worst!r:.{SHOWN}}")
    return not problem and not slow


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz ARGS=...", description="Feed hostile inputs to cfmock.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"{', '.join(TARGETS)} (default: all)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"for all of them together ({SECONDS:g})")
    parser.add_argument(
        "--inputs", type=int, help="so many inputs for each, by hypothesis alone, however long it takes"
    )
    parser.add_argument(
        "--changed", type=int, help="so many for each, made of inputs of hypothesis, however long it takes"
    )
    parser.add_argument("--seed", type=int, default=1, help="of --changed (1)")
    given = parser.parse_args()
    if unknown := set(given.targets) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    wanted = [TARGETS[name] for name in given.targets] or list(TARGETS.values())
    fuzzing = Fuzzing(given.seconds / len(wanted), given.inputs or given.changed, given.seed)
    CACHE.mkdir(parents=True, exist_ok=True)
    listen()
    if not GUIDED.exists():
        print("atheris is not installed: hypothesis alone")
    sound = True
    guide = fuzzing.guided(wanted)
    for target in wanted:
        sound &= fuzzing.by_change(target) if given.changed else fuzzing.at_random(target)
    if guide is not None:
        sound &= followed(guide)
    return int(not sound)


if __name__ == "__main__":
    sys.exit(main())
