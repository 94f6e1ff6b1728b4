"""Why a signature does not match: what the server signed, and which known mistake makes the client's signature of it. No secret
and no right signature leaves this module."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import asdict, replace

from cfmock.protocol.auth import request_credentials, signature, signing_mistakes_acs3, signing_mistakes_v1
from cfmock.protocol.auth.refused_signature import RIGHT, Diagnosis
from cfmock.protocol.auth.signing_mistakes_acs3 import Sent3
from cfmock.protocol.auth.signing_mistakes_v1 import Pair, Sent, SigningMistake
from cfmock.protocol.wire.decode import FORM, JSON, decode_parameters, percent_encode, read_pairs, unquote
from cfmock.protocol.wire.messages import Parameters, Request

if TYPE_CHECKING:
    from cfmock.protocol.auth.credentials import Credential

BUDGET = 3_000_000
"""How many characters of strings to sign are made and tried, all together: other calls wait meanwhile."""

KEYS_BUDGET = 20_000_000
"""How many characters are hashed with the keys that a client may have taken. Hashing is quicker than making strings."""

_SECRET = re.compile(r"secret|password|passwd|credential|private|bearer|security.?token", re.IGNORECASE)
"""Names of parameters whose values are not shown."""

_HIDDEN = "x0secret-of-somebody0x"
"""Stands for a secret while texts are made again: no encoding changes it. It is shown as `***`."""


def diagnose(request: Request, credential: Credential, others: Iterable[Credential], *, acs3: bool) -> Diagnosis:
    """Explain why a signature (`acs3`, or V1) does not match under its credential. `others` are all credentials known."""
    others = tuple(others)
    secret_parts = ((each.access_key_secret, each.security_token, each.bearer_token) for each in others)
    secrets = tuple(filter(None, itertools.chain.from_iterable(secret_parts)))
    found = (_diagnose_acs3 if acs3 else _diagnose_v1)(request, _without_secrets(request, secrets), credential, others)
    return _starred(found)


def by_fault(request: Request) -> Diagnosis:
    """What a fault's SignatureNotMatch has to say for itself."""
    query, text = _signed_v1(_without_secrets(request, ()))
    return _starred(Diagnosis(query, text, RIGHT, client_string_to_sign=text))


def _starred(found: Diagnosis) -> Diagnosis:
    return Diagnosis(**{name: text and text.replace(_HIDDEN, "***") for name, text in asdict(found).items()})


def _without_secrets(request: Request, secrets: tuple[str, ...]) -> Request:
    """The request with `_HIDDEN` in place of what is secret: by its name, or because a client sent a key's secret under any."""

    def hidden(name: str, value: str, sent: str = "") -> str:
        if value and _SECRET.search(name):
            return _HIDDEN
        found = max((each for each in secrets if value.startswith(each)), key=len, default="")
        if found:
            return _HIDDEN + value[len(found) :]
        read_otherwise = unquote(value), unquote(sent), value.strip()  # as some mistakes do
        return _HIDDEN if any(each.startswith(secrets) for each in read_otherwise) else value

    def hidden_piece(piece: str) -> str:
        for pair in _pairs(piece, ""):
            value = hidden(pair.name, pair.value, piece.partition("=")[2])
            return piece if value == pair.value else f"{percent_encode(pair.name)}={percent_encode(value)}"
        return piece

    def hidden_pairs(text: str) -> str:
        return "&".join(map(hidden_piece, text.split("&")))

    path, mark, query = request.target.partition("?")
    parameters = decode_parameters(request)
    body = request.body
    if parameters.media_type == FORM:
        body = _encoded(hidden_pairs(_form(request, parameters)))
    elif members := {pair.name: pair.value for pair in _json_members(request, parameters)}:
        shown = {name: hidden(name, value) for name, value in members.items()}
        body = body if shown == members else json.dumps(shown).encode()
    headers = {
        name.lower(): _HIDDEN if value and name.lower() == _TOKEN else hidden("", value.strip())
        for name, value in request.headers.items()
    }
    return replace(request, target=f"{path}{mark}{hidden_pairs(query)}", headers=headers, body=body)


