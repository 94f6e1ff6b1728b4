#!/usr/bin/env bash
# alibabacloud-credentials 1.0.12 (Python), @alicloud/credentials 2.4.7 (Node): one looks for a profile in another file.
#
# Guess:  the default chain of every language reads one shared file below ~/.alibabacloud, as the profiles of the command line are
#         shared: a machine that is set up for one program is set up for all.
# Does:   Python reads ~/.alibabacloud/credentials.ini only, Node (and Go, credentials-go 1.4.14) ~/.alibabacloud/credentials only.
#         With one of them, half of the programs on a machine find no credentials; with both, a changed key may be changed in one.
#         ALIBABA_CLOUD_CREDENTIALS_FILE names one file for both. The message of Python puts a "$" in front of the path.
# Seen:   credentials      Python none   Node mine
#         credentials.ini  Python mine   Node none
#         ALIBABA_CLOUD_CREDENTIALS_FILE  Python mine  Node mine
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check alibabacloud-credentials==1.0.12 2> /dev/null
npm install --silent --no-audit --no-fund @alicloud/credentials@2.4.7 > /dev/null
mkdir -p first/.alibabacloud second/.alibabacloud third
printf '[default]\ntype = access_key\naccess_key_id = mine\naccess_key_secret = secret\n' > first/.alibabacloud/credentials
cp first/.alibabacloud/credentials second/.alibabacloud/credentials.ini
cat > finding.py <<'PY'
from alibabacloud_credentials.client import Client

try:
    print(Client().get_credential().access_key_id)
except Exception:
    print("none")
PY
cat > finding.js <<'JS'
const { default: Client } = require('@alicloud/credentials');
new Client().getCredential().then((found) => console.log(found.accessKeyId), () => console.log('none'));
JS
for name in $(compgen -e | grep '^ALIBABA_CLOUD_' || true); do unset "$name"; done
export ALIBABA_CLOUD_ECS_METADATA_DISABLED=true
seen() {
    echo "$(HOME=$folder/$1 venv/bin/python finding.py 2> /dev/null) $(HOME=$folder/$1 node finding.js 2> /dev/null)"
}
plain=$(seen first)
ini=$(seen second)
named=$(ALIBABA_CLOUD_CREDENTIALS_FILE=$folder/first/.alibabacloud/credentials seen third)
echo "Python and Node: credentials: $plain; credentials.ini: $ini; ALIBABA_CLOUD_CREDENTIALS_FILE: $named"
[ "$plain; $ini; $named" = 'none mine; mine none; mine mine' ]
