"""One object serves all calls: what a call owes to the calls before and after it, and to the memory it is given."""

from collections.abc import Iterable
from contextlib import suppress

import numpy as np

from cnn_spec.bounds import Oracle
from cnn_spec.case import Case, Situation
from cnn_spec.cases.situations import others
from cnn_spec.clause import Clause, Law, LawFunction, Predicate, Standing
from cnn_spec.comparison import Comparison, compare, worst
from cnn_spec.laws import ON_ARRAYS, on_every_call
from cnn_spec.operations import Call, Implementation, Results
from cnn_spec.sights import an_array_not_in_rows


def a_repeated_call_answers_the_same(
    implementation: Implementation, case: Case, oracle: Oracle
) -> Comparison:
    """Asked twice, a call is answered alike."""
    return _same_again(case, oracle, implementation(case.call), implementation(case.call.but()))


def other_calls_between_change_nothing(
    implementation: Implementation, case: Case, oracle: Oracle
) -> Comparison:
    """Asked again after calls of the same and of other shapes, a call is answered alike."""
    first = implementation(case.call)
    _ask(implementation, others(case))
    return _same_again(case, oracle, first, implementation(case.call.but()))


def a_result_stays_as_it_was(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """What a call has answered is still there after another of the same shapes."""
    given = implementation(case.call)
    as_given = [np.array(result) for result in given]
    _ask(implementation, others(case)[:1])
    return worst(map(compare, given, as_given))


def _ask(implementation: Implementation, calls: Iterable[Call]) -> None:
    """What other calls answer is not looked at here; they may be declined."""
    for call in calls:
        with suppress(NotImplementedError):
            implementation(call)


def _same_again(case: Case, oracle: Oracle, first: Results, again: Results) -> Comparison:
    """Bit for bit, unless the implementation declares that it may round otherwise each time."""
    bounds = (0.0,) * len(first) if oracle.declared.deterministic else oracle.tolerance(case)
    return worst(compare(b, a, 2 * bound) for a, b, bound in zip(first, again, bounds, strict=True))


def the_layout_does_not_matter(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """The same numbers in row-major order are answered alike."""
    plain = case.call.map_arrays(lambda a: np.array(a, order="C"))
    sides = zip(implementation(case.call), implementation(plain), oracle.tolerance(case), strict=True)
    return worst(compare(got, expected, 2 * bound) for got, expected, bound in sides)


def _in(situation: Situation, check: LawFunction, *must_see: Predicate) -> tuple[Law, ...]:
    return tuple(
        Law(operation=name, check=check, situation=situation, must_see=must_see) for name in ON_ARRAYS
    )


CLAUSES = (
    Clause(
        id="CALL-REPEATED",
        section="interface",
        standing=Standing.HOLDS,
        statement=(
            "A repeated call gives the same answer, bit for bit; within the bounds for who declares not to be "
            "deterministic."
        ),
        laws=_in(Situation.REPEATED, a_repeated_call_answers_the_same),
    ),
    Clause(
        id="CALLS-INDEPENDENT",
        section="interface",
        standing=Standing.HOLDS,
        statement=(
            "No call has an influence on the answer to a later one, whether the shapes and parameters are the "
            "same or others."
        ),
        laws=_in(Situation.REPEATED, other_calls_between_change_nothing),
    ),
    Clause(
        id="RESULT-KEPT",
        section="interface",
        standing=Standing.HOLDS,
        statement="A result stays as it was, whatever is called later.",
        laws=_in(Situation.REPEATED, a_result_stays_as_it_was),
    ),
    Clause(
        id="RESULT-WRITTEN",
        section="interface",
        standing=Standing.HOLDS,
        statement="No element of a result is one that was never written, but left in memory by something else.",
        laws=on_every_call(ON_ARRAYS),
    ),
    Clause(
        id="LAYOUT-FREE",
        section="interface",
        standing=Standing.HOLDS,
        statement=(
            "How arrays lie in memory does not matter: in any order of axes, strided, reversed, broadcast or "
            "read-only, the same numbers are answered alike."
        ),
        laws=_in(Situation.LAID_OUT, the_layout_does_not_matter, an_array_not_in_rows),
    ),
)
