"""What is to be judged, cut into chunks of cases that can be sent elsewhere."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from itertools import takewhile
from typing import NamedTuple

from cnn_conformance.candidate import About
from cnn_spec.case import Situation
from cnn_spec.cases.situations import SITUATIONS
from cnn_spec.cases.stream import FUNCTIONS, case_ids, on_few_shapes, plain, row_count, shapes_of
from cnn_spec.clause import Clause, Law
from cnn_spec.operations import OPERATIONS
from cnn_spec.sections import CLAUSES

LEVELS = {"quick": ("pairs", 1), "standard": ("triples", 4), "deep": ("triples", 4)}
"""The covering array of each level, and how many rounds of each situation; deep goes on in rounds beyond them."""
ON_FEW_SHAPES = {"pairs": 1, "triples": 2}
"""How many times over the rows of few shapes are gone through instead of an array, each time with other data."""
ROWS_PER_CHUNK = 8
"""Few, so that the longest chunk of a slow candidate does not hold many workers up; each costs half a millisecond."""
LOOK_BACK = 24
"""Rows before that of a case which fails only after others: among their calls is looked for those that it takes."""
Progress = Callable[[str, int, int], None]
"""Told a function of which a chunk was judged, the chunks that are done, and how many there are."""


class PlanError(Exception):
    """Nothing can be planned as asked; the message says what to do."""


@dataclass(frozen=True)
class Judged:
    """One law of a clause on one function."""

    clause: str
    function: str
    law: Law


class Rows(NamedTuple):
    """Some rows of a source, each with all its dtypes and kinds of data: from `first` to the one before `last`."""

    source: str
    first: int
    last: int


@dataclass(frozen=True)
class Chunk:
    """Some of one function's cases, judged one after the other by one worker. Picklable."""

    function: str
    rows: tuple[Rows, ...]
    dtypes: tuple[str, ...]
    seed: int
    only: str | None

    @property
    def cost(self) -> int:
        """About how many calls it takes, next to other chunks."""
        laws = Counter(judged.law.situation for judged in laws_of(self.function, self.only))
        return sum(laws[_situation(source)] * (last - first) for source, first, last in self.rows)

    def case_ids(self) -> Iterator[str]:
        """The ids of its cases, in the order in which they are judged."""
        for source, first, last in self.rows:
            yield from case_ids(self.function, source, range(first, last), self.dtypes)


def _situation(source: str) -> Situation:
    like = plain(source)
    return Situation(like) if like in SITUATIONS else Situation.ORDINARY


@cache
def laws_of(function: str, only: str | None = None) -> list[Judged]:
    """The laws that judge a function, of the clauses that `only` selects."""
    operation, rank = FUNCTIONS[function]
    return [
        Judged(clause.id, function, law)
        for clause in CLAUSES.values()
        for law in clause.laws
        if law.operation == operation and law.least_rank <= rank and _selected(clause, function, only)
    ]


def _selected(clause: Clause, function: str, only: str | None) -> bool:
    if only is None:
        return True
    names = (clause.id, function, FUNCTIONS[function][0])
    return any(fnmatchcase(name, glob) for glob in only.split(",") for name in names)


def functions_of(only: str | None = None) -> list[str]:
    """The functions that are judged, in the interface's order. Raises PlanError where a glob of `only` selects none."""
    for glob in only.split(",") if only is not None else ():
        if not any(laws_of(function, glob) for function in FUNCTIONS):
            names = [*CLAUSES, *FUNCTIONS, *OPERATIONS]
            near = get_close_matches(glob, names, n=1) or get_close_matches(glob.upper(), names, n=1)
            hint = f"did you mean {near[0]}?" if near else "`cnn-conformance clauses` lists the clauses."
            raise PlanError(
                f"--only {glob} matches no clause that judges a candidate, and no operation; {hint}"
            )
    return [function for function in FUNCTIONS if laws_of(function, only)]


Sources = tuple[tuple[str, int], ...]
"""Sources of rows, and how many times over each is to be gone through."""


def sources_of(level: str) -> Sources:
    """An array once, and some rounds of each situation."""
    array, rounds = LEVELS[level]
    return ((array, 1), *((situation, rounds) for situation in SITUATIONS))


def _on_few_shapes(sources: Sources, shapes: int) -> Sources:
    """What is drawn instead where each shape costs a compilation: few rows, and each situation once.

    Exploration goes on with new shapes, as long as its budget allows.
    """
    return tuple(
        (source, rounds)
        if source not in (*ON_FEW_SHAPES, *SITUATIONS)
        else (
            on_few_shapes("pairs" if source in ON_FEW_SHAPES else source, shapes),
            ON_FEW_SHAPES.get(source, 1),
        )
        for source, rounds in sources
    )


def _cut(function: str, sources: Sources) -> list[tuple[Rows, ...]]:
    """The rows of some sources, in parts that can be judged apart; those that share their few shapes stay together."""
    all_rows = [Rows(source, 0, rounds * row_count(function, source)) for source, rounds in sources]
    sharing = tuple(rows for rows in all_rows if shapes_of(rows.source) is not None)
    others: list[tuple[Rows, ...]] = [
        (Rows(source, at, min(at + ROWS_PER_CHUNK, last)),)
        for source, first, last in all_rows
        if shapes_of(source) is None
        for at in range(first, last, ROWS_PER_CHUNK)
    ]
    return [sharing, *others] if sharing else others


def chunks_of(about: About, sources: Sources, seed: int, only: str | None) -> list[Chunk]:
    """The chunks of some sources, function by function, for what the candidate offers.

    For one that declares few shapes, other sources stand for them; arithmetic on sizes compiles nothing.
    """
    few = sources if about.few_shapes is None else _on_few_shapes(sources, about.few_shapes)
    return [
        Chunk(function, rows, about.dtypes, seed, only)
        for function in functions_of(only)
        if function in about.offered
        for rows in _cut(function, sources if OPERATIONS[FUNCTIONS[function][0]].of_integers else few)
    ]


def cases_before(case_id: str, dtypes: tuple[str, ...]) -> list[str]:
    """The ids of the cases that come before this one, of some rows and its own."""
    function, source, at, *_ = case_id.split("/")
    rows = range(max(0, int(at) - LOOK_BACK), int(at) + 1)
    return list(takewhile(case_id.__ne__, case_ids(function, source, rows, dtypes)))
