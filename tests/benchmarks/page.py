"""Make docs/benchmarks.md of what the benches print. Usage: make bench | tee bench.txt; page.py < bench.txt"""

from __future__ import annotations

import os
import platform
import re
import sys
import time
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"

_ROW = re.compile(
    r"(?P<what>\S.*?) {2,}(?P<value>[-\d.]+ ?[A-Za-z]*) +(?P<limit>[<>]= ?[\d.]+ ?[A-Za-z]*)? *(ok|MISSED)?(?P<note>.*)"
)

_HEAD = """# Benchmarks

This page shows how fast cfmock is and how much memory it needs. `make bench` measures these figures, and exits with 1 if one
misses its limit. `tests/benchmarks/page.py` makes this page from its output.

The yardstick is a bare aiohttp server that decodes the query, checks an HMAC and answers a constant, without state or journal.
A row without a unit is a ratio. It says how many calls cfmock answers in the processor time that the yardstick needs for one,
or how much more a call costs with many entries than with few.

Both sides are measured in turns, and the figure is the median of all rounds. So it hardly depends on the machine.

Rows of other mock servers have no limit. WireMock, mountebank and pytest-httpserver give one prepared answer to a POST. moto
starts an execution of AWS Step Functions and keeps it. None of them checks a signature. Each is warm, and gets the same load as
a yardstick in the same run. Its memory is measured before the load.

Not measured: more than 32 connections, TLS, other features of these servers, Windows and macOS{without}.

"""


_COLUMNS = "| what | figure | limit | |\n| --- | ---: | ---: | --- |\n"


def main() -> None:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    lines = [f"Measured on {time.strftime('%Y-%m-%d', time.gmtime())}: {machine}.\n\n", _COLUMNS]
    lacking = []
    for line in sys.stdin:
        if line.startswith("without "):
            lacking.append(line.removeprefix("without ").partition(":")[0])
            continue
        if found := _ROW.fullmatch(re.sub(r"(?<=\d) (?=m?s\b)", "", line.strip())):  # durations as fixtures have them
            value, limit, note = found["value"].strip(), (found["limit"] or "").strip(), found["note"].strip()
            lines.append(f"| {found['what']} | {value} | {limit} | {note} |\n")
    without = "".join(f", {name} (it cannot be installed here)" for name in lacking)
    PAGE.write_text(_HEAD.replace("{without}", without) + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
