"""Each mistake that clients make when they sign is named, and no secret is."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import re
import urllib.parse
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfmock.api.client import signed_request
from cfmock.control.control import Control
from cfmock.control.part import NotFoundError
from cfmock.emulator.hints import HEADER
from cfmock.observe import call_record
from cfmock.observe.models import public_calls
from cfmock.protocol.auth import diagnosis, signing_mistakes_acs3, signing_mistakes_v1
from cfmock.protocol.wire.messages import Reply, Request
from tests.support.calls import Service, answer, echo_flow, make_service
from tests.support.signing import (
    acs3,
    acs3_signature,
    acs3_string,
    canonical_query,
    encode,
    signature,
    string_to_sign,
    v1,
)

SECRET = "Sk/9+hush hush"
OTHER = "another-secret-of-another-key"
TOKEN = "token+of/the=sts~key"
AWKWARD = {"FlowName": "echo", "ExecutionName": "e-1", "Input": '{"a": "x y+z*~/!\'(),: \u4f60"}', "Description": ""}


@pytest.fixture
def service() -> Service:
    keys = [
        {"access_key_id": "ak", "access_key_secret": SECRET},
        {"access_key_id": "other-ak", "access_key_secret": OTHER},
        {"access_key_id": "STS.a", "access_key_secret": SECRET, "security_token": TOKEN},
    ]
    return make_service({"credentials": keys}, echo_flow({}))


def shown(service: Service, request: Request) -> dict[str, Any]:
    """What the server says of a signature that it refuses."""
    reply = service.emulator.handle(request)
    assert isinstance(reply, Reply)
    assert json.loads(reply.body).get("Code") == "SignatureNotMatch", reply.body
    found: dict[str, Any] = Control(service.emulator).show_signature(reply.request_id)
    hint = public_calls(Control(service.emulator).find_calls(request_id=reply.request_id))[0].hint
    guessed = hint is not None and hint.startswith(("most likely the ", "GET /_cfmock/signature/"))
    assert (hint is None or guessed) is (found["likely_mistake"] is None)
    return found


def likely(service: Service, request: Request) -> str:
    return shown(service, request)["likely_mistake"] or "none"


def quoting(safe: str, plus: bool = False) -> Any:
    quote = urllib.parse.quote_plus if plus else urllib.parse.quote
    return lambda text: quote(text, safe=f"-_.{safe}")


def signed_by(one: Any, two: Any = None) -> dict[str, Any]:
    """A client that encodes parameters in one way, and the canonical query in another (the right one)."""
    return {
        "canonical": lambda values: canonical_query(values, one),
        "text": lambda method, query: f"{method}&%2F&{(two or encode)(query)}",
    }


def lower(text: str) -> str:
    return re.sub("%..", lambda found: found[0].lower(), encode(text))


def java(text: str) -> str:
    return urllib.parse.quote_plus(text, safe="-_.*").replace("~", "%7E")


def js(text: str) -> str:
    return urllib.parse.quote(text, safe="-_.~!'()*")


def hmac_of(name: str, text: str, key: str = f"{SECRET}&") -> bytes:
    return hmac.new(key.encode(), text.encode(), name).digest()


V1_CLIENTS: dict[str, dict[str, Any]] = {
    "a space is signed as '+'": signed_by(quoting("~", plus=True)),
    "'*' is signed as it is": signed_by(quoting("~*")),
    "'~' is signed as %7E": signed_by(lambda text: encode(text).replace("~", "%7E")),
    "'/' is signed as it is": signed_by(quoting("~/")),
    "':' is signed as it is": signed_by(quoting("~:")),
    "JavaScript's encodeURIComponent": signed_by(js, js),
    "Java's URLEncoder": signed_by(java, java),
    "escapes are in lower case": signed_by(lower, lower),
    "the parameters are not sorted": {
        "canonical": lambda values: "&".join(f"{encode(n)}={encode(v)}" for n, v in values.items())
    },
    "the HTTP method GET is signed": {"text": lambda method, query: string_to_sign("GET", query)},
    "the HTTP method post is signed": {"text": lambda method, query: string_to_sign("post", query)},
    "the canonical query is not encoded once more": {"text": lambda method, query: f"{method}&%2F&{query}"},
    "encoded only once altogether": signed_by(str),
    "the parameters are encoded twice": signed_by(lambda text: encode(encode(text))),
    "the string to sign is put together differently": {"text": lambda method, query: f"{method}&/&{encode(query)}"},
    "the parameters in the body are not signed": {
        "signed": lambda values: {n: v for n, v in values.items() if n not in AWKWARD}
    },
    "the parameters in the query are not signed": {
        "signed": lambda values: {n: v for n, v in values.items() if n in AWKWARD}
    },
    "empty parameters are not signed": {"signed": lambda values: {n: v for n, v in values.items() if v}},
    "empty parameters are signed, but not sent (CallbackFnFTaskToken)": {
        "signed": lambda values: {**values, "CallbackFnFTaskToken": ""}
    },
    "Format is not signed": {"signed": lambda values: {n: v for n, v in values.items() if n != "Format"}},
    "SignatureMethod, SignatureNonce and SignatureVersion are not signed": {
        "signed": lambda values: {n: v for n, v in values.items() if not n.startswith("Signature")}
    },
    "an empty Signature is signed": {"signed": lambda values: {**values, "Signature": ""}},
    "the time 20": {"signed": lambda values: {**values, "Timestamp": values["Timestamp"].replace("Z", ".123Z")}},
    "a '+' is sent as it is": {"wire": quoting("~+")},
    "values are sent encoded twice": {"wire": lambda text: encode(encode(text))},
    "there is no '&' after the secret": {
        "sign": lambda secret, text: base64.b64encode(hmac_of("sha1", text, SECRET)).decode()
    },
    "the secret of the key 'other-ak'": {"secret": OTHER},
    "ends in a blank or line break": {"secret": SECRET + "\n"},
    "the secret is empty": {"secret": ""},
    "the access key id is used as the secret": {"secret": "ak"},
    "the secret is percent-encoded": {"secret": encode(SECRET)},
    "it is in hex": {"sign": lambda secret, text: hmac_of("sha1", text).hex()},
    "it is Base64 of hex": {
        "sign": lambda secret, text: base64.b64encode(hmac_of("sha1", text).hex().encode()).decode()
    },
    "made with HMAC-SHA256": {"sign": lambda secret, text: base64.b64encode(hmac_of("sha256", text)).decode()},
    "its padding is missing": {"sign": lambda secret, text: signature(secret, text).rstrip("=")},
    "text is encoded as GBK": {
        "canonical": lambda values: canonical_query(values, lambda t: urllib.parse.quote(t.encode("gbk"), safe="-_.~"))
    },
}  # fmt: skip


@pytest.mark.parametrize("words", V1_CLIENTS)
def test_the_mistake_of_a_v1_signature_is_named(service: Service, words: str) -> None:
    client = {"secret": SECRET, "sign": signature, **V1_CLIENTS[words]}
    signed: list[str] = []
    sign = lambda secret, text: (signed.append(text), client["sign"](secret, text))[1]  # noqa: E731
    found = shown(service, v1("StartExecution", AWKWARD, **{**client, "sign": sign}))
    assert words in found["likely_mistake"]
    assert found["likely_mistake"].startswith("your signature: ")
    assert found["client_string_to_sign"] == signed[0]
    in_text = not {"sign", "secret"} & V1_CLIENTS[words].keys()
    assert (found["client_string_to_sign"] != found["string_to_sign"]) is in_text


def test_a_right_signature_is_accepted_so_that_these_clients_are_wrong_by_their_mistake_alone(service: Service) -> None:
    for request in (v1("StartExecution", AWKWARD, secret=SECRET), v1("ListFlows", {}, method="GET", secret=SECRET)):
        assert answer(service.emulator.handle(request))["RequestId"]  # type: ignore[arg-type]


def test_a_plus_in_the_signature_that_is_not_escaped_is_named(service: Service) -> None:
    for number in range(200):
        request = v1("ListFlows", {}, method="GET", secret=SECRET, common={"SignatureNonce": f"n{number}"})
        given = urllib.parse.unquote(request.target.rpartition("Signature=")[2])
        if "+" in given:
            break
    raw = request.target.rpartition("Signature=")[0] + "Signature=" + given.replace("=", "%3D")
    assert "its '+' arrive as spaces" in likely(service, Request("GET", raw, {"host": "h"}))


def test_the_members_of_a_json_body_are_not_to_be_signed(service: Service) -> None:
    body = {"FlowName": "echo", "ExecutionName": "e"}
    signed = v1("StartExecution", {}, secret=SECRET, signed=lambda values: {**values, **body})
    request = Request(
        "POST", signed.target, {"host": "h", "content-type": "application/json"}, json.dumps(body).encode()
    )
    assert "the members of the JSON body are signed" in likely(service, request)


def test_two_mistakes_are_found_together(service: Service) -> None:
    client = {**signed_by(quoting("~", plus=True)), "secret": OTHER}
    found = likely(service, v1("StartExecution", AWKWARD, **client))
    assert "a space is signed as '+', and it is made with the secret of the key 'other-ak'" in found


TIMES = {
    "2024-06-01T00:00:00.500Z": "leave the fraction of the second out",
    "2024-06-01T00:00:00.150944426Z": "leave the fraction of the second out",
    "1717200000000": "send it as text",
    "2024-06-01T08:00:00+08:00": "send it in UTC",
    "2024-06-01T00%3A00%3A00Z": "percent-encoded twice",
    "\u0662\u0660\u0662\u0664-\u0660\u0666-\u0660\u0661T\u0660\u0660:\u0660\u0660:\u0660\u0660Z": "-Duser.language=en",
    "????-??-??T??:??:??Z": "-Duser.language=en",
    "6-06-01T00:00:00Z": "-Duser.language=en",
    "2024-06-01 00:00:00": "",
}


@pytest.mark.parametrize(("moment", "hint"), TIMES.items())
def test_a_time_of_another_form_is_refused_for_that(service: Service, moment: str, hint: str) -> None:
    request = v1("ListFlows", {}, method="GET", secret=SECRET, common={"Timestamp": moment})
    reply = service.emulator.handle(request)
    assert isinstance(reply, Reply)
    assert "Timestamp must be of the form YYYY-MM-DDThh:mm:ssZ" in json.loads(reply.body)["Message"]
    assert hint in dict(reply.headers).get(HEADER, "")


def test_a_year_of_the_buddhist_calendar_is_named(service: Service) -> None:
    year = datetime.now(timezone.utc).year + 543
    moment = f"{year}-06-01T00:00:00Z"
    reply = service.emulator.handle(v1("ListFlows", {}, method="GET", secret=SECRET, common={"Timestamp": moment}))
    assert isinstance(reply, Reply)
    assert json.loads(reply.body)["Code"] == "RequestTimeTooSkewed"
    assert "-Duser.language=en" in dict(reply.headers)[HEADER]


@pytest.mark.parametrize(
    ("scheme", "acs3_on", "hint"),
    [
        ("ACS4-HMAC-SHA256", True, "is of the kind ACS4-HMAC-SHA256: sign with version 1.0 or ACS3-HMAC-SHA256"),
        ("ACS3-HMAC-SHA256", False, "signed with ACS3-HMAC-SHA256, and 'accept_acs3' is off"),
    ],
)
def test_an_authorization_header_that_is_not_read_is_named(scheme: str, acs3_on: bool, hint: str) -> None:
    service = make_service(echo_flow(), accept_acs3=acs3_on)
    request = acs3("ListFlows", {}, method="GET")
    headers = {
        **request.headers,
        "authorization": str(request.headers["authorization"]).replace("ACS3-HMAC-SHA256", scheme),
    }
    reply = service.emulator.handle(Request(request.method, request.target, headers, request.body))
    assert isinstance(reply, Reply)
    assert json.loads(reply.body)["Message"] == "The HTTP query 'AccessKeyId' must be specified."
    assert hint in dict(reply.headers)[HEADER]


OFF = {
    8 * 3600: "is 8 h ahead of the server's (20\\d\\d-.*Z): local time was probably sent as UTC",
    -19800 + 30: "is 5 h 30 min behind the server's (20\\d\\d-.*Z): local time was probably sent as UTC",
    1500: "is 25 min ahead of the server's (20\\d\\d-.*Z)",
    -3 * 86_400: "is 3 d behind the server's (20\\d\\d-.*Z): tests that stop the time need a larger 'max_time_skew'",
}


@pytest.mark.parametrize(("off", "hint"), OFF.items())
def test_it_is_said_by_how_much_a_clock_is_off(service: Service, off: int, hint: str) -> None:
    moment = (datetime.now(timezone.utc) + timedelta(seconds=off)).strftime("%Y-%m-%dT%H:%M:%SZ")
    reply = service.emulator.handle(v1("ListFlows", {}, method="GET", secret=SECRET, common={"Timestamp": moment}))
    assert isinstance(reply, Reply)
    pattern = "the client's clock " + hint.replace("(", "\\(").replace(")", "\\)")
    assert re.fullmatch(pattern, dict(reply.headers)[HEADER])


HOST = "127.0.0.1:8790"
HASH_OF_NOTHING = hashlib.sha256(b"").hexdigest()
ACS3_CLIENTS: dict[str, dict[str, Any]] = {
    "the host '127.0.0.1' is signed": {"instead": {"as_host": "127.0.0.1"}},
    "the host 'cn-hangzhou.fnf.aliyuncs.com' is signed": {"instead": {"as_host": "cn-hangzhou.fnf.aliyuncs.com"}},
    "the host '127.0.0.1:8790' is signed": {"host": f"http://{HOST}", "instead": {"as_host": HOST}},
    "another hash of the body is signed": {"instead": {"as_hash": HASH_OF_NOTHING}},
    "the HTTP method GET is signed": {"instead": {"as_method": "GET"}},
    "another path is signed": {"instead": {"as_path": ""}},
    "the parameters of the form are signed in the query": {"instead": {"as_query": canonical_query(AWKWARD)}},
    "other headers are signed than SignedHeaders names": {"instead": {"as_headers": lambda lines: lines.rstrip("\n")}},
    "the string to sign is put together differently": {
        "instead": {"string": lambda canonical: f"ACS3-HMAC-SHA256\n{canonical}"}
    },
    "there is a '&' after the secret": {"secret": SECRET + "&"},
    "the secret of the key 'other-ak'": {"secret": OTHER},
    "it is in Base64": {
        "instead": {"sign": lambda secret, text: base64.b64encode(hmac_of("sha256", text, SECRET)).decode()}
    },
    "made with HMAC-SHA1": {"instead": {"sign": lambda secret, text: hmac_of("sha1", text, SECRET).hex()}},
}  # fmt: skip


@pytest.mark.parametrize("words", ACS3_CLIENTS)
def test_the_mistake_of_an_acs3_signature_is_named(service: Service, words: str) -> None:
    client = {"secret": SECRET, **ACS3_CLIENTS[words]}
    instead = client.pop("instead", {})
    signed: list[str] = []
    make = instead.get("string", acs3_string)
    string = lambda canonical: (signed.append(canonical), make(canonical))[1]  # noqa: E731
    found = shown(service, acs3("StartExecution", AWKWARD, **client, **{**instead, "string": string}))
    assert words in found["likely_mistake"]
    assert found["client_canonical_request"] == signed[0]
    assert found["client_string_to_sign"] == make(signed[0])


def test_what_the_client_signed_is_shown_without_what_is_secret(service: Service) -> None:
    values = {"FlowName": "a b", "Input": f"{SECRET} and more", "MyPassword": "hush hush"}
    for client in (signed_by(quoting("~", plus=True)), signed_by(str), signed_by(encode, str)):
        found = shown(service, v1("StartExecution", values, secret=SECRET, **client))
        told = urllib.parse.unquote_plus(urllib.parse.unquote_plus(found["client_string_to_sign"]))
        assert "&FlowName=a b&" in told
        assert "&Input=*** and more&" in told
        assert "&MyPassword=***&" in told
        assert "hush" not in told
    for words in ("a '+' is sent as it is", "values are sent encoded twice"):
        found = shown(service, v1("StartExecution", values, secret=SECRET, **V1_CLIENTS[words]))
        told = "".join(urllib.parse.unquote_plus(text) for text in found.values() if text is not None)
        assert "hush" not in urllib.parse.unquote_plus(urllib.parse.unquote_plus(told)), words
    for instead in ({"as_query": canonical_query(values)}, {"string": lambda canonical: canonical}):
        found = shown(service, acs3("StartExecution", values, secret=SECRET, **instead))
        told = urllib.parse.unquote(found["client_canonical_request"] + found["client_string_to_sign"])
        assert "hush" not in told


def test_what_a_client_of_another_secret_signed_is_not_known(service: Service) -> None:
    for client in (v1, acs3):
        found = shown(service, client("ListFlows", {}, method="GET", secret="wrong"))
        assert found["client_string_to_sign"] is None
        assert found.get("client_canonical_request") is None


def test_a_hash_of_another_body_is_named_though_the_signature_is_right(service: Service) -> None:
    signed = acs3("StartExecution", AWKWARD, secret=SECRET)
    request = Request("POST", "/", signed.headers, signed.body + b"&X=1")
    assert "x-acs-content-sha256 is the hash of another body" in likely(service, request)


@pytest.mark.parametrize(
    ("words", "query"),
    [
        ("the query is encoded or sorted otherwise", "NextToken=b%20c&Limit=3"),
        ("the query is encoded or sorted otherwise", "Limit=3&NextToken=b+c"),
        ("the query is left out", ""),
    ],
)
def test_the_query_of_acs3_is_canonical(service: Service, words: str, query: str) -> None:
    right = {"Limit": "3", "NextToken": "b c"}
    signed = acs3("ListFlows", right, method="GET", secret=SECRET)
    headers = {**signed.headers, "authorization": _signature_of(signed, query)}
    assert words in likely(service, Request("GET", f"/?{query or 'Limit=3'}", headers))


def _signature_of(request: Request, query: str) -> str:
    """The Authorization of a client that signs this query."""
    head, _, _ = request.headers["authorization"].rpartition("Signature=")
    names = head.partition("SignedHeaders=")[2].rstrip(",")
    lines = "".join(f"{name}:{request.headers[name]}\n" for name in names.split(";"))
    canonical = "\n".join(("GET", "/", query, lines, names, HASH_OF_NOTHING))
    return f"{head}Signature={acs3_signature(SECRET, acs3_string(canonical))}"


def test_what_the_server_signed_is_shown_to_compare(service: Service) -> None:
    request = v1("ListFlows", {"Limit": "3"}, method="GET", secret="wrong")
    found = shown(service, request)
    query = canonical_query(
        {n: v for n, v in urllib.parse.parse_qsl(request.target[2:], keep_blank_values=True) if n != "Signature"}
    )
    assert found == {
        "canonical_query": query, "string_to_sign": string_to_sign("GET", query), "likely_mistake": None,
        "hint": "most likely the secret of key 'ak' is wrong",
        "client_string_to_sign": None,
    }  # fmt: skip
    found = shown(service, acs3("ListFlows", {"Limit": "3"}, method="GET", secret="wrong"))
    assert found["canonical_query"] == "Limit=3"
    assert found["string_to_sign"].startswith("ACS3-HMAC-SHA256\n")
    assert found["canonical_request"].startswith("GET\n/\nLimit=3\nhost:127.0.0.1:8790\n")


def test_a_fault_says_that_the_signature_is_right(service: Service) -> None:
    Control(service.emulator).add_fault({"error": "SignatureNotMatch"})
    found = shown(service, v1("ListFlows", {}, method="GET", secret=SECRET))
    assert found["likely_mistake"] == "your signature is right: a fault answered this code"


def test_only_calls_refused_for_their_signature_have_one(service: Service) -> None:
    reply = service.emulator.handle(v1("ListFlows", {}, method="GET", secret=SECRET))
    assert isinstance(reply, Reply)
    control = Control(service.emulator)
    with pytest.raises(NotFoundError, match="was not refused for its signature"):
        control.show_signature(reply.request_id)
    assert control.show_call(reply.request_id)["signature"] is None


def test_the_log_and_the_client_are_told_where_to_ask(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "cfmock"):
        reply = service.emulator.handle(v1("ListFlows", {}, method="GET", secret=OTHER))
    assert isinstance(reply, Reply)
    asking = f"GET /_cfmock/signature/{reply.request_id} says why"
    assert dict(reply.headers)["x-cfmock-hint"] == asking
    (line,) = (record.getMessage() for record in caplog.records)
    assert line == f"the signature of a call with the key 'ak' does not match; {asking}"


@pytest.fixture
def diagnosed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The targets of the requests whose signatures were explained."""
    found: list[str] = []
    diagnose = diagnosis.diagnose

    def noted(request: Request, *arguments: Any, **more: Any) -> Any:
        found.append(request.target)
        return diagnose(request, *arguments, **more)

    monkeypatch.setattr(diagnosis, "diagnose", noted)
    return found


