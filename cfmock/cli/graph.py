"""`cfmock graph`: a picture of a flow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cfmock.base.errors import SettingsError
from cfmock.base.suggestions import did_you_mean, shown
from cfmock.cli.options import variable_option

if TYPE_CHECKING:
    from cfmock.engine.flow import Flow
    from cfmock.graph.drawing import Highlight

_FORMATS = ("mermaid", "dot", "svg")


@click.command
@click.argument("path")
@click.option("--flow", "name", metavar="NAME", help="The flow to draw, if PATH has several.")
@click.option(
    "--format", "language", type=click.Choice(_FORMATS), default="mermaid", show_default=True,
    help="Format of the picture.",
)  # fmt: skip
@click.option(
    "--coverage", metavar="FILE", help="Colour the parts that tests reached; FILE was written by `cfmock test --json`."
)
@variable_option
@click.option("--test", metavar="NAME", help="Colour the path of one test; needs --coverage.")
def command(
    path: str, name: str | None, language: str, coverage: str | None, test: str | None, variables: dict[str, str]
) -> None:
    """Draw a flow as Mermaid, Graphviz or SVG.

    PATH is a flow definition, a fixture, or a folder of them. The picture goes to stdout.

    \b
    Example:
      cfmock graph order_flow.fdl.yaml --format svg > order_flow.svg
    """
    from cfmock.graph.formats import FORMATS

    if test is not None and coverage is None:
        raise click.UsageError("--test needs --coverage FILE, where its path is written")
    flow = _flow(path, name, variables)
    highlight = _highlight(coverage, flow, test) if coverage is not None else None
    click.echo(FORMATS[language](flow, highlight), nl=False)


def _flow(path: str, name: str | None, variables: dict[str, str]) -> Flow:
    from cfmock.fixtures.loader import load

    flows = {each.name: each.flow for each in load([path], variables=variables).flows}
    if name is None and len(flows) == 1:
        return next(iter(flows.values()))
    if name is None:
        raise SettingsError(f"{path} holds {_listed(flows)}" + ("; choose one with --flow" if flows else ""))
    if name not in flows:
        raise SettingsError(f"{path} has no flow '{name}'{did_you_mean(name, flows) or f'; it holds {_listed(flows)}'}")
    return flows[name]


def _highlight(path: str, flow: Flow, test: str | None) -> Highlight:
    """Highlight the parts of a flow that all tests reached, or the path that one test took through it."""
    from cfmock.graph.drawing import Highlight

    document, name = _document(path), flow.name or ""
    try:
        hits = _covered(path, document, name) if test is None else _path(path, document, name, test)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise SettingsError(f"{path} is not what `cfmock test --json` writes") from None
    if test is not None:
        return Highlight(hits, title=test)
    points = flow.points()
    reached = sum(hits.get(point.id, 0) > 0 for point in points)
    return Highlight(hits, title=f"coverage {100 * reached // len(points)} %")


def _document(path: str) -> Any:
    try:
        return json.loads(Path(path).read_bytes())
    except OSError as error:
        raise SettingsError(f"cannot read {shown(path)}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path} is not JSON: {error}") from None


def _covered(path: str, document: Any, flow: str) -> dict[str, int]:
    """Return the entry of a flow in `coverage`: its points with their hits."""
    covered: dict[str, Any] = {each["flow"]: each["points"] for each in document["coverage"]}
    hits = {point["id"]: int(point["hits"]) for point in covered.get(flow, ())}
    if flow not in covered:
        raise SettingsError(f"{path} does not cover flow '{flow}', only {_listed(covered)}")
    return hits


def _path(path: str, document: Any, flow: str, test: str) -> dict[str, int]:
    """Return the hits of one of the `tests`, which may have come to the flow from another."""
    tests = {each["name"]: each["hits"][flow] for each in document.get("tests", ()) if flow in each["hits"]}
    if test not in tests:
        near = did_you_mean(test, tests) or (f"; there are {', '.join(tests)}" if tests else "")
        raise SettingsError(f"{path} has no test '{test}' that reached flow '{flow}'{near}")
    return {str(point): int(times) for point, times in tests[test].items()}


def _listed(names: dict[str, Any]) -> str:
    return ", ".join(sorted(names)) or "no flow"
