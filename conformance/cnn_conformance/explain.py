"""Explaining a broken clause: the smallest case, checked once more by the definition, and a script."""

from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from cnn_conformance.again import Broken, law_of, shortest_sequence, shown
from cnn_conformance.candidate import Candidate, Subject, afresh, load
from cnn_conformance.counterexample import Counterexample
from cnn_conformance.judging import Violation, trusted
from cnn_conformance.plan import Judged
from cnn_conformance.report import Contradiction
from cnn_conformance.script import script_of
from cnn_conformance.shrink import ATTEMPTS, ATTEMPTS_ON_FEW_SHAPES, smallest
from cnn_conformance.tally import Failure
from cnn_conformance.thrift import granted
from cnn_spec.bounds import Oracle
from cnn_spec.case import Case, Data
from cnn_spec.cases.stream import case_of
from cnn_spec.comparison import compare
from cnn_spec.conventions import meant
from cnn_spec.definitions import definition
from cnn_spec.operations import Array, Call, Results
from cnn_spec.sections import CLAUSES
from cnn_spec.shapes import forward_shape

FAILURES_WEIGHED = 12
"""The smallest of so many failing cases is the one that is made smaller."""
SEQUENCES = 3
"""For so many failing cases earlier calls are looked for."""
INDEPENDENT = "CALLS-INDEPENDENT"
"""The clause on earlier calls."""
TERMS = 50_000
"""Up to so many multiplications the definition judges a case again."""


@dataclass(frozen=True)
class Explanation:
    """What became of a broken clause: its smallest counterexample, and whether this suite contradicts itself on it.

    `clause` is the one that is broken in truth: CALLS-INDEPENDENT where no failing case fails alone.
    """

    clause: str
    counterexample: Counterexample
    contradiction: Contradiction | None = None

    @property
    def rank(self) -> tuple[bool, int]:
        """The fewer earlier calls it takes, the better it explains; best where it is known how many."""
        earlier = self.counterexample.earlier
        return earlier is None, earlier or 0


def explain(subject: Subject, broken: Broken) -> Explanation:
    """The smallest case that fails alone; where there is none, the shortest sequence of calls that shows a failure."""
    candidate = load(subject)
    oracle = trusted(candidate)
    cases = [(f, c) for f in broken.failures if (c := case_of(f.case_id, broken.seed))]
    weighed = sorted(cases[:FAILURES_WEIGHED], key=lambda found: _size(found[1]))
    for failure, case in (*weighed, *cases[FAILURES_WEIGHED:]):
        found = _alone(subject, broken, law_of(failure), case, oracle)
        if found is not None:
            return found
    tried = (
        _after_others(subject, candidate, broken, law_of(failure), case, oracle)
        for failure, case in weighed[:SEQUENCES]
    )
    return min(tried, key=lambda found: found.rank)


def _alone(
    subject: Subject, broken: Broken, judged: Judged, case: Case, oracle: Oracle
) -> Explanation | None:
    """The smallest case, if this one fails without earlier calls, and either of them once more."""
    candidate = afresh(subject)
    if shown(broken, judged, candidate, case, oracle) is None:
        return None

    def still_broken(simpler: Case) -> bool:
        return judged.law.applies(simpler) and shown(broken, judged, candidate, simpler, oracle) is not None

    shapes = candidate.about.few_shapes
    attempts = ATTEMPTS if shapes is None else granted(ATTEMPTS_ON_FEW_SHAPES, shapes)
    # Where it was what earlier calls had left behind that made a simpler case fail, this one is left.
    for found in (smallest(case, still_broken, attempts), case):
        calls = list[Call]()
        violation = shown(broken, judged, afresh(subject), found, oracle, calls.append)
        if violation is not None:
            calls = calls or [found.call]
            return Explanation(
                broken.clause,
                _counterexample(broken.clause, judged, candidate, found, calls, violation, oracle),
                _contradiction(broken, found, calls, oracle),
            )
    return None