_TOKEN = "x-acs-security-token"  # noqa: S105 - the name of a header


def _pairs(text: str, place: str) -> Iterator[Pair]:
    for piece in text.split("&"):
        values: dict[str, str] = {}
        read_pairs(piece, values, {})
        for name, value in values.items():
            yield Pair(name, value, piece, place)


def _form(request: Request, parameters: Parameters) -> str:
    return request.body.decode("utf-8", "surrogateescape") if parameters.media_type == FORM else ""


def _json_members(request: Request, parameters: Parameters) -> tuple[Pair, ...]:
    if parameters.media_type != JSON or not request.body or parameters.problem:
        return ()
    return tuple(Pair(name, parameters.values.get(name, ""), "", "body") for name in json.loads(request.body))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


# -- V1 ----------------------------------------------------------------------------------------------------------------


def _diagnose_v1(request: Request, hidden: Request, credential: Credential, others: Iterable[Credential]) -> Diagnosis:
    parameters = decode_parameters(request)
    right = signature.v1_string_to_sign(request.method, parameters.canonical)
    given = parameters.values.get("Signature", "")
    judge = _judge(credential, others, given, len(right), suffix="&", algorithm="sha1")
    cost = len(right) + _EACH * len(parameters.values)
    likely = _likely(judge, right, signing_mistakes_v1.V1, _sent_v1(request, parameters), cost)
    query, text = _signed_v1(hidden)
    if likely is None:
        return Diagnosis(query, text, None, guess=judge.guess(credential))
    signed = likely.again(_sent_v1(hidden, decode_parameters(hidden))) or text
    return Diagnosis(query, text, likely.words, client_string_to_sign=signed)


def _signed_v1(request: Request) -> tuple[str, str]:
    """The canonical query and the string to sign."""
    query = decode_parameters(request).canonical
    return query, signature.v1_string_to_sign(request.method, query)


def _sent_v1(request: Request, parameters: Parameters) -> Sent:
    pairs = *_pairs(parameters.query, "query"), *_pairs(_form(request, parameters), "body")
    return Sent(request, pairs, _json_members(request, parameters))


# -- ACS3 --------------------------------------------------------------------------------------------------------------


def _diagnose_acs3(
    request: Request, hidden: Request, credential: Credential, others: Iterable[Credential]
) -> Diagnosis:
    sent, told = _sent_acs3(request), _sent_acs3(hidden, hashed=False)
    authorization = sent.authorization
    algorithm = signature.ALGORITHMS[authorization.algorithm]
    right = sent.text()
    judge = _judge(credential, others, authorization.signature, len(right), suffix="", algorithm=algorithm)
    right_hash = signature.acs3_payload_hash(authorization.algorithm, request.body)
    if sent.given_hash.lower() != right_hash and judge.how(right) == ():
        words = _words([("x-acs-content-sha256 is the hash of another body", "hash the bytes that are sent")])
        likely: _Likely | None = _Likely(words)
    else:
        headers = sum(map(len, request.headers.values())) + _EACH * len(request.headers)
        cost = len(sent.canonical()) + headers + len(request.body) + _EACH * (len(sent.query) + len(sent.form))
        likely = _likely(judge, right, signing_mistakes_acs3.ACS3, sent, cost)
    server = Diagnosis(told.right_query, right, None, told.canonical())
    if likely is None:
        return replace(server, guess=judge.guess(credential))
    framed = likely.row is signing_mistakes_acs3.FRAME  # whose text may hold the canonical request itself
    return replace(
        server,
        likely_mistake=likely.words,
        client_string_to_sign=likely.text.replace(sent.canonical(), told.canonical()) or right,
        client_canonical_request=(None if framed else likely.again(told)) or told.canonical(),
    )


def _sent_acs3(request: Request, *, hashed: bool = True) -> Sent3:
    authorization = signature.parse_authorization(request.header("authorization"))
    assert authorization is not None, "a signature that does not match has been read"
    parameters = decode_parameters(request, acs3=True)
    query, form = _pairs(parameters.query, "query"), _pairs(_form(request, parameters), "body")
    return Sent3(request, authorization, tuple(query), tuple(form), parameters.canonical, hashed)


