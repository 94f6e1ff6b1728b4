#!/usr/bin/env bash
# moto 5.2.5, Step Functions with execute_state_machine: machines that are executed lose checks which the default mode makes.
#
# Guess:  `mock_aws(config={"stepfunctions": {"execute_state_machine": True}})` runs the definition and otherwise answers as the
#         default mode does. GetExecutionHistory follows reverseOrder and maxResults in both.
# Does:   with it StartExecution takes names that the default mode refuses (with spaces, slashes, 200 characters).
#         In both modes reverseOrder and maxResults change nothing. In the default mode a machine that can only fail has a history
#         that ends in success, while DescribeExecution says RUNNING.
# Seen:   default:  InvalidName InvalidName ValidationException; RUNNING, ExecutionSucceeded; 4 events from 1
#         executed: taken taken taken; FAILED, ExecutionFailed; 3 events from 1
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check 'moto[stepfunctions]==5.2.5' boto3==1.44.8 2> /dev/null
cat > finding.py <<'PY'
import json
import sys
import time

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

ROLE = "arn:aws:iam::123456789012:role/any"
FAILS = json.dumps({"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "E", "Cause": "c"}}})


def seen(executed: bool) -> str:
    with mock_aws(config={"stepfunctions": {"execute_state_machine": executed}}):
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
        client = boto3.client("stepfunctions", region_name="us-east-1", **keys)
        machine = client.create_state_machine(name="m", definition=FAILS, roleArn=ROLE)["stateMachineArn"]
        first = client.start_execution(stateMachineArn=machine, name="first")["executionArn"]
        for _ in range(100):
            status = client.describe_execution(executionArn=first)["status"]
            if not executed or status != "RUNNING":
                break
            time.sleep(0.1)
        last = client.get_execution_history(executionArn=first)["events"][-1]["type"]
        events = client.get_execution_history(executionArn=first, reverseOrder=True, maxResults=1)["events"]
        starts = " ".join(start(client, machine, name) for name in ("a b", "a/b", "x" * 200))
        return f"{starts}; {status}, {last}; {len(events)} events from {events[0]['id']}"


def start(client, machine: str, name: str) -> str:
    try:
        client.start_execution(stateMachineArn=machine, name=name)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "taken"


default, executed = seen(False), seen(True)
print(f"default:  {default}\nexecuted: {executed}")
known = (
    "InvalidName InvalidName ValidationException; RUNNING, ExecutionSucceeded; 4 events from 1",
    "taken taken taken; FAILED, ExecutionFailed; 3 events from 1",
)
sys.exit((default, executed) != known)
PY
venv/bin/python finding.py 2> /dev/null
