"""The mistakes that clients make when they sign, as a table: what each of them would have signed with V1.

`diagnosis` tries them; `signing_mistakes_acs3` has those of ACS3. Collected from the issue trackers of signing clients and from
the quirks of the vendor's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

from msgspec import Struct

from cfmock.protocol.spec.model import load
from cfmock.protocol.wire.decode import percent_encode, unquote
from cfmock.protocol.wire.messages import Request


class Pair(NamedTuple):
    """One parameter, decoded, and as it stood on the wire; `place` is query or body."""

    name: str
    value: str
    raw: str
    place: str


class Sent(Struct, frozen=True):
    """A request as far as it is signed. `json` are the members of a JSON body, which are not."""

    request: Request
    pairs: tuple[Pair, ...]
    json: tuple[Pair, ...]

    def text(self, query: str, encode: Encode = percent_encode) -> str:
        """The string to sign with this canonical query."""
        return f"{self.request.method}&%2F&{encode(query)}"


class SigningMistake(Struct, frozen=True):
    """One row: what was done, what to do, and what would have been signed for a `Sent`, or `Sent3`, the likeliest first; with
    a word that stands for `{}` in what was done, if it has one."""

    did: str
    cure: str
    texts: Callable[[Any], Iterable[str | tuple[str, str]]]


Encode = Callable[[str], str]
Texts = Callable[[Sent], Iterable[str]]


def canonical(pairs: Iterable[Pair], encode: Encode = percent_encode, *, sort: bool = True) -> str:
    """The canonical query of some pairs; of equal names the last."""
    found = {pair.name: pair.value for pair in pairs if pair.name != "Signature"}
    names = sorted(found) if sort else found
    return "&".join(f"{encode(name)}={encode(found[name])}" for name in names)


# -- V1: how text is encoded -------------------------------------------------------------------------------------------


def quoting(safe: str) -> Encode:
    return lambda text: quote(text, safe=f"-_.~{safe}", errors="surrogateescape")


def plus(text: str) -> str:
    return quote_plus(text, safe="-_.~", errors="surrogateescape")


def tilde(text: str) -> str:
    return percent_encode(text).replace("~", "%7E")


def _like_java(text: str) -> str:
    return quote_plus(text, safe="-_.*", errors="surrogateescape").replace("~", "%7E")


def lower(text: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), percent_encode(text))


def as_it_is(text: str) -> str:
    return text


def twice(text: str) -> str:
    return percent_encode(percent_encode(text))


def _in_charset(charset: str) -> Encode:
    return lambda text: quote(text.encode(charset, "replace"), safe="-_.~")


def _encoded(encode: Encode) -> Texts:
    """The client's encoding at both places, then only where the parameters are encoded, then only the second time."""

    def texts(sent: Sent) -> Iterator[str]:
        query = canonical(sent.pairs, encode)
        yield sent.text(query, encode)
        yield sent.text(query)
        yield sent.text(canonical(sent.pairs), encode)

    return texts


def _encoded_first(encode: Encode) -> Texts:
    return lambda sent: [sent.text(canonical(sent.pairs, encode))]


# -- V1: what is signed, and in which order ----------------------------------------------------------------------------


def _with(change: Callable[[tuple[Pair, ...]], Iterable[Pair]]) -> Texts:
    return lambda sent: [sent.text(canonical(change(sent.pairs)))]


def _with_values(change: Callable[[str], str]) -> Texts:
    return _with(lambda pairs: [pair._replace(value=change(pair.value)) for pair in pairs])


def _unsorted(sent: Sent) -> Iterator[str]:
    body_first = sorted(sent.pairs, key=lambda pair: pair.place == "query")
    by_case = sorted(sent.pairs, key=lambda pair: pair.name.lower())
    for pairs in (sent.pairs, body_first, by_case, sorted(sent.pairs, reverse=True)):
        yield sent.text(canonical(pairs, sort=False))


def _other_methods(sent: Sent) -> list[tuple[str, str]]:
    right = sent.text(canonical(sent.pairs)).removeprefix(sent.request.method)
    return [(method + right, method) for method in methods(sent.request.method)]


def methods(used: str) -> list[str]:
    return [method for method in ("GET", "POST", "PUT", "DELETE", used.lower()) if method != used]


def _other_frames(sent: Sent) -> Iterator[str]:
    query = canonical(sent.pairs)
    encoded = percent_encode(query)
    method = sent.request.method
    yield f"{method}&/&{encoded}"
    yield f"{method}&{encoded}"
    yield f"{method}&%2F&{percent_encode('&' + query)}"
    yield f"{method}&%2F&{percent_encode('?' + query)}"
    yield f"{method}&%2F&{encoded}\n"
    yield f"{method}&%252F&{encoded}"
    yield encoded
    yield query


def _raw(sent: Sent) -> Iterator[str]:
    """The pieces of the wire, untouched."""
    pairs = [pair for pair in sent.pairs if pair.name != "Signature"]
    query = "&".join(pair.raw for pair in sorted(pairs, key=lambda pair: pair.name))
    yield sent.text(query)
    yield f"{sent.request.method}&%2F&{query}"


def _without_one(sent: Sent) -> Iterator[tuple[str, str]]:
    for left_out in sent.pairs[:_MOST]:
        rest = canonical([pair for pair in sent.pairs if pair is not left_out])
        yield sent.text(rest), left_out.name


def _empty_ones(sent: Sent) -> Iterator[tuple[str, str]]:
    """Parameters that were signed empty and not sent, as aliyun-gateway-pop 0.3.6-beta does with those of a form."""
    named = {pair.name: pair.value for pair in sent.pairs}
    operation = load().operations.get(named.get("Action", ""))
    missing = [name for name in operation.parameters if name not in named] if operation is not None else []
    del missing[_MOST_EMPTY:]
    for count in range(1, len(missing) + 1):
        for names in combinations(missing, count):
            empty = [Pair(name, "", f"{name}=", "body") for name in names]
            yield sent.text(canonical((*sent.pairs, *empty))), " and ".join(names)


