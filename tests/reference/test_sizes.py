"""Sizes and counts against what there is to count."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import cnn_reference as reference

SMALL = st.integers(1, 4)
SIDES = st.tuples(st.integers(0, 3), st.integers(0, 3))


@given(st.integers(1, 12), SMALL, SMALL, SMALL, SIDES, st.booleans())
def test_windows_are_counted_by_where_they_start(
    n: int, kernel: int, stride: int, dilation: int, padding: tuple[int, int], ceil_mode: bool
) -> None:
    before, after = padding
    reach, padded = dilation * (kernel - 1) + 1, before + n + after
    complete = [start for start in range(0, padded, stride) if start + reach <= padded]
    assume(complete)
    moves: dict[str, Any] = {
        "kernel_size": kernel,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
    }
    assert reference.conv_output_size(n, **moves) == len(complete)
    if ceil_mode:
        # One more if elements are left over; but none that starts behind the input.
        left_over = complete[-1] + reach < padded
        starts = complete + [complete[-1] + stride] * left_over
        complete = [start for start in starts if start < before + n]
    assert reference.pool_output_size(n, **moves, ceil_mode=ceil_mode) == len(complete)


@given(st.integers(1, 6), SMALL, SMALL, SMALL, SIDES, st.integers(0, 3))
def test_a_transposed_convolution_reaches_from_its_first_share_to_its_last(
    n: int, kernel: int, stride: int, dilation: int, padding: tuple[int, int], more: int
) -> None:
    last = max(i * stride + k * dilation for i in range(n) for k in range(kernel))
    size = last + 1 + more - sum(padding)
    assume(size > 0)
    assert size == reference.conv_transpose_output_size(
        n, kernel_size=kernel, stride=stride, padding=padding, output_padding=more, dilation=dilation
    )


@pytest.mark.parametrize("kernel", range(1, 9))
def test_same_padding_keeps_the_size_and_puts_the_larger_half_behind(kernel: int) -> None:
    before, after = reference.same_padding(kernel)
    assert (
        reference.conv_output_size(20, kernel_size=kernel, stride=1, padding=(before, after), dilation=1)
        == 20
    )
    assert after - before == (kernel + 1) % 2


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("kernel", [(3,), (3, 2), (1, 2, 3)])
def test_parameters_are_counted_as_the_layers_take_them(kernel: tuple[int, ...], bias: bool) -> None:
    ones = (1,) * len(kernel)
    moves: dict[str, Any] = {"stride": ones, "padding": ((0, 0),) * len(kernel), "dilation": ones}
    x, b = np.ones((1, 6, *kernel)), np.ones(4) if bias else None
    w, depthwise, pointwise = np.ones((4, 3, *kernel)), np.ones((6, 1, *kernel)), np.ones((4, 6, *ones))
    rank = f"{len(kernel)}d"
    getattr(reference, "conv" + rank)(x, w, b, groups=2, **moves)
    getattr(reference, "separable_conv" + rank)(x, depthwise, pointwise, b, **moves)
    of_bias = 4 * bias
    assert reference.conv_param_count(6, 4, kernel_size=kernel, groups=2, bias=bias) == w.size + of_bias
    separable = reference.separable_param_count(6, 4, kernel_size=kernel, bias=bias)
    assert separable == depthwise.size + pointwise.size + of_bias
