"""Functions that are reached over HTTP."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from typing import Any

import pytest

from cfmock.engine.commands import Failure
from cfmock.server import outbound
from cfmock.server.outbound import Outbound

PACKERS: dict[str, Any] = {"identity": bytes, "gzip": gzip.compress, "deflate": zlib.compress}


async def answered(body: bytes, *headers: str) -> Any:
    """What a function gives back that answers with this."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = "\r\n".join(("HTTP/1.1 200 OK", f"Content-Length: {len(body)}", "Connection: close", *headers))
        writer.write(f"{head}\r\n\r\n".encode() + body)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    calls = Outbound(())
    result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    try:
        calls.call_http(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", {}, result.set_result)
        return await result
    finally:
        await calls.close()
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("packing", PACKERS)
def test_an_answer_is_read_up_to_eight_megabytes_unpacked(packing: str) -> None:
    for more in (0, 1):
        text = b'"' + b"x" * (outbound.MAX_ANSWER - 2 + more) + b'"'
        found = asyncio.run(answered(PACKERS[packing](text), f"Content-Encoding: {packing}"))
        if more:
            assert isinstance(found, Failure)
            assert found.code == "FC.InternalServerError"
            assert str(found).endswith("answers with more than 8388608 bytes, unpacked")
        else:
            assert found == "x" * (outbound.MAX_ANSWER - 2)


@pytest.mark.parametrize("charset", ["", "; charset=gbk", "; charset=no-such"])
def test_an_answer_is_read_in_the_charset_that_it_names(charset: str) -> None:
    body = '{"a": "流"}'.encode("gbk" if "gbk" in charset else "utf-8")
    assert asyncio.run(answered(body, f"Content-Type: application/json{charset}")) == {"a": "流"}


@pytest.mark.parametrize(
    ("body", "packing"), [(b"no gzip", "gzip"), (gzip.compress(b'{"a": 1}', mtime=0)[:-9], "gzip"), (b'{"a": 1}', "br")]
)
def test_an_answer_that_cannot_be_unpacked_fails_the_task(body: bytes, packing: str) -> None:
    found = asyncio.run(answered(body, f"Content-Encoding: {packing}"))
    assert isinstance(found, Failure)
    assert found.code == "FC.InternalServerError"


def test_of_a_packed_answer_no_more_is_unpacked_than_may_be() -> None:
    packed = gzip.compress(bytes(20 * outbound.MAX_ANSWER))
    tracemalloc.start()
    try:
        found = asyncio.run(answered(packed, "Content-Encoding: gzip"))
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(found, Failure)
    assert peak < 4 * outbound.MAX_ANSWER
    assert kept < outbound.MAX_ANSWER, "the failure holds what was read"
