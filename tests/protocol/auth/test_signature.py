"""Signatures as pure functions; the vectors of the whole check are in test_authenticator.py."""

from __future__ import annotations

import base64
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfmock.protocol.auth import signature
from cfmock.protocol.auth.signature import v1_signature
from cfmock.protocol.wire.decode import canonical_query


@pytest.mark.parametrize("length", [0, 1, 62, 63, 64, 65, 200])  # a key is the secret and "&"; a block has 64 bytes
def test_a_v1_signature_is_an_hmac_for_keys_of_any_length(length: int) -> None:
    key = "k" * length
    right = base64.b64encode(hmac.digest(f"{key}&".encode(), b"POST&%2F&x", "sha1")).decode()
    assert v1_signature(key, "POST&%2F&x") == right


@given(st.text(), st.text())
def test_a_v1_signature_is_an_hmac_of_any_text(secret: str, text: str) -> None:
    right = hmac.digest(f"{secret}&".encode(), text.encode(), "sha1")
    assert base64.b64decode(v1_signature(secret, text)) == right


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_a_canonical_query_holds_all_but_the_signature_by_name(values: dict[str, str]) -> None:
    found = canonical_query({**values, "Signature": "Signature=x"})
    assert found == "&".join(values[name] for name in sorted(values) if name != "Signature") == canonical_query(values)


AUTHORIZATION = "ACS3-HMAC-SHA256 Credential=ak,SignedHeaders=host;x-acs-date,Signature=00ff"


@pytest.mark.parametrize(
    "text",
    [
        AUTHORIZATION,
        AUTHORIZATION.replace(",", " , ").replace("=", " = "),
        AUTHORIZATION.replace("ak", "ak,Other=1").replace(";", " ; "),
        f"  {AUTHORIZATION},",
    ],
)
def test_an_authorization_is_read_whatever_its_blanks(text: str) -> None:
    found = signature.parse_authorization(text)
    assert found == signature.Authorization("ACS3-HMAC-SHA256", "ak", ("host", "x-acs-date"), "00ff")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Basic Credential=ak,SignedHeaders=a,Signature=b",
        "ACS3-HMAC-SHA256 Credential=ak,SignedHeaders=a",
        AUTHORIZATION.replace("x-acs-date", "Host"),
        AUTHORIZATION.replace(" ", " " * signature.LONGEST_AUTHORIZATION),
    ],
    ids=["none", "another scheme", "no signature", "a header twice", "longer than any client's"],
)
def test_what_is_no_authorization_of_a_client_is_not_read(text: str) -> None:
    assert signature.parse_authorization(text) is None
