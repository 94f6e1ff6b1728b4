"""Flow tests in `*.cfmock.yaml` as items of pytest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cfmock.pytest_plugin import coverage
from cfmock.pytest_plugin.servers import UNUSED

if TYPE_CHECKING:
    from cfmock.fixtures.model import FlowFixture, FlowTest
    from cfmock.tools.flowtest.cases import Result
    from cfmock.tools.flowtest.run import FlowTestRunner

SUFFIX = ".cfmock.yaml"

ALONE = (
    "each *.cfmock.yaml is loaded alone: name the file or folder with its flows in the ini option cfmock_fixtures, "
    "or under `flows` in the file itself"
)
"""A hint at the ini option that may have been forgotten where a test's flow is not there."""


class FlowTestFile(pytest.File):
    """A fixture file with flow tests. Its flows come on top of those of the ini option, and replace those of the same name."""

    def collect(self) -> Iterator[FlowTestItem]:
        from cfmock.base.errors import CfmockError, SourceError
        from cfmock.base.problems import NO_FLOW
        from cfmock.fixtures.loader import load
        from cfmock.tools.flowtest.run import FlowTestRunner

        try:
            base = load(self.config.getini("cfmock_fixtures"))
            fixtures = load([os.path.relpath(self.path)], base=base)
            lab = FlowTestRunner(fixtures)
        except CfmockError as error:
            alone = isinstance(error, SourceError) and any(each.mistake.kind == NO_FLOW for each in error.problems)
            raise self.CollectError(f"{error}\n{ALONE}" if alone else str(error)) from None
        measured = coverage.of(self.config)
        if measured is not None:
            measured.count_all(fixtures.flows)
        for test in fixtures.tests:
            flows = [flow for flow in fixtures.flows if flow.name == test.flow]
            yield FlowTestItem.from_parent(self, name=f"{test.flow}: {test.name}", lab=lab, test=test, flows=flows)


class FlowTestItem(pytest.Item):
    """One flow test; `flows` are those that it runs."""

    def __init__(self, *, lab: FlowTestRunner, test: FlowTest, flows: list[FlowFixture], **given: Any) -> None:
        super().__init__(**given)
        self._lab = lab
        self._test = test
        self.flows = flows

    def runtest(self) -> None:
        from cfmock.tools.flowtest.cases import result

        found = result(self._lab, self._test)
        measured = coverage.of(self.config)
        if measured is not None:
            measured.add(found.hits)
        if not found.passed:
            raise FlowTestFailed(found)
        for text in found.warnings if self.config.getini(UNUSED) == "ignore" else (*found.warnings, *found.unused):
            self.warn(pytest.PytestWarning(text))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, FlowTestFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self._test.mark.line - 1, self.name


class FlowTestFailed(Exception):  # noqa: N818 - reads as what happened
    """A flow test whose execution went otherwise than expected."""

    def __init__(self, result: Result) -> None:
        super().__init__(result)
        self.result = result

    def __str__(self) -> str:
        from cfmock.tools.flowtest.report import failure

        what = ", ".join(difference.what for difference in self.result.differences)
        return "\n".join([f"{what} not as expected ({self.result.mark})", *failure(self.result)[1:]])
