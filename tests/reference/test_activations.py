"""Activations against exact formulas in higher precision, within units in the last place."""

from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cnn_reference

FLOATS = st.sampled_from([np.float32, np.float64])
EXP, TANH = 6, 10  # what exp and tanh may err, in units of roundoff
VALUES = st.lists(st.floats(-80, 80, width=32, allow_subnormal=False), min_size=1, max_size=12)


def exactly(function: Any, x: Any) -> Any:
    """The function of each element, in decimals of 60 digits, rounded to float64."""
    with localcontext() as context:
        context.prec = 60
        return np.array([float(function(Decimal(float(value)))) for value in x.ravel()]).reshape(x.shape)


def roundoff(dtype: Any) -> float:
    return float(np.finfo(dtype).eps) / 2


@settings(deadline=None)
@given(VALUES, FLOATS)
def test_sigmoid(values: list[float], dtype: Any) -> None:
    x, u = np.array(values, dtype), roundoff(dtype)
    y = exactly(lambda v: 1 / (1 + (-v).exp()), x)
    assert cnn_reference.sigmoid(x).dtype == dtype
    assert np.all(np.abs(cnn_reference.sigmoid(x) - y) <= ((EXP + 3) * u + 2.0**-53) * y)
    slope = exactly(lambda v: (-v).exp() / (1 + (-v).exp()) ** 2, x)
    dx = cnn_reference.sigmoid_backward(np.ones_like(x), x)
    assert np.all(np.abs(dx - slope) <= ((2 * EXP + 6) * u + 2.0**-53) * slope)


@settings(deadline=None)
@given(VALUES, FLOATS)
def test_tanh(values: list[float], dtype: Any) -> None:
    x, u = np.array(values, dtype), roundoff(dtype)
    y = exactly(lambda v: ((2 * v).exp() - 1) / ((2 * v).exp() + 1), x)
    assert cnn_reference.tanh(x).dtype == dtype
    assert np.all(np.abs(cnn_reference.tanh(x) - y) <= ((TANH + 1) * u + 2.0**-53) * np.abs(y))
    slope = 1 - y**2
    dx = cnn_reference.tanh_backward(np.ones_like(x), x)
    assert np.all(np.abs(dx - slope) <= (2 * TANH + 6) * u)


@settings(deadline=None)
@given(VALUES, FLOATS)
def test_softmax(values: list[float], dtype: Any) -> None:
    x, u, n = np.array(values, dtype), roundoff(dtype), len(values)
    y = exactly(lambda v: v.exp(), x - np.float64(0))
    y /= y.sum()
    got = cnn_reference.softmax(x, axis=0)
    assert got.dtype == dtype
    distance = x.max().astype(float) - x
    bound = (distance + 2 * n + 2 * EXP) * (u + 2.0**-53) * y + np.finfo(dtype).smallest_normal
    assert np.all(np.abs(got - y) <= bound)
    dy = np.linspace(-1, 1, n).astype(dtype)
    dx = cnn_reference.softmax_backward(dy, x, axis=0)
    bound = (2 * n + 2 * EXP + 4) * u * np.abs(dy).max() + np.finfo(dtype).smallest_normal
    assert np.all(np.abs(dx - y * (dy - (y * dy).sum())) <= bound)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_softmax_sums_to_one_along_its_axis_and_shifting_it_changes_nothing(axis: int) -> None:
    x = np.random.default_rng(0).integers(-9, 9, (2, 3, 4)).astype(float)
    y = cnn_reference.softmax(x, axis=axis)
    np.testing.assert_allclose(y.sum(axis), 1, rtol=1e-15)
    np.testing.assert_array_equal(cnn_reference.softmax(x + 1000, axis=axis), y)


def test_softmax_gives_minus_infinity_nothing() -> None:
    y = cnn_reference.softmax(np.array([0.0, -np.inf, 0.0]), axis=0)
    np.testing.assert_array_equal(y, [0.5, 0, 0.5])


def test_relu_is_exact_and_keeps_nan() -> None:
    x = np.array([-2.0, -0.0, 0.0, 3.0, np.inf, -np.inf, np.nan], np.float32)
    np.testing.assert_array_equal(
        cnn_reference.relu(x), np.array([0, 0, 0, 3, np.inf, 0, np.nan], np.float32)
    )
    dy = np.full(7, np.inf, np.float32)
    dx = cnn_reference.relu_backward(dy, x)
    np.testing.assert_array_equal(dx[:6], np.array([0, 0, 0, np.inf, np.inf, 0], np.float32))
    assert dx.dtype == np.float32


def test_saturated_activations_stay_finite_and_silent() -> None:
    x = np.array([-1e30, 1e30, -np.inf, np.inf], np.float32)
    np.testing.assert_array_equal(cnn_reference.sigmoid(x), [0, 1, 0, 1])
    np.testing.assert_array_equal(cnn_reference.tanh(x), [-1, 1, -1, 1])
    np.testing.assert_array_equal(cnn_reference.sigmoid_backward(np.ones_like(x), x), np.zeros(4))
