"""Tests that stop the time with freezegun, and a server in their process."""

from __future__ import annotations

import pytest
from freezegun import freeze_time

from cfmock import CloudFlow
from cfmock.api.client import send, signed_request
from tests.support.calls import echo_flow

STOPPED = "2024-01-01T12:00:00"


def test_calls_are_signed_at_the_time_of_the_test_and_delays_still_end() -> None:
    with freeze_time(STOPPED), CloudFlow({"cfmock": 1, **echo_flow({})}) as cf:
        cf.fault(when={"operation": "StartExecution"}, delay="20ms")
        key = {"access_key_id": cf.access_key_id, "access_key_secret": cf.access_key_secret}
        request = signed_request("StartExecution", {"FlowName": "echo"}, **key)
        assert STOPPED.replace(":", "%3A") in request.target
        status, fields = send(cf.url, request)
        assert (status, fields["StartedTime"]) == (200, f"{STOPPED}.000Z")


@pytest.mark.asyncio
async def test_in_the_running_loop_delays_end_where_the_loop_has_real_time() -> None:
    with freeze_time(STOPPED, real_asyncio=True):
        async with CloudFlow({"cfmock": 1, **echo_flow({})}) as cf:
            cf.fault(when={"operation": "StartExecution"}, delay="20ms")
            answer = await cf.call_async("StartExecution", FlowName="echo")
            assert answer["StartedTime"] == f"{STOPPED}.000Z"
