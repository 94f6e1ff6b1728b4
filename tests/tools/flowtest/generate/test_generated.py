"""First tests for generated definitions: they pass as written and cover everything."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfmock.base import yaml_source
from cfmock.fixtures.loader import load
from cfmock.tools.flowtest.cases import results
from cfmock.tools.flowtest.coverage import Coverage
from cfmock.tools.flowtest.generate.writer import Drafts, text
from tests.support.generated import legacy_definitions, statemachine_definitions


@pytest.mark.parametrize("language", ["new", "old"])
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_generated_definition_is_covered_whole_by_its_first_tests(language, data):
    definition = data.draw(statemachine_definitions() if language == "new" else legacy_definitions())
    flows = load([{"cfmock": 1, "flows": [{"name": "generated", "definition": definition}]}])
    written = text([Drafts(flows, flows.flows[0])], {})
    fixtures = load([yaml_source.parse(written, "t.cfmock.yaml").value], base=flows)
    coverage = Coverage()
    coverage.count_all(fixtures.flows)
    failed = []
    for result in results(fixtures, fixtures.tests):
        coverage.add(result.hits)
        failed += [] if result.passed and not result.unused else [result]
    assert failed == []
    assert [spot.id for spot in coverage["generated"].missed] == []
