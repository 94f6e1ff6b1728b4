"""The options of one run of `cfmock contract`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfmock.tools.contract.plan import CaseSelection


@dataclass(frozen=True, slots=True)
class ContractOptions:
    """`words` are the command to run, `wanted` the cases, `form` the report's, which goes to `output`; `expect` names the
    accepted matrix, which `update` rewrites; `show` is the server whose console shows the report."""

    words: Sequence[str]
    wanted: CaseSelection
    jobs: int
    form: str
    output: str | None
    expect: str | None
    update: bool
    show: str | None = None