# -- trying ------------------------------------------------------------------------------------------------------------

Words = tuple[str, str]
"""What was done, and what to do instead."""


class Judge(Struct, frozen=True):
    """Tells how the given signature comes of a string to sign. `how` gives the mistakes made beside the string, None if it does
    not come of it; `quick` tries the right key and form only; `ways` is how many others `how` tries."""

    how: Callable[[str], tuple[Words, ...] | None]
    quick: Callable[[str], bool]
    ways: int

    def guess(self, credential: Credential) -> str | None:
        """What is most likely where none of that is so, unless the signature has not even the form of one."""
        if not self.ways:
            return None
        what = "secret" if credential.public_key is None else "private key"
        return f"most likely the {what} of key '{credential.access_key_id}' is wrong"


class _Likely(Struct, frozen=True):
    """An explanation of a signature; the text that was signed, unless it is right, is the `number`-th of a `row` of mistakes."""

    words: str
    row: SigningMistake | None = None
    number: int = 0
    text: str = ""

    def again(self, sent: Sent | Sent3) -> str | None:
        """The text that comes of the same mistake for another request of the same parameters; None if it is the right one."""
        if self.row is None:
            return None
        made = next(itertools.islice(self.row.texts(sent), self.number, None))
        return made[0] if isinstance(made, tuple) else made


