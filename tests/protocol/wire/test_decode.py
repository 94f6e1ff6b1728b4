"""Requests to parameters and operations, in every layout that clients use."""

from __future__ import annotations

import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfmock.base.errors import ServiceError
from cfmock.protocol.spec.model import load
from cfmock.protocol.wire import decode
from cfmock.protocol.wire.messages import Request

SPEC = load()
FORM = {"content-type": "application/x-www-form-urlencoded"}


def parameters(query: str = "", body: bytes = b"", **headers: str) -> dict[str, str]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return decode.decode_parameters(Request("POST", f"/?{query}", names, body)).values


def operation(method: str = "POST", target: str = "/", body: bytes = b"", **headers: str) -> str:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(method, target, names, body)
    return decode.decode_operation(request, decode.decode_parameters(request), SPEC).name


def refusal(*args: str, **kwargs: str) -> tuple[str, tuple[str, ...]]:
    with pytest.raises(ServiceError) as caught:
        operation(*args, **kwargs)  # type: ignore[arg-type]
    return caught.value.code, caught.value.args


def test_parameters_are_those_of_the_query_and_the_form_and_the_form_wins() -> None:
    assert parameters("A=1&B=2", b"B=3&C=4") == {"A": "1", "B": "3", "C": "4"}


def test_a_body_without_a_content_type_is_a_form() -> None:
    assert parameters(body=b"A=1") == {"A": "1"}


def test_a_json_body_gives_its_top_level_keys() -> None:
    body = b'{"A": "x", "B": {"c": [1, true]}, "D": 3, "E": true, "F": null}'
    found = parameters(body=body, content_type="application/json; charset=utf-8")
    assert found == {"A": "x", "B": '{"c":[1,true]}', "D": "3", "E": "true"}


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff", b"[" * 100_000])
def test_a_json_body_that_is_no_object_is_told_and_raises_nothing(body: bytes) -> None:
    request = Request("POST", "/", {"content-type": "application/json"}, body)
    assert "JSON" in decode.decode_parameters(request).problem


@pytest.mark.parametrize("text", ["a b", "a+b", "~*'()!", "电商", "😀", "a%41&=", "", "\x00\n"])
def test_a_value_is_read_alike_however_it_is_spelt(text: str) -> None:
    for spelt in (urllib.parse.quote(text), urllib.parse.quote_plus(text), urllib.parse.quote(text, safe="*'()!~")):
        request = Request("GET", f"/?Name={spelt}", {})
        found = decode.decode_parameters(request)
        assert found.values == {"Name": text}
        assert found.canonical == f"Name={decode.percent_encode(text)}"


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=12), max_size=6))
def test_what_a_form_encodes_is_what_is_read_and_what_is_signed(pairs: dict[str, str]) -> None:
    found = decode.decode_parameters(Request("POST", "/", FORM, urllib.parse.urlencode(pairs).encode()))
    assert found.values == pairs
    signed = (f"{decode.percent_encode(name)}={decode.percent_encode(pairs[name])}" for name in sorted(pairs))
    assert found.canonical == "&".join(signed)


@given(st.binary(max_size=60))
def test_no_body_makes_decoding_fail(body: bytes) -> None:
    decode.decode_parameters(Request("POST", "/?" + body.decode("latin-1"), FORM, body))


def test_bytes_that_are_no_utf8_are_kept_so_that_their_signature_can_be_checked() -> None:
    found = decode.decode_parameters(Request("GET", "/?Name=%FF", {}))
    assert found.canonical == "Name=%FF"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/?A=1", ("/", "A=1")),
        ("http://cn-hangzhou.fnf.aliyuncs.com/?A=1", ("/", "A=1")),
        ("http://cn-hangzhou.fnf.aliyuncs.com?A=1", ("/", "A=1")),
        ("/x/y", ("/x/y", "")),
        ("http://h/x?u=http://z", ("/x", "u=http://z")),
    ],
)
def test_a_target_may_be_absolute(target: str, expected: tuple[str, str]) -> None:
    assert decode.split_target(target) == expected


def test_the_action_stands_in_the_query_the_form_or_a_header() -> None:
    assert operation(target="/?Action=ListFlows&Version=2019-03-15", method="GET") == "ListFlows"
    assert operation(body=b"Action=ListFlows&Version=2019-03-15") == "ListFlows"
    assert operation(x_acs_action="ListFlows", x_acs_version="2019-03-15") == "ListFlows"


def test_what_is_missing_or_unknown_is_named() -> None:
    assert refusal(target="/?Version=2019-03-15") == ("MissingRequiredParams", ("Action",))
    assert refusal(target="/?Action=ListFlows") == ("MissingRequiredParams", ("Version",))
    assert refusal(target="/?Action=Nope&Version=2019-03-15") == ("ActionNotSupported", ("Nope",))
    assert refusal(target="/?Action=ListFlows&Version=2020-01-01") == ("APIVersionNotSupported", ("2020-01-01",))
    assert refusal(authorization="ACS3-HMAC-SHA256 x") == ("MissingRequiredHeader", ("x-acs-action",))


def test_a_wrong_path_or_method_is_no_action() -> None:
    assert refusal("PUT", "/?Action=ListFlows&Version=2019-03-15")[0] == "ActionNotSupported"
    assert refusal("GET", "/v1?Action=ListFlows&Version=2019-03-15")[0] == "ActionNotSupported"
    assert refusal("GET", "/v1") == ("ActionNotSupported", ("GET /v1",))


