"""What is fed to the targets: strategies for bytes of connections, signed calls, files, definitions and expressions.

Strategies are made once, and what a draw would have to make anew is chosen with dice: hypothesis checks every new strategy,
which would take most of the time.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from cfmock.base import yaml_source
from cfmock.control.endpoints import ENDPOINTS
from cfmock.protocol.spec.model import load
from cfmock.protocol.wire.messages import Request
from tests.fixtures.history.test_reader import FORMS
from tests.fixtures.outer import test_ros, test_serverless_devs, test_terraform
from tests.fixtures.test_mutations import WHOLE
from tests.support import signing
from tests.support.definitions import legacy_flows, mocks, state_machines
from tests.support.hostile import JSON, distorted, expressions
from tests.test_bad_input import BY_NAME, FAN, GOOD, OF_FORMAT, OF_TYPE

SPEC = load()
OPERATIONS = sorted(SPEC.operations)
LONGEST = 100_000
"""Characters of a long text: a tenth of what a request may have."""

DICE = st.randoms(use_true_random=False)
SEEDS = st.integers(0, 2**32)
PIECES = st.sampled_from(
    [*'a*[{(\\"%\n&😀王', "[[", "a*", "- ", "a: ", "&a *a ", "&a: *a\n", "%41", "\x00", "\ud800", "=1&", "$Input", "1"]
)
SMALL = st.text(max_size=12)
LONG = st.builds(lambda begin, piece, times: (begin + piece * times)[:LONGEST], SMALL, PIECES, st.integers(1, LONGEST))
"""One piece many times over: what takes time that grows faster than the text shows here."""

WRONG = st.sampled_from(
    sorted({text for table in (OF_TYPE, OF_FORMAT, BY_NAME) for texts in table.values() for text in texts})
)
JSON_TEXTS = JSON.map(json.dumps)
EXPRESSIONS = expressions()
TEXTS = WRONG | SMALL | JSON_TEXTS | LONG | EXPRESSIONS


def torn(text: str, piece: str, dice: random.Random) -> str:
    """A text with parts of it cut out, doubled or replaced."""
    for _ in range(dice.randint(1, 3)):
        first, last = sorted((dice.randint(0, len(text)), dice.randint(0, len(text))))
        text = text[:first] + dice.choice(["", text[first:last] * 2, piece]) + text[last:]
    return text[:LONGEST]


def written(value: Any, dice: random.Random) -> str:
    """A value as JSON or YAML, as files and requests may hold it: without halves of characters, which YAML cannot name."""
    form = dice.randrange(3)
    with contextlib.suppress(UnicodeEncodeError):
        if form == 0:
            return yaml_source.dump(value)
    return json.dumps(value, ensure_ascii=form == 1).encode("utf-8", "replace").decode()


# -- definitions and files -------------------------------------------------------------------------------------------------


@st.composite
def definitions(draw: st.DrawFn, sound: st.SearchStrategy[Any]) -> tuple[str, list[Any], Any]:
    """The text of a definition, sound, distorted or torn; mocks for its tasks, and an input."""
    definition, dice = draw(sound), draw(DICE)
    if dice.random() < 0.5:
        definition = distorted(definition, dice)
    text = written(definition, dice)
    if dice.random() < 0.25:
        text = torn(text, draw(TEXTS), dice).encode("utf-8", "replace").decode()
    return text, draw(MOCKS), draw(JSON)


MOCKS = mocks()
STATE_MACHINES = definitions(state_machines())
LEGACY_FLOWS = definitions(legacy_flows())


@st.composite
def _fixture_files(draw: st.DrawFn) -> bytes:
    dice = draw(DICE)
    text = written(distorted(WHOLE, dice), dice)
    if dice.random() < 0.5:
        text = torn(text, draw(TEXTS), dice)
    return text.encode("utf-8", "surrogatepass")


FIXTURE_FILES = (
    _fixture_files() | TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=100)
)

SOUND_FILES = {
    "yaml": [
        *(path.read_bytes() for path in sorted((Path(__file__).parents[2] / "fixtures").rglob("*.yaml"))),
        *(text.encode() for text in (test_ros.NIGHTLY, test_ros.SUFFIXED, test_ros.FUNCRAFT, test_ros.SHORT)),
        *(
            text.encode()
            for text in (test_serverless_devs.MAPPING, test_serverless_devs.OLDEST, test_serverless_devs.TEXT)
        ),
    ],
    "tf": [text.encode() for text in (test_terraform.BASIC, test_terraform.VARIABLES, test_terraform.INTERPOLATED)],
    "json": [
        json.dumps(WHOLE).encode(),
        *(form.encode() if isinstance(form, str) else json.dumps(form).encode() for form in FORMS.values()),
    ],
}
"""Files of each suffix: fixtures, definitions, histories, and those of deployment tools."""

FILES = st.sampled_from([(suffix, content) for suffix, contents in SOUND_FILES.items() for content in contents])

CRON_PIECES = st.sampled_from(
    [*"0123456789*?-/,LW#@ ", "MON", "JAN", "Feb", "59", "23", "31", "@every ", "m", "99999999", "2-4", "*/7", "９"]
)
CRON_FIELDS = st.lists(CRON_PIECES, min_size=1, max_size=6).map("".join)
CRON = (
    st.lists(CRON_FIELDS, min_size=5, max_size=7).map(" ".join)
    | st.lists(CRON_PIECES, max_size=20).map("".join)
    | TEXTS
)

EXPRESSION_CASES = st.tuples(EXPRESSIONS | LONG, JSON)
"""An expression, and what it is evaluated with."""


# -- calls -----------------------------------------------------------------------------------------------------------------

OWN_NAMES = {name: st.sampled_from(sorted(row.parameters) or ["None"]) for name, row in SPEC.operations.items()}
OTHER_NAMES = st.sampled_from(["RegionId", "RequestId", "Format", "Nonsense", "Password"]) | SMALL
BOTH_LANGUAGES = st.sampled_from([yaml_source.parse(FAN).value, WHOLE["flows"][1]["definition"]])
DEFINITIONS = st.builds(lambda sound, dice: written(distorted(sound, dice), dice), BOTH_LANGUAGES, DICE)
VALUES = (
    TEXTS | DEFINITIONS | st.sampled_from(sorted({str(value) for call in GOOD.values() for value in call.values()}))
)
FEW = st.integers(1, 3)


def bytewise(text: str) -> str:
    """A text as a client may send it: halves of characters as the bytes that some write for them."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")


