"""The options of one run of `cfmock test`."""

from __future__ import annotations

from msgspec import Struct


class TestOptions(Struct, frozen=True):
    """`paths` hold the tests, of which `wanted` texts pick some; `junit`, `json` and `html` are files to write, `coverage` files
    whose coverage counts too, `variables` those of files of deployment tools."""

    paths: tuple[str, ...]
    wanted: tuple[str, ...]
    fail_fast: bool
    jobs: int
    junit: str | None
    json: str | None
    html: str | None
    min_coverage: float | None
    coverage: tuple[str, ...]
    variables: dict[str, str]
