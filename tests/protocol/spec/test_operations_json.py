"""The tables are edited as YAML and read as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from cfmock.base import yaml_source
from cfmock.protocol.spec import model

YAML = Path(model.__file__).with_name("operations.yaml")


def test_the_file_that_is_read_says_what_the_one_that_is_edited_says():
    edited = yaml_source.parse(YAML.read_bytes(), YAML.name).value
    assert json.loads(YAML.with_suffix(".json").read_bytes()) == edited, "run `make tables`"