@st.composite
def _calls(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    operation = draw(st.sampled_from(OPERATIONS))
    own = OWN_NAMES[operation]
    names = [draw(own), *(draw(OTHER_NAMES if number else own) for number in range(draw(FEW) - 1))]
    return operation, {bytewise(name): bytewise(draw(VALUES)) for name in names}


CALLS = _calls()
"""An operation, and the parameters that are other than those of a good call."""


@st.composite
def _signed_requests(draw: st.DrawFn) -> Request:
    """A call signed in either way, with something of it changed afterwards."""
    operation, changed = draw(CALLS)
    dice = random.Random(draw(SEEDS))  # how long the texts are is a matter of the time, too
    parameters = {bytewise(name): bytewise(str(value)) for name, value in {**GOOD[operation], **changed}.items()}
    parameters = {
        name.encode("utf-8", "replace").decode(): value.encode("utf-8", "replace").decode()
        for name, value in parameters.items()
    }
    sign = dice.choice([signing.v1, signing.acs3])
    secret = dice.choice(["cfmock-secret", "other"])
    request = sign(operation, parameters, method=dice.choice(["GET", "POST"]), key="cfmock", secret=secret)
    target, headers, body = request.target, dict(request.headers), request.body
    match dice.randrange(5):
        case 0:
            target = "/" + torn(target[1:], draw(TEXTS), dice).encode("utf-8", "replace").decode("latin-1")
        case 1:
            body = torn(body.decode("latin-1"), draw(TEXTS), dice).encode("utf-8", "surrogatepass")
        case 2:
            pairs = target[2:].split("&")
            dice.shuffle(pairs)
            target = "/?" + "&".join(pairs[: dice.randint(0, len(pairs))])
        case 3 if headers:
            headers[dice.choice(sorted(headers))] = draw(HEADER_VALUES)
        case _:
            target += "&" + "&".join(f"p{number}={number}" for number in range(dice.choice([1, 10, 1000])))
    return Request(request.method, target, headers, body)


# -- bytes of a connection -------------------------------------------------------------------------------------------------

ADMIN_PATHS = sorted({f"/_cfmock/{endpoint.path}" for endpoint in ENDPOINTS})
TARGETS = ["/", "*", "http://127.0.0.1/", "/x", "/_cfmock", "/_cfmock/", "//", "/_cfmock/openapi.json", *ADMIN_PATHS]
METHODS = ["GET", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "X"]
HEADERS = [
    "Host", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Content-Length", "Connection", "Expect", "Origin",
    "Sec-Fetch-Site", "Authorization", "Accept", "X-Forwarded-For", "x-acs-action", "x-acs-version", "x-acs-date",
    "x-acs-signature-nonce", "x-acs-content-sha256", "x-acs-security-token", "Upgrade",
]  # fmt: skip
HEADER_WORDS = [
    "127.0.0.1", "fnf.cn-shanghai.aliyuncs.com", "application/json", "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b", "gzip", "deflate", "br", "chunked", "gzip, chunked", "close", "keep-alive",
    "100-continue", "http://127.0.0.1", "null", "cross-site", "Bearer x", "ListFlows", "2019-03-15", "2024-06-01T00:00:00Z",
    "ACS3-HMAC-SHA256 Credential=cfmock,SignedHeaders=host,Signature=00", "0", "5", "-1", "h2c", "utf-8; charset=x",
]  # fmt: skip
ADMIN_BODIES = [
    {"error": "ResourceThrottled", "when": {"operation": "*"}, "times": 1}, {"flow": "f", "output": {}}, {"advance": "5m"},
    {"flow": "f", "task": "T", "mocks": [{"returns": 1}]}, {"now": "2030-01-01T00:00:00Z"}, WHOLE,
]  # fmt: skip
PLAIN = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=30)
HEADER_VALUES = (
    st.sampled_from(HEADER_WORDS)
    | PLAIN
    | LONG.map(lambda text: text.encode("ascii", "ignore").decode().replace("\n", "."))
)
BODIES = st.binary(max_size=200) | TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass"))


