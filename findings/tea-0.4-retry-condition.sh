#!/usr/bin/env bash
# alibabacloud-tea-openapi 0.4.6 (darabonba-core 1.0.9): a retry condition without max_attempts turns the service's error into a
# TypeError, and the max_attempts of the retry options themselves is not looked at.
#
# Guess:  RetryOptions(max_attempts=3) says how often; a condition, whose max_attempts is optional, says after which errors.
# Does:   with a condition that has no max_attempts of its own the first error answer comes out as
#         TypeError: '>=' not supported between instances of 'int' and 'NoneType', so code and message of the service are lost;
#         with max_attempts in the options alone nothing is tried again. Only a condition's own max_attempts counts, and it counts
#         the first call, too: 3 makes 3 calls.
# Seen:   condition without max_attempts    1 call   TypeError
#         options with max_attempts alone   1 call   ServerException
#         condition with max_attempts=3     3 calls  ServerException
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check alibabacloud-tea-openapi==0.4.6 darabonba-core==1.0.9 2> /dev/null
cat > finding.py <<'PY'
import http.server
import sys
import threading

from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.models import Config, OpenApiRequest, Params
from darabonba.policy.retry import RetryCondition, RetryOptions
from darabonba.runtime import RuntimeOptions

calls = []


class Failing(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        calls.append(self.path)
        body = b'{"RequestId": "r", "Code": "InternalServerError", "Message": "try later"}'
        self.send_response(500)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Failing)
threading.Thread(target=server.serve_forever, daemon=True).start()
params = Params(
    action="ListFlows", version="2019-03-15", protocol="HTTP", pathname="/", method="GET", auth_type="AK", style="RPC",
    req_body_type="formData", body_type="json",
)
codes = ["InternalServerError"]
found = []
for name, options in (
    ("condition without max_attempts", RetryOptions(max_attempts=3, retryCondition=[RetryCondition(error_code=codes)])),
    ("options with max_attempts alone", RetryOptions(max_attempts=3)),
    ("condition with max_attempts=3", RetryOptions(retryCondition=[RetryCondition(error_code=codes, max_attempts=3)])),
):
    calls.clear()
    config = Config(
        access_key_id="a", access_key_secret="b", endpoint=f"127.0.0.1:{server.server_port}", protocol="http",
        signature_algorithm="v2", retry_options=options,
    )
    try:
        Client(config).call_api(params, OpenApiRequest(), RuntimeOptions())
    except Exception as error:
        found.append((len(calls), type(error).__name__))
        print(f"{name:<33} {len(calls)} call{'s' * (len(calls) > 1):<2} {found[-1][1]}")
sys.exit(found != [(1, "TypeError"), (1, "ServerException"), (3, "ServerException")])
PY
venv/bin/python finding.py
