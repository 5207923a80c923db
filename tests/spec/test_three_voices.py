"""Definition, reference and torch agree, over the covering arrays and over random rows beyond them."""

from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cnn_reference
from cnn_conformance.adapters import torch as torch_adapter
from cnn_conformance.guard import DeclinedError, NotOfferedError, guarded
from cnn_spec.bounds import Oracle
from cnn_spec.case import Case, Data
from cnn_spec.cases.stream import DTYPES, FUNCTIONS, case_ids, case_of, rows
from cnn_spec.comparison import compare
from cnn_spec.definitions import definition
from cnn_spec.operations import OPERATIONS, Call, Implementation, Results, implementation_of

REFERENCE = implementation_of(cnn_reference)
TORCH = guarded(torch_adapter)
LITERAL_TERMS = 4_000
"""The definition's loops are slow: larger cases are left to the other two voices."""


def terms(call: Call) -> int:
    """About how many terms the definition adds up."""
    if not call.rank:
        return 1
    sizes = [a.size for a in call.arguments.values() if a is not None]
    return int(max(sizes) * (call["w"][0].size if "w" in call.arguments else 1))


def assert_agrees(implementation: Implementation, case: Case, oracle: Oracle) -> None:
    tolerance = oracle.tolerance(case)
    if case.data is Data.TIED and case.call.operation == "max_pool_backward":
        return  # any of the tied elements is right; the law of MAX-INDEX judges these
    for name, got, right, bound in zip(
        case.call.results, implementation(case.call), oracle(case.call), tolerance, strict=True
    ):
        assert compare(got, right, bound).holds, (case.id, name, case.call.parameters)


def assert_voices_agree(case: Case) -> int:
    """How many voices were heard besides the reference."""
    oracle, heard = Oracle(REFERENCE), 0
    assert_agrees(REFERENCE, case, oracle)
    moved_only = "factor" in case.call.parameters
    if terms(case.call) <= LITERAL_TERMS * (10 if moved_only else 1):
        assert_agrees(definition, case, oracle)
        heard += 1
    try:
        assert_agrees(TORCH, case, oracle)
    except (DeclinedError, NotOfferedError):
        return heard
    return heard + 1


@pytest.mark.parametrize("function", FUNCTIONS)
def test_over_every_pair_of_levels(function: str) -> None:
    numbers = range(len(rows(function, "pairs")))
    cases = [case_of(case_id, 0) for case_id in case_ids(function, "pairs", numbers, DTYPES)]
    heard = [assert_voices_agree(case) for case in cases if case is not None]
    assert heard.count(0) < 0.25 * len(heard)


@pytest.mark.parametrize("operation", [name for name, found in OPERATIONS.items() if found.ranked])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_over_random_rows(operation: str, data: st.DataObject) -> None:
    rank = data.draw(st.integers(1, 3), "rank")
    function = OPERATIONS[operation].function(rank)
    source = f"round-{data.draw(st.integers(1, 5), 'round')}"
    numbers = range(len(rows(function, source)))
    number = data.draw(st.sampled_from(numbers), "row")
    ids = list(case_ids(function, source, range(number, number + 1), DTYPES))
    case = case_of(data.draw(st.sampled_from(ids), "case"), data.draw(st.integers(0, 2**16), "seed"))
    if case is not None:
        assert_voices_agree(case)


def off_by_one(call: Call, right: Implementation) -> Results:
    """Wrong in the last element of the first result, whatever its magnitude."""
    first, *others = right(call)
    first = first.copy()
    first.flat[-1] += 1 + abs(first.flat[-1])
    return (first, *others)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_single_wrong_element_is_heard(function: str) -> None:
    found = (case_of(case_id, 0) for case_id in case_ids(function, "pairs", range(12), DTYPES))
    heard = (c for c in found if c is not None and c.data in (Data.EXACT, Data.ROUNDED))
    case = next(
        c for c in heard if not function.startswith("relu") or c.call["x"].flat[-1] > 0
    )  # at 0 it is free
    with pytest.raises(AssertionError):
        assert_agrees(partial(off_by_one, right=REFERENCE), case, Oracle(REFERENCE))
