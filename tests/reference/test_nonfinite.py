"""NaN and infinities in x reach the results with a tap on them, and no others."""

from typing import Any

import numpy as np
import pytest
from drawing import CACHES, Drawn, cache_of, convolutions, poolings
from hypothesis import given, settings
from hypothesis import strategies as st

import cnn_reference
from cnn_spec.definitions import convolution as literal
from cnn_spec.definitions import pooling as literal_pooling

FEW = settings(deadline=None, max_examples=100)
pytestmark = pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning:cnn_spec")
SPOILERS = st.lists(
    st.tuples(st.integers(0, 2**16), st.sampled_from([np.nan, np.inf, -np.inf])), min_size=1, max_size=3
)


def spoiled(x: Any, spoilers: list[tuple[int, float]]) -> Any:
    x = x.copy()
    for place, value in spoilers:
        x.flat[place % x.size] = value
    return x


@FEW
@given(convolutions(exact=True), SPOILERS, CACHES)
def test_conv(drawn: Drawn, spoilers: Any, cache: tuple[int, int]) -> None:
    x = spoiled(drawn.x, spoilers)
    with cache_of(cache):
        y = getattr(cnn_reference, f"conv{drawn.rank}d")(x, drawn.w, drawn.b, **drawn.parameters)
        dw = getattr(cnn_reference, f"conv{drawn.rank}d_backward")(drawn.dy, x, drawn.w, **drawn.parameters)[
            1
        ]
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(y, literal.conv(x, drawn.w, drawn.b, **drawn.parameters))
        np.testing.assert_array_equal(dw, literal.conv_backward(drawn.dy, x, drawn.w, **drawn.parameters)[1])


@FEW
@given(convolutions(exact=True, transposed=True), SPOILERS, CACHES)
def test_conv_transpose(drawn: Drawn, spoilers: Any, cache: tuple[int, int]) -> None:
    rank, x, w, _, dy, p = drawn
    x = spoiled(x, spoilers)
    with cache_of(cache):
        y = getattr(cnn_reference, f"conv_transpose{rank}d")(x, w, None, **p)
        dw = getattr(cnn_reference, f"conv_transpose{rank}d_backward")(dy, x, w, **p)[1]
    forward = {name: value for name, value in p.items() if name != "output_padding"}
    with np.errstate(invalid="ignore"):
        expected_y, expected_dw, _ = literal.conv_backward(x, dy, w, **forward)
    np.testing.assert_array_equal(y, expected_y)
    np.testing.assert_array_equal(dw, expected_dw)


@FEW
@given(poolings(dilated=True), SPOILERS)
def test_max_pool(drawn: Drawn, spoilers: Any) -> None:
    x = spoiled(drawn.x, spoilers)
    y, indices = getattr(cnn_reference, f"max_pool{drawn.rank}d_with_indices")(x, **drawn.parameters)
    expected, first_of_nan_or_largest = literal_pooling.max_pool_with_indices(x, **drawn.parameters)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(indices, first_of_nan_or_largest)


@FEW
@given(poolings(dilated=False), SPOILERS)
def test_avg_pool(drawn: Drawn, spoilers: Any) -> None:
    x = spoiled(drawn.x, spoilers)
    y = getattr(cnn_reference, f"avg_pool{drawn.rank}d")(x, **drawn.parameters)
    with np.errstate(invalid="ignore"):
        expected = literal_pooling.avg_pool(x, **drawn.parameters)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(expected))
    np.testing.assert_array_equal(np.isinf(y), np.isinf(expected))


def test_linear_multiplies_infinity_by_zero_in_silence() -> None:
    x, w = np.array([[np.inf, 1.0], [2.0, 1.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_array_equal(cnn_reference.linear(x, w, None), [[np.nan, np.inf], [1, 2]])
    dw = cnn_reference.linear_backward(np.eye(2), x, w)[1]
    np.testing.assert_array_equal(dw, [[np.inf, 1], [np.nan, 1]])