@pytest.mark.parametrize("client", [v1, acs3])
@pytest.mark.parametrize("errors", ["documented", "gateway"])
def test_a_signature_is_explained_when_somebody_asks(diagnosed: list[str], client: Any, errors: str) -> None:
    service = make_service({"credentials": [{"access_key_id": "ak", "access_key_secret": SECRET}]}, errors=errors)
    control = Control(service.emulator)
    reply = service.emulator.handle(client("ListFlows", {}, method="GET", secret="wrong"))
    assert isinstance(reply, Reply)
    assert reply.status in (400, 403)
    assert diagnosed == []
    told = control.list_calls()["calls"][0]["hint"]
    assert told == "most likely the secret of key 'ak' is wrong"
    assert len(diagnosed) == 1
    assert control.list_calls()["calls"][0]["hint"] == told
    assert len(diagnosed) == 1, "words are worked out once"


def test_a_list_of_calls_explains_the_newest_few(service: Service, diagnosed: list[str]) -> None:
    for _ in range(call_record.EXPLAINED + 2):
        service.emulator.handle(v1("ListFlows", {}, method="GET", secret="wrong"))
    hints = [call["hint"] for call in Control(service.emulator).list_calls()["calls"]]
    assert len(diagnosed) == call_record.EXPLAINED
    assert [hint.partition(" ")[0] for hint in hints] == ["GET"] * 2 + ["most"] * call_record.EXPLAINED


