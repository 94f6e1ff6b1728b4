"""What a server says anywhere holds no secret, and no signature that it would have taken."""

from __future__ import annotations

import base64
import hmac
import json
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

import pytest

from cfmock.api import client
from cfmock.control.endpoints import ENDPOINTS
from tests.support.processes import serving
from tests.support.waiting import PATIENCE

SECRETS = {"ak": "top/secret+one", "STS.ak": "top/secret+two", "other": "top/secret+three"}
TOKEN, BEARER, ADMIN = "session/token+one", "bearer/token+one", "admin-token-one"
FIXTURE = f"""\
cfmock: 1
credentials:
  - {{access_key_id: ak, access_key_secret: {SECRETS["ak"]}}}
  - {{access_key_id: STS.ak, access_key_secret: {SECRETS["STS.ak"]}, security_token: {TOKEN}, account: "100"}}
  - {{access_key_id: other, access_key_secret: {SECRETS["other"]}}}
  - {{access_key_id: bearer, bearer_token: {BEARER}}}
flows: [{{name: order_flow}}]
"""

CLIENTS = [
    {"access_key_id": "ak", "access_key_secret": SECRETS["ak"]},
    {"access_key_id": "ak", "access_key_secret": "wrong"},
    {"access_key_id": "ak", "access_key_secret": SECRETS["other"]},
    {"access_key_id": "STS.ak", "access_key_secret": "wrong", "security_token": TOKEN},
]


def forms(secret: str) -> set[str]:
    """As it may be written down."""
    once = quote(secret, safe="")
    return {secret, once, quote(once, safe=""), json.dumps(secret)[1:-1], base64.b64encode(secret.encode()).decode()}


@pytest.mark.parametrize("errors", ["documented", "gateway"])
def test_no_secret_and_no_right_signature_leaves_the_server(tmp_path: Path, errors: str) -> None:
    fixture, journal = tmp_path / "account.yaml", tmp_path / "calls.jsonl"
    fixture.write_text(FIXTURE)
    options = ("--journal", str(journal), "--errors", errors, "--admin-token", ADMIN, "-v", "--strict")
    told = []
    with serving(str(fixture), *options) as server:

        def ask(path: str) -> str:
            request = urllib.request.Request(
                f"{server.url}/_cfmock/{path}", headers={"authorization": f"Bearer {ADMIN}"}
            )
            try:
                with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                    return str(answer.read().decode())
            except urllib.error.HTTPError as error:
                with error:
                    return str(error.read().decode())

        for keys in CLIENTS:
            for more in ({}, {"AccessKeySecret": SECRETS["ak"], "Password": BEARER}):
                client.send(server.url, client.signed_request("ListFlows", more, **keys))
        asked = [each.path for each in ENDPOINTS if each.method == "GET" and "{" not in each.path]
        told += [ask("changes?wait=0s" if path == "changes" else path) for path in asked]
        calls = [call["request_id"] for call in json.loads(ask("calls"))["calls"]]
        whole = [ask(f"calls/{request_id}") for request_id in calls]
        told += whole + [ask(f"signature/{request_id}") for request_id in calls]
        told += server.stop()[1:]
    told.append(journal.read_text())
    signed = [call["signature"]["string_to_sign"] for call in map(json.loads, whole) if call["signature"]]
    assert (len(calls), len(signed)) == (8, 6)
    assert "other" in "".join(told), "the one who signed is named"
    text = "\n".join(told)
    hidden = [*SECRETS.values(), TOKEN, BEARER, ADMIN]
    hidden += [
        base64.b64encode(hmac.digest(f"{secret}&".encode(), each.encode(), "sha1")).decode()
        for each in signed for secret in SECRETS.values()
    ]  # fmt: skip
    assert {secret for secret in hidden for form in forms(secret) if form in text} == set()
