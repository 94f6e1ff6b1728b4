"""`cf.load_history`."""

from __future__ import annotations

import pytest

from cfmock import CloudFlow, FixtureError, UnknownName
from tests.support import histories


@pytest.fixture
def history(tmp_path):
    path = tmp_path / "run1.json"
    path.write_text(histories.text(histories.answer(histories.everything())))
    return path


FLOW = {"cfmock": 1, "flows": [{"name": "f", "definition": histories.EVERYTHING}]}


def test_the_tasks_of_a_flow_answer_as_in_a_history(history):
    with CloudFlow(FLOW, clock="virtual") as cf:
        (recorded,) = cf.load_history(history, flow="f")
        found = cf.run("f", recorded.input)
    assert (found.status, found.output) == (recorded.status, recorded.output) == ("Succeeded", recorded.output)
    assert found.visits == recorded.visits
    assert found.stopped - found.started == recorded.stopped - recorded.started
    assert recorded.events[0] == histories.everything()[0]


def test_a_history_of_another_flow_or_a_cut_one_is_refused(history, tmp_path):
    cut = tmp_path / "cut.json"
    cut.write_text(histories.text(histories.answer(histories.passes()[:4], "5")))
    with CloudFlow({"cfmock": 1, "flows": [{"name": "f", "definition": histories.PASSES}]}) as cf:
        with pytest.raises(FixtureError, match="the next page is missing"):
            cf.load_history(cut, flow="f")
        with pytest.raises(UnknownName, match="has no task 'Slow'"):
            cf.load_history([str(history)], flow="f")
