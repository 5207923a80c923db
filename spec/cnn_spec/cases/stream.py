"""Cases by their ids: each is drawn from its own random stream, keyed by the seed and the id.

An id is `function/source/row/variant/data`, such as `conv2d/pairs/17/float32/wide`: the function, the array
(`pairs`, `triples`), situation (`empty`, `impossible`) or round of exploration (`round-3`) that the row is from, the
row's number, the dtype (for a size function: the number of the draw), and the kind of data.

For a candidate that compiles for each shape the sources are others, `few-pairs`, `few-empty` and so on, or `few4-pairs` for
four shapes: there a row has one shape and one dtype, in whatever source and however often it is drawn, and the first rows do for
many cases.
"""

import hashlib
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import product

import numpy as np

from cnn_spec.case import Case, Data, Situation
from cnn_spec.cases import covering
from cnn_spec.cases.draw import data_kinds, draw_call
from cnn_spec.cases.situations import (
    SITUATIONS,
    data_in,
    essential,
    levels_in,
    needs,
    round_of,
    situate,
    turn_of,
)
from cnn_spec.cases.space import Row, Space, space_of
from cnn_spec.operations import OPERATIONS

RANKS = (1, 2, 3)
DTYPES = ("float32", "float64")
STRENGTHS = {"pairs": 2, "triples": 3}
FEW_ROWS = 16
"""Rows of the pairs with a shape of their own where shapes are to be few: the richest ones."""
_FEW = re.compile(r"few(\d*)-")
ROUND_ROWS = 40
"""Rows of a round of exploration."""
SIZE_DRAWS = ("0", "1", "2", "3")
"""A size function is cheap: each row is drawn so many times."""

FUNCTIONS = {
    operation.function(rank): (name, rank)
    for name, operation in OPERATIONS.items()
    for rank in (RANKS if operation.ranked else (0,))
}
"""Operation and rank of each function of the interface."""


def rows(function: str, source: str) -> tuple[Row, ...]:
    """The rows of an array, or of a round of exploration beyond the arrays."""
    return _rows(space_of(*FUNCTIONS[function]), source)


@lru_cache(maxsize=64)
def _rows(space: Space, source: str) -> tuple[Row, ...]:
    if source in STRENGTHS:
        return tuple(covering.rows_of(space, STRENGTHS[source]))
    shapes = shapes_of(source)
    if shapes is not None:
        return _richest(space)[:shapes]
    rng = random.Random(f"{space.name}/{source}")
    return tuple(covering.complete(space, {}, set(), 1, rng) for _ in range(ROUND_ROWS))


@lru_cache(maxsize=64)
def _richest(space: Space) -> tuple[Row, ...]:
    """The pairs' rows, those with most pairs first."""
    return tuple(covering.richest_first(_rows(space, "pairs"), STRENGTHS["pairs"]))


@lru_cache(maxsize=256)
def _rows_with(
    space: Space, wanted: tuple[tuple[str, tuple[str, ...]], ...], shapes: int | None
) -> list[Row]:
    """Those of the pairs' rows that have one of the levels of each factor.

    As few as have every level; where shapes are to be few, those that are drawn anyway, or else the richest.
    """

    def fitting(among: Iterable[Row]) -> list[Row]:
        return [row for row in among if all(row[f] in levels for f, levels in wanted)]

    if shapes is None:
        return essential(fitting(_rows(space, "pairs")))
    return fitting(_richest(space)[:shapes]) or fitting(_richest(space))[:1]


def on_few_shapes(source: str, shapes: int) -> str:
    """The source that is like another, and keeps to so many shapes."""
    return f"few{shapes if shapes != FEW_ROWS else ''}-{source}"


def shapes_of(source: str) -> int | None:
    """How many shapes a source keeps to; None where they are many."""
    found = _FEW.match(source)
    return int(found[1] or FEW_ROWS) if found else None


def plain(source: str) -> str:
    """The source that one of few shapes is like."""
    return _FEW.sub("", source, count=1)


def _row(function: str, source: str, number: int) -> Row:
    if plain(source) not in SITUATIONS:
        array = rows(function, source)
        return array[number % len(array)]
    shapes, source = shapes_of(source), plain(source)
    operation, rank = FUNCTIONS[function]
    space = space_of(operation, rank)
    wanted = needs(operation, source, number % round_of(operation, source)).items()
    found = _rows_with(space, tuple((f, levels) for f, levels in wanted if f in space.factors), shapes)
    return found[turn_of(operation, source, number) % len(found)]