def encoded(parameters: dict[str, Any]) -> str:
    return urlencode(
        {name: str(value) for name, value in parameters.items()}, quote_via=quote, errors="surrogateescape"
    )


@st.composite
def _requests(draw: st.DrawFn) -> bytes:
    """One request: a call in one of the layouts that clients use, or one of the admin API."""
    operation, changed = draw(CALLS)
    dice = draw(DICE)
    common, own = {"Action": operation, "Version": "2019-03-15", "Format": "JSON"}, {**GOOD[operation], **changed}
    target = dice.choice(["/", dice.choice(TARGETS)])
    headers = {"Host": "127.0.0.1"}
    for _ in range(dice.randrange(3)):
        headers[dice.choice(HEADERS)] = draw(HEADER_VALUES)
    body = b""
    match dice.randrange(5):
        case 0:
            target += "?" + encoded(common | own)
        case 1:
            target += "?" + encoded(common)
            body = encoded(own).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        case 2:
            headers |= {"Content-Type": "application/json", "x-acs-action": operation, "x-acs-version": "2019-03-15"}
            body = json.dumps(own).encode()
        case 3:
            target = dice.choice(ADMIN_PATHS)
            body = json.dumps(distorted(dice.choice(ADMIN_BODIES), dice)).encode()
        case _:
            body = draw(BODIES)
    match dice.randrange(10):
        case 0:
            body, headers["Content-Encoding"] = gzip.compress(body, 1), "gzip"
        case 1:
            body, headers["Content-Encoding"] = zlib.compress(body, 1), "deflate"
    if dice.random() < 0.2:
        headers["Transfer-Encoding"] = "chunked"
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    else:
        headers.setdefault("Content-Length", str(len(body)))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{dice.choice(METHODS)} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1", "replace") + body


@st.composite
def _connections(draw: st.DrawFn) -> bytes:
    dice = draw(DICE)
    data = b"".join(draw(REQUESTS) for _ in range(dice.choice([1, 1, 1, 3])))
    if dice.random() < 0.25:
        at = dice.randint(0, len(data))
        data = data[:at] + dice.randbytes(dice.randrange(20)) + data[at + dice.randrange(20) :]
    return data


REQUESTS = _requests()
SIGNED_REQUESTS = _signed_requests()
CONNECTIONS = _connections()
"""All that one client sends: requests one behind the other, some torn."""
