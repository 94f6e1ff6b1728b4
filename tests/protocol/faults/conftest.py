"""Rules and calls as the tests of this folder make them."""

import pytest

from cfmock.base.clocks import VirtualClock
from cfmock.base.randomness import Ids
from cfmock.protocol.faults.injector import FaultInjector
from cfmock.protocol.faults.rules import FaultRule
from cfmock.protocol.spec import model
from cfmock.protocol.wire.messages import OperationCall

NOON = 1_717_243_200.0  # 2024-06-01T12:00:00Z


@pytest.fixture
def rule():
    """Makes a rule of the keys of a fixture file."""
    spec = model.load()
    return lambda **keys: FaultRule.from_mapping(keys, operations=spec.operations, codes=spec.errors)


@pytest.fixture
def call():
    """Makes a call; a flow or execution of None is one that the request does not name."""

    def make(operation="StartExecution", flow="order_flow", execution="e1", access_key_id="cfmock"):
        arguments = {"FlowName": flow, "ExecutionName": execution}
        named = {key: value for key, value in arguments.items() if value is not None}
        return OperationCall(model.load().operations[operation], named, access_key_id)

    return make


@pytest.fixture
def clock():
    return VirtualClock(NOON)


@pytest.fixture
def injector(clock):
    return FaultInjector(clock, Ids(7))
