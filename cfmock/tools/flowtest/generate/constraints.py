"""Values for symbolic data that make conditions true or false: tried one after the other, from what the conditions name.

No algebra: a condition compares with constants, so the constants, what lies just beside them, and a few values of each
type are all that has to be tried. Whether a value fits is asked of the condition itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from cfmock.base.json_text import Json
from cfmock.base.randomness import Ids
from cfmock.engine.expr import Effort, Expression, ExpressionError
from cfmock.engine.expr import parser as tree
from cfmock.tools.flowtest.generate.symbolic import Place, SymbolicValue, concrete, unknown_parts

Found = Mapping[Place, Json]

_TRIES = 20_000  # combinations that are tried for one set of conditions
_LONGEST = 20  # elements of a list that is made to have a length


class Constraint(Struct, frozen=True, eq=False):
    """A condition, the data it was asked of, and whether it should be true. `named` is what is symbolic in what it names."""

    condition: Expression
    scope: Mapping[str, Json]
    wanted: bool
    named: tuple[SymbolicValue, ...]

    @classmethod
    def of(cls, condition: Expression, scope: Mapping[str, Json], wanted: bool) -> Constraint:
        paths = (node for node in _walk(condition.tree) if isinstance(node, tree.Name | tree.Select))
        named = {part.place: part for path in paths for part in unknown_parts(selected(path, scope))}
        return cls(condition, {name: scope[name] for name in condition.roots}, wanted, tuple(named.values()))

    @property
    def places(self) -> list[Place]:
        """The places whose values are wanted, without those of which a part was asked for meanwhile."""
        return [each.place for each in self.named if not len(each)]

    def holds(self, given: Found) -> bool:
        scope = {name: concrete(value, given) for name, value in self.scope.items()}
        try:
            return self.condition.test(scope, Effort(Ids(0))) is self.wanted
        except ExpressionError:
            return False


def solve(constraints: Sequence[Constraint], new: Sequence[Constraint], before: Found) -> Found | None:
    """Values with which new constraints come true beside those that came true with `before`; None if none are found.

    Only what has to do with the new ones is looked at, and what it had is tried first.
    """
    search = _Search(_related(constraints, new), before)
    return {**before, **search.given} if search.find() else None


def _related(constraints: Sequence[Constraint], new: Sequence[Constraint]) -> list[Constraint]:
    """Return the new constraints, and those that share a place with them, or with one that does."""
    found, rest = list(new), [(constraint, set(constraint.places)) for constraint in constraints]
    places = {place for constraint in new for place in constraint.places}
    while joined := [each for each in rest if not places.isdisjoint(each[1])]:
        found += [constraint for constraint, _ in joined]
        places.update(*(more for _, more in joined))
        rest = [each for each in rest if each not in joined]
    return found


class _Search:
    """Depth first, over the values of one place after the other."""

    def __init__(self, constraints: Sequence[Constraint], before: Found) -> None:
        self.given: dict[Place, Json] = {}
        self.places = list(dict.fromkeys(place for constraint in constraints for place in constraint.places))
        self.choices = [list(_candidates(place, constraints, before)) for place in self.places]
        self.tries = 0
        # A constraint is asked as soon as the last of its places has a value.
        order = {place: index for index, place in enumerate(self.places)}
        self.due: list[list[Constraint]] = [[] for _ in range(len(self.places) + 1)]
        for constraint in constraints:
            self.due[max((order[place] + 1 for place in constraint.places), default=0)].append(constraint)

    def find(self, index: int = 0) -> bool:
        """Find values for the places from this on."""
        if not all(constraint.holds(self.given) for constraint in self.due[index]):
            return False
        if index == len(self.places):
            return True
        for value in self.choices[index]:
            self.tries += 1
            if self.tries > _TRIES:
                break
            self.given[self.places[index]] = value
            if self.find(index + 1):
                return True
        self.given.pop(self.places[index], None)
        return False


# -- candidates --------------------------------------------------------------------------------------------------------

_USUAL: tuple[Json, ...] = ("other", 1, 0, True, False, None, [], "")


def _candidates(place: Place, constraints: Sequence[Constraint], before: Found) -> Iterator[Json]:
    """Order candidates: first the constants compared with the place, then their neighbours, then all others."""
    seen: list[Json] = []
    concerned = [constraint for constraint in constraints if place in constraint.places]
    compared = [each for known in concerned for each in _compared(known.condition.tree, known.scope, place)]
    others = [each for constraint in constraints for each in _constants(constraint.condition.tree)]
    known = [before[place]] if place in before else []
    sources = (known, compared, *map(_beside, compared), _USUAL, others, *map(_beside, others), *map(_lists, others))
    for values in sources:
        for value in values:
            if not any(type(value) is type(other) and value == other for other in seen):
                seen.append(value)
                yield value


def _beside(constant: Json) -> Iterator[Json]:
    if isinstance(constant, bool):
        yield not constant
    elif isinstance(constant, str):
        yield from (f"not {constant}" if constant else "some", f"{constant}z", constant.strip("^$").replace("\\", ""))
    elif isinstance(constant, int | float):
        yield from (constant + 1, constant - 1)


def _lists(constant: Json) -> Iterator[Json]:
    """Lists that have to do with a constant: that hold it, or are of that length."""
    yield [constant]
    if isinstance(constant, int) and not isinstance(constant, bool):
        lengths = (constant, constant + 1, constant - 1)
        yield from (["item"] * length for length in lengths if 0 <= length <= _LONGEST)


def _compared(node: tree.Node, scope: Mapping[str, Json], place: Place) -> Iterator[Json]:
    """Yield the constants that stand beside a place."""
    if isinstance(node, tree.Comparison | tree.FunctionCall):
        named = [part.place for child in children(node) for part in unknown_parts(selected(child, scope))]
        if place in named:
            yield from _constants(node)
            return
    for child in children(node):
        yield from _compared(child, scope, place)


# -- syntax ------------------------------------------------------------------------------------------------------------


def children(node: tree.Node) -> tuple[tree.Node, ...]:
    """Return the operands and arguments of a node."""
    match node:
        case tree.FunctionCall(_, parts) | tree.Logical(_, parts):
            return parts
        case tree.Comparison(_, left, right):
            return left, right
        case tree.Prefixed(_, operand):
            return (operand,)
        case tree.Select(base, _) if not isinstance(base, tree.Name):
            return (base,)
    return ()


def _walk(node: tree.Node) -> Iterator[tree.Node]:
    yield node
    for child in children(node):
        yield from _walk(child)


def keys_of(condition: Expression, root: str) -> set[str]:
    """Return the keys that a condition names right below a root."""
    selections = [
        node for node in _walk(condition.tree) if isinstance(node, tree.Select) and node.base == tree.Name(root)
    ]
    return {key for key in (node.steps[0] for node in selections) if isinstance(key, str)}


def _constants(root: tree.Node) -> Iterator[Json]:
    return (node.value for node in _walk(root) if isinstance(node, tree.Constant))


UNKNOWN = object()  # the value of what is worked out only when everything is known


def selected(node: tree.Node, scope: Mapping[str, Json]) -> Json:
    """Return the value that a path leads to, with what is symbolic in it; UNKNOWN for what is no path, or leads nowhere."""
    if isinstance(node, tree.Constant):
        return node.value
    try:
        if isinstance(node, tree.Name):
            return scope[node.name]
        if not isinstance(node, tree.Select):
            return UNKNOWN
        value = selected(node.base, scope)
        for step in node.steps:
            if step is tree.Wildcard.ALL:  # of what follows only that it is in there somewhere matters
                return value
            value = value[step]
    except (KeyError, TypeError, IndexError):
        return UNKNOWN
    return value
