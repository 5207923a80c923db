"""Each law holds of the definition, and has been seen to fail on something wrong."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

import cnn_reference
from cnn_spec.bounds import Oracle
from cnn_spec.bugs.state import one_buffer
from cnn_spec.bugs.unusual import answers_nothing
from cnn_spec.case import Case, Situation
from cnn_spec.cases.stream import DTYPES, FUNCTIONS, RANKS, case_ids, case_of, row_count
from cnn_spec.clause import Law
from cnn_spec.conventions import Declared
from cnn_spec.definitions import definition
from cnn_spec.laws import answered
from cnn_spec.operations import OPERATIONS, Array, Call, Implementation, Results, implementation_of
from cnn_spec.sections import CLAUSES

REFERENCE = implementation_of(cnn_reference)
LAWS = {
    f"{clause.id} {law.operation} {law.check.__name__}": law
    for clause in CLAUSES.values()
    for law in clause.laws
}


def changed(change: Callable[[Call, Array], Array]) -> Implementation:
    """The reference with each result changed."""

    def implementation(call: Call) -> Results:
        return tuple(change(call, result) for result in REFERENCE(call))

    return implementation


def ramp(call: Call, result: Array) -> Array:
    """Wrong in each place by another amount."""
    return result + np.arange(1, result.size + 1).reshape(result.shape).astype(result.dtype)


def offset_by_input(call: Call, result: Array) -> Array:
    """Wrong by an amount that follows the sum of the first argument."""
    total = int(np.sum(np.abs(next(iter(call.arguments.values()))).astype(np.int64) % 7))
    return result + np.asarray(1 + total).astype(result.dtype)


def by_values(call: Call, result: Array) -> Array:
    """Wrong by an amount that follows the last argument's values."""
    last = [a for a in call.arguments.values() if isinstance(a, np.ndarray)]
    shift = 1 + int(np.sum(last[-1] * np.arange(1, last[-1].size + 1).reshape(last[-1].shape))) if last else 1
    return result + np.asarray(shift).astype(result.dtype)


def by_parameters(call: Call, result: Array) -> Array:
    """Wrong by an amount that follows the strides and the padding."""
    shift = 1 + int(np.sum(call.parameters.get("stride", 0))) + int(np.sum(call.parameters.get("padding", 0)))
    return result + np.asarray(shift).astype(result.dtype)


def unlike_each_time() -> Implementation:
    """Wrong by another amount in every call."""
    calls: list[Call] = []

    def implementation(call: Call) -> Results:
        calls.append(call)
        return tuple(result + np.asarray(len(calls)).astype(result.dtype) for result in REFERENCE(call))

    return implementation


def by_layout(call: Call, result: Array) -> Array:
    """Wrong where an array is not simply laid out."""
    arrays = [a for a in call.arguments.values() if isinstance(a, np.ndarray)]
    return result + np.asarray(not all(a.flags.c_contiguous for a in arrays)).astype(result.dtype)


def spreading(call: Call, result: Array) -> Array:
    """A NaN or an infinity anywhere in x makes every number of a result NaN."""
    return result if result.dtype.kind == "i" else result + 0 * np.sum(call["x"])


def one_sample_at_least(call: Call) -> Results:
    """A batch of 0 is taken for a batch of 1."""
    return REFERENCE(call.map_arrays(lambda a: np.resize(a, (1, *a.shape[1:])) if not a.size else a))


WRONG = [changed(ramp), changed(offset_by_input), changed(by_values)]
STUBBORN = {
    "RELU-NAN": changed(lambda call, y: np.nan_to_num(y)),
    "PAD-VALUE": changed(by_parameters),
    "DOWN-BWD-COMPOSE": changed(by_parameters),
    "CALL-REPEATED": unlike_each_time(),
    "CALLS-INDEPENDENT": unlike_each_time(),
    "RESULT-KEPT": one_buffer(REFERENCE),
    "LAYOUT-FREE": changed(by_layout),
    "NON-FINITE": changed(spreading),
    "EMPTY-BATCH": one_sample_at_least,
    "IMPOSSIBLE-REFUSED": answers_nothing(REFERENCE),
}
"""Laws that the general wrongs cannot break, because both of their sides are wrong alike."""


def cases_for(law: Law, function: str, seed: int) -> Iterator[Case]:
    """What a law judges on a function, of the pairs or of its situation."""
    source = "pairs" if law.situation is Situation.ORDINARY else law.situation.value
    for case_id in case_ids(function, source, range(row_count(function, source)), DTYPES):
        case = case_of(case_id, seed)
        if case is not None and law.applies(case):
            yield case


def breaks(law: Law, implementation: Implementation, declared: Declared | None = None) -> bool:
    oracle = Oracle(REFERENCE, declared)
    ranks = [rank for rank in RANKS if rank >= law.least_rank] if OPERATIONS[law.operation].ranked else [0]
    cases = (case for rank in ranks for case in cases_for(law, OPERATIONS[law.operation].function(rank), 0))
    found = (law.check(implementation, case, oracle) for case in cases)
    return any(comparison is not None and not comparison.holds for comparison in found)


@pytest.mark.parametrize("name", [name for name, law in LAWS.items() if law.check is not answered])
def test_each_law_is_broken_by_something_wrong(name: str) -> None:
    clause = name.split()[0]
    assert any(breaks(LAWS[name], wrong) for wrong in ([STUBBORN[clause]] if clause in STUBBORN else WRONG))


def judged_cases(law: Law, function: str) -> list[Case]:
    """The smallest of the cases that a law judges on a function: the definition is slow."""
    cases = cases_for(law, function, 1)
    return sorted(cases, key=lambda case: sum(np.size(a) for a in case.call.arguments.values()))[:8]


@pytest.mark.parametrize("name", [name for name, law in LAWS.items() if law.check is not answered])
def test_each_law_holds_of_the_definition(name: str) -> None:
    """And, as the definition refuses nothing, of the reference what is to be refused."""
    law, oracle, judged = LAWS[name], Oracle(definition), 0
    implementation = REFERENCE if law.situation is Situation.IMPOSSIBLE else definition
    for rank in RANKS if OPERATIONS[law.operation].ranked else (0,):
        if rank >= law.least_rank:
            for case in judged_cases(law, OPERATIONS[law.operation].function(rank)):
                with np.errstate(invalid="ignore" if law.situation is Situation.NON_FINITE else "raise"):
                    assert law.check(implementation, case, oracle).holds, case.id
                judged += 1
    assert judged


def test_a_split_gradient_at_ties_is_right_only_where_it_is_declared() -> None:
    law = next(law for name, law in LAWS.items() if name.startswith("MAX-INDEX"))

    def split(call: Call) -> Results:
        from cnn_spec.definitions.pooling import split_at_ties

        return (split_at_ties(call["dy"], call["x"], **call.parameters),)

    assert breaks(law, split)
    assert not breaks(law, split, Declared(conventions={"tie_gradient": "split"}))
    assert breaks(law, REFERENCE, Declared(conventions={"tie_gradient": "split"}))


def test_padding_before_is_right_only_where_it_is_declared() -> None:
    law = next(law for name, law in LAWS.items() if name.startswith("PAD-EVEN"))

    def before(call: Call) -> Results:
        return (np.array([call["kernel_size"] // 2, (call["kernel_size"] - 1) // 2]),)

    assert breaks(law, before)
    assert not breaks(law, before, Declared(conventions={"same_padding_extra": "before"}))


def test_every_function_of_the_interface_that_is_judged_has_a_law() -> None:
    assert {law.operation for law in LAWS.values()} == {operation for operation, _ in FUNCTIONS.values()}
