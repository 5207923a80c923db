"""The mutation score: which of the catalogue's bug models does a run catch, and after how many cases?

Each model is held against the laws like any candidate, case by case in the order of the plan, until the
first violation. All models of an operation are taken through the cases together, so that a case is drawn,
and answered rightly, only once.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import cnn_reference
from cnn_conformance.executors import InlineExecutor
from cnn_conformance.guard import guarded
from cnn_conformance.judging import Violation, judge, remembering
from cnn_conformance.plan import Judged, laws_of, sources_of
from cnn_conformance.steadfast import Steadfast
from cnn_spec.bounds import Oracle
from cnn_spec.bugs import BUGS, Functions
from cnn_spec.case import Case
from cnn_spec.cases.stream import DTYPES, FUNCTIONS, case_ids, case_of, row_count
from cnn_spec.operations import Call, Results, implementation_of


@dataclass(frozen=True)
class Score:
    """How a bug model fared with one seed: the violated clause and the cases until then; neither if it survived."""

    bug: str
    seed: int
    clause: str | None = None
    function: str | None = None
    cases: int = 0


class Right:
    """The reference, asked once for the call of the case that is being judged."""

    def __init__(self) -> None:
        self._answer = implementation_of(cnn_reference)
        self._call: Call | None = None
        self._kept: Results | None = None

    def turn_to(self, call: Call) -> None:
        """From now on this is the call that is asked again and again."""
        self._call, self._kept = call, None

    def __call__(self, call: Call) -> Results:
        """The right answer."""
        if self._call is None or not _same(call, self._call):
            return self._answer(call)
        if self._kept is None:
            self._kept = self._answer(call)
        return self._kept


def _same(one: Call, other: Call) -> bool:
    """Whether two calls are of one function, with the very same arrays and equal parameters."""
    arrays = zip(one.arguments.values(), other.arguments.values(), strict=False)
    return (
        one.function == other.function
        and all(a is b for a, b in arrays)
        and one.parameters == other.parameters
    )


def cases_of(functions: Sequence[str], level: str, seed: int) -> Iterator[tuple[str, Case]]:
    """Every case of some functions at a level, in the order of the plan."""
    for function, (source, rounds) in product(functions, sources_of(level)):
        for case_id in case_ids(function, source, range(rounds * row_count(function, source)), DTYPES):
            case = case_of(case_id, seed)
            if case is not None:
                yield function, case


@cache
def every_law(function: str) -> list[Judged]:
    """The laws that judge a function."""
    return laws_of(function)


def violated(function: str, functions: Functions, case: Case, oracle: Oracle) -> Violation | None:
    """The first violation of a law in a case."""
    implementation = remembering(guarded(functions), case.call)
    for judged in every_law(function):
        if judged.law.applies(case):
            outcome = judge(judged, implementation, case, oracle)
            if isinstance(outcome, Violation):
                return outcome
    return None


def score(names: Sequence[str], level: str, seed: int) -> list[Score]:
    """How each of these bug models fares."""
    right, oracle = Right(), Oracle(implementation_of(cnn_reference))
    alive = {name: Functions(name, BUGS[name].over(right)) for name in names}
    found = {name: Score(name, seed) for name in names}
    for function, case in cases_of(functions_of(names), level, seed):
        right.turn_to(case.call)
        for name in [name for name in alive if function in BUGS[name].functions]:
            violation = violated(function, alive[name], case, oracle)
            caught = violation is not None
            found[name] = Score(
                name,
                seed,
                violation.clause if violation else None,
                violation.function if violation else None,
                found[name].cases + 1,
            )
            if caught:
                del alive[name]
        if not alive:
            break
    return [found[name] for name in names]


def functions_of(names: Sequence[str]) -> list[str]:
    """The functions that some of these models touch."""
    touched = {function for name in names for function in BUGS[name].functions}
    return [function for function in FUNCTIONS if function in touched]


def units_of(names: Sequence[str]) -> list[list[str]]:
    """The models by the first operation that they touch: what is taken through the cases together."""
    units: dict[str, list[str]] = {}
    for name in names:
        units.setdefault(BUGS[name].operations[0], []).append(name)
    return list(units.values())


def done_by(
    executor: Executor | None, work: Callable[..., list[Any]], tasks: Sequence[tuple[Any, ...]]
) -> list[Any]:
    """What some tasks come to, in their order, by an executor's workers or else by this thread."""
    with Steadfast(executor) if executor else InlineExecutor() as run:
        futures = [run.submit(work, *task) for task in tasks]
        return [one for future in futures for one in future.result()]


def score_all(
    names: Sequence[str], level: str, seeds: Sequence[int], executor: Executor | None = None
) -> list[Score]:
    """How each of these bug models fares with each seed."""
    return done_by(executor, score, [(unit, level, seed) for seed in seeds for unit in units_of(names)])
