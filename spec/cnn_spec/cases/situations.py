"""Ordinary calls in other circumstances: an empty batch, a NaN, another layout, other calls between, impossible.

Each situation is a source of rows beside the covering arrays: a few of the pairs' rows, chosen so that the
first of them have most levels, and all of them every level. A round of a situation is as many cases as it
takes to see what it is about.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from cnn_spec.case import Case, Data, Situation
from cnn_spec.cases.impossible import SEVERAL, Needs, Pair, ways_of
from cnn_spec.cases.layouts import EVERY_LAYOUT
from cnn_spec.cases.validity import Description, describe, rebuild, valid
from cnn_spec.operations import OPERATIONS, Array, Call
from cnn_spec.shapes import forward_shape

SITUATIONS = tuple(s.value for s in Situation if s is not Situation.ORDINARY)
"""The sources of rows that are no array."""

Row = dict[str, str]
Generator = np.random.Generator

_MOVED = tuple(EVERY_LAYOUT)[1:]
_ALL = (np.nan, np.inf, -np.inf)
_INFINITIES = _ALL[1:]
NON_FINITE = {
    "separable_conv": (np.nan,),  # one kernel out of two has other signs, and infinities another sum
    "max_pool_backward": (np.inf,),
    "relu_backward": _INFINITIES,
    "sigmoid_backward": _INFINITIES,
    "tanh_backward": _INFINITIES,
    "softmax": (np.nan, -np.inf),
    "softmax_backward": (-np.inf,),
}
"""What x may hold where that is not any of NaN and the infinities: derivatives at NaN are free."""


def ways(operation: str) -> tuple[str, ...]:
    """How calls of an operation are made impossible, in words."""
    return tuple(ways_of(operation))


def round_of(operation: str, situation: str) -> int:
    """How many cases one round has; 0 where the situation has no meaning for the operation."""
    if situation == Situation.IMPOSSIBLE:
        return len(ways_of(operation))
    if OPERATIONS[operation].of_integers:
        return 0
    rounds = {Situation.EMPTY: 2, Situation.REPEATED: 3, Situation.LAID_OUT: len(_MOVED)}
    return rounds.get(Situation(situation), 4)


def data_in(operation: str, situation: str) -> Data:
    """The kind of data: exact where means and exponentials do not round, and a repeated rounding shows."""
    rounding = operation.startswith(("avg_pool", "sigmoid", "tanh", "softmax"))
    return Data.ROUNDED if rounding or situation == Situation.REPEATED else Data.EXACT


def essential(rows: Sequence[Row]) -> list[Row]:
    """A few rows with every level: always the one that has most of those that are missing."""
    levels = [frozenset(row.items()) for row in rows]
    missing, found = frozenset[tuple[str, str]]().union(*levels), []
    while missing:
        at = max(range(len(rows)), key=lambda at: len(missing & levels[at]))
        missing -= levels[at]
        found.append(rows[at])
    return found


def needs(operation: str, situation: str, number: int) -> Needs:
    """What a row must have for the case of this number, within a round, to say something."""
    if situation == Situation.EMPTY:
        return {"number of axes": ("2", "3", "4"), "axis": ("middle", "last")}
    if situation == Situation.NON_FINITE and operation.startswith("softmax"):
        return {"length": SEVERAL}
    if situation == Situation.LAID_OUT:  # what has one element on its axes lies in memory in one way
        return {"batch": ("several",), "length": SEVERAL, "features in": SEVERAL}
    if situation == Situation.IMPOSSIBLE:
        return ways_of(operation)[_way(operation, number)][1]
    return {}


def turn_of(operation: str, situation: str, number: int) -> int:
    """Which of these rows is a case's: each next case the next one, and each way the next one in each round."""
    if situation != Situation.IMPOSSIBLE:
        return number
    return sum(divmod(number, round_of(operation, situation)))


def _layout(number: int) -> str:
    return _MOVED[number % len(_MOVED)]


def _way(operation: str, number: int) -> str:
    found = ways(operation)
    return found[number % len(found)]


def levels_in(row: Row, operation: str, source: str, number: int) -> Row:
    """The levels of a case: those of its row, its situation, its layout there, and its way to be impossible."""
    match source:
        case Situation.LAID_OUT:
            return {**row, "situation": source, "layout": _layout(number)}
        case Situation.IMPOSSIBLE:
            return {**row, "situation": source, "way": _way(operation, number)}
    return {**row, "situation": source} if source in SITUATIONS else row


def situate(case: Case, number: int, rng: Generator) -> Case | None:
    """The ordinary call of a case put into its situation; None where its shapes leave nothing to judge."""
    call = case.call
    match case.situation:
        case Situation.EMPTY:
            call = call.but(**{n: call[n][:0] for n in ("dy", "x") if n in call.arguments})
        case Situation.NON_FINITE:
            if call.operation.startswith("softmax") and call["x"].shape[call["axis"]] == 1:
                return None
            call = _spoiled(call, number, rng).map_arrays(EVERY_LAYOUT[case.levels["layout"]])
        case Situation.LAID_OUT:
            call = call.map_arrays(EVERY_LAYOUT[case.levels["layout"]])
        case Situation.IMPOSSIBLE:
            return case if impossible(case) else None
    return case.with_call(call)


def _spoiled(call: Call, number: int, rng: Generator) -> Call:
    """Some of x no numbers any more, and some weights 0: their taps count too.

    Every second case has all that x may hold, each once where there is room; the others one kind of it, as
    softmax always has.
    """
    held = NON_FINITE.get(call.operation, _ALL)
    if number % 2 or call.operation == "softmax":
        held = held[number // 2 % len(held) :][:1]
    x = call["x"].copy()
    places = rng.permutation(x.size)[: len(held)]
    x.flat[places] = held[: len(places)]
    changes = {name: _with_zeros(a, rng) for name, a in call.arguments.items() if name.startswith("w")}
    return call.but(x=x, **changes)


def _with_zeros(w: Array, rng: Generator) -> Array:
    return np.where(rng.integers(0, 4, w.shape) == 0, w.dtype.type(0), w)


def impossible(case: Case) -> Pair | None:
    """The nearest valid neighbour of an impossible call, and that call; None where the way leads nowhere."""
    return ways_of(case.call.operation)[case.levels["way"]][0](case.call)


def others(case: Case) -> list[Call]:
    """What may be called between two calls of a case.

    Other numbers of the same shapes (with a bias, too); other parameters; a larger batch.
    """
    call = case.call
    changed = call.map_arrays(lambda a: 1 - 2 * a)
    if "b" in call.arguments and call["b"] is None:
        changed = changed.but(b=np.ones(forward_shape(call)[1], case.dtype))
    rebuilt = (rebuild(case, other) for other in _moved(describe(case)))
    return [changed, *(other.call for other in rebuilt if valid(other))]


def _moved(described: Description) -> Iterator[Description]:
    """Larger steps, where there are steps, and a larger batch."""
    steps = {name: described[name] for name in ("stride", "factor") if name in described}
    if steps:
        yield {**described, **{name: tuple(step + 1 for step in value) for name, value in steps.items()}}
    if "shape" in described:
        batch, *rest = described["shape"]
        yield {**described, "shape": (batch + 1, *rest)}
    else:
        yield {**described, "batch": described["batch"] + 1}
