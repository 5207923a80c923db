"""What a clause must have seen: nothing that could not have failed counts as holding."""

import numpy as np
import pytest

import cnn_reference
from cnn_conformance.judging import judge_case
from cnn_conformance.plan import laws_of
from cnn_conformance.tally import Tallies
from cnn_spec.bounds import Oracle
from cnn_spec.case import Case
from cnn_spec.cases.draw import data_kinds, draw_call
from cnn_spec.cases.space import space_of
from cnn_spec.cases.stream import FUNCTIONS
from cnn_spec.operations import implementation_of
from cnn_spec.sections.interface_process import PROCESS_CLAUSES

MEANT_FOR_ANY_CALL = {
    "VALID-CALL-ANSWERED",
    "RESULT-KIND",
    "RESULT-SHAPE",
    "RESULT-DTYPE",
    "RESULT-WRITTEN",
    "INPUTS-UNCHANGED",
}
"""Clauses that any answer can break."""

POINTWISE = {"RELU", "RELU-NAN", "SIGMOID", "TANH", "ACT-BP", "SHAPE-SAME"}
"""Clauses of single elements, on functions of single elements."""


def trivial_cases(function: str) -> list[Case]:
    """Some cases of the simplest level of every factor: one sample, one channel, kernel 1, stride 1, no padding ..."""
    operation, rank = FUNCTIONS[function]
    space = space_of(operation, rank)
    row = {factor: levels[0] for factor, levels in space.factors.items()}
    rng = np.random.default_rng(0)
    drawn = [
        (kind, draw_call(operation, rank, row, space, kind, np.dtype(np.float64), rng, rng))
        for kind in data_kinds(operation)
        for _ in range(6)
    ]
    return [Case("trivial", (call,), kind, row) for kind, call in drawn if call is not None]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_clause_holds_by_trivial_cases_alone(function: str) -> None:
    reference = implementation_of(cnn_reference)
    oracle, tallies, laws = Oracle(reference), Tallies(), laws_of(function)
    for case in trivial_cases(function):
        judge_case(laws, reference, case, oracle, tallies)
    assert tallies
    wanted: dict[str, set[str]] = {}
    for judged in laws:
        wanted.setdefault(judged.clause, set()).update(see.__name__ for see in judged.law.must_see)
    holding = {clause for (clause, _), tally in tallies.items() if wanted[clause] <= tally.seen}
    holding -= set(PROCESS_CLAUSES)
    single = function.removesuffix("_backward") in ("relu", "sigmoid", "tanh", "softmax")
    assert holding <= (MEANT_FOR_ANY_CALL | (POINTWISE if single else set()))