def row_count(function: str, source: str) -> int:
    """How many rows `rows` has, or cases there are in one round of a situation; sooner told than the rows."""
    if plain(source) in SITUATIONS:
        return round_of(FUNCTIONS[function][0], plain(source))
    shapes = shapes_of(source)
    if shapes is not None:
        return min(shapes, row_count(function, "pairs"))
    if source not in STRENGTHS:
        return ROUND_ROWS
    return covering.row_count(space_of(*FUNCTIONS[function]), STRENGTHS[source])


def case_ids(function: str, source: str, numbers: range, dtypes: tuple[str, ...]) -> Iterator[str]:
    """The ids of the cases of some rows.

    Where exact data tell most and there are several further kinds, a row of the pairs is judged with exact data and one
    of these, so that each level meets each kind and each dtype; otherwise with every kind, and the dtypes take turns over the
    kinds and the rows, so that each pair of levels meets each kind and each dtype. A row with fewer kinds than dtypes
    is judged in every dtype. A case of a situation has one kind of data. Where shapes are to be few, a row has one dtype
    and is judged with every kind.
    """
    operation, rank = FUNCTIONS[function]
    variants = SIZE_DRAWS if OPERATIONS[operation].of_integers else dtypes
    kinds = data_kinds(operation)
    for n in numbers:
        if shapes_of(source) is not None:
            dtype = dtypes[_richest(space_of(operation, rank)).index(_row(function, source, n)) % len(dtypes)]
            like = plain(source)
            chosen = [(k, dtype) for k in ([data_in(operation, like)] if like in SITUATIONS else kinds)]
        elif source in SITUATIONS:
            chosen = [(data_in(operation, source), variants[n % len(variants)])]
        elif len(kinds) < len(variants) or variants is not dtypes:
            chosen = [(kind, variant) for kind in kinds for variant in variants]
        elif source == "pairs" and len(kinds) > 2 and kinds[0] is Data.EXACT:
            chosen = _spread(space_of(operation, rank), kinds, dtypes)[n]
        else:
            chosen = [(kind, dtypes[turn % len(dtypes)]) for turn, kind in enumerate(kinds, start=n)]
        yield from (f"{function}/{source}/{n}/{variant}/{kind}" for kind, variant in chosen)


@lru_cache(maxsize=128)
def _spread(space: Space, kinds: tuple[Data, ...], dtypes: tuple[str, ...]) -> list[list[tuple[Data, str]]]:
    """For each row of the pairs exact data and a further kind, each in a dtype: what its levels have met least.

    Rows of a rare level may have more kinds.
    """
    exact, *others = kinds
    times_met = Counter[tuple[object, ...]]()

    def gain(row: Row, kind: Data, dtype: str) -> float:
        return sum(
            16.0 ** -times_met[level, kind] + 16.0 ** -times_met[level, kind, dtype] for level in row.items()
        )

    def best(row: Row, kinds: Iterable[Data]) -> tuple[Data, str]:
        kind, dtype = max(product(kinds, dtypes), key=lambda choice: gain(row, *choice))
        times_met.update(met for level in row.items() for met in ((level, kind), (level, kind, dtype)))
        return kind, dtype

    found = _rows(space, "pairs")
    spread = [[best(row, [exact]), best(row, others)] for row in found]
    for (row, chosen), kind in product(zip(found, spread, strict=True), others):
        if any((level, kind) not in times_met for level in row.items()):
            chosen.append(best(row, [kind]))
    return spread


def levels_of(case_id: str) -> Row:
    """Where a case lies: the levels of its row, its situation, its dtype (none for integers) and its kind of data."""
    function, source, at, variant, kind = case_id.split("/")
    operation = FUNCTIONS[function][0]
    levels = levels_in(_row(function, source, int(at)), operation, plain(source), int(at))
    situation = levels.pop("way", levels.pop("situation", Situation.ORDINARY.value))
    found = {"situation": situation, **levels}
    return found if OPERATIONS[operation].of_integers else {**found, "dtype": variant, "data": kind}


def case_of(case_id: str, seed: int) -> Case | None:
    """The case of an id; None where data of its kind say nothing of its row."""
    function, source, at, variant, kind = case_id.split("/")
    operation, rank = FUNCTIONS[function]
    row = _row(function, source, int(at))
    numbers = _random(f"{seed}/{case_id}")
    rng = _random(f"{seed}/{function}/{sorted(row.items())}") if shapes_of(source) is not None else numbers
    dtype = np.dtype(np.float64 if OPERATIONS[operation].of_integers else variant)
    call = draw_call(operation, rank, row, space_of(operation, rank), Data(kind), dtype, rng, numbers)
    if call is None:
        return None
    source = plain(source)
    case = Case(case_id, (call,), Data(kind), levels_in(row, operation, source, int(at)))
    return situate(case, int(at), numbers) if source in SITUATIONS else case


def _random(key: str) -> np.random.Generator:
    """A stream of its own for each key."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode()).digest()[:16]))
