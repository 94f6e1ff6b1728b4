"""The mistakes of `signing_mistakes_v1`, for clients that sign with ACS3."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from cfmock.protocol.auth import signing_mistakes_v1 as v1
from cfmock.protocol.auth.signature import Authorization, acs3_payload_hash, acs3_string_to_sign
from cfmock.protocol.auth.signing_mistakes_v1 import Pair, SigningMistake, canonical
from cfmock.protocol.spec.model import load
from cfmock.protocol.wire.messages import Request


class Sent3(Struct, frozen=True):
    """A request signed with ACS3. `query` and `form` are the parameters of both places, `form` unsigned but by its hash;
    `right_query` is the canonical query. Without `hashed` a text is the canonical request that it would be the hash of."""

    request: Request
    authorization: Authorization
    query: tuple[Pair, ...]
    form: tuple[Pair, ...]
    right_query: str
    hashed: bool = True

    @property
    def given_hash(self) -> str:
        return self.request.header("x-acs-content-sha256")

    def text(self, **instead: str) -> str:
        """The string to sign, with other parts in place of `method`, `path`, `query`, `lines`, `names` and `hash`."""
        request = self.canonical(**instead)
        return acs3_string_to_sign(self.authorization.algorithm, request) if self.hashed else request

    def canonical(self, **instead: str) -> str:
        parts = {
            "method": self.request.method, "path": "/", "query": self.right_query, "lines": self.lines(),
            "names": ";".join(self.authorization.signed_headers), "hash": self.given_hash,
        }  # fmt: skip
        return "\n".join((parts | instead).values())

    def lines(self, names: Iterable[str] | None = None, **instead: str) -> str:
        """The lines of the signed headers, with other values for some."""
        signed = self.authorization.signed_headers if names is None else names
        return "".join(f"{name}:{instead.get(name, self.request.header(name).strip())}\n" for name in signed)


def _other_queries(sent: Sent3) -> Iterator[str]:
    quoted = map(v1.quoting, ("*", "/", "!'()*"))
    for encode in (v1.plus, v1.tilde, *quoted, v1.lower, v1.as_it_is, v1.twice):
        yield sent.text(query=canonical(sent.query, encode))
    yield sent.text(query=canonical(sent.query, sort=False))
    yield sent.text(query="&".join(pair.raw for pair in sent.query))
    yield sent.text(query="?" + canonical(sent.query))


def _other_places(sent: Sent3) -> Iterator[str]:
    yield sent.text(query=canonical((*sent.query, *sent.form)))
    yield sent.text(query="")


def _other_hashes(sent: Sent3) -> Iterator[str]:
    algorithm, body = sent.authorization.algorithm, sent.request.body
    for payload in (body, b"", canonical(sent.form).encode("utf-8", "surrogateescape")):
        yield sent.text(hash=acs3_payload_hash(algorithm, payload))
    for text in ("", "UNSIGNED-PAYLOAD", body.decode("utf-8", "replace"), sent.given_hash.upper()):
        yield sent.text(hash=text)


def _other_hosts(sent: Sent3) -> Iterator[tuple[str, str]]:
    host = sent.request.header("host").strip()
    bare = host.partition("://")[2] or host
    name = bare.rpartition(":")[0] or bare
    regions = load().regions
    others = [bare, name, f"http://{bare}", f"https://{bare}", f"{name}:80", f"{name}:443", host.lower(), ""]
    others += [host for region in regions for host in (f"{region}.fnf.aliyuncs.com", f"fnf.{region}.aliyuncs.com")]
    if "host" in sent.authorization.signed_headers:
        yield from ((sent.text(lines=sent.lines(host=other)), f"'{other}'") for other in others if other != host)


def _other_headers(sent: Sent3) -> Iterator[str]:
    names = sent.authorization.signed_headers
    own = [name for name in names if name.startswith("x-acs-") or name in ("host", "content-type")]
    present = sorted(each.lower() for each in sent.request.headers)
    every = [name for name in present if name.startswith("x-acs-") or name in ("host", "content-type")]
    for some in (own, every, [name for name in every if name != "content-type"], sorted(names), names[::-1]):
        yield sent.text(lines=sent.lines(some), names=";".join(some))
        yield sent.text(lines=sent.lines(some))
    yield sent.text(lines=sent.lines().rstrip("\n"))
    yield sent.text(names=",".join(names))
    media_type = sent.request.header("content-type")
    for other in (media_type.partition(";")[0], f"{media_type}; charset=utf-8", f"{media_type};charset=utf-8", ""):
        yield sent.text(lines=sent.lines(**{"content-type": other}))


def _other_dates(sent: Sent3) -> Iterator[tuple[str, str]]:
    if "x-acs-date" in sent.authorization.signed_headers:
        for time in v1.near(sent.request.header("x-acs-date")):
            yield sent.text(lines=sent.lines(**{"x-acs-date": time})), time


def _other_strings(sent: Sent3) -> Iterator[str]:
    text, request = sent.text(), sent.canonical()
    algorithm, _, digest = text.partition("\n")
    upper = digest.upper()
    yield from (digest, f"{algorithm}\n{request}", request, f"{text}\n", f"{algorithm}\n{upper}", upper)
    yield acs3_string_to_sign(algorithm, request + "\n")


FRAME = SigningMistake(
    "the string to sign is put together differently", "it is the algorithm, a line break, and the hash of the request",
    _other_strings,
)  # fmt: skip
"""The only mistake that leaves the canonical request as it should be."""

ACS3: tuple[SigningMistake, ...] = (
    SigningMistake("the host {} is signed", "sign the Host header as it is sent, with its port", _other_hosts),
    SigningMistake(
        "another hash of the body is signed", "sign that of the bytes that are sent, in lower-case hex", _other_hashes
    ),
    SigningMistake(
        "the HTTP method {} is signed", "sign the one that is used, in upper case",
        lambda sent: ((sent.text(method=each), each) for each in v1.methods(sent.request.method)),
    ),
    SigningMistake("the parameters of the form are signed in the query, or the query is left out",
             "sign the query as it is sent; the form counts by its hash", _other_places),
    SigningMistake("the query is encoded or sorted otherwise", "sort by name, and encode with %20, %2A and a bare '~'",
             _other_queries),
    SigningMistake("other headers are signed than SignedHeaders names", "sign each of the list, in its order, one to a line",
             _other_headers),
    SigningMistake("another path is signed", "sign /",
             lambda sent: (sent.text(path=each) for each in ("", sent.request.target, "//"))),
    FRAME,
    SigningMistake("the time {} is signed, which is not what is sent", "make it once, as YYYY-MM-DDThh:mm:ssZ", _other_dates),
)  # fmt: skip
