"""The formats that flows are drawn in."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cfmock.engine.flow import Flow
from cfmock.graph.dot import dot
from cfmock.graph.drawing import Highlight
from cfmock.graph.mermaid import mermaid
from cfmock.graph.svg.svg import svg

FORMATS: Mapping[str, Callable[[Flow, Highlight | None], str]] = {"mermaid": mermaid, "dot": dot, "svg": svg}
"""Functions that draw a flow, by the name of the format: same flow and highlight, same text."""