def test_what_is_kept_to_explain_a_signature_counts_in_the_bytes_of_the_journal(service: Service) -> None:
    large = {"Input": "x" * 100_000}
    service.emulator.handle(v1("StartExecution", large, secret="wrong"))
    headers = {**acs3("StartExecution", large, secret="wrong").headers, "x-large": "x" * 50_000}
    service.emulator.handle(Request("POST", "/", headers, b"Input=" + b"x" * 100_000))
    first, second = service.emulator.journal.find()
    assert 200_000 < first.size < 202_000
    assert 250_000 < second.size < 252_000


def hint_of(service: Service, request: Request) -> str | None:
    """What the journal says of a refused call."""
    service.emulator.handle(request)
    return public_calls(Control(service.emulator).find_calls())[-1].hint


@pytest.mark.parametrize("client", [v1, acs3])
def test_a_wrong_secret_is_what_the_client_is_told_of(service: Service, client: Any) -> None:
    request = client("ListFlows", {"Limit": "3"}, method="GET", secret="wrong")
    assert hint_of(service, request) == "most likely the secret of key 'ak' is wrong"


def test_of_what_is_no_signature_at_all_nothing_is_guessed(service: Service) -> None:
    request = v1("ListFlows", {}, method="GET", secret="wrong")
    target = re.sub("(?<=&Signature=)[^&]*", "bm90IG9uZQ%3D%3D", request.target)
    assert target != request.target
    assert str(hint_of(service, Request("GET", target, request.headers))).startswith("GET /_cfmock/signature/")


