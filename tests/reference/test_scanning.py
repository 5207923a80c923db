"""Scanning in both orders, as convolutions, and as one giant matrix; S and C planes."""

from itertools import pairwise
from typing import Any

import numpy as np
from drawing import filled, small
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_reference.dense import linear
from cnn_reference.scanning import (
    c_planes,
    s_planes,
    scan_by_convolution,
    scan_by_layer,
    scan_by_window,
    shared_matrix,
    windows,
)


@settings(deadline=None)
@given(st.integers(1, 3), st.data(), st.integers(0, 2**32 - 1))
def test_both_orders_and_convolution_agree_exactly(rank: int, data: Any, seed: int) -> None:
    fill = filled(seed, exact=True)
    kernel, stride, extra = (data.draw(small(low, 3, rank)) for low in (1, 1, 0))
    x = fill(2, 2, *[k + e for k, e in zip(kernel, extra, strict=True)])
    mlp = [
        (fill(3, x.shape[1] * int(np.prod(kernel))), fill(3)),
        (fill(4, 3), fill(4)),
        (fill(2, 4), fill(2)),
    ]
    expected = scan_by_window(x, mlp, kernel, stride)
    np.testing.assert_array_equal(scan_by_layer(x, mlp, kernel, stride), expected)
    np.testing.assert_array_equal(scan_by_convolution(x, mlp, kernel, stride), expected)


def test_windows_come_in_order() -> None:
    x = np.arange(7.0).reshape(1, 1, 7)
    assert [list(w[0]) for w in windows(x, (3,), (2,))] == [[0, 1, 2], [2, 3, 4], [4, 5, 6]]


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_the_giant_matrix_scans_and_its_blocks_are_shifted_copies(
    channels: int, kernel: int, stride: int, extra: int, seed: int
) -> None:
    fill, n = filled(seed, exact=True), kernel + extra
    x, w = fill(2, channels, n), fill(2, channels * kernel)
    matrix = shared_matrix(w, channels, n, stride)
    scanned = scan_by_window(x, [(w, np.zeros(2))], (kernel,), (stride,))
    giant = linear(x.reshape(2, -1), matrix, None).reshape(2, -1, 2)
    np.testing.assert_array_equal(giant.transpose(0, 2, 1), scanned)
    blocks = matrix.reshape(-1, 2, channels, n)
    for one, following in pairwise(blocks):
        np.testing.assert_array_equal(np.roll(one, stride, -1), following)


def test_planes_shift_with_their_input_and_c_planes_forgive_a_shift_within_their_window() -> None:
    fill = filled(1, exact=True)
    x = np.zeros((1, 1, 12, 12))
    x[:, :, 4:7, 4:7] = fill(1, 1, 3, 3)
    w, b = fill(3, 1, 3, 3), np.zeros(3)
    s, shifted = s_planes(x, w, b), s_planes(np.roll(x, 1, 2), w, b)
    np.testing.assert_array_equal(shifted[:, :, 1:], s[:, :, :-1])
    c = c_planes(s, (10, 10))
    assert c.shape == (1, 3, 1, 1)
    np.testing.assert_array_equal(c_planes(shifted, (10, 10)), c)
    assert np.any(shifted != s)
