#!/usr/bin/env bash
# alibabacloud-tea-openapi 0.4.6 (darabonba-core 1.0.9): the asynchronous methods open a connection for each call.
#
# Guess:  one client keeps its connections, in its asynchronous methods as in the others: `max_idle_conns` is a setting of both.
# Does:   the synchronous methods keep one connection alive, even over several clients for the same host; each asynchronous call
#         makes an aiohttp session of its own, and with it a new connection (over HTTPS a new TLS handshake, too, and the list of
#         CAs read anew), which is closed after the answer.
# Seen:   20 calls one after the other: 1 connection by the synchronous methods, 20 by the asynchronous ones
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check alibabacloud-tea-openapi==0.4.6 darabonba-core==1.0.9 2> /dev/null
cat > finding.py <<'PY'
import asyncio
import http.server
import sys
import threading

from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions

CALLS = 20
connections = set()


class Answering(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections alive

    def do_GET(self):
        connections.add(self.client_address)
        body = b'{"RequestId": "r", "Flows": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
threading.Thread(target=server.serve_forever, daemon=True).start()
params = Params(
    action="ListFlows", version="2019-03-15", protocol="HTTP", pathname="/", method="GET", auth_type="AK", style="RPC",
    req_body_type="formData", body_type="json",
)
client = Client(Config(
    access_key_id="a", access_key_secret="b", endpoint=f"127.0.0.1:{server.server_port}", protocol="http",
    signature_algorithm="v2", max_idle_conns=50,
))


async def asynchronous():
    for _ in range(CALLS):
        await client.call_api_async(params, OpenApiRequest(), RuntimeOptions())


for _ in range(CALLS):
    client.call_api(params, OpenApiRequest(), RuntimeOptions())
kept = len(connections)
connections.clear()
asyncio.run(asynchronous())
print(f"{CALLS} calls one after the other: {kept} connection by the synchronous methods, {len(connections)} by the asynchronous ones")
sys.exit((kept, len(connections)) != (1, CALLS))
PY
venv/bin/python finding.py
