"""A flow as a Graphviz graph."""

from __future__ import annotations

from collections.abc import Iterator

from cfmock.engine.flow import Flow
from cfmock.engine.model import Node, NodeKind, Series
from cfmock.graph.drawing import Highlight, Link, Status, lane_of, lanes, links, note, numbers, retry_caption

_SHAPES = {
    NodeKind.PASS: 'shape=box, style="rounded"',
    NodeKind.TASK: "shape=box",
    NodeKind.CHOICE: "shape=diamond",
    NodeKind.PARALLEL: "shape=parallelogram",
    NodeKind.MAP: "shape=box3d",
    NodeKind.WAIT: "shape=ellipse",
    NodeKind.SUCCEED: 'shape=box, style="rounded", peripheries=2',
    NodeKind.FAIL: "shape=octagon",
}
_COLOURS = {
    Status.PLAIN: "",
    Status.REACHED: 'color="#1a7f37", penwidth=2',
    Status.MISSED: 'color="#8c959f", fontcolor="#57606a"',
    Status.FAILED: 'color="#cf222e", penwidth=3',
}


def dot(flow: Flow, highlight: Highlight | None = None) -> str:
    """Write a flow as a `digraph`, with the parts of `highlight` coloured in.

    A state that holds series is a cluster: the state itself at its top, and below it a cluster for each series.
    """
    return "\n".join(_Graph(flow, highlight).lines()) + "\n"


class _Graph:
    def __init__(self, flow: Flow, highlight: Highlight | None) -> None:
        self.flow = flow
        self.highlight = highlight
        self.numbers = numbers(flow)

    def lines(self) -> Iterator[str]:
        first = self.flow.series.first
        yield f"digraph {_quoted(self.flow.name or 'flow')} {{"
        yield "  compound=true;"
        yield '  node [fontname="sans-serif", fontsize=11]; edge [fontname="sans-serif", fontsize=9];'
        yield '  graph [fontname="sans-serif", fontsize=10, style="rounded", color="#8c959f"];'
        yield '  start [shape=point, width=0.2, label=""];'
        status = self.highlight.of_start(first) if self.highlight else Status.PLAIN
        yield f"  start -> {self.numbers[first.id]}{_attributes(self.head(first), _COLOURS[status])};"
        yield from self.series(self.flow.series, "  ")
        yield "}"

    def series(self, series: Series, indent: str) -> Iterator[str]:
        for node in series.nodes.values():
            yield from self.node(node, indent)
        for link in links(series):
            source, target = series.nodes[link.edge.source], series.nodes[link.edge.target]
            status = self.highlight.of_link(link, source) if self.highlight else Status.PLAIN
            lane = lane_of(link, source)
            # What follows stands below the cluster, so a link begins at its bottom.
            begin = self.numbers[source.id] if link.loop else self.bottom(source, lane or 0)
            line = _line(link, link.label if lane is None else "")
            ends = () if source is target else (self.tail(source, lane), self.head(target))
            looks = _attributes(*ends, *line, _COLOURS[status])
            yield f"{indent}{begin} -> {self.numbers[target.id]}{looks};"

    def node(self, node: Node, indent: str) -> Iterator[str]:
        name = self.numbers[node.id]
        label = [node.name, note(node), *(f"retry {retry_caption(rule)}" for rule in node.retry)]
        status = self.highlight.of(node.id) if self.highlight else Status.PLAIN
        text = '"' + "\\n".join(_quoted(line)[1:-1] for line in label) + '"'
        box = f"{name}{_attributes(f'label={text}', _SHAPES[node.kind], _COLOURS[status])};"
        inside = lanes(node)
        if not inside:
            yield indent + box
            return
        yield f'{indent}subgraph cluster_{name} {{ label="";'
        yield f"{indent}  {box}"
        for index, lane in enumerate(inside):
            yield f"{indent}  subgraph cluster_{name}_{index} {{ label={_quoted(lane.label)};"
            yield from self.series(lane.series, indent + "    ")
            yield f'{indent}    {name}_{index} [shape=point, width=0.01, style=invis, label=""];'
            for last in lane.series.nodes.values():
                if last.next is None:
                    yield f"{indent}    {self.bottom(last)} -> {name}_{index} [style=invis];"
            yield f"{indent}  }}"
            first = lane.series.first
            looks = _attributes("style=dotted", "arrowhead=none", self.head(first))
            yield f"{indent}  {name} -> {self.numbers[first.id]}{looks};"
        yield f"{indent}}}"

    def bottom(self, node: Node, lane: int = 0) -> str:
        """Return the lowest thing of a state: the point that ends a lane, if it has lanes."""
        return f"{self.numbers[node.id]}_{lane}" if lanes(node) else self.numbers[node.id]

    def tail(self, node: Node, lane: int | None) -> str:
        if not lanes(node):
            return ""
        return f"ltail=cluster_{self.numbers[node.id]}" + (f"_{lane}" if lane is not None else "")

    def head(self, node: Node) -> str:
        return f"lhead=cluster_{self.numbers[node.id]}" if lanes(node) else ""


def _attributes(*parts: str) -> str:
    given = ", ".join(part for part in parts if part)
    return f" [{given}]" if given else ""


def _line(link: Link, label: str) -> list[str]:
    label = f"catch {label}" if link.is_catch else label
    parts = [f"label={_quoted(label)}"] if label else []
    if link.is_catch:
        parts.append("style=dashed")
    elif link.loop:
        parts.append("style=bold")
    if link.loop:
        parts.append("constraint=false")
    return parts


def _quoted(text: str) -> str:
    """Return a quoted string of one line, in which no backslash begins an escape and no ampersand a character's name."""
    line = "".join(letter for letter in " ".join(text.split()) if letter.isprintable())
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") + '"'
