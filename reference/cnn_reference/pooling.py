"""Max and mean pooling and their gradients, on any number of spatial axes (notes §2.2, §2.3, §3.3).

A maximum or a sum over a window is taken one axis after the other, and along an axis tap by tap.
"""

from collections.abc import Sequence
from math import prod

import numpy as np

from cnn_reference.checks import (
    Array,
    Indices,
    Ints,
    per_axis,
    per_side,
    require,
    require_images,
    require_shape,
)
from cnn_reference.ranks import of_each_rank
from cnn_reference.sizes import pool_output_size
from cnn_reference.windows import axis_taps, kernel_taps

Taps = list[list[tuple[slice, slice]]]


def max_pool(
    x: Array,
    *,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> Array:
    """Take the largest element of each window; padding counts as minus infinity, NaN propagates (notes §2.2).

    `x` is (N, C, *spatial), the result (N, C, *out). Raises `ShapeError` where no window fits.
    """
    taps, out = _geometry(x, kernel_size, stride, padding, dilation, ceil_mode)
    y = x
    for axis in reversed(range(2, x.ndim)):
        pooled = np.full((*y.shape[:axis], out[axis - 2], *y.shape[axis + 1 :]), -np.inf, x.dtype)
        for outputs, inputs in taps[axis - 2]:
            _along(axis, pooled, outputs)[...] = np.maximum(
                _along(axis, pooled, outputs), _along(axis, y, inputs)
            )
        y = pooled
    return y


def max_pool_with_indices(
    x: Array,
    *,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> tuple[Array, Indices]:
    """Give `max_pool` and where each maximum stands: its flat position in the unpadded plane (notes §3.3.1).

    Of equal elements the first in row-major order counts, and a NaN before any number.
    """
    y = max_pool(
        x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
    )
    taps, _ = _geometry(x, kernel_size, stride, padding, dilation, ceil_mode)
    positions = np.arange(prod(x.shape[2:]), dtype=np.int64).reshape(x.shape[2:])
    indices = np.zeros(y.shape, np.int64)
    for outputs, inputs in reversed(list(kernel_taps(taps))):
        element = x[inputs]
        found = (element == y[outputs]) | np.isnan(element)
        np.copyto(indices[outputs], positions[inputs[2:]], where=found)
    return y, indices


def max_pool_backward(
    dy: Array,
    x: Array,
    *,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> Array:
    """Send each gradient to the element that its window chose, the first of equal ones (notes §3.3.1)."""
    y, indices = max_pool_with_indices(
        x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
    )
    require_shape("dy", dy, y.shape)
    planes, size = prod(x.shape[:2]), prod(x.shape[2:])
    dx = np.zeros((planes, size), x.dtype)
    np.add.at(
        dx, (np.arange(planes)[:, None], indices.reshape(planes, prod(y.shape[2:]))), dy.reshape(planes, -1)
    )
    return dx.reshape(x.shape)


def avg_pool(
    x: Array,
    *,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    ceil_mode: bool,
    count_include_pad: bool,
) -> Array:
    """Take the mean over what each window covers, of the input alone or with its padding (notes §2.2).

    `x` is (N, C, *spatial), the result (N, C, *out). Raises `ShapeError` where no window fits.
    """
    taps, out = _geometry(x, kernel_size, stride, padding, (1,) * (x.ndim - 2), ceil_mode)
    y = x
    for axis in reversed(range(2, x.ndim)):
        pooled = np.zeros((*y.shape[:axis], out[axis - 2], *y.shape[axis + 1 :]), x.dtype)
        for outputs, inputs in taps[axis - 2]:
            _along(axis, pooled, outputs)[...] += _along(axis, y, inputs)
        y = pooled
    y /= _divisor(x, out, kernel_size, stride, padding, count_include_pad)
    return y


def avg_pool_backward(
    dy: Array,
    x: Array,
    *,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    ceil_mode: bool,
    count_include_pad: bool,
) -> Array:
    """Share each gradient out equally among the elements that its window averaged (notes §3.3.2)."""
    taps, out = _geometry(x, kernel_size, stride, padding, (1,) * (x.ndim - 2), ceil_mode)
    require_shape("dy", dy, (*x.shape[:2], *out))
    dx = dy / _divisor(x, out, kernel_size, stride, padding, count_include_pad)
    for axis in range(2, x.ndim):
        spread = np.zeros((*dx.shape[:axis], x.shape[axis], *dx.shape[axis + 1 :]), x.dtype)
        for outputs, inputs in taps[axis - 2]:
            _along(axis, spread, inputs)[...] += _along(axis, dx, outputs)
        dx = spread
    return dx


def _geometry(
    x: Array,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> tuple[Taps, Ints]:
    """Check the parameters; give each axis's taps and the output's sizes."""
    rank = require_images("x", x)
    kernel_size, stride = per_axis("kernel size", kernel_size, rank), per_axis("stride", stride, rank)
    dilation, padding = per_axis("dilation", dilation, rank), per_side(padding, rank)
    taps, out = [], []
    for n, k, s, p, d in zip(x.shape[2:], kernel_size, stride, padding, dilation, strict=True):
        size = pool_output_size(n, kernel_size=k, stride=s, padding=p, dilation=d, ceil_mode=ceil_mode)
        taps.append(axis_taps(n, k, s, p[0], d, size))
        out.append(size)
        met = np.zeros(size, bool)
        for outputs, _ in taps[-1]:
            met[outputs] = True
        require(
            bool(met.all()),
            "padding {} leaves a window of kernel {}, stride {} without any of {} elements",
            p,
            k,
            s,
            n,
        )
    return taps, tuple(out)


def _divisor(
    x: Array,
    out: Ints,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    count_include_pad: bool,
) -> Array:
    """Count for each window the elements that its mean is over."""
    counts = np.ones((), x.dtype)
    for n, size, k, s, (before, after) in zip(x.shape[2:], out, kernel_size, stride, padding, strict=True):
        starts = np.arange(size) * s - before
        first, last = (-before, n + after) if count_include_pad else (0, n)
        counts = np.multiply.outer(
            counts, (np.minimum(starts + k, last) - np.maximum(starts, first)).astype(x.dtype)
        )
    return counts


def _along(axis: int, array: Array, part: slice) -> Array:
    """View a part of one axis."""
    view: Array = array[(slice(None),) * axis + (part,)]
    return view


max_pool1d, max_pool2d, max_pool3d = of_each_rank("max_pool{}d", max_pool)
max_pool1d_with_indices, max_pool2d_with_indices, max_pool3d_with_indices = of_each_rank(
    "max_pool{}d_with_indices", max_pool_with_indices
)
max_pool1d_backward, max_pool2d_backward, max_pool3d_backward = of_each_rank(
    "max_pool{}d_backward", max_pool_backward
)
avg_pool1d, avg_pool2d, avg_pool3d = of_each_rank("avg_pool{}d", avg_pool)
avg_pool1d_backward, avg_pool2d_backward, avg_pool3d_backward = of_each_rank(
    "avg_pool{}d_backward", avg_pool_backward
)
