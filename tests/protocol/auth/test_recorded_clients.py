"""What each of the vendor's clients signs, recorded from it (tests/e2e/signatures.py), is what the server signs."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from cfmock.protocol.auth.authenticator import Authenticator
from cfmock.protocol.auth.credentials import Credential
from cfmock.protocol.auth.diagnosis import diagnose
from cfmock.protocol.auth.request_credentials import claim_of
from cfmock.protocol.spec.model import load
from cfmock.protocol.wire.decode import decode_parameters, is_acs3
from cfmock.protocol.wire.messages import OperationCall, Request
from tests.e2e.sdks import KINDS
from tests.e2e.signatures import FILE, RECORDED, SAMPLES, packages

DATA: dict[str, Any] = json.loads(Path(FILE).read_text(encoding="utf-8"))
ROWS: list[dict[str, Any]] = DATA["recorded"]


def named(row: dict[str, Any]) -> str:
    return f"{row['client']}-{row['sample']}"


def request_of(row: dict[str, Any]) -> Request:
    return Request(row["method"], row["target"], row["headers"], row["body"].encode())


def key_of(row: dict[str, Any], secret: str) -> Credential:
    keys, _, _ = SAMPLES[row["sample"]]
    return Credential(str(keys["access_key_id"]), secret, security_token=keys["security_token"])


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_a_recorded_signature_is_right(row: dict[str, Any]) -> None:
    request = request_of(row)
    text = decode_parameters(request).values.get("Timestamp") or row["headers"]["x-acs-date"]
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
    checker = Authenticator(
        [key_of(row, DATA["secret"])],
        strict=True,
        max_skew=900,
        accept_acs3=True,
        check_nonce=False,
        wall_clock=lambda: moment,
    )
    operation = OperationCall(load().operations[SAMPLES[row["sample"]][1]], {})
    parameters = decode_parameters(request, acs3=(acs3 := is_acs3(request)))
    checker.authenticate(request, parameters, claim_of(request, parameters, checker.keys, acs3), operation)


@pytest.mark.parametrize("row", [row for row in ROWS if row["sample"] != "sts"], ids=named)
def test_under_another_secret_the_server_shows_what_the_client_signed(row: dict[str, Any]) -> None:
    key = key_of(row, "another secret")
    found = diagnose(request_of(row), key, [key], acs3="canonical_request" in row)
    assert found.string_to_sign == row["string_to_sign"]
    assert found.canonical_request == row.get("canonical_request")


def test_every_client_is_recorded_with_the_packages_that_the_tests_drive() -> None:
    assert {(row["client"], row["sample"]) for row in ROWS} == {(kind, name) for kind in RECORDED for name in SAMPLES}
    assert {row["client"]: row["packages"] for row in ROWS} == {kind: packages(kind) for kind in RECORDED}
    assert {(kind.environment, "acs3" in kind.way) for kind in KINDS.values()} == {
        (KINDS[row["client"]].environment, "canonical_request" in row) for row in ROWS
    }
