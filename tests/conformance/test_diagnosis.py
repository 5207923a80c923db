"""The diagnosis: a planted mistake is named, and nothing is named where none is known."""

import numpy as np
import pytest

import cnn_reference
from cnn_conformance import check
from cnn_conformance.report import Diagnosis
from cnn_spec.bugs import BUGS, Functions
from cnn_spec.conventions import Declared, meant
from cnn_spec.operations import Call, Implementation, Results, implementation_of

RIGHT = implementation_of(cnn_reference)


def diagnosis(implementation: Implementation, function: str) -> Diagnosis:
    report = check(Functions("mistaken", implementation), level="quick", only=function)
    found = {v.diagnosis for v in report.violations}
    assert len(found) == 1
    (named,) = found
    assert named is not None
    return named


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("the kernel is flipped", "conv1d"),
        ("strides are in reverse order of the axes", "conv2d"),
        ("the bias is dropped", "conv3d"),
        ("windows overwrite one another in max pooling's derivative", "max_pool1d_backward"),
        ("the factor of the first call stays", "downsample2d"),
        ("filters for a channel more are cut in linear", "linear"),
    ],
)
def test_a_known_mistake_is_named(name: str, function: str) -> None:
    assert (name,) in diagnosis(BUGS[name].over(RIGHT), function).models


@pytest.mark.parametrize(
    ("first", "second", "function"),
    [
        ("the kernel is flipped", "the bias is dropped", "conv1d"),
        # Each spoils a result of its own, so that neither alone gives any case's whole answer.
        (
            "conv_backward, dx: w rounded to bfloat16 in float32",
            "db: the last column is left out",
            "conv1d_backward",
        ),
    ],
)
def test_two_mistakes_at_once_are_both_named(first: str, second: str, function: str) -> None:
    found = diagnosis(BUGS[second].over(BUGS[first].over(RIGHT)), function)
    assert {first, second} in map(set, found.models)


def test_an_unknown_mistake_is_named_after_none() -> None:
    """No model of the catalogue adds seven to the third element."""

    def off(call: Call) -> Results:
        (y,) = RIGHT(call)
        y = y.copy()
        y.flat[2:3] += 7
        return (y,)

    found = diagnosis(off, "downsample1d")
    assert found.models == ()
    assert found.considered > 5


def test_an_adapter_is_told_from_a_library() -> None:
    name = next(bug.name for bug in BUGS.values() if bug.adapter and "conv2d" in bug.functions)
    assert diagnosis(BUGS[name].over(RIGHT), "conv2d").adapter
    assert not diagnosis(BUGS["the kernel is flipped"].over(RIGHT), "conv2d").adapter


def test_a_mistake_that_shows_in_small_numbers_alone_is_not_put_down_to_who_is_right_about_them() -> None:
    """Models of infinities answer what is right where there are none."""

    def clipped(call: Call) -> Results:
        return tuple(np.maximum(y, np.exp(-64.0)) for y in RIGHT(call))

    assert diagnosis(clipped, "softmax").models == ()


def test_a_mistake_beside_a_declared_convention_is_named() -> None:
    name = "an infinity is taken for the largest number"
    declared = Declared(conventions={"pool_nan": "ignore"})
    mistaken = Functions("mistaken", BUGS[name].over(lambda call: RIGHT(meant(call, declared))))
    mistaken.about = {"conventions": declared.conventions}
    report = check(mistaken, "quick", only="max_pool1d")
    assert report.violations
    for verdict in report.violations:
        assert verdict.diagnosis is not None
        assert (name,) in verdict.diagnosis.models
