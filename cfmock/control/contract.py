"""The last error matrix of a client, as `cfmock contract` reports it: kept to be looked at."""

from __future__ import annotations

from functools import partial

from cfmock.base import readers
from cfmock.base.clocks import RealClock, iso
from cfmock.base.errors import InvalidValue
from cfmock.base.json_text import Json
from cfmock.base.readers import Reader
from cfmock.control.part import Answer, ControlError, ControlPart
from cfmock.emulator.emulator import Emulator
from cfmock.protocol.faults.catalogue import error_code
from cfmock.protocol.faults.rules import NO_OPERATION, TRANSPORTS
from cfmock.protocol.spec.model import load

MAX_CASES = 5_000
"""Cases of a matrix that is kept."""


def case_reader() -> Reader:
    """Reads one case of a report."""
    spec = load()
    case = {
        "operation": readers.one_of(spec.operations, NO_OPERATION),
        "code": error_code(spec.errors),
        "transport": readers.one_of(TRANSPORTS),
        "exit": readers.whole(0, 255),
        "calls": readers.whole(0),
        "spacing": readers.items(readers.number(0, 1e9)),
        "recovered": readers.flag,
        "seen": readers.flag,
        "timed_out": readers.flag,
        "polls": readers.whole(0),
        "violations": readers.items(readers.anything),
        "seconds": readers.number(0, 1e9),
        "said": readers.anything,
    }
    return readers.mapping(case, required=("operation", "exit", "calls", "spacing", "recovered", "seen"))


class ContractControl(ControlPart):
    """Keeps the last matrix, until the server is reset."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator)
        self._contract: Json = None

    def show_contract(self) -> Json:
        """The matrix with its command and time; null if there is none."""
        return self._contract

    def keep_contract(self, report: Json) -> Answer:
        """Keep this matrix in place of the one before; the reading is yielded. Raises ControlError for what is none."""
        cases = report.get("cases") if isinstance(report, dict) else None
        if isinstance(cases, list) and len(cases) > MAX_CASES:
            raise ControlError(f"a matrix has at most {MAX_CASES} cases, not {len(cases)}")
        found = yield partial(_read, report)
        self._contract = {
            "time": iso(RealClock.now()),
            "command": found.get("command", ""),
            "cases": [_whole(case) for case in found["cases"]],
        }
        self._mark("fault")
        return {}


def _read(report: Json) -> Json:
    read = readers.mapping({"command": readers.anything, "cases": readers.items(case_reader())}, required=("cases",))
    try:
        return read(report)
    except InvalidValue as error:
        raise ControlError(str(error)) from None


def _whole(case: dict[str, Json]) -> dict[str, Json]:
    usual: dict[str, Json] = {"timed_out": False, "polls": 0, "violations": [], "said": ""}
    return {**dict.fromkeys(("code", "transport", "seconds")), **usual, **case}
