"""Calls through alibabacloud-fnf20190315, its asynchronous half, and the generic client of tea-openapi."""

import asyncio

import lines
from alibabacloud_credentials.client import Client as Credentials
from alibabacloud_credentials.models import Config as CredentialsConfig
from alibabacloud_fnf20190315 import models
from alibabacloud_fnf20190315.client import Client
from alibabacloud_tea_openapi import models as openapi
from alibabacloud_tea_openapi.client import Client as GenericClient
from alibabacloud_tea_util.models import RuntimeOptions

try:
    from alibabacloud_tea_openapi.utils import Utils as Clock
except ImportError:  # tea-openapi 0.3
    from alibabacloud_openapi_util.client import Client as Clock

ALGORITHMS = {"acs3-sha256": "ACS3-HMAC-SHA256", "acs3-sm3": "ACS3-HMAC-SM3"}
READS = ("Describe", "List", "Get")


def config(job):
    keys = {name: job[name] for name in ("access_key_id", "access_key_secret", "security_token")}
    if job.get("bearer_token"):
        keys = {"credential": Credentials(CredentialsConfig(type="bearer", bearer_token=job["bearer_token"]))}
    return openapi.Config(
        **keys,
        region_id="cn-hangzhou",
        endpoint=job["endpoint"],
        # An endpoint that has a scheme needs no protocol.
        protocol=None if "://" in (job["endpoint"] or "") else job["protocol"],
        ca=job["ca_file"],
        signature_algorithm=ALGORITHMS.get(job["way"]),
    )


def perform(job):
    Clock.get_timestamp = staticmethod(lambda: lines.timestamp(job["clock_off"]))
    if job["way"] in ALGORITHMS:
        return generic(job)
    client, name = Client(config(job)), lines.snake(job["operation"])
    request = getattr(models, job["operation"] + "Request")().from_map(job["parameters"])
    if job["way"] == "async":
        return asyncio.run(getattr(client, name + "_async")(request)).body.to_map()
    return getattr(client, name)(request).body.to_map()


def generic(job):
    reads = job["operation"].startswith(READS)
    params = openapi.Params(
        action=job["operation"], version=job.get("version", "2019-03-15"), protocol=job["protocol"].upper(), pathname="/",
        method="GET" if reads else "POST", auth_type="AK", style="RPC", req_body_type="formData", body_type="json",
    )  # fmt: skip
    texts = {name: str(value) for name, value in job["parameters"].items()}
    request = openapi.OpenApiRequest(**{"query" if reads else "body": texts})
    return GenericClient(config(job)).call_api(params, request, RuntimeOptions())["body"]


def describe(error):
    data = getattr(error, "data", None) or {}
    return {
        "code": getattr(error, "code", None),
        "status": getattr(error, "status_code", None) or data.get("statusCode"),
        "message": getattr(error, "message", None) or repr(error),
        "request_id": getattr(error, "request_id", None) or data.get("RequestId"),
    }


lines.serve(perform, describe)
