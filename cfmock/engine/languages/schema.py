"""The JSON Schema of definitions of both languages, for editors: data beside this file.

The readers beside it judge, and know more than a schema can say; a test holds that both agree on the rest.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def schema_text() -> str:
    """The JSON Schema (draft 7), as it stands in the package."""
    return Path(__file__).with_name("definition.schema.json").read_text(encoding="utf-8")


def schema() -> dict[str, Any]:
    """Return the schema as a value."""
    found: dict[str, Any] = json.loads(schema_text())
    return found
