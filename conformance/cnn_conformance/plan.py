"""What is to be judged, cut into chunks of cases that can be sent elsewhere."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from itertools import takewhile

from cnn_conformance.candidate import About
from cnn_spec.case import Situation
from cnn_spec.cases.situations import SITUATIONS
from cnn_spec.cases.stream import FEW_ROWS, FUNCTIONS, case_ids, on_few_shapes, plain, row_count, shapes_of
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


@dataclass(frozen=True)
class Chunk:
    """Some rows of one function's cases, with all their dtypes and kinds of data. Picklable."""

    function: str
    source: str
    first: int
    last: int
    dtypes: tuple[str, ...]
    seed: int
    only: str | None

    @property
    def cost(self) -> int:
        """About how many calls it takes, next to other chunks."""
        source = plain(self.source)
        situation = source if source in SITUATIONS else Situation.ORDINARY
        laws = sum(judged.law.situation == situation for judged in laws_of(self.function, self.only))
        return laws * (self.last - self.first)

    def case_ids(self) -> Iterator[str]:
        """The ids of its cases, in the order in which they are judged."""
        return case_ids(self.function, self.source, range(self.first, self.last), self.dtypes)


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


def _rows_per_chunk(source: str) -> int:
    """The cases that share a shape stay together."""
    return FEW_ROWS * max(ON_FEW_SHAPES.values()) if shapes_of(source) is not None else ROWS_PER_CHUNK


def chunks_of(about: About, sources: Sources, seed: int, only: str | None) -> list[Chunk]:
    """The chunks of some sources, function by function, for what the candidate offers.

    For one that declares few shapes, other sources stand for them; arithmetic on sizes compiles nothing.
    """
    few = sources if about.few_shapes is None else _on_few_shapes(sources, about.few_shapes)
    return [
        Chunk(function, source, first, min(first + step, total), about.dtypes, seed, only)
        for function in functions_of(only)
        if function in about.offered
        for source, rounds in (sources if OPERATIONS[FUNCTIONS[function][0]].of_integers else few)
        for total, step in [(rounds * row_count(function, source), _rows_per_chunk(source))]
        for first in range(0, total, step)
    ]


def cases_before(case_id: str, dtypes: tuple[str, ...]) -> list[str]:
    """The ids of the cases that come before this one, of some rows and its own."""
    function, source, at, *_ = case_id.split("/")
    rows = range(max(0, int(at) - LOOK_BACK), int(at) + 1)
    return list(takewhile(case_id.__ne__, case_ids(function, source, rows, dtypes)))
