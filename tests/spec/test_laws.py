"""Each law holds of the definition, and has been seen to fail on something wrong."""

from collections.abc import Callable

import numpy as np
import pytest

import cnn_reference
from cnn_spec.bounds import Declared, Oracle
from cnn_spec.case import Case
from cnn_spec.cases.stream import DTYPES, FUNCTIONS, RANKS, case_ids, case_of, rows
from cnn_spec.clause import Law
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


WRONG = [changed(ramp), changed(offset_by_input), changed(by_values)]
STUBBORN = {"PAD-VALUE": changed(by_parameters), "DOWN-BWD-COMPOSE": changed(by_parameters)}
"""Laws that the general wrongs cannot break, because both of their sides are wrong alike."""


def breaks(law: Law, implementation: Implementation, declared: Declared | None = None) -> bool:
    oracle = Oracle(REFERENCE, declared)
    for rank in RANKS if OPERATIONS[law.operation].ranked else (0,):
        function = OPERATIONS[law.operation].function(rank)
        for case_id in case_ids(function, "pairs", range(len(rows(function, "pairs"))), DTYPES):
            case = case_of(case_id, 0)
            if rank < law.least_rank or case is None or not all(when(case) for when in law.when):
                continue
            if not law.check(implementation, case, oracle).holds:
                return True
    return False


@pytest.mark.parametrize("name", [name for name, law in LAWS.items() if law.check is not answered])
def test_each_law_is_broken_by_something_wrong(name: str) -> None:
    clause = name.split()[0]
    assert any(breaks(LAWS[name], wrong) for wrong in ([STUBBORN[clause]] if clause in STUBBORN else WRONG))


def judged_cases(law: Law, function: str) -> list[Case]:
    """The smallest of the cases that a law judges on a function: the definition is slow."""
    found = (case_of(i, 1) for i in case_ids(function, "pairs", range(len(rows(function, "pairs"))), DTYPES))
    cases = [case for case in found if case is not None and all(when(case) for when in law.when)]
    return sorted(cases, key=lambda case: sum(np.size(a) for a in case.call.arguments.values()))[:8]


@pytest.mark.parametrize("name", [name for name, law in LAWS.items() if law.check is not answered])
def test_each_law_holds_of_the_definition(name: str) -> None:
    law, oracle, judged = LAWS[name], Oracle(definition), 0
    for rank in RANKS if OPERATIONS[law.operation].ranked else (0,):
        if rank >= law.least_rank:
            for case in judged_cases(law, OPERATIONS[law.operation].function(rank)):
                assert law.check(definition, case, oracle).holds, case.id
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
