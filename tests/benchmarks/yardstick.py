"""The yardstick: the least a server of this protocol can do with aiohttp. Usage: yardstick.py PORT

It reads query and form with `parse_qsl`, checks the HMAC-SHA1 signature by the book and answers a constant; it stores,
checks and logs nothing else. Speed is stated as a ratio to this, since that hardly depends on the machine.
"""

from __future__ import annotations

import base64
import hmac
import json
import sys
from urllib.parse import parse_qsl, quote

from aiohttp import web

KEY = b"bench-secret&"
ANSWER = json.dumps(
    {
        "Name": "e1",
        "FlowName": "bench",
        "Status": "Running",
        "FlowDefinition": "",
        "Input": "{}",
        "Output": "",
        "StartedTime": "2024-01-01T00:00:00.000Z",
        "StoppedTime": "",
        "RequestId": "00000000-0000-5000-A000-000000000000",
    }
).encode()


def encode(text: str) -> str:
    return quote(text, safe="-_.~")


async def answer(request: web.Request) -> web.Response:
    body = (await request.read()).decode()
    parameters = dict(parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True))
    parameters.update(parse_qsl(body, keep_blank_values=True))
    given = parameters.pop("Signature", "")
    canonical = "&".join(f"{encode(name)}={encode(parameters[name])}" for name in sorted(parameters))
    to_sign = f"{request.method}&%2F&{encode(canonical)}"
    expected = base64.b64encode(hmac.digest(KEY, to_sign.encode(), "sha1")).decode()
    if not hmac.compare_digest(expected, given):
        return web.Response(status=403, body=b'{"Code": "SignatureNotMatch"}', content_type="application/json")
    return web.Response(body=ANSWER, content_type="application/json")


if __name__ == "__main__":
    app = web.Application()
    app.router.add_route("*", "/", answer)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
