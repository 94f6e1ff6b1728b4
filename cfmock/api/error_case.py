"""The error case that a test runs for: an operation whose calls are answered an error, or break off."""

from __future__ import annotations

from cfmock.api.cloudflow import CloudFlow
from cfmock.protocol.faults.catalogue import TransportFault
from cfmock.protocol.spec.model import load
from cfmock.protocol.spec.names import ErrorCode


class ErrorCase:
    """One case of `cfmock_errors`: `operation`, `code`, `status` (HTTP) and `message`, or, where its connection breaks,
    `transport` (`reset`); what does not apply is None. `fault` is the rule that brings it about."""

    def __init__(
        self,
        cf: CloudFlow,
        operation: str,
        *,
        code: ErrorCode | None = None,
        transport: TransportFault | None = None,
        times: int | None = None,
    ) -> None:
        self._cf = cf
        self._entry = load().errors[code] if code is not None else None
        self.operation = operation
        self.code = code
        self.transport = transport
        self.status = self._entry.status if self._entry is not None else None
        self.fault = cf.fault(
            name="cfmock_errors", when={"operation": operation}, error=code, transport=transport, times=times
        )

    @property
    def message(self) -> str | None:
        """The message as it was last answered; before that with the names of its arguments."""
        if self._entry is None:
            return None
        answered = [call.message for call in self._cf.calls(self.operation, code=self.code) if call.message]
        return answered[-1] if answered else self._entry.render(tuple(f"<{name}>" for name in self._entry.args))

    def __repr__(self) -> str:
        what = f"{self.status} {self.code}" if self.code is not None else f"connection: {self.transport}"
        return f"<{self.operation}: {what}>"