def _with_signature(sent: Sent) -> Iterator[str]:
    pieces = [*canonical(sent.pairs).split("&"), "Signature="]
    yield sent.text("&".join(sorted(pieces, key=lambda piece: piece.partition("=")[0])))


def _other_times(sent: Sent) -> Iterator[tuple[str, str]]:
    """The time that was signed is not the one that was sent: of another form, or made anew a moment later or before."""
    times = [pair.value for pair in sent.pairs if pair.name == "Timestamp"]
    if not times:
        return
    marked = canonical([pair._replace(value="\0") if pair.name == "Timestamp" else pair for pair in sent.pairs])
    head, _, tail = sent.text(marked).partition(percent_encode(percent_encode("\0")))
    for time in near(times[-1]):
        yield head + percent_encode(percent_encode(time)) + tail, time


def near(time: str) -> Iterator[str]:
    second, minute = time[:-1], time[:-4]
    yield from (f"{second}.{milliseconds:03d}Z" for milliseconds in range(1000))
    yield from (f"{second}.{microseconds}Z" for microseconds in ("000000", "0", "00"))
    yield from (second, f"{second}+00:00", f"{second}+0000", time.replace("T", " ")[:-1], time.lower())
    yield from (f"{minute}:{other:02d}Z" for other in range(60))


_MOST = 40  # parameters of which each is tried to be left out
_MOST_EMPTY = 8  # parameters of which all choices are tried

V1: tuple[SigningMistake, ...] = (
    SigningMistake("a space is signed as '+'", "sign it as %20", _encoded(plus)),
    SigningMistake("'*' is signed as it is", "sign it as %2A", _encoded(quoting("*"))),
    SigningMistake("'~' is signed as %7E", "sign it as it is", _encoded(tilde)),
    SigningMistake("'/' is signed as it is", "sign it as %2F", _encoded(quoting("/"))),
    SigningMistake("':' is signed as it is", "sign it as %3A", _encoded(quoting(":"))),
    SigningMistake(
        "text is encoded as JavaScript's encodeURIComponent does it", "encode !'()* too, as %21 %27 %28 %29 %2A",
        _encoded(quoting("!'()*")),
    ),
    SigningMistake(
        "text is encoded as Java's URLEncoder does it", "then replace '+' by %20, '*' by %2A and %7E by '~'",
        _encoded(_like_java),
    ),
    SigningMistake("escapes are in lower case (%2f)", "write them in upper case (%2F)", _encoded(lower)),
    SigningMistake("the parameters are not sorted", "sort them by name, byte by byte", _unsorted),
    SigningMistake("the HTTP method {} is signed", "sign the one that is used, in upper case", _other_methods),
    SigningMistake(
        "the canonical query is not encoded once more", "encode it again in the string to sign",
        lambda sent: (f"{sent.request.method}&%2F&{canonical(sent.pairs)}",),
    ),
    SigningMistake(
        "the parameters are encoded only once altogether", "encode name and value, then the whole canonical query",
        _encoded_first(as_it_is),
    ),
    SigningMistake(
        "the parameters are encoded twice", "encode name and value once, then the whole canonical query",
        _encoded_first(twice),
    ),
    SigningMistake(
        "the string to sign is put together differently", "it is METHOD&%2F& and the encoded canonical query", _other_frames
    ),
    SigningMistake(
        "the parameters in the body are not signed", "sign query and form together",
        _with(lambda pairs: [pair for pair in pairs if pair.place != "body"]),
    ),
    SigningMistake(
        "the parameters in the query are not signed", "sign query and form together",
        _with(lambda pairs: [pair for pair in pairs if pair.place != "query"]),
    ),
    SigningMistake(
        "the members of the JSON body are signed", "sign query and form only, or send a form",
        lambda sent: (sent.text(canonical((*sent.pairs, *sent.json))),) if sent.json else (),
    ),
    SigningMistake("empty parameters are not signed", "sign them as Name=", _with(lambda pairs: [p for p in pairs if p.value])),
    SigningMistake("empty parameters are signed, but not sent ({})", "leave them out of both", _empty_ones),
    SigningMistake("{} is not signed", "sign all parameters but Signature", _without_one),
    SigningMistake(
        "SignatureMethod, SignatureNonce and SignatureVersion are not signed", "sign all but Signature",
        _with(lambda pairs: [pair for pair in pairs if not pair.name.startswith("Signature")]),
    ),
    SigningMistake("an empty Signature is signed, too", "sign all but Signature", _with_signature),
    SigningMistake(
        "a '+' is sent as it is, and so arrives as a space", "send it as %2B",
        _with(lambda pairs: [pair._replace(value=unquote(pair.raw.partition("=")[2])) for pair in pairs]),
    ),
    SigningMistake("values are sent encoded twice", "encode them once where they are sent", _with_values(unquote)),
    SigningMistake("sign exactly what is sent", "decode it and encode it by the rules", _raw),
    SigningMistake("values are signed without the blanks around them", "sign what is sent", _with_values(str.strip)),
    SigningMistake("text is encoded as Latin-1", "encode it as UTF-8", _encoded_first(_in_charset("latin-1"))),
    SigningMistake("text is encoded as GBK", "encode it as UTF-8", _encoded_first(_in_charset("gbk"))),
    SigningMistake("the time {} is signed, which is not what is sent", "make it once, as YYYY-MM-DDThh:mm:ssZ", _other_times),
)  # fmt: skip
