#!/usr/bin/env bash
# cncf-serverless-workflow 0.1.2: execute_workflow runs the first state only, and a switch that finds no way makes up a result.
#
# Guess:  execute_workflow follows "transition" from state to state until "end: true", as its validator demands that each state has
#         one of them; a switch in which nothing matches fails or ends.
# Does:   the state named by "start" runs, and its output is the result of the workflow: the states after it are never called, and
#         there is no error, though validate_state_flow of the same package follows the transitions and finds the flow valid. A
#         switch without a match and without a default adds {"SwitchStateOutput": {"value": 60}} to the data.
# Seen:   called ['reserve'] of ['reserve', 'charge'], result {'context': {'reserved': 'reserve'}}
#         switch {'context': {'SwitchStateOutput': {'value': 60}}}
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check cncf-serverless-workflow==0.1.2 2> /dev/null
cat > finding.py <<'PY'
import contextlib
import io
import sys

from cncf_serverless_workflow.workflow_engine import execute_workflow, load_workflow, validate_state_flow

ORDER = """
start: Reserve
states:
  - name: Reserve
    type: operation
    stateDataFilter: {input: .}
    actions: [{functionRef: {refName: reserve}, dataOutput: .context.reserved}]
    transition: Charge
  - name: Charge
    type: operation
    stateDataFilter: {input: .}
    actions: [{functionRef: {refName: charge}, dataOutput: .context.charged}]
    end: true
"""
SWITCH = """
start: Big
states:
  - name: Big
    type: switch
    stateDataFilter: {input: .}
    dataConditions: [{condition: .context.amount != null, end: true}]
"""
called = []


def function(name):
    def run(data):
        called.append(name)
        return name

    return run


functions = {"reserve": function("reserve"), "charge": function("charge")}
with contextlib.redirect_stdout(io.StringIO()):
    valid = validate_state_flow(load_workflow(ORDER), functions)["status"]
    called.clear()
    result = execute_workflow(load_workflow(ORDER), functions)
    switched = execute_workflow(load_workflow(SWITCH))
print(f"validate_state_flow: {valid}")
print(f"execute_workflow: called {called}, result {result}")
print(f"switch: {switched}")
same = valid == "valid" and called == ["reserve"]
same = same and result == {"context": {"reserved": "reserve"}} and switched == {"context": {"SwitchStateOutput": {"value": 60}}}
sys.exit(0 if same else 1)
PY
venv/bin/python finding.py
