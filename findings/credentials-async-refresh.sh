#!/usr/bin/env bash
# alibabacloud-credentials 1.0.12: two coroutines that need credentials at the same time stop the event loop for five seconds.
#
# Guess:  asyncio.gather over calls of one client asks for credentials once, or once for each; the loop goes on meanwhile.
# Does:   get_credential_async waits for a threading.Lock, on the event loop's own thread, up to five seconds, while the coroutine
#         that holds it waits for its answer on the same loop: nothing in the program moves. Every further coroutine adds five
#         seconds. After that pause the connection of the first one counts as timed out, so it fails with a RetryError although the
#         server of credentials answers at once. This comes at the first calls of a program and at each renewal of a token. One
#         awaited get_credential_async before the others avoids the first; threads do well.
# Seen:   10 threads: below 2 s, 1 request
#         2 coroutines: 5 s, the loop stood still for 5 s, RetryError Connection timeout to host
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check alibabacloud-credentials==1.0.12 2> /dev/null
cat > finding.py <<'PY'
import asyncio
import http.server
import json
import logging
import sys
import threading
import time

from alibabacloud_credentials.client import Client
from alibabacloud_credentials.models import Config

logging.getLogger("credentials").setLevel(logging.CRITICAL)
TOKEN = {"AccessKeyId": "a", "AccessKeySecret": "b", "SecurityToken": "c", "Expiration": "2999-01-01T00:00:00Z"}
requests = 0


class Tokens(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global requests
        requests += 1
        body = json.dumps({"Code": "Success", **TOKEN}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def client():
    global requests
    requests = 0
    return Client(Config(type="credentials_uri", credentials_uri=f"http://127.0.0.1:{server.server_port}/"))


def in_threads(count):
    get = client().get_credential
    threads = [threading.Thread(target=get) for _ in range(count)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - began, requests


async def ticking(gaps):
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.05)
        gaps.append(time.monotonic() - before)


async def in_coroutines(count):
    get, gaps = client().get_credential_async, []
    ticks = asyncio.create_task(ticking(gaps))
    await asyncio.sleep(0.2)
    began = time.monotonic()
    results = await asyncio.gather(*(get() for _ in range(count)), return_exceptions=True)
    took = time.monotonic() - began
    await asyncio.sleep(0.1)
    ticks.cancel()
    return took, max(gaps), {f"{type(one).__name__} {one}" for one in results if isinstance(one, Exception)}


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tokens)
threading.Thread(target=server.serve_forever, daemon=True).start()
took, asked = in_threads(10)
print(f"10 threads: {took:.1f} s, {asked} request")
fine = took < 2 and asked == 1
took, gap, errors = asyncio.run(in_coroutines(2))
print(f"2 coroutines: {took:.1f} s, the loop stood still for {gap:.1f} s, {sorted(errors)}")
failed = any("RetryError Connection timeout to host" in error for error in errors)
sys.exit(0 if fine and 4.9 < gap < 9 and failed else 1)
PY
venv/bin/python finding.py
