"""Writes cfmock/protocol/spec/operations.json, in which form a process reads operations.yaml, 30 times as fast. `make tables`."""

import json
from pathlib import Path

from cfmock.base import yaml_source

source = Path(__file__).resolve().parent.parent / "cfmock" / "protocol" / "spec" / "operations.yaml"
tables = yaml_source.parse(source.read_bytes(), source.name).value
source.with_suffix(".json").write_text(json.dumps(tables, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
