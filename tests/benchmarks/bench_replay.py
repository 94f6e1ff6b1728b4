"""What `cfmock replay` takes for the longest history there is, from the start of the process to its end."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.support import histories

ITEMS = 554
"""So many iterations have 4,992 of the 5,000 events that an execution may have."""

SECONDS, MEGABYTES = 1.0, 150.0
"""Limits: processor time, and memory at its peak."""

DEFINITION = """\
Type: StateMachine
SpecVersion: v1
Name: longest
StartAt: Each
States:
  - Type: Map
    Name: Each
    ItemsPath: $Input.items
    ItemConstructor: {n.$: $Item.n}
    MaxConcurrency: 10
    Processor:
      StartAt: Ask
      States:
        - Type: Task
          Name: Ask
          Action: FC:InvokeFunction
          Parameters: {resourceArn: ask, body: {n.$: $Input.n}}
          End: true
    End: true
"""

_MEASURED = """\
import json, resource, sys, time
from cfmock.__main__ import main
code = main(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([code, time.process_time(), used.ru_maxrss / 1024]), file=sys.stderr)
"""


def measured(environment: Mapping[str, str], rounds: int = 3) -> tuple[float, float]:
    """The least processor time in seconds, and the most memory in MB, of some runs. Raises SystemExit where one differs."""
    given = {"items": [{"n": number} for number in range(ITEMS)]}
    events = histories.recorded(DEFINITION, {"Ask": [{"returns": {"Body": "x" * 50}, "after": "1s"}]}, given)
    with tempfile.TemporaryDirectory() as folder:
        history, definition = Path(folder, "history.json"), Path(folder, "longest.yaml")
        history.write_text(histories.text(histories.answer(histories.late(events))), encoding="utf-8")
        definition.write_text(DEFINITION, encoding="utf-8")
        command = [sys.executable, "-c", _MEASURED, "replay", str(history), "--flow", str(definition)]
        found = []
        for _ in range(rounds):
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            code, seconds, megabytes = json.loads(done.stderr.splitlines()[-1])
            if code:
                raise SystemExit(done.stdout + done.stderr)
            found.append((seconds, megabytes))
    return min(each[0] for each in found), max(each[1] for each in found)