def _after_others(
    subject: Subject, candidate: Candidate, broken: Broken, judged: Judged, case: Case, oracle: Oracle
) -> Explanation:
    earlier = shortest_sequence(subject, broken, judged, case, oracle)
    if earlier is None:
        words = f"broke {broken.clause} in the run and not alone, nor after the cases before it"
    else:
        before = "1 earlier call" if len(earlier) == 1 else f"{len(earlier)} earlier calls"
        words = f"breaks {broken.clause} after {before}, and not alone"
    calls = [*(earlier or ()), case.call]
    violation = Violation(INDEPENDENT, broken.function, words=words)
    return Explanation(
        INDEPENDENT,
        _counterexample(
            INDEPENDENT,
            judged,
            candidate,
            case,
            calls,
            violation,
            oracle,
            earlier=None if earlier is None else len(earlier),
        ),
    )


def _size(case: Case) -> int:
    return sum(np.size(argument) for argument in case.call.arguments.values() if argument is not None)


def _counterexample(
    broken: str,
    judged: Judged,
    candidate: Candidate,
    case: Case,
    calls: list[Call],
    violation: Violation,
    oracle: Oracle,
    earlier: int | None = 0,
) -> Counterexample:
    clause = CLAUSES[broken]
    layout = case.levels.get("layout", "contiguous")
    source = "interface" if clause.section == "interface" else f"notes §{clause.section}"
    title = (
        f"{clause.id} ({source}), broken by {candidate.about.name} {candidate.about.version}".rstrip() + "."
    )
    answers = [(call, *_expected(call, case, oracle)) for call in calls]
    comparison = violation.comparison
    return Counterexample(
        law=judged.law.name if broken == judged.clause and comparison else "",
        calls=tuple(calls),
        expected=comparison.expected if comparison else None,
        got=comparison.got if comparison else None,
        words=violation.words,
        script=script_of(
            title,
            candidate.about.importing,
            layout,
            clause.id,
            answers,
            candidate.about.declared,
        ),
        case=case,
        shown_by=Failure(case.id, judged.clause, judged.law.check.__name__),
        earlier=earlier,
    )


def _expected(call: Call, case: Case, oracle: Oracle) -> tuple[Results, tuple[Array | float, ...]]:
    """What is right, and how far an answer may be from it; nothing is, of an impossible call."""
    if not call.valid:
        return (), ()
    with np.errstate(all="ignore"):
        return _as(call, oracle(call)), oracle.tolerance(case, call)


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


def _contradiction(broken: Broken, case: Case, calls: list[Call], oracle: Oracle) -> Contradiction | None:
    """Judge the reference by the definition, in exact fractions, on the calls of the smallest case."""
    for call in calls:
        words = _disagreement(call, case, oracle)
        if words:
            return Contradiction(broken.clause, broken.function, case.id, f"{call.function}: {words}")
    return None


def _disagreement(call: Call, case: Case, oracle: Oracle) -> str:
    """In what the reference and the definition differ, in words."""
    if not call.valid:
        with suppress(Exception):  # it is refused, as it should be
            return f"the reference answers {[a.tolist() for a in oracle(call)]} to what is impossible"
        return ""
    if not call.of_integers and _terms(call) > TERMS:
        return ""
    with np.errstate(all="ignore"):
        exact, answered, bounds = (
            definition(_exactly(meant(call, oracle.declared))),
            oracle(call),
            oracle.tolerance(case, call),
        )
    for name, right, got, bound in zip(call.results, exact, answered, bounds, strict=True):
        if name == "indices" and case.data is Data.TIED:
            continue
        if not compare(got, right.astype(got.dtype), bound).holds:
            return f"{name} is {got.tolist()}, by the definition {right.tolist()}"
    return ""


def _exactly(call: Call) -> Call:
    """In fractions; where there are numbers that are none, in float64."""
    arrays = [a for a in call.arguments.values() if isinstance(a, np.ndarray)]
    if not all(np.isfinite(a).all() for a in arrays):
        return call.map_arrays(lambda a: a.astype(np.float64))

    def exact(a: Array) -> Array:
        return np.vectorize(Fraction, otypes=[object])(a.astype(float)) if a.size else a.astype(object)

    return call.map_arrays(exact)


def _terms(call: Call) -> int:
    filters = [a.shape[1:] for name, a in call.arguments.items() if name.startswith("w")]
    kernel = [n for shape in filters for n in shape] or call.parameters.get("kernel_size", ())
    return int(max(prod(forward_shape(call)), prod(call["x"].shape)) * prod(kernel))
