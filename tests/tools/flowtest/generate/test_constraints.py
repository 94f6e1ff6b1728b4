"""Values that make conditions come true, and open data."""

from __future__ import annotations

from typing import Any

import pytest

from cfmock.engine.expr import compile_expression
from cfmock.tools.flowtest.generate.constraints import Constraint, solve
from cfmock.tools.flowtest.generate.symbolic import (
    INPUT,
    MergedValue,
    Place,
    Shapes,
    SymbolicValue,
    ValueShape,
    concrete,
    renew,
    renewed,
    unknown_parts,
)


def constraint(condition: str, given: Any, wanted: bool = True) -> Constraint:
    return Constraint.of(compile_expression(condition, frozenset({"$"})), {"$": given}, wanted)


@pytest.mark.parametrize(
    "conditions",
    [
        ["$.n > 5", "$.n < 7"],
        ["$.n >= -2.5", "$.n != -2.5", "$.n <= 0"],
        ['$.a == "x"', '$.b != "x"', "$.c"],
        ["$.a == $.b", "$.b == 3"],
        ["!($.a || $.b) && $.c"],
        ['regexMatchString("^order", $.name)'],
        ["length($.items) == 3"],
        ['arrayContains($.tags, "new")'],
        ['"new" in $.tags'],
        ["$.x == null"],
        ["$.when > '2024'"],
        ["$.items[0] != null"],
        ['$.items[2].name == "x"', "$.items[0] > 3"],
    ],
)
@pytest.mark.parametrize("wanted", [True, False])
def test_simple_conditions_are_solved_both_ways(conditions, wanted):
    given = Shapes().make(INPUT)
    constraints = [constraint(condition, given, wanted) for condition in (conditions if wanted else conditions[:1])]
    found = solve([], constraints, {})
    assert found is not None
    assert all(each.holds(found) for each in constraints)


def test_what_contradicts_itself_has_no_solution():
    given = Shapes().make(INPUT)
    first = constraint("$.n > 5", given)
    found = solve([], [first], {})
    assert found is not None
    assert solve([first], [constraint("$.n < 3", given)], found) is None


def test_earlier_values_change_only_where_they_must():
    given = Shapes().make(INPUT)
    constraints = [constraint("$.n > 5", given), constraint("$.m > 5", given)]
    before = solve([], constraints, {})
    assert before == {Place(keys=("n",)): 6, Place(keys=("m",)): 6}
    after = solve(constraints, [constraint("$.n > 100", given)], before)
    assert after == {Place(keys=("n",)): 101, Place(keys=("m",)): 6}


def test_open_data_remember_what_was_asked_of_them():
    shapes = Shapes(
        {
            Place(keys=("list",)): ValueShape(length=2),
            Place(keys=("n",)): ValueShape(value=7),
        }
    )
    given = shapes.make(INPUT)
    assert given["n"] == 7
    assert [each.place.keys for each in unknown_parts([given["a"]["b"], given["list"]])] == [
        ("a", "b"), ("list", 0), ("list", 1),
    ]  # fmt: skip
    assert concrete(given, {Place(keys=("a", "b")): 1}) == {"n": 7, "a": {"b": 1}, "list": ["list", "list"]}


def test_what_was_asked_for_in_vain_is_forgotten():
    shapes = Shapes()
    given = shapes.make(INPUT)
    kept = given["kept"]["part"]
    since = len(shapes.lookups)
    named = given["named"]["part"]
    given["other"]["part"]["deep"]
    shapes.undo_lookups(since, {named.place})
    assert concrete(given, {}) == {"kept": {"part": "part"}, "named": {"part": "part"}}
    assert given["kept"]["part"] is kept


def result(call: int, shapes: Shapes) -> SymbolicValue:
    made = shapes.make(Place("look", call))
    assert isinstance(made, SymbolicValue)
    return made


def test_a_merge_knows_what_either_side_does_and_asks_the_later_for_the_rest():
    shapes = Shapes()
    merged = MergedValue(MergedValue({"status": "new"}, shapes.make(INPUT)), result(0, shapes))
    assert merged["status"] == "new"
    assert merged["tries"].place == Place("look", 0, ("tries",))


def test_a_later_call_of_a_task_may_give_something_else():
    shapes = Shapes()
    first = MergedValue({}, result(0, shapes))
    assert first["status"].place.call == 0
    second = MergedValue(MergedValue(shapes.make(INPUT), first), result(1, shapes))
    assert second["status"].place.call == 1


def test_what_an_earlier_step_set_may_be_set_anew():
    shapes = Shapes()
    merged = MergedValue({}, MergedValue({"status": "new"}, result(0, shapes)))
    part = renewed(merged, "status")
    assert part is not None
    renew(merged, "status", part)
    assert merged["status"].place == Place("look", 0, ("status",))
    assert renewed({"status": "new"}, "status") is None
