"""The layout, whatever the graph: nothing overlaps, no line runs through a box, all is inside the frame."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfmock.graph.svg.arrange import Size
from cfmock.graph.svg.layers import Arc
from cfmock.graph.svg.routes import lay_out

SIZES = st.builds(Size, st.floats(20, 300), st.floats(20, 200))
PILLS = st.none() | st.builds(Size, st.floats(20, 200), st.just(20.0))


@st.composite
def graphs(draw):
    boxes = draw(st.lists(SIZES, min_size=1, max_size=14))
    box = st.integers(0, len(boxes) - 1)
    kinds = st.sampled_from([("a", 0.5), ("b", 2.0), ("c", 50.0)])
    arcs = []
    for source, target, pill, (lane, weight) in draw(st.lists(st.tuples(box, box, PILLS, kinds), max_size=24)):
        back = target <= source
        arcs.append(Arc(source, target, "loop" if back else lane, back, pill, weight))
    return boxes, arcs


def frame(size, place):
    return place[0] - size.width / 2, place[1], place[0] + size.width / 2, place[1] + size.height


def rectangles(boxes, arcs, layout):
    found = [frame(size, place) for size, place in zip(boxes, layout.boxes, strict=True)]
    return found + [frame(arcs[index].pill, place) for index, place in layout.pills.items()]


def overlap(a, b):
    return min(a[2], b[2]) - max(a[0], b[0]) > 0.01 and min(a[3], b[3]) - max(a[1], b[1]) > 0.01


def pieces(line):
    """The rectangles that a line's pieces stay in; a curve between two points stays between them."""
    for (x, y), (to_x, to_y) in pairwise(line.points):
        yield min(x, to_x), min(y, to_y), max(x, to_x) + 0.02, max(y, to_y) + 0.02


@given(graphs())
def test_boxes_and_labels_stand_apart(graph):
    boxes, arcs = graph
    layout = lay_out(boxes, arcs)
    assert not [pair for pair in combinations(rectangles(boxes, arcs, layout), 2) if overlap(*pair)]


@given(graphs())
def test_no_line_runs_through_a_box(graph):
    boxes, arcs = graph
    layout = lay_out(boxes, arcs)
    for rectangle in rectangles(boxes, arcs, layout):
        inner = (rectangle[0] + 0.1, rectangle[1] + 0.1, rectangle[2] - 0.1, rectangle[3] - 0.1)
        assert not [line for line in layout.lines for piece in pieces(line) if overlap(inner, piece)]


@given(graphs())
def test_every_arc_is_drawn_from_its_box_into_its_target(graph):
    boxes, arcs = graph
    layout = lay_out(boxes, arcs)
    for index, arc in enumerate(arcs):
        lines = [line for line in layout.lines if index in line.arcs]
        x, y = layout.boxes[arc.source]
        starts = [line.points[0] for line in lines]
        assert any(
            abs(at - (y + boxes[arc.source].height)) < 0.01 and abs(where - x) <= boxes[arc.source].width / 2
            for where, at in starts
        )
        x, y = layout.boxes[arc.target]
        ends = [line.points[-1] for line in lines if line.arrow]
        assert any(abs(at - y) < 0.01 and abs(where - x) <= boxes[arc.target].width / 2 for where, at in ends)


@given(graphs())
def test_all_is_inside_the_frame(graph):
    boxes, arcs = graph
    layout = lay_out(boxes, arcs)
    corners = [corner for box in rectangles(boxes, arcs, layout) for corner in (box[:2], box[2:])]
    for x, y in [*corners, *(point for line in layout.lines for point in line.points)]:
        assert -0.01 <= x <= layout.size.width + 0.01
        assert -0.01 <= y <= layout.size.height + 0.01


@given(graphs())
def test_the_same_graph_is_always_laid_out_alike(graph):
    assert lay_out(*graph) == lay_out(*graph)


def test_states_that_follow_one_another_stand_in_a_straight_line():
    arcs = [Arc(index, index + 1, "next", weight=50.0) for index in range(5)]
    arcs += [Arc(index, 5, "catch", pill=Size(60.0, 20.0), weight=0.5) for index in range(4)]
    layout = lay_out([Size(100.0 + 20 * index, 40.0) for index in range(6)], arcs)
    middles = [x for x, _ in layout.boxes]
    assert max(middles) - min(middles) < 0.5


@pytest.mark.timeout(30)  # a second when idle, unless the work grows with the length of arcs
def test_work_does_not_grow_with_the_length_of_arcs():
    """Two thousand states in a row, each with an arc to a box of its own at the far end."""
    count = 1000
    arcs = [Arc(index, index + 1, "next", weight=50.0) for index in range(2 * count - 1)]
    arcs += [Arc(index, 2 * count - 1 - index // 2, "catch", weight=0.5) for index in range(count)]
    assert len(lay_out([Size(100.0, 40.0)] * (2 * count), arcs).boxes) == 2 * count
