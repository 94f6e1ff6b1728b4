"""`cfmock schema`."""

import json

from cfmock.engine.languages import definition_schema
from cfmock.fixtures.editor_schema import schema


def test_it_prints_the_schema_of_fixtures(cfmock):
    ran = cfmock("schema")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == schema()
    assert ran.out.splitlines()[1] == '  "$schema": "http://json-schema.org/draft-07/schema#",'


def test_it_prints_the_schema_of_definitions(cfmock):
    ran = cfmock("schema", "--definitions")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == definition_schema()
