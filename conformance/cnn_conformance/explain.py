"""Explaining a broken clause: the smallest case, checked once more by the definition, and a script."""

from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from cnn_conformance.candidate import Candidate, Subject, load
from cnn_conformance.guard import Watch, unwatched
from cnn_conformance.judging import Failure, Violation, judge, trusted
from cnn_conformance.plan import Judged, laws_of
from cnn_conformance.report import Contradiction, Counterexample
from cnn_conformance.script import script_of
from cnn_conformance.shrink import smallest
from cnn_spec.bounds import Oracle
from cnn_spec.case import Case, Data
from cnn_spec.cases.stream import case_of
from cnn_spec.comparison import compare
from cnn_spec.definitions import definition
from cnn_spec.operations import Call
from cnn_spec.sections import CLAUSES
from cnn_spec.shapes import forward_shape

FAILURES_WEIGHED = 12
"""The smallest of so many failing cases is the one that is made smaller."""
TERMS = 50_000
"""Up to so many multiplications the definition judges a case again."""


@dataclass(frozen=True)
class Broken:
    """A clause broken on a function, and where. Picklable."""

    clause: str
    function: str
    failures: tuple[Failure, ...]
    seed: int


def explain(subject: Subject, broken: Broken) -> tuple[Counterexample, Contradiction | None]:
    """The smallest counterexample to a clause, and whether this suite contradicts itself on it."""
    candidate = load(subject)
    oracle = trusted(candidate)
    weighed = [(f, c) for f in broken.failures[:FAILURES_WEIGHED] if (c := case_of(f.case_id, broken.seed))]
    failure, case = min(weighed, key=lambda found: _size(found[1]))
    judged = _law_of(failure)

    def still_broken(simpler: Case) -> bool:
        applies = all(when(simpler) for when in judged.law.when)
        return applies and _shown(broken, judged, candidate, simpler, oracle) is not None

    found, calls = smallest(case, still_broken), list[Call]()
    violation = _shown(broken, judged, load(subject), found, oracle, calls.append)
    if violation is None:  # the smaller case was lucky, or slow where it was given little time
        found, calls = case, []
        violation = _shown(broken, judged, load(subject), found, oracle, calls.append)
    violation = violation or Violation(broken.clause, broken.function)
    calls = calls or [found.call]
    return (
        _counterexample(broken, judged, candidate, found, calls, violation, oracle),
        _contradiction(broken, failure.case_id, found, calls, oracle),
    )


def _law_of(failure: Failure) -> Judged:
    function = failure.case_id.partition("/")[0]
    return next(
        judged
        for judged in laws_of(function)
        if judged.clause == failure.law_clause and judged.law.check.__name__ == failure.law
    )


def _shown(
    broken: Broken,
    judged: Judged,
    candidate: Candidate,
    case: Case,
    oracle: Oracle,
    watch: Watch = unwatched,
) -> Violation | None:
    """The violation of this very clause that a law shows in a case, if it does; `watch` sees the calls."""
    outcome = judge(judged, candidate.implementation(watch), case, oracle)
    if not isinstance(outcome, Violation):
        return None
    return outcome if (outcome.clause, outcome.function) == (broken.clause, broken.function) else None


def _size(case: Case) -> int:
    return sum(np.size(argument) for argument in case.call.arguments.values() if argument is not None)


def _counterexample(
    broken: Broken,
    judged: Judged,
    candidate: Candidate,
    case: Case,
    calls: list[Call],
    violation: Violation,
    oracle: Oracle,
) -> Counterexample:
    clause = CLAUSES[broken.clause]
    layout = case.levels.get("layout", "contiguous")
    source = "interface" if clause.section == "interface" else f"notes §{clause.section}"
    title = (
        f"{clause.id} ({source}), broken by {candidate.about.name} {candidate.about.version}".rstrip() + "."
    )
    answers = [(call, _as(call, oracle(call)), oracle.tolerance(case, call)) for call in calls]
    comparison = violation.comparison
    return Counterexample(
        law=judged.law.name if broken.clause == judged.clause and comparison else "",
        calls=tuple(calls),
        layout=layout,
        expected=comparison.expected if comparison else None,
        got=comparison.got if comparison else None,
        words=violation.words,
        script=script_of(title, candidate.about.importing, layout, clause.id, answers),
    )


def _as(call: Call, results: Any) -> Any:
    """Expected results in the dtype of the call, as far as they are exact there; otherwise in float64."""
    dtypes = {a.dtype for a in call.arguments.values() if isinstance(a, np.ndarray)}
    return tuple(
        r.astype(d)
        if r.dtype.kind == "f"
        and (d := next(iter(dtypes), r.dtype)) != r.dtype
        and np.array_equal(r.astype(d), r)
        else r
        for r in results
    )


def _contradiction(
    broken: Broken, case_id: str, case: Case, calls: list[Call], oracle: Oracle
) -> Contradiction | None:
    """Judge the reference by the definition, in exact fractions, on the calls of the smallest case."""
    for call in calls:
        if not call.of_integers and _terms(call) > TERMS:
            continue
        exact = definition(_in_fractions(call))
        for name, right, answered, bound in zip(
            call.results, exact, oracle(call), oracle.tolerance(case, call), strict=True
        ):
            if name == "indices" and case.data is Data.TIED:
                continue
            comparison = compare(answered, right.astype(answered.dtype), bound)
            if not comparison.holds:
                words = f"{call.function}: {name} is {answered.tolist()}, by the definition {right.tolist()}"
                return Contradiction(broken.clause, broken.function, case_id, words)
    return None


def _in_fractions(call: Call) -> Call:
    def exact(a: Any) -> Any:
        return np.vectorize(Fraction, otypes=[object])(a.astype(float)) if a.size else a.astype(object)

    return call.map_arrays(exact)


def _terms(call: Call) -> int:
    filters = [a.shape[1:] for name, a in call.arguments.items() if name.startswith("w")]
    kernel = [n for shape in filters for n in shape] or call.parameters.get("kernel_size", ())
    return int(max(prod(forward_shape(call)), prod(call["x"].shape)) * prod(kernel))
