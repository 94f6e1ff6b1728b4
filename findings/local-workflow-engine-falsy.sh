#!/usr/bin/env bash
# local-workflow-engine 1.0.4: Parameters with 0, false, "" or null in them become something else.
#
# Guess:  a payload template (Parameters, ResultSelector) keeps what has no ".$": {"id": 0} is {"id": 0}, as 1 stays 1.
# Does:   a value that Python takes for false is dropped and the field's name is taken apart in its place: a name of two letters
#         becomes one letter as the key and one as the value, without an error: {"id": 0} is {"i": "d"}, {"ok": false} is
#         {"o": "k"}. Every other name is a ValueError. In lists the same values stay.
# Seen:   {"id": 1} -> {"id": 1}
#         {"id": 0} -> {"i": "d"}
#         {"ok": false} -> {"o": "k"}
#         {"order": {"to": ""}} -> {"order": {"t": "o"}}
#         {"amount": 0} -> ValueError too many values to unpack (expected 2)
#         {"list": [0, ""]} -> {"list": [0, ""]}
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check local-workflow-engine==1.0.4 'setuptools<81' 2> /dev/null
cat > finding.py <<'PY'
import json
import sys

from asl_workflow_engine.state_engine_paths import evaluate_payload_template

EXPECTED = {
    '{"id": 1}': '{"id": 1}',
    '{"id": 0}': '{"i": "d"}',
    '{"ok": false}': '{"o": "k"}',
    '{"order": {"to": ""}}': '{"order": {"t": "o"}}',
    '{"amount": 0}': "ValueError too many values to unpack",
    '{"list": [0, ""]}': '{"list": [0, ""]}',
}


def seen(template):
    try:
        return json.dumps(evaluate_payload_template({}, {}, json.loads(template)))
    except ValueError as error:
        return f"ValueError {error}"


same = True
for template, expected in EXPECTED.items():
    result = seen(template)
    print(template, "->", result)
    same = same and result.startswith(expected)
sys.exit(0 if same else 1)
PY
venv/bin/python -W ignore finding.py
