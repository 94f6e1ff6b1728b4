"""Why a signature does not match: what the server signed, and which known mistake makes the client's signature of it.

No secret and no right signature leaves this module: what is told is what the client sent, which text it signed, and in words
what it did.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import itertools
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from cfmock.protocol.auth import request_credentials, signature, signing_mistakes_acs3, signing_mistakes_v1
from cfmock.protocol.auth.refused_signature import RIGHT, Diagnosis
from cfmock.protocol.auth.signing_mistakes_acs3 import Mistake3, RequestOnly, Sent3
from cfmock.protocol.auth.signing_mistakes_v1 import Pair, Sent, SigningMistake
from cfmock.protocol.wire.decode import FORM, canonical_query, decode_parameters, percent_encode, read_pairs, unquote
from cfmock.protocol.wire.messages import Parameters, Request

if TYPE_CHECKING:
    from cfmock.protocol.auth.credentials import Credential

BUDGET = 3_000_000
"""How many characters of strings to sign are made and tried, all together: other calls wait meanwhile."""

KEYS_BUDGET = 20_000_000
"""How many characters are hashed with the keys that a client may have taken. Hashing is quicker than making strings."""

_SECRET = re.compile(r"secret|password|passwd|credential|private|bearer|security.?token", re.IGNORECASE)
"""Names of parameters whose values are not shown."""


def diagnose(request: Request, credential: Credential, others: Iterable[Credential], *, acs3: bool) -> Diagnosis:
    """Explain why the signature of a request does not match under its credential. `others` are all that are known; `acs3`
    says how it is signed."""
    others = tuple(others)
    parameters = decode_parameters(request)
    secrets = tuple(
        secret
        for each in others
        for secret in (each.access_key_secret, each.security_token, each.bearer_token)
        if secret
    )
    found = (_diagnose_acs3 if acs3 else _diagnose_v1)(request, parameters, credential, others, secrets)
    return _without_secrets(found, secrets)


def by_fault(request: Request) -> Diagnosis:
    """What a fault's SignatureNotMatch has to say for itself."""
    query = canonical_query(_shown(request, decode_parameters(request)))
    text = signature.v1_string_to_sign(request.method, query)
    return Diagnosis(query, text, RIGHT, client_string_to_sign=text)


def _without_secrets(found: Diagnosis, secrets: tuple[str, ...]) -> Diagnosis:
    """Take out secrets, should a client have sent one in a parameter of whatever name."""
    once = tuple(map(percent_encode, secrets))
    twice = tuple(map(percent_encode, once))

    signed = found.client_string_to_sign

    def without(request: str | None) -> str | None:
        if request is None:
            return None
        return "\n".join(_masked(line, ":", secrets, 1) for line in _masked(request, "=", once).split("\n"))

    return replace(
        found,
        canonical_query=_masked(found.canonical_query, "=", once),
        string_to_sign=_masked(found.string_to_sign, "%3D", twice),
        canonical_request=without(found.canonical_request),
        client_string_to_sign=without(signed and _masked(signed, "%3D", twice)),
        client_canonical_request=without(found.client_canonical_request),
    )


def _masked(text: str, mark: str, secrets: tuple[str, ...], most: int = -1) -> str:
    """The text with `***` for each secret right behind a mark; only the first `most` marks are looked at."""

    def shown(part: str) -> str:
        if not part.startswith(secrets):
            return part
        return "***" + part[max(len(each) for each in secrets if part.startswith(each)) :]

    head, *parts = text.split(mark, most)
    return mark.join((head, *map(shown, parts)))


# -- V1 ----------------------------------------------------------------------------------------------------------------


def _diagnose_v1(
    request: Request,
    parameters: Parameters,
    credential: Credential,
    others: Iterable[Credential],
    secrets: tuple[str, ...],
) -> Diagnosis:
    right = signature.v1_string_to_sign(request.method, parameters.canonical)
    given = parameters.values.get("Signature", "")
    judge = _judge(credential, others, given, len(right), suffix="&", algorithm="sha1")
    cost = len(right) + _EACH * len(parameters.values)
    pairs = _pairs_of(request, parameters) if cost <= BUDGET else ()  # of a larger request no other string is made
    sent = Sent(request, tuple(pairs), tuple(_json_members(request, parameters)))
    likely = _likely(judge, right, signing_mistakes_v1.V1, sent, cost)
    query = canonical_query(_shown(request, parameters))
    shown = signature.v1_string_to_sign(request.method, query)
    if likely is None:
        return Diagnosis(query, shown, None, guess=judge.guess(credential))
    signed = likely.again(Sent(request, _hidden(sent.pairs, secrets), _hidden(sent.json, secrets)))
    text = shown if signed is None else signed.replace(_NAMED, "%2A%2A%2A").replace(_KNOWN, "***")
    return Diagnosis(query, shown, likely.words, client_string_to_sign=text)