@pytest.mark.parametrize(
    ("key", "token", "hint"),
    [
        ("STS.a", None, "key 'STS.a' goes with a security token: send it as SecurityToken"),
        ("STS.a", "another", "the security token is not that of key 'STS.a'"),
        ("STS.old", TOKEN, "the security token of key 'STS.old' has expired (2020-01-01T00:00:00Z)"),
        ("ak", TOKEN, "key 'ak' has no security token: send none with it"),
    ],
)
def test_a_wrong_token_is_what_the_client_is_told_of(key: str, token: str | None, hint: str) -> None:
    old = {
        "access_key_id": "STS.old",
        "access_key_secret": "s",
        "security_token": TOKEN,
        "expires": "2020-01-01T00:00:00Z",
    }
    keys = [
        {"access_key_id": "ak", "access_key_secret": "s"},
        {**old, "access_key_id": "STS.a", "expires": "2100-01-01T00:00:00Z"},
    ]
    service = make_service({"credentials": [*keys, old]})
    request = signed_request("ListFlows", {}, access_key_id=key, access_key_secret="s", security_token=token)
    reply = service.emulator.handle(request)
    assert isinstance(reply, Reply)
    assert json.loads(reply.body)["Code"] == "AccessDenied"
    assert dict(reply.headers)["x-cfmock-hint"] == hint
    (call,) = service.emulator.journal.find()
    assert call.hint == hint
    assert TOKEN not in repr(call)


