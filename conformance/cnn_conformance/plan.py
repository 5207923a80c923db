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
from cnn_spec.cases.stream import FUNCTIONS, case_ids, row_count
from cnn_spec.clause import Clause, Law
from cnn_spec.operations import OPERATIONS
from cnn_spec.sections import CLAUSES

LEVELS = {"quick": ("pairs", 1), "standard": ("triples", 4), "deep": ("triples", 4)}
"""The covering array of each level, and how many rounds of each situation; deep goes on in rounds beyond them."""
ROWS_PER_CHUNK = 8
"""Few, so that the longest chunk of a slow candidate does not hold many workers up; each costs half a millisecond."""
Progress = Callable[[str, int, int, int], None]
"""Told a function of which a chunk was judged, its chunks that are left, the chunks of all that are done, and how many
there are."""


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
        situation = self.source if self.source in SITUATIONS else Situation.ORDINARY
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
    operation = FUNCTIONS[function][0]
    return any(fnmatchcase(name, only) for name in (clause.id, function, operation))


def functions_of(only: str | None = None) -> list[str]:
    """The functions that are judged, in the interface's order. Raises PlanError where `only` selects none."""
    selected = [function for function in FUNCTIONS if laws_of(function, only)]
    if not selected and only is not None:
        names = [*CLAUSES, *FUNCTIONS, *OPERATIONS]
        near = get_close_matches(only, names, n=1) or get_close_matches(only.upper(), names, n=1)
        hint = f"did you mean {near[0]}?" if near else "`cnn-conformance clauses` lists the clauses."
        raise PlanError(f"--only {only} matches no clause that judges a candidate, and no operation; {hint}")
    return selected


Sources = tuple[tuple[str, int], ...]
"""Sources of rows, and how many times over each is to be gone through."""


def sources_of(level: str) -> Sources:
    """An array once, and some rounds of each situation."""
    array, rounds = LEVELS[level]
    return ((array, 1), *((situation, rounds) for situation in SITUATIONS))


def chunks_of(about: About, sources: Sources, seed: int, only: str | None) -> list[Chunk]:
    """The chunks of some sources, function by function, for what the candidate offers."""
    return [
        Chunk(function, source, first, min(first + ROWS_PER_CHUNK, total), about.dtypes, seed, only)
        for function in functions_of(only)
        if function in about.offered
        for source, rounds in sources
        for total in [rounds * row_count(function, source)]
        for first in range(0, total, ROWS_PER_CHUNK)
    ]


def earlier_in_chunk(case_id: str, dtypes: tuple[str, ...]) -> list[str]:
    """The ids of the cases that are judged before this one in its chunk."""
    function, source, at, *_ = case_id.split("/")
    first = int(at) // ROWS_PER_CHUNK * ROWS_PER_CHUNK
    return list(takewhile(case_id.__ne__, case_ids(function, source, range(first, int(at) + 1), dtypes)))
