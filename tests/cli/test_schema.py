"""`cfmock schema`."""

import json

from cfmock.fixtures.schema import schema


def test_it_prints_the_schema(cfmock):
    ran = cfmock("schema")
    assert ran.code == 0
    assert json.loads(ran.out) == schema()