def _shown(request: Request, parameters: Parameters) -> dict[str, str]:
    """The pieces that are signed, without what they hold that is secret."""
    values: dict[str, str] = {}
    pieces: dict[str, str] = {}
    for text, _ in _pair_texts(request, parameters):
        read_pairs(text, values, pieces)
    return {name: f"{name}=***" if _SECRET.search(name) and values[name] else piece for name, piece in pieces.items()}


_NAMED, _KNOWN = "x0secret-by-its-name0x", "x0secret-of-a-key0x"
"""Stand for values that are not shown while a text is made again: no encoding changes them."""


def _hidden(pairs: Iterable[Pair], secrets: tuple[str, ...]) -> tuple[Pair, ...]:
    """The parameters, without what they hold that is secret."""

    def value(pair: Pair) -> str:
        if _SECRET.search(pair.name) and pair.value:
            return _NAMED
        found = max((each for each in secrets if pair.value.startswith(each)), key=len, default="")
        return _KNOWN + pair.value[len(found) :] if found else pair.value

    changed = ((pair, value(pair)) for pair in pairs)
    return tuple(
        pair if now == pair.value
        else pair._replace(value=now, raw=f"{percent_encode(pair.name)}={percent_encode(now)}" if pair.raw else "")
        for pair, now in changed
    )  # fmt: skip


def _pairs_of(request: Request, parameters: Parameters) -> Iterator[Pair]:
    for text, place in _pair_texts(request, parameters):
        for piece in text.split("&"):
            values: dict[str, str] = {}
            read_pairs(piece, values, {})
            for name, value in values.items():
                yield Pair(name, value, piece, place)


def _pair_texts(request: Request, parameters: Parameters) -> Iterator[tuple[str, str]]:
    """The texts that hold pairs, and their places."""
    yield parameters.query, "query"
    if parameters.media_type == FORM:
        yield request.body.decode("utf-8", "surrogateescape"), "body"


def _json_members(request: Request, parameters: Parameters) -> Iterator[Pair]:
    if parameters.media_type != "application/json" or not request.body or parameters.problem:
        return
    for name in json.loads(request.body):
        yield Pair(name, parameters.values.get(name, ""), "", "body")


# -- ACS3 --------------------------------------------------------------------------------------------------------------


def _diagnose_acs3(
    request: Request,
    parameters: Parameters,
    credential: Credential,
    others: Iterable[Credential],
    secrets: tuple[str, ...],
) -> Diagnosis:
    authorization = signature.parse_authorization(request.header("authorization"))
    assert authorization is not None, "a signature that does not match has been read"
    pairs = tuple(_pairs_of(request, parameters))
    query = tuple(pair for pair in pairs if pair.place == "query")
    form = tuple(pair for pair in pairs if pair.place == "body")
    sent = Sent3(request, authorization, query, form, signing_mistakes_v1.canonical(query))
    algorithm = signature.ALGORITHMS[authorization.algorithm]
    right = sent.text()
    judge = _judge(credential, others, authorization.signature, len(right), suffix="", algorithm=algorithm)
    right_hash = signature.acs3_payload_hash(authorization.algorithm, request.body)
    if sent.given_hash.lower() != right_hash and judge.how(right) == ():
        words = _words([("x-acs-content-sha256 is the hash of another body", "hash the bytes that are sent")])
        likely: _Likely | None = _Likely(words)
    else:
        headers = sum(map(len, request.headers.values())) + _EACH * len(request.headers)
        cost = len(sent.canonical()) + headers + len(request.body) + _EACH * len(pairs)
        likely = _likely(judge, right, signing_mistakes_acs3.ACS3, sent, cost)
    token = request.header("x-acs-security-token")

    def shown(text: str) -> str:
        text = text.replace(_NAMED, "***").replace(_KNOWN, "***")
        return text.replace(f":{token}", ":***") if token else text

    hidden_query = _hidden(query, secrets)
    hidden = RequestOnly(
        request, authorization, hidden_query, _hidden(form, secrets), signing_mistakes_v1.canonical(hidden_query)
    )
    server = Diagnosis(shown(hidden.right_query), right, None, shown(hidden.canonical()))
    if likely is None:
        return replace(server, guess=judge.guess(credential))
    framed = likely.row in (None, signing_mistakes_acs3.FRAME)
    signed = None if framed else likely.again(hidden)
    return replace(
        server,
        likely_mistake=likely.words,
        client_string_to_sign=shown(likely.text) if likely.text else server.string_to_sign,
        client_canonical_request=server.canonical_request if signed is None else shown(signed),
    )


# -- trying ------------------------------------------------------------------------------------------------------------

Words = tuple[str, str]
"""What was done, and what to do instead."""