# -- what is never shown -----------------------------------------------------------------------------------------------

REVEALING = [
    *(pytest.param(lambda c=c: v1("StartExecution", AWKWARD, **{"secret": SECRET, **c}), id=w) for w, c in V1_CLIENTS.items()),
    pytest.param(lambda: v1("ListFlows", {"AccessKeySecret": SECRET}, method="GET", secret=OTHER), id="sent by name"),
    pytest.param(lambda: v1("ListFlows", {"NextToken": SECRET}, method="GET", secret=OTHER), id="sent as something else"),
    pytest.param(
        lambda: v1("ListFlows", {}, method="GET", key="STS.a", secret=OTHER, common={"SecurityToken": TOKEN}), id="token"
    ),
    pytest.param(lambda: acs3("StartExecution", {"Input": SECRET}, secret=OTHER), id="acs3 body"),
    pytest.param(lambda: acs3("ListFlows", {"NextToken": SECRET}, method="GET", secret=OTHER), id="acs3 query"),
]  # fmt: skip


@pytest.mark.parametrize("make", REVEALING)
def test_no_secret_and_no_right_signature_is_ever_shown(
    service: Service, make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    request = make()
    with caplog.at_level(logging.DEBUG, "cfmock"):
        found = shown(service, request)
    (call,) = service.emulator.journal.find()
    listed = Control(service.emulator).show_call(call.request_id)
    del listed["parameters"]  # what the client says of its own is its own
    told = json.dumps([found, listed], ensure_ascii=False) + caplog.text
    for secret in (SECRET, OTHER, TOKEN):
        for form in (secret, encode(secret), encode(encode(secret)), base64.b64encode(secret.encode()).decode()):
            assert form not in told
    text = found["string_to_sign"]
    for key in (f"{SECRET}&", SECRET):
        for name in ("sha1", "sha256"):
            right = hmac.new(key.encode(), text.encode(), name)
            assert base64.b64encode(right.digest()).decode() not in told
            assert right.hexdigest() not in told


# -- robustness --------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    st.sampled_from(["GET", "POST"]),
    st.text(max_size=40),
    st.binary(max_size=60),
    st.sampled_from(["application/x-www-form-urlencoded", "application/json", "application/octet-stream"]),
)
def test_no_request_makes_the_laboratory_fail(method: str, given_signature: str, body: bytes, kind: str) -> None:
    service = make_service({"credentials": [{"access_key_id": "ak", "access_key_secret": SECRET}]})
    signed = v1("ListFlows", {"x": "\ud800"} if False else {}, method="GET", sign=lambda *_: given_signature or "x")
    request = Request(method, signed.target + "&" + body.decode("latin-1"), {"host": "h", "content-type": kind}, body)
    reply = service.emulator.handle(request)
    assert isinstance(reply, Reply)
    assert reply.status < 500, reply.body
    wild = dict(acs3("ListFlows", {}, secret="x").headers, host=given_signature or "h")
    reply = service.emulator.handle(Request(method, "/?" + body.decode("latin-1"), wild, body))
    assert isinstance(reply, Reply)
    assert reply.status < 500, reply.body