def _likely(judge: Judge, right: str, table: Iterable[SigningMistake], sent: Sent | Sent3, cost: int) -> _Likely | None:
    """The fewest mistakes that explain the signature: in key or form alone, in the string alone, in both. To make a string
    takes about `cost` characters of the budget."""
    found = judge.how(right)
    if found is not None:
        return _Likely(_words(found)) if found else None
    tried: list[tuple[Words, _Likely]] = []
    for words, made in _texts(table, sent, BUDGET // cost):
        if judge.quick(made.text):
            return replace(made, words=_words([words]))
        if len(tried) < _PAIRED:
            tried.append((words, made))
    spent = 0
    for words, made in tried:
        spent += (len(made.text) + _HASHED) * judge.ways
        if spent > KEYS_BUDGET:
            return None
        ways = judge.how(made.text)
        if ways is not None:
            return replace(made, words=_words([words, *ways]))
    return None


def _texts(table: Iterable[SigningMistake], sent: Sent | Sent3, most: int) -> Iterator[tuple[Words, _Likely]]:
    """The strings to sign that come of the mistakes, up to so many; none is made beyond that."""
    made = ((row, number, each) for row in table for number, each in enumerate(row.texts(sent)))
    for row, number, each in itertools.islice(made, most):
        text, detail = each if isinstance(each, tuple) else (each, "")
        yield (row.did.replace("{}", detail), row.cure), _Likely("", row, number, text)


_EACH = 200  # characters that are encoded in the time that a pair or a header takes beside its own
_PAIRED = 300  # strings to sign that are tried with other keys and forms, too


def _words(made: Iterable[Words]) -> str:
    made = tuple(made)
    cures = " ".join(f"{cure[:1].upper()}{cure[1:]}." for _, cure in made)
    return f"your signature: {', and '.join(did for did, _ in made)}. {cures}"


def _judge(
    credential: Credential, others: Iterable[Credential], given: str, length: int, *, suffix: str, algorithm: str
) -> Judge:
    """Of strings to sign that are about this long."""
    if credential.public_key is not None:
        quick = partial(request_credentials.rsa_right, credential, given)
        return Judge(lambda text: () if quick(text) else None, quick, 1)
    wanted = dict(_digests(given, hexadecimal=not suffix))
    keys = dict(_keys(credential, others, suffix)[-max(1, KEYS_BUDGET // (length + _HASHED)) :])
    right_key = (credential.access_key_secret + suffix).encode()
    right_digests = frozenset(digest for digest, words in wanted.items() if words is None)
    hashes = [name for name, size in _HASHES.items() if any(len(digest) == size for digest in wanted)]

    def how(text: str) -> tuple[Words, ...] | None:
        data = _encoded(text)
        for key, key_words in keys.items():
            for name in hashes:
                form_words = wanted.get(hmac.digest(key, data, name), _UNWANTED)
                if form_words is not _UNWANTED:
                    other_hash = f"it is made with HMAC-{name.upper()}", f"make it with HMAC-{algorithm.upper()}"
                    made = (key_words, form_words, None if name == algorithm else other_hash)
                    return tuple(words for words in made if words is not None)
        return None

    def is_right(text: str) -> bool:
        return hmac.digest(right_key, _encoded(text), algorithm) in right_digests

    return Judge(how, is_right, len(keys) * len(hashes))


_HASHED = 2000  # characters that are hashed in the time that a key takes beside them
_SIZES = {"sha1": 20, "sha256": 32, "md5": 16, "sm3": 32}
_HASHES = {name: size for name, size in _SIZES.items() if name in hashlib.algorithms_available}
_UNWANTED: Words = ("", "")


def _keys(credential: Credential, others: Iterable[Credential], suffix: str) -> list[tuple[bytes, Words | None]]:
    """What the client may have signed with, likeliest last: the words of a key that comes twice are those of the last."""
    secret = credential.access_key_secret
    other_secret = "it is made with the secret of the key '{}'", "use the secret of the key that is named"
    found: list[tuple[str, Words | None]] = [
        (f"{other.access_key_secret}{suffix}", (other_secret[0].format(other.access_key_id), other_secret[1]))
        for other in others
        if other.access_key_secret not in ("", secret)
    ]
    if suffix:
        found += [
            (secret, ("there is no '&' after the secret", "sign with the secret and '&'")),
            (f"{secret}&&", ("there are two '&' after the secret", "sign with the secret and one '&'")),
            (f"&{secret}", ("the '&' is before the secret", "put it after the secret")),
        ]
    else:
        found.append((f"{secret}&", ("there is a '&' after the secret", "sign with the bare secret")))
    blank = "a secret that ends in a blank or line break is used", "strip it where it is read"
    hashed = hashlib.sha1(secret.encode()).hexdigest()  # noqa: S324 - a mistake, not a protection
    found += [(f"{secret}{space}{suffix}", blank) for space in ("\n", "\r\n", " ")]
    found += [
        (suffix or "\0", ("the secret is empty", "set it")),
        (credential.access_key_id + suffix, ("the access key id is used as the secret", "use the secret")),
        (percent_encode(secret) + suffix, ("the secret is percent-encoded", "use it as it is")),
        (hashed + suffix, ("a hash of the secret is used", "use the secret itself")),
        (secret + suffix, None),
    ]
    return [(key.encode(), words) for key, words in found]


def _digests(given: str, *, hexadecimal: bool) -> Iterator[tuple[bytes, Words | None]]:
    """The digests that the given signature may stand for, the right reading last."""
    right = "write it in hex" if hexadecimal else "write it in Base64"
    twice = unquote(given)
    plus = given.replace(" ", "+")
    padded = given + "=" * (-len(given) % 4)
    changed: list[tuple[Callable[[str], bytes], str, Words | None]] = [
        (_base64, twice, ("it is sent percent-encoded twice", "encode it once")),
        (_base64, plus, ("it is sent without percent-encoding, so that its '+' arrive as spaces", "send '+' as %2B")),
        (_base64, padded, ("its padding is missing", "keep the '=' at its end")),
        (_base64, given.strip(), ("it is sent with blanks or line breaks around it", "send it without")),
    ]
    readings: list[tuple[Callable[[str], bytes], str, Words | None]] = [
        (_hex_in_base64, given, ("it is Base64 of hex", f"{right}, of the bytes")),
        (base64.urlsafe_b64decode, padded, ("it is in Base64 for URLs", right)),
        (binascii.unhexlify, given, ("it is in hex", right)),
        (_base64, given, ("it is in Base64", right)),
        *(reading for reading in changed if reading[1] != given),
    ]
    readings.append((binascii.unhexlify, given, None) if hexadecimal else (_base64, given, None))
    for read, text, words in readings:
        try:
            yield read(text), words
        except ValueError:
            continue


def _base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _hex_in_base64(text: str) -> bytes:
    return binascii.unhexlify(_base64(text))
