"""Bearer tokens as the SDKs of the tea generation send them: in the query, and in a header with ACS3."""

from __future__ import annotations

import pytest

from tests.e2e.sdks import Refused

BEARER = {"bearer_token": "e2e-bearer-token", "access_key_id": None, "access_key_secret": None}


@pytest.mark.parametrize("sdk", ["tea", "tea-async", "tea-0.3", "acs3-sha256"], indirect=True)
def test_a_bearer_token_stands_for_a_key(sdk):
    assert [each["Name"] for each in sdk.call("ListFlows", using=BEARER)["Flows"]] == ["orders"]
    started = sdk.call("StartExecution", using=BEARER, FlowName="orders", Input='{"text": "x"}')
    assert started["FlowName"] == "orders"
    with pytest.raises(Refused) as caught:
        sdk.call("ListFlows", using={**BEARER, "bearer_token": "another"})
    assert (caught.value.code, caught.value.status) == ("AccessDenied", 403)
