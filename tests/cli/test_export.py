"""`cfmock export`, and `GET fixture` behind it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from cfmock import CloudFlow
from tests.support.flowtests import ORDER

WORLD = {"cfmock": 1, "flows": [{"name": "order", "definition": ORDER}]}


@pytest.fixture
def cf():
    with CloudFlow(WORLD, clock="virtual", now="2024-06-01T00:00:00Z") as served:
        yield served


def test_the_world_of_a_server_goes_to_stdout_or_a_file(cfmock, cf, tmp_path):
    cf.run("order", name="one", input={"amount": 1})
    ran = cfmock("export", "--url", cf.url)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(
        'cfmock: 1\nsettings: {clock: virtual, now: "2024-06-01T00:00:00.000Z"}\nflows:\n  - name: order\n'
    )
    file = tmp_path / "world.json"
    assert cfmock("export", str(file), "--url", cf.endpoint, "--executions").code == 0
    document = json.loads(file.read_text())
    assert [each["name"] for each in document["flows"][0]["executions"]] == ["one"]
    assert cfmock("check", str(file)).code == 0


def test_get_fixture_answers_what_post_fixtures_takes(cf):
    with urllib.request.urlopen(f"{cf.url}/_cfmock/fixture?executions=false") as answer:
        document = answer.read()
    request = urllib.request.Request(f"{cf.url}/_cfmock/fixtures", document, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        assert json.loads(answer.read()) == {"flows": ["order"]}
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{cf.url}/_cfmock/fixture?executions=maybe")
    with caught.value as error:
        assert (error.code, json.loads(error.read())["error"]) == (400, "executions: 'maybe' is neither true nor false")


def test_where_no_server_answers_it_is_told(cfmock, cf, tmp_path):
    ran = cfmock("export", "--url", "http://127.0.0.1:1")
    assert ran.code == 2
    assert "no answer from http://127.0.0.1:1" in ran.err
    ran = cfmock("export", str(tmp_path / "no/such.yaml"), "--url", cf.url)
    assert ran.code == 2
    assert "such.yaml: No such file or directory" in ran.err
    ran = cfmock("export", "--url", cf.url, "--region", "mars")
    assert ran.code == 2
    assert "there is no region 'mars'" in ran.err
