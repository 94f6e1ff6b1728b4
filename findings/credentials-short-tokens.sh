#!/usr/bin/env bash
# alibabacloud-credentials 1.0.12 (Python), @alicloud/credentials 2.4.7 (Node): tokens that live 15 minutes are never kept.
#
# Guess:  a token is kept until shortly before it expires, so ten calls of a service ask for credentials once. The package for Go
#         (credentials-go 1.4.14) does it: 5 % of the life, or three minutes, before the end.
# Does:   both take a token as used up 15 minutes before it expires. 900 seconds is the shortest life that STS gives and what cautious
#         set-ups ask for (role_session_expiration=900): each call of a service then asks for a token of its own first, which doubles
#         the time of the call and runs into the limit of STS. The same at 600 seconds, as a server of credentials may give them.
#         From 901 seconds on the token is kept for the seconds above 900.
# Seen:   Python  3600 s: 1 request for 10 calls   900 s: 10 requests for 10 calls
#         Node    3600 s: 1 request for 10 calls   900 s: 10 requests for 10 calls
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check alibabacloud-credentials==1.0.12 2> /dev/null
npm install --silent --no-audit --no-fund @alicloud/credentials@2.4.7 > /dev/null
cat > server.py <<'PY'
# GET /900 gives a token that lives 900 seconds; GET /count says how many it gave since the last such question.
import http.server
import json
import time

given = 0


class Tokens(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global given
        if self.path == "/count":
            body, given = str(given).encode(), 0
        else:
            given += 1
            end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + int(self.path[1:])))
            token = {"AccessKeyId": "a", "AccessKeySecret": "b", "SecurityToken": "c", "Expiration": end}
            body = json.dumps({"Code": "Success", **token}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tokens)
print(server.server_port, flush=True)
server.serve_forever()
PY
python3 server.py > port &
server=$!
until [ -s port ]; do sleep 0.1; done
url=http://127.0.0.1:$(cat port)
cat > finding.py <<'PY'
import sys

from alibabacloud_credentials.client import Client
from alibabacloud_credentials.models import Config

client = Client(Config(type="credentials_uri", credentials_uri=sys.argv[1]))
for _ in range(10):
    client.get_credential()
PY
cat > finding.js <<'JS'
const { default: Client, Config } = require('@alicloud/credentials');
const client = new Client(new Config({ type: 'credentials_uri', credentialsURI: process.argv[2] }));
(async () => {
  for (let call = 0; call < 10; call += 1) await client.getCredential();
  process.exit(0);
})();
JS
requests() {
    "$@" 2> /dev/null
    python3 -c 'import sys, urllib.request as u; print(u.build_opener(u.ProxyHandler({})).open(sys.argv[1]).read().decode())' "$url/count"
}
seen="Python $(requests venv/bin/python finding.py "$url/3600") $(requests venv/bin/python finding.py "$url/900"), "
seen+="Node $(requests node finding.js "$url/3600") $(requests node finding.js "$url/900")"
echo "requests for 10 calls at 3600 s and 900 s: $seen"
[ "$seen" = 'Python 1 10, Node 1 10' ]