@pytest.mark.parametrize(
    ("kind", "taken"),
    [
        ("application/x-www-form-urlencoded; charset=utf-8", True),
        ("Application/JSON", True),
        ("application/octet-stream", True),
        ("", True),
        ("text/plain", False),
        ("application/xml", False),
        ("multipart/form-data; boundary=x", False),
    ],
)
def test_only_forms_json_and_octets_are_taken(kind: str, taken: bool) -> None:
    request = Request("POST", "/", {"content-type": kind}, b"x")
    if taken:
        decode.check_media_type(request, decode.decode_parameters(request))
    else:
        with pytest.raises(ServiceError, match="UnsupportedMediaType"):
            decode.check_media_type(request, decode.decode_parameters(request))


def test_the_media_type_of_no_body_does_not_matter() -> None:
    request = Request("GET", "/", {"content-type": "text/plain"})
    decode.check_media_type(request, decode.decode_parameters(request))


@pytest.mark.parametrize(
    ("chosen", "echoed"),
    [
        ("8A3D2C1B-0000-5000-A000-123456789ABC", True),
        ("testRequestId", True),
        ("a b", False),
        ("<script>", False),
        ("x" * 65, False),
        ("", False),
    ],
)
def test_a_callers_request_id_is_taken_if_it_looks_like_one(chosen: str, echoed: bool) -> None:
    request = Request("GET", f"/?RequestId={urllib.parse.quote(chosen)}", {})
    assert decode.caller_request_id(decode.decode_parameters(request)) == (chosen if echoed else None)


@pytest.mark.parametrize(
    ("query", "host", "region"),
    [
        ("RegionId=cn-beijing", "cn-shanghai.fnf.aliyuncs.com", "cn-beijing"),
        ("", "cn-shanghai.fnf.aliyuncs.com", "cn-shanghai"),
        ("", "http://cn-shanghai-internal.fnf.aliyuncs.com:80", "cn-shanghai"),
        ("", "123.us-west-1.fnf.aliyuncs.com", "us-west-1"),
        ("", "127.0.0.1:8790", None),
        ("RegionId=mars", "localhost", None),
    ],
)
def test_the_region_is_named_by_parameter_or_host(query: str, host: str, region: str | None) -> None:
    request = Request("GET", f"/?{query}", {"host": host})
    assert decode.region(request, decode.decode_parameters(request), SPEC) == region


WIRE_TEXT = st.text(st.sampled_from("aZ09-_.~%=&+ /;2F41e%%=&你\x00\\"), max_size=24)


@given(WIRE_TEXT)
def test_pairs_are_read_and_encoded_again_by_the_book_however_they_are_written(text: str) -> None:
    values: dict[str, str] = {}
    encoded: dict[str, str] = {}
    decode.read_pairs(text, values, encoded)
    by_the_book = [piece.partition("=") for piece in text.replace("+", "%20").split("&") if piece]
    pairs = {
        urllib.parse.unquote(name, errors="surrogateescape"): urllib.parse.unquote(value, errors="surrogateescape")
        for name, _, value in by_the_book
    }
    assert values == pairs
    assert encoded == {
        name: f"{decode.percent_encode(name)}={decode.percent_encode(value)}" for name, value in pairs.items()
    }


@pytest.mark.parametrize("byte", range(256))
def test_every_byte_is_read_from_the_escape_that_stands_for_it(byte: int) -> None:
    values: dict[str, str] = {}
    text = bytes([byte]).decode("utf-8", "surrogateescape")
    decode.read_pairs(
        f"a{decode.percent_encode(text)}={decode.percent_encode(text)}&b=%{byte:02X}&c=%{byte:02x}", values, {}
    )
    assert values == {f"a{text}": text, "b": text, "c": text}


# -- bounds ------------------------------------------------------------------------------------------------------------


def test_there_are_at_most_a_thousand_parameters() -> None:
    most = [f"P{number}=1" for number in range(decode.MAX_PARAMETERS)]
    query, form = "&".join(most[:400]), "&".join(most[400:])
    assert len(parameters(query, form.encode(), **FORM)) == decode.MAX_PARAMETERS
    for more in (
        (f"{query}&X=1", form),
        (query, f"{form}&X=1"),
        (query, f"{form}&X"),
        ("&".join(["a=1"] * 350_000), ""),
    ):
        with pytest.raises(ServiceError, match="InvalidArgument") as caught:
            parameters(more[0], more[1].encode(), **FORM)
        assert caught.value.detail == "There are more than 1000 parameters."


def test_a_json_body_has_at_most_as_many_members() -> None:
    for more, problem in ((0, ""), (1, "There are more than 1000 parameters.")):
        members = {f"P{number}": [] for number in range(decode.MAX_PARAMETERS + more)}
        request = Request("POST", "/", {"content-type": "application/json"}, json.dumps(members).encode())
        found = decode.decode_parameters(request)
        assert (found.problem, len(found.values)) == (problem, 0 if more else decode.MAX_PARAMETERS)


def test_ampersands_in_what_is_no_form_do_not_count() -> None:
    body = json.dumps({"Input": "&" * 2000}).encode()
    assert parameters("", body, content_type="application/json") == {"Input": "&" * 2000}


@given(st.text(st.sampled_from("%0aF2é+=\udc80"), max_size=20))
def test_escapes_are_read_as_urllib_reads_them(text: str) -> None:
    def raw(found: str) -> bytes:
        return found.encode("utf-8", "surrogateescape")

    assert raw(decode.unquote(text)) == urllib.parse.unquote_to_bytes(raw(text))
