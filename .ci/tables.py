"""Writes cfmock/spec/operations.json, in which form a process reads operations.yaml, 30 times as fast. `make tables`."""

import json
from pathlib import Path

from cfmock import yamlsource

source = Path(__file__).resolve().parent.parent / "cfmock" / "spec" / "operations.yaml"
tables = yamlsource.parse(source.read_bytes(), source.name).value
source.with_suffix(".json").write_text(json.dumps(tables, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
