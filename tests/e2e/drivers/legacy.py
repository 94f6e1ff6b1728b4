"""Calls through aliyun-python-sdk-fnf on aliyun-python-sdk-core, the generation before tea-openapi."""

import importlib
import json

import lines
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.http import protocol_type
from aliyunsdkcore.utils import parameter_helper


def perform(job):
    parameter_helper.get_iso_8061_date = lambda: lines.timestamp(job["clock_off"])
    name = job["operation"] + "Request"
    request = getattr(importlib.import_module(f"aliyunsdkfnf.request.v20190315.{name}"), name)()
    request.set_endpoint(job["endpoint"])
    # It compares by identity: another text "https" is none.
    request.set_protocol_type(protocol_type.HTTPS if job["protocol"] == "https" else protocol_type.HTTP)
    for key, value in job["parameters"].items():
        getattr(request, f"set_{key}")(value)
    return json.loads(client(job).do_action_with_exception(request))


def client(job):
    if not job["security_token"]:
        return AcsClient(job["access_key_id"], job["access_key_secret"], "cn-hangzhou", verify=job["ca_file"])
    from aliyunsdkcore.auth.credentials import StsTokenCredential

    token = StsTokenCredential(job["access_key_id"], job["access_key_secret"], job["security_token"])
    return AcsClient(region_id="cn-hangzhou", credential=token)


def describe(error):
    return {
        "code": getattr(error, "error_code", None),
        "status": getattr(error, "http_status", None),
        "message": getattr(error, "message", None) or repr(error),
        "request_id": getattr(error, "request_id", None),
    }


lines.serve(perform, describe)
