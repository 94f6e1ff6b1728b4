"""What the drivers share: jobs come in as JSON lines and answers go out as JSON lines, in order, until the input ends.

A job: endpoint, protocol, ca_file (with a CA to trust, or null), access_key_id, access_key_secret, security_token, way,
clock_off (seconds), operation, parameters, and perhaps bearer_token. Where the SDK's own time-out is too short for our
tests, as in Node, timeout is another one (milliseconds), or null for its own.
An answer: {"body": {…}} or {"error": {class, code, status, message, request_id}}, as the SDK gives them to its caller.
"""

import json
import re
import sys
import time


def serve(perform, describe):
    """`perform(job)` gives the body or raises; `describe(exception)` gives what the SDK says of a refusal."""
    for line in sys.stdin:
        try:
            answer = {"body": perform(json.loads(line))}
        except Exception as error:
            answer = {"error": {"class": type(error).__name__, **describe(error)}}
        print(json.dumps(answer), flush=True)


def snake(name):
    """StartExecution -> start_execution"""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def timestamp(off):
    """What a client writes whose clock is off by so many seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + off))
