"""A flow as a Mermaid flowchart, for Markdown pages that draw such."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from cfmock.engine.flow import Flow
from cfmock.engine.model import Node, NodeKind, Series
from cfmock.graph.drawing import Highlight, Link, Status, lane_of, lanes, links, note, numbers, retry_caption

_SHAPES = {
    NodeKind.PASS: ("(", ")"),
    NodeKind.TASK: ("[", "]"),
    NodeKind.CHOICE: ("{", "}"),
    NodeKind.WAIT: ("([", "])"),
    NodeKind.SUCCEED: ("[/", "\\]"),
    NodeKind.FAIL: ("{{", "}}"),
}
_COLOURS = {
    Status.REACHED: "stroke:#1a7f37,stroke-width:3px",
    Status.MISSED: "stroke:#8c959f,stroke-dasharray:3 3",
    Status.FAILED: "stroke:#cf222e,stroke-width:4px",
}


def mermaid(flow: Flow, highlight: Highlight | None = None) -> str:
    """Write a flow as a Mermaid flowchart, with the parts of `highlight` coloured in."""
    return "\n".join(_Chart(flow, highlight).lines()) + "\n"


class _Chart:
    def __init__(self, flow: Flow, highlight: Highlight | None) -> None:
        self.flow = flow
        self.highlight = highlight
        self.numbers = numbers(flow)
        self.arrows: list[Status] = []

    def lines(self) -> Iterator[str]:
        yield "flowchart TD"
        first = self.flow.series.first
        yield "  start((( )))"
        yield from self.series(self.flow.series, "  ")
        yield f"  start --> {self.numbers[first.id]}"
        self.arrows.append(self.highlight.of_start(first) if self.highlight else Status.PLAIN)
        if self.highlight is not None:
            yield from self.colours(self.highlight)

    def series(self, series: Series, indent: str) -> Iterator[str]:
        for node in series.nodes.values():
            yield from self.node(node, indent)
        for link in links(series):
            source = series.nodes[link.edge.source]
            self.arrows.append(self.highlight.of_link(link, source) if self.highlight else Status.PLAIN)
            target = series.nodes[link.edge.target]
            lane = lane_of(link, source)
            begin = self.numbers[source.id] + ("" if lane is None else f"_{lane}")
            yield f"{indent}{begin} {_arrow(link, link.label if lane is None else '')} {self.numbers[target.id]}"

    def node(self, node: Node, indent: str) -> Iterator[str]:
        name = self.numbers[node.id]
        inside = lanes(node)
        lines = (node.name, note(node), *(f"retry {retry_caption(rule)}" for rule in node.retry))
        if not inside:
            before, after = _SHAPES.get(node.kind, ("[", "]"))
            yield f'{indent}{name}{before}"{_lines(lines)}"{after}'
            return
        yield f'{indent}subgraph {name}["{" · ".join(map(_text, lines))}"]'  # titles have one line
        yield f"{indent}  direction TB"
        for index, lane in enumerate(inside):
            yield f'{indent}  subgraph {name}_{index}["{_text(lane.label)}"]'
            yield f"{indent}    direction TB"
            yield from self.series(lane.series, indent + "    ")
            yield f"{indent}  end"
        yield f"{indent}end"

    def colours(self, highlight: Highlight) -> Iterator[str]:
        for status, colour in _COLOURS.items():
            yield f"  classDef {status.value} {colour}"
            members = [name for key, name in self.numbers.items() if highlight.of(key) is status]
            if members:
                yield f"  class {','.join(members)} {status.value}"
            colour = colour.split(",stroke-dasharray")[0]  # the dashes of a line show its kind
            arrows = [str(index) for index, found in enumerate(self.arrows) if found is status]
            if arrows:
                yield f"  linkStyle {','.join(arrows)} {colour}"


def _arrow(link: Link, label: str) -> str:
    if link.is_catch:
        return f'-.->|"catch {_text(label)}"|'
    arrow = "==>" if link.loop else "-->"
    return f'{arrow}|"{_text(label)}"|' if label else arrow


_PLAIN = " .,:·_/$?"
_APART = "#8288;"
"""A word joiner: there is nothing to see, and what stands on either side of it means nothing together."""


def _text(text: str) -> str:
    """Everything that could mean something to Mermaid, Markdown or HTML as a character code; one line.

    Two dollars begin and end a formula. A colon before a code is taken, after the word `style`, for one before a colour.
    """
    line = " ".join(text.split()) or " "
    coded = "".join(
        letter if letter.isalnum() or letter in _PLAIN else f"#{ord(letter)};"
        for letter in line
        if letter.isprintable()
    )
    coded = re.sub(r"(?<=\$)\$|\$(?=\$)", "#36;", coded)
    return re.sub(r":(?=\S*#)", "#58;", coded)


def _lines(lines: Iterable[str]) -> str:
    """Return the lines of one label. Mermaid undoes the codes in such, and then looks for formulas, line ends and icons."""
    text = "<br/>".join(map(_text, lines))
    return re.sub(r"#36;(?=#36;)|#92;(?=n)|(?<=fa)\w?#58;(?=fa#45;)", rf"\g<0>{_APART}", text)
