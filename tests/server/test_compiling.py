"""Large definitions are compiled while others are answered."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cfmock import CloudFlow, ServiceError
from cfmock.api.client import send, signed_request
from cfmock.engine.languages import compile_text
from cfmock.server import compiling

HEAD = "Type: StateMachine\nSpecVersion: v1\nName: big\nStartAt: S0\nStates:\n"


def definition(states: int, last: str = "End: true") -> str:
    """A flow of many states."""
    rows = [f"  - {{Type: Pass, Name: S{n}, Next: S{n + 1}}}\n" for n in range(states - 1)]
    return HEAD + "".join(rows) + f"  - {{Type: Pass, Name: S{states - 1}, {last}}}\n"


def call(cf: CloudFlow, operation: str, **parameters: Any) -> dict[str, Any]:
    """A call over the socket. Raises ServiceError for an error answer."""
    request = signed_request(
        operation, parameters, access_key_id=cf.access_key_id, access_key_secret=cf.access_key_secret
    )
    status, fields = send(cf.url, request)
    if status >= 400:
        raise ServiceError(fields["Code"], status=status, message=fields["Message"])
    return fields


def test_others_are_answered_while_a_large_definition_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(text: str, **more: Any) -> Any:
        begun.set()
        assert go_on.wait(60)
        return compile_text(text, **more)

    monkeypatch.setattr(compiling, "compile_text", slow)
    text = definition(701)
    with CloudFlow() as cf, ThreadPoolExecutor(1) as pool:
        made = pool.submit(call, cf, "CreateFlow", Name="big", Definition=text, Type="FDL", Description="")
        assert begun.wait(60)
        assert call(cf, "ListFlows")["Flows"] == []
        go_on.set()
        assert made.result()["Name"] == "big"
        assert [each["Name"] for each in call(cf, "ListFlows")["Flows"]] == ["big"]


def test_a_large_definition_that_is_refused_says_why() -> None:
    text = definition(702, "Next: S7o1")
    with CloudFlow() as cf:
        for _ in range(2):
            with pytest.raises(ServiceError, match="S7o1"):
                call(cf, "CreateFlow", Name="big", Definition=text, Type="FDL", Description="")


def test_a_flow_of_that_name_is_refused_and_an_express_flow_is_updated() -> None:
    with CloudFlow({"cfmock": 1, "flows": [{"name": "big", "execution_mode": "Express"}]}) as cf:
        text = definition(703)
        with pytest.raises(ServiceError, match="FlowAlreadyExists"):
            call(cf, "CreateFlow", Name="big", Definition=text, Type="FDL", Description="")
        assert call(cf, "UpdateFlow", Name="big", Definition=text)["Definition"] == text


def test_a_plain_call_in_a_running_loop_waits_for_nothing() -> None:
    import asyncio

    async def drive() -> None:
        async with CloudFlow() as cf:
            assert (
                cf.call("CreateFlow", Name="big", Definition=definition(704), Type="FDL", Description="")["Name"]
                == "big"
            )

    asyncio.run(drive())