class Judge(Struct, frozen=True):
    """Tells how the signature that was given comes of a string to sign: `how` gives the mistakes made beside the string,
    none for a right key and form, or None if it does not come of it. `quick` tries the right key and form only; `ways` is how
    many others `how` tries."""

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
    """An explanation of a signature: words, and the text that was signed if it is not the right one, the `number`-th of the
    `row` of mistakes."""

    words: str
    row: SigningMistake | Mistake3 | None = None
    number: int = 0
    text: str = ""

    def again(self, sent: Sent | Sent3) -> str | None:
        """The text that comes of the same mistake for another request of the same parameters; None if it is the right one."""
        if self.row is None:
            return None
        made = next(itertools.islice(self.row.texts(sent), self.number, None))  # type: ignore[arg-type]  # they go together
        return made[0] if isinstance(made, tuple) else made


def _likely(
    judge: Judge,
    right: str,
    table: Collection[SigningMistake] | Collection[Mistake3],
    sent: Sent | Sent3,
    cost: int,
) -> _Likely | None:
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


def _texts(
    table: Collection[SigningMistake] | Collection[Mistake3], sent: Sent | Sent3, most: int
) -> Iterator[tuple[Words, _Likely]]:
    """The strings to sign that come of the mistakes, up to so many; none is made beyond that."""
    made = ((row, number, each) for row in table for number, each in enumerate(row.texts(sent)))  # type: ignore[arg-type]
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
        return _rsa_judge(credential, given)
    wanted = dict(_digests(given, hexadecimal=not suffix))
    keys = dict(list(_keys(credential, others, suffix))[-max(1, KEYS_BUDGET // (length + _HASHED)) :])
    right_key = (credential.access_key_secret + suffix).encode()
    right_digests = frozenset(digest for digest, words in wanted.items() if words is None)
    hashes = [name for name, size in _HASHES.items() if any(len(digest) == size for digest in wanted)]

    def how(text: str) -> tuple[Words, ...] | None:
        data = text.encode("utf-8", "surrogateescape")
        for key, key_words in keys.items():
            for name in hashes:
                form_words = wanted.get(hmac.digest(key, data, name), _UNWANTED)
                if form_words is not _UNWANTED:
                    made = (key_words, form_words, None if name == algorithm else _other_hash(name, algorithm))
                    return tuple(words for words in made if words is not None)
        return None

    def quick(text: str) -> bool:
        return hmac.digest(right_key, text.encode("utf-8", "surrogateescape"), algorithm) in right_digests

    return Judge(how, quick, len(keys) * len(hashes))


_HASHED = 2000  # characters that are hashed in the time that a key takes beside them
_SIZES = {"sha1": 20, "sha256": 32, "md5": 16, "sm3": 32}
_HASHES = {name: size for name, size in _SIZES.items() if name in hashlib.algorithms_available}
_UNWANTED: Words = ("", "")


def _other_hash(name: str, right: str) -> Words:
    return f"it is made with HMAC-{name.upper()}", f"make it with HMAC-{right.upper()}"


def _rsa_judge(credential: Credential, given: str) -> Judge:
    def quick(text: str) -> bool:
        return request_credentials.rsa_right(credential, given, text)

    return Judge(lambda text: () if quick(text) else None, quick, 1)


def _keys(credential: Credential, others: Iterable[Credential], suffix: str) -> Iterator[tuple[bytes, Words | None]]:
    """What the client may have signed with, likeliest last: the words of a key that comes twice are those of the last."""
    secret = credential.access_key_secret
    for other in others:
        if other.access_key_secret and other.access_key_secret != secret:
            words = (
                f"it is made with the secret of the key '{other.access_key_id}'",
                "use the secret of the key that is named",
            )
            yield (other.access_key_secret + suffix).encode(), words
    if suffix:
        yield secret.encode(), ("there is no '&' after the secret", "sign with the secret and '&'")
        yield f"{secret}&&".encode(), ("there are two '&' after the secret", "sign with the secret and one '&'")
        yield f"&{secret}".encode(), ("the '&' is before the secret", "put it after the secret")
    else:
        yield f"{secret}&".encode(), ("there is a '&' after the secret", "sign with the bare secret")
    for space in ("\n", "\r\n", " "):
        blank = "a secret that ends in a blank or line break is used", "strip it where it is read"
        yield f"{secret}{space}{suffix}".encode(), blank
    yield suffix.encode() or b"\0", ("the secret is empty", "set it")
    swapped = "the access key id is used as the secret", "use the secret"
    yield (credential.access_key_id + suffix).encode(), swapped
    yield (percent_encode(secret) + suffix).encode(), ("the secret is percent-encoded", "use it as it is")
    yield hashlib.sha1(secret.encode()).hexdigest().encode() + suffix.encode(), (  # noqa: S324 - a mistake, not a protection
        "a hash of the secret is used", "use the secret itself",
    )  # fmt: skip
    yield (secret + suffix).encode(), None


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
