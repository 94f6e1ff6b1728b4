#!/usr/bin/env bash
# pyaslengine 0.8.0 (marshmallow 3.26.2): a Choice state takes another way than the language says, and says nothing.
#
# Guess:  IsPresent asks whether the field is there, whatever its value; StringMatches knows * (both as in the States Language);
#         what is not supported is an error.
# Does:   a field whose value is 0, false or "" counts as absent, so an order of 0 goes the way of orders without amount; Not of it
#         is true. * in StringMatches is a letter, so nothing but that very text matches. Both without an error: a test of a flow
#         passes or fails for another reason than it would on the service. (A rule whose own value is 0, false or "" is an
#         AttributeError, "Data comparison type not found"; so is IsPresent: false.)
# Seen:   {"IsPresent": true}      1 yes     0 no     false no
#         Not {"IsPresent": true}  1 no      0 yes    false yes
#         {"StringMatches": "ab*"} abc no    ab* yes
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pyaslengine==0.8.0 marshmallow==3.26.2 2> /dev/null
cat > finding.py <<'PY'
import logging
import sys

from pyaslengine.data import WorkflowInput
from pyaslengine.workflows import StateMachine

logging.disable(logging.CRITICAL)
PRESENT = {"Variable": "$.amount", "IsPresent": True}
MATCHES = {"Variable": "$.amount", "StringMatches": "ab*"}


def way(rule, value):
    says = {"Type": "Pass", "Next": "End"}
    machine = StateMachine.schema().load({
        "StartAt": "Ask",
        "States": {
            "Ask": {"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}], "Default": "No"},
            "Yes": {**says, "Result": "yes"},
            "No": {**says, "Result": "no"},
            "End": {"Type": "Succeed"},
        },
    })
    return machine.run(WorkflowInput(data={"amount": value})).data


seen = {
    "present": [way(PRESENT, value) for value in (1, 0, False)],
    "not present": [way({"Not": PRESENT}, value) for value in (1, 0, False)],
    "matches": [way(MATCHES, value) for value in ("abc", "ab*")],
}
print(seen)
sys.exit(0 if seen == {"present": ["yes", "no", "no"], "not present": ["no", "yes", "yes"], "matches": ["no", "yes"]} else 1)
PY
venv/bin/python finding.py 2> /dev/null
