"""The MCP server yuppie-mcp-alibabacloud-fnf, pointed here by the variables of `cfmock run`, walks its tools."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cfmock import CloudFlow
from tests.e2e import environments

FLOWS = {
    "cfmock": 1,
    "flows": [
        {
            "name": "order_flow",
            "outcomes": [{"when": {"execution": "open"}, "status": "Running"}, {"output": {"ok": True}}],
        },
        {"name": "quick", "execution_mode": "Express"},
    ],
}
Tool = Callable[..., str]


@pytest.fixture
def cf() -> Iterator[CloudFlow]:
    with CloudFlow(FLOWS) as server:
        yield server


@pytest.fixture
def tool(cf: CloudFlow) -> Iterator[Tool]:
    """Calls a tool by name and gives the text it answers with."""
    try:
        program = environments.command("mcp")
    except environments.Unavailable as error:
        pytest.skip(str(error))
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    process = subprocess.Popen(
        [*program, "-m", "yuppie_mcp_alibabacloud_fnf"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**clean, **cf.environ},
    )  # fmt: skip
    with process:
        assert process.stdin is not None
        rpc = Rpc(process)
        rpc("initialize", protocolVersion="2024-11-05", capabilities={}, clientInfo={"name": "tests", "version": "1"})
        rpc.tell("notifications/initialized")
        unused = {each["name"] for each in rpc("tools/list")["tools"]}

        def call(tool: str, /, **arguments: Any) -> str:
            (content,) = rpc("tools/call", name=f"fnf_{tool}", arguments=arguments)["content"]
            unused.discard(f"fnf_{tool}")
            text: str = content["text"]
            return text

        yield call
        process.stdin.close()
    assert not unused, "not walked"


class Rpc:
    """JSON-RPC over a process's standard streams, a line each."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._number = 0

    def __call__(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        self._send({"id": self._number, "method": method, "params": parameters})
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer = json.loads(line)
            if answer.get("id") == self._number:
                result: dict[str, Any] = answer["result"]
                return result
        raise AssertionError(f"no answer to {method}")

    def tell(self, method: str) -> None:
        self._send({"method": method})

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self._process.stdin.flush()


def test_every_tool_does_its_work(tool: Tool, cf: CloudFlow) -> None:
    assert "order_flow" in tool("list_flows")
    assert "order_flow" in tool("describe_flow", name="order_flow")
    assert "order_flow" in tool("describe_flow_inputs", name="order_flow")
    assert "Running" in tool("start_execution", flow_name="order_flow", execution_name="open", input_data={"a": "王"})
    assert "open" in tool("list_executions", flow_name="order_flow")
    assert "ExecutionStarted" in tool("get_execution_history", flow_name="order_flow", execution_name="open")
    assert "open" in tool("stop_execution", flow_name="order_flow", execution_name="open", cause="enough")
    assert "Stopped" in tool("describe_execution", flow_name="order_flow", execution_name="open")
    assert "Succeeded" in tool("start_sync_execution", flow_name="quick", execution_name="s", input_data={})
    refused = tool("stop_execution", flow_name="order_flow", execution_name="open")
    assert "Execution 'open' for flow 'order_flow' has already completed." in refused
    assert [call.code for call in cf.calls() if call.code] == ["ExecutionAlreadyCompleted"]