LARGE = {"FlowName": "echo", "Input": json.dumps({"a": '" ' * 100_000})}
WIDE = {f"P{number}": "1" for number in range(900)}


def test_the_mistake_in_a_large_request_is_named(service: Service) -> None:
    client = {"secret": SECRET, **V1_CLIENTS["there is no '&' after the secret"]}
    assert "there is no '&'" in likely(service, v1("StartExecution", LARGE, **client))


@pytest.mark.parametrize("parameters", [LARGE, WIDE], ids=["large", "wide"])
@pytest.mark.parametrize(("client", "method"), [(v1, "POST"), (acs3, "GET"), (acs3, "POST")])
def test_the_work_on_a_signature_has_a_bound(
    monkeypatch: pytest.MonkeyPatch, parameters: dict[str, str], client: Any, method: str
) -> None:
    """Whatever the size of the request, and however many keys there are."""
    keys = [{"access_key_id": f"ak{number}", "access_key_secret": f"{number}"} for number in range(300)]
    service = make_service({"credentials": [{"access_key_id": "ak", "access_key_secret": SECRET}, *keys]})
    reply = service.emulator.handle(client("StartExecution", parameters, method=method, secret="unknown"))
    assert isinstance(reply, Reply)
    made: list[int] = []
    hashed: list[int] = []
    canonical, canonical3, digest = signing_mistakes_v1.canonical, signing_mistakes_acs3.Sent3.canonical, hmac.digest
    monkeypatch.setattr(signing_mistakes_v1, "canonical", lambda *args, **more: note(made, canonical(*args, **more)))
    monkeypatch.setattr(
        signing_mistakes_acs3.Sent3, "canonical", lambda *args, **more: note(made, canonical3(*args, **more))
    )
    monkeypatch.setattr(hmac, "digest", lambda key, text, name: (note(hashed, text), digest(key, text, name))[1])
    Control(service.emulator).show_signature(reply.request_id)
    assert 0 < sum(made) < 3 * diagnosis.BUDGET
    assert len(made) < diagnosis.BUDGET / 200 / len(parameters) + 10
    assert 0 < sum(hashed) < 3 * diagnosis.KEYS_BUDGET


def note(sizes: list[int], text: Any) -> Any:
    sizes.append(len(text))
    return text


def test_every_row_says_what_was_done_and_what_to_do() -> None:
    for row in (*signing_mistakes_v1.V1, *signing_mistakes_acs3.ACS3):
        assert row.did
        assert row.cure
        assert not row.did.endswith(".")
