"""docs/clients.md says what the vendor's SDKs do: all of it was measured, and some of it is measured again."""

from __future__ import annotations

import json

import pytest

from cfmock.protocol.faults.rules import TRANSPORTS
from cfmock.tools.contract import baseline
from tests.e2e import environments
from tests.support import client_answers, clients
from tests.support.clients import CLIENTS, START, Client

KEPT = "a call on a kept connection that the server has closed"

AGAIN = ("ResourceThrottled", "reset", "garbage")
"""What is tried again in every run: quick, and as different as can be."""


def title(client: Client) -> str:
    return client.title


@pytest.mark.parametrize("client", CLIENTS, ids=title)
def test_every_cell_was_measured_and_can_be_expected(client: Client) -> None:
    once, lasting = clients.measured(client), clients.measured(client, lasting=True)
    assert set(clients.wanted()) <= once.keys()
    assert {key for key, case in once.items() if case.spacing} == lasting.keys()
    for path in (clients.path_of(client), clients.path_of(client, lasting=True)):
        baseline.read(path.read_bytes(), path.name)


@pytest.mark.parametrize("client", CLIENTS, ids=title)
def test_no_sdk_tries_again_after_an_error_answer(client: Client) -> None:
    assert not [case for case in clients.measured(client).values() if case.spacing and case.fault not in TRANSPORTS]


@pytest.mark.parametrize("client", [each for each in CLIENTS if each.kind in ("tea", "legacy", "pop-core")], ids=title)
def test_an_sdk_still_does_what_the_page_says(client: Client) -> None:
    try:
        environments.command(client.environment)
    except environments.Unavailable as error:
        pytest.skip(str(error))
    some = [word for fault in AGAIN for word in ("--code", fault)]
    done = clients.contract(client, "--operation", START, *some, "--expect", str(clients.path_of(client)))
    assert done.returncode == 0, done.stderr
    known = clients.measured(client)
    found = [clients.case_of(each) for each in json.loads(done.stdout)["cases"]]
    assert {case.fault for case in found} == set(AGAIN)
    for case in found:
        assert clients.reaction(case, None) == clients.reaction(known[case.key], None)


@pytest.mark.parametrize("client", CLIENTS, ids=title)
def test_every_answer_of_a_gateway_was_measured(client: Client) -> None:
    assert list(client_answers.measured()[client.kind]) == list(client_answers.SITUATIONS)


@pytest.mark.parametrize(
    ("kind", "situation"),
    [("tea", "HTML with 502"), ("pop-core", "302 to another path"), ("go", "an empty answer with 200"), ("java", KEPT)],
)
def test_a_client_still_makes_of_an_answer_what_the_page_says(kind: str, situation: str) -> None:
    (client,) = (each for each in CLIENTS if each.kind == kind)
    try:
        environments.command(client.environment)
    except environments.Unavailable as error:
        pytest.skip(str(error))
    assert client_answers.SITUATIONS[situation](kind) == client_answers.measured()[kind][situation]
