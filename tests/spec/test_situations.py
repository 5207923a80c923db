"""Situations: every case is what it is called, and says something."""

from collections import Counter

import numpy as np
import pytest

import cnn_reference
from cnn_spec.case import Case, Data, Situation
from cnn_spec.cases.impossible import ways_of
from cnn_spec.cases.situations import NON_FINITE, SITUATIONS, essential, impossible, others, round_of
from cnn_spec.cases.stream import DTYPES, FUNCTIONS, case_ids, case_of, levels_of, row_count, rows
from cnn_spec.cases.validity import drawable, valid
from cnn_spec.operations import OPERATIONS, implementation_of
from cnn_spec.shapes import result_shapes

REFERENCE = implementation_of(cnn_reference)
ON_ARRAYS = [
    function for function, (operation, _) in FUNCTIONS.items() if not OPERATIONS[operation].of_integers
]


def cases(function: str, situation: Situation, rounds: int = 1, seed: int = 0) -> list[Case]:
    numbers = range(rounds * row_count(function, situation.value))
    found = (case_of(i, seed) for i in case_ids(function, situation.value, numbers, DTYPES))
    return [case for case in found if case is not None]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_case_may_be_drawn_and_says_where_it_lies(function: str) -> None:
    for situation in filter(None, map(Situation, SITUATIONS)):
        for case in cases(function, situation):
            assert case.situation is situation
            assert drawable(case), case.id
            levels = levels_of(case.id)
            assert levels["situation"] == case.levels.get("way", situation)
            assert "layout" not in levels or levels["layout"] == case.levels["layout"]


@pytest.mark.parametrize("function", ON_ARRAYS)
def test_four_rounds_have_every_level_that_the_situation_leaves(function: str) -> None:
    levels = {level for row in rows(function, "pairs") for level in row.items()}
    for situation in (Situation.NON_FINITE, Situation.REPEATED):
        met = {level for case in cases(function, situation, rounds=4) for level in case.levels.items()}
        alone = {("length", "one")} if "softmax" in function and situation is Situation.NON_FINITE else set()
        assert levels - met == alone


def test_a_few_rows_have_every_level_and_the_first_have_most() -> None:
    all_rows = rows("conv2d", "pairs")
    few = essential(all_rows)
    levels = {level for row in all_rows for level in row.items()}
    assert {level for row in few for level in row.items()} == levels
    assert len(few) < len(all_rows) / 3
    assert len({level for row in few[:5] for level in row.items()}) > 0.8 * len(levels)


@pytest.mark.parametrize("function", ON_ARRAYS)
def test_an_empty_batch_has_no_sample_and_all_else(function: str) -> None:
    for case in cases(function, Situation.EMPTY):
        assert case.call["x"].shape[0] == 0
        assert min(case.call["x"].shape[1:], default=1) > 0
        assert all(min(shape[1:], default=1) > 0 for shape in result_shapes(case.call))


@pytest.mark.parametrize("function", ON_ARRAYS)
def test_x_alone_holds_what_is_not_finite_and_some_numbers(function: str) -> None:
    allowed = NON_FINITE.get(FUNCTIONS[function][0], (np.nan, np.inf, -np.inf))
    drawn = cases(function, Situation.NON_FINITE)
    seen = set()
    for case in drawn:
        for name, a in case.call.arguments.items():
            assert a is None or name == "x" or np.isfinite(a).all()
        held = case.call["x"][~np.isfinite(case.call["x"])]
        assert 0 < held.size <= len(allowed)
        assert all(any(np.array_equal(h, a, equal_nan=True) for a in allowed) for h in held)
        seen |= set(map(str, held))
    assert seen == {str(np.float64(a)) for a in allowed}


@pytest.mark.parametrize("function", ["conv2d", "relu", "max_pool1d_backward", "linear"])
def test_a_round_has_every_layout_with_the_memory_that_it_speaks_of(function: str) -> None:
    drawn = {case.levels["layout"]: case.call["x"] for case in cases(function, Situation.LAID_OUT)}
    assert drawn.keys() == {"fortran", "strided", "reversed", "read-only", "broadcast"}
    assert drawn["broadcast"].strides[0] == 0
    assert len(drawn["broadcast"]) > 1
    assert not drawn["read-only"].flags.writeable
    assert min(drawn["reversed"].strides) < 0


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_impossible_call_is_one_step_beside_one_that_is_answered(function: str) -> None:
    operation, _ = FUNCTIONS[function]
    drawn = cases(function, Situation.IMPOSSIBLE, rounds=2)
    for case in drawn:
        pair = impossible(case)
        assert pair is not None
        neighbour, call = pair
        assert neighbour.valid
        assert not call.valid
        assert valid(case.with_call(neighbour)), case.id
        REFERENCE(neighbour)
        with pytest.raises(cnn_reference.ShapeError):
            REFERENCE(call)
    assert {case.levels["way"] for case in drawn} == set(ways_of(operation))


def test_nothing_that_takes_parameters_or_several_arrays_lacks_a_way_to_fail() -> None:
    without = {operation for operation in OPERATIONS if not ways_of(operation)}
    assert without == {"relu", "sigmoid", "tanh"}
    assert round_of("relu", Situation.IMPOSSIBLE) == 0


@pytest.mark.parametrize("function", ON_ARRAYS)
def test_other_calls_are_valid_and_of_the_same_and_of_other_shapes(function: str) -> None:
    kinds: Counter[bool] = Counter()
    for case in cases(function, Situation.REPEATED):
        assert case.data is Data.ROUNDED
        for call in others(case):
            REFERENCE(call)
            same = call["x"].shape == case.call["x"].shape
            kinds[same] += 1
            numbers = (np.array_equal(call[n], case.call[n]) for n in ("x", "dy") if n in call.arguments)
            assert not same or call.parameters != case.call.parameters or not all(numbers)
    assert kinds[True]
    assert kinds[False]
