#!/usr/bin/env bash
# aliyun-python-sdk-core 2.16.1: an error answer in a worker of ProcessPoolExecutor breaks the whole pool.
#
# Guess:  `future.result()` raises the SDK's ServerException, as any exception comes out of a worker.
# Does:   ServerException cannot be unpickled (its constructor takes other arguments than Exception keeps), so the parent takes the
#         worker for dead: BrokenProcessPool, for this call and for all others that the pool was given; the error code is lost.
#         multiprocessing.Pool waits for ever. (tea-openapi 0.3.16 and 0.4.6 pass their exceptions on.)
# Seen:   BrokenProcessPool A process in the process pool was terminated abruptly while the future was running or pending.
#         BrokenProcessPool A child process terminated abruptly, the process pool is not usable anymore
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check aliyun-python-sdk-core==2.16.1 'setuptools<81' 2> /dev/null
cat > finding.py <<'PY'
import http.server
import logging
import sys
import threading
from concurrent.futures import ProcessPoolExecutor

from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest


class Refusing(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"RequestId": "r", "Code": "FlowNotExists", "Message": "no such flow"}'
        self.send_response(404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def call(port):
    request = CommonRequest(domain=f"http://127.0.0.1:{port}", version="2019-03-15", action_name="DescribeFlow")
    return AcsClient("a", "b", "cn-hangzhou").do_action_with_exception(request)


def raised(function, *given):
    try:
        return f"gives {function(*given)!r}"
    except BaseException as error:
        return f"{type(error).__name__} {error}"


if __name__ == "__main__":
    logging.disable()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = raised(call, server.server_port)
    with ProcessPoolExecutor(1) as pool:
        there = raised(lambda: pool.submit(call, server.server_port).result(30))
        after = raised(lambda: pool.submit(len, "abc").result(30))
    print(there, after, sep="\n")
    assert here.startswith("ServerException") and "FlowNotExists" in here, here
    sys.exit(not (there.startswith("BrokenProcessPool") and after.startswith("BrokenProcessPool")))
PY
venv/bin/python finding.py 2> /dev/null
