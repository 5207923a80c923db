"""Max and mean pooling and their gradients, on any number of spatial axes (notes §2.2, §2.3, §3.3).

A maximum or a sum over a window is taken one axis after the other, and along an axis tap by tap: `_gather`
does either, and `_spread` is the adjoint of the sum. Planes, (N * C, *spatial), are pooled as many at a time
as fit the cache.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple, TypedDict, Unpack

import numpy as np

from cnn_reference.checks import (
    Array,
    Indices,
    Ints,
    Pairs,
    ShapeError,
    integers,
    pairs,
    per_axis,
    per_side,
    require_images,
    require_shape,
)
from cnn_reference.ranks import of_each_rank
from cnn_reference.sizes import count_windows
from cnn_reference.windows import CACHE, AxisTaps, axis_taps


class Windows(TypedDict):
    """The parameters of every pooling: an entry for each spatial axis, padding as (before, after)."""

    kernel_size: Sequence[int]
    stride: Sequence[int]
    padding: Sequence[tuple[int, int]]
    ceil_mode: bool


class MaxWindows(Windows):
    """The parameters of max pooling."""

    dilation: Sequence[int]


class MeanWindows(Windows):
    """The parameters of mean pooling: whether the mean is over padding too."""

    count_include_pad: bool


class Pooling(NamedTuple):
    """How windows lie on images: an entry for each spatial axis."""

    sizes: Ints
    kernel: Ints
    stride: Ints
    padding: Pairs
    dilation: Ints
    out: Ints


def max_pool(x: Array, **windows: Unpack[MaxWindows]) -> Array:
    """Take the largest element of each window; padding counts as minus infinity, NaN propagates (notes §2.2).

    `x` is (N, C, *spatial), the result (N, C, *out). Raises `ShapeError` where no window fits.
    """
    p = _pooling(x.shape, **windows)
    return _pool(np.maximum, x, p)


def max_pool_with_indices(x: Array, **windows: Unpack[MaxWindows]) -> tuple[Array, Indices]:
    """Give `max_pool` and where each maximum stands: its flat position in the unpadded plane (notes §3.3.1).

    Of equal elements the first in row-major order counts, and a NaN before any number.
    """
    p = _pooling(x.shape, **windows)
    y = np.empty((*x.shape[:2], *p.out), x.dtype)
    indices = np.empty(y.shape, np.int64)
    values, places = y.reshape(-1, *p.out), indices.reshape(-1, *p.out)
    first, offset = _positions(p)
    for block, planes in _blocks(x):
        values[block], precedence = _choose(planes, p)
        np.add(offset[precedence], first, out=places[block])
    return y, indices


def max_pool_backward(dy: Array, x: Array, **windows: Unpack[MaxWindows]) -> Array:
    """Send each gradient to the element that its window chose, the first of equal ones (notes §3.3.1)."""
    _, indices = max_pool_with_indices(x, **windows)
    return max_pool_backward_from_indices(dy, indices, x.shape)


def max_pool_backward_from_indices(dy: Array, indices: Indices, shape: Ints) -> Array:
    """Send each gradient to the element that the forward pass saved the index of (notes §3.3.1).

    `shape` is that of the forward pass's input. Raises `ShapeError` where `dy` and `indices` differ in shape.
    """
    require_shape("dy", dy, indices.shape)
    planes, size = prod(shape[:2]), prod(shape[2:])
    dx = np.zeros(planes * size, dy.dtype)
    starts = np.arange(0, planes * size, size).reshape(*shape[:2], *(1,) * (len(shape) - 2))
    np.add.at(dx, (indices + starts).ravel(), dy.ravel())
    return dx.reshape(shape)


def avg_pool(x: Array, **windows: Unpack[MeanWindows]) -> Array:
    """Take the mean over what each window covers, of the input alone or with its padding (notes §2.2).

    `x` is (N, C, *spatial), the result (N, C, *out). Raises `ShapeError` where no window fits.
    """
    p, divisor = _averaging(x, **windows)
    y = _pool(np.add, x, p)
    y /= divisor
    return y


def avg_pool_backward(dy: Array, x: Array, **windows: Unpack[MeanWindows]) -> Array:
    """Share each gradient out equally among the elements that its window averaged (notes §3.3.2)."""
    p, divisor = _averaging(x, **windows)
    require_shape("dy", dy, (*x.shape[:2], *p.out))
    dx = np.empty(x.shape, x.dtype)
    sizes = x.shape[2:]
    planes = dx.reshape(-1, *sizes)
    for block, part in _blocks(dy):
        shares = part / divisor
        for axis, (size, taps) in enumerate(zip(sizes, _taps(p), strict=True), 1):
            shares = _spread(shares, axis, size, taps)
        planes[block] = shares
    return dx


def _pooling(
    shape: Ints,
    *,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> Pooling:
    """Check the parameters, and give how the windows lie on images of a shape."""
    kernel, stride = integers("kernel size", kernel_size), integers("stride", stride)
    return _fit(shape, kernel, stride, pairs(padding), integers("dilation", dilation), bool(ceil_mode))


@lru_cache(maxsize=1024)
def _fit(shape: Ints, kernel: Ints, stride: Ints, padding: Pairs, dilation: Ints, ceil_mode: bool) -> Pooling:
    rank = require_images("x", shape)
    kernel, stride = per_axis("kernel size", kernel, rank), per_axis("stride", stride, rank)
    padding, dilation = per_side(padding, rank), per_axis("dilation", dilation, rank)
    axes = zip(shape[2:], kernel, stride, padding, dilation, strict=True)
    out = [count_windows(*axis, ceil_mode) for axis in axes]
    return Pooling(shape[2:], kernel, stride, padding, dilation, tuple(out))


def _averaging(x: Array, *, count_include_pad: bool, **windows: Unpack[Windows]) -> tuple[Pooling, Array]:
    """Check the parameters of a mean; give how its windows lie, and what each is divided by."""
    p = _pooling(x.shape, dilation=(1,) * (x.ndim - 2), **windows)
    return p, _divisor(p, bool(count_include_pad), x.dtype)


@lru_cache(maxsize=1024)
def _taps(p: Pooling) -> list[AxisTaps]:
    """Give each axis's taps; raise `ShapeError` where a window has none on the input."""
    taps = []
    for n, k, s, (before, after), d, size in zip(*p, strict=True):
        taps.append(axis_taps(n, k, s, before, d, size))
        reached = 0  # The taps' outputs are intervals, which begin and end the earlier the later the tap.
        for outputs, _ in reversed(taps[-1]):
            if outputs.start <= reached:
                reached = max(reached, outputs.stop)
        if reached < size:
            raise ShapeError(
                f"a window of kernel {k}, dilation {d}, has none of {n} elements padded by {before, after}"
            )
    return taps


@lru_cache(maxsize=1024)
def _positions(p: Pooling) -> tuple[Array, Array]:
    """Give the flat position of each window's first tap, and what a tap's precedence adds to it."""
    first: Array = np.zeros((), np.int64)
    offset: Array = np.zeros((), np.int64)
    for n, k, s, (before, _), d, size in zip(*p, strict=True):
        first = np.add.outer(first * n, np.arange(size) * s - before)
        offset = np.add.outer(offset * n, np.arange(k, -1, -1) * d)
    return first, offset.ravel()


@lru_cache(maxsize=1024)
def _divisor(p: Pooling, count_include_pad: bool, dtype: np.dtype[Any]) -> Array:
    """Count for each window the elements that its mean is over."""
    counts: Array = np.ones((), dtype)
    for n, k, s, (before, after), _, size in zip(*p, strict=True):
        starts = np.arange(size) * s - before
        first, last = (-before, n + after) if count_include_pad else (0, n)
        counts = np.multiply.outer(counts, np.minimum(starts + k, last) - np.maximum(starts, first))
    return counts.astype(dtype)


def _blocks(x: Array) -> Iterator[tuple[slice, Array]]:
    """Give the planes of images, (planes, *spatial), as many at a time as fit the cache."""
    planes = x.reshape(prod(x.shape[:2]), *x.shape[2:])
    step = max(1, CACHE // (prod(x.shape[2:]) * x.itemsize))
    for first in range(0, len(planes), step):
        yield slice(first, first + step), planes[first : first + step]


def _pool(combine: np.ufunc, x: Array, p: Pooling) -> Array:
    """Combine the elements of each window."""
    y = np.empty((prod(x.shape[:2]), *p.out), x.dtype)
    for block, part in _blocks(x):
        for axis, (size, taps) in enumerate(zip(p.out, _taps(p), strict=True), 1):
            part = _gather(combine, part, axis, size, taps)
        y[block] = part
    return y.reshape(*x.shape[:2], *p.out)


def _gather(combine: np.ufunc, x: Array, axis: int, size: int, taps: AxisTaps) -> Array:
    """Combine the elements of each window of one axis; `size` is the number of windows."""
    rest = list(taps)
    for tap in taps:
        if tap[0].stop - tap[0].start == size:
            y = _along(axis, x, tap[1]).copy()
            rest.remove(tap)
            break
    else:
        shape = (*x.shape[:axis], size, *x.shape[axis + 1 :])
        y = np.full(shape, -np.inf if combine is np.maximum else 0, x.dtype)
    for outputs, inputs in rest:
        part = _along(axis, y, outputs)
        combine(part, _along(axis, x, inputs), out=part)
    return y


def _spread(dy: Array, axis: int, size: int, taps: AxisTaps) -> Array:
    """Add each window's share to all its elements, along one axis of `size`."""
    dx = np.zeros((*dy.shape[:axis], size, *dy.shape[axis + 1 :]), dy.dtype)
    for outputs, inputs in taps:
        part = _along(axis, dx, inputs)
        part += _along(axis, dy, outputs)
    return dx


def _choose(x: Array, p: Pooling) -> tuple[Array, Array]:
    """Give the maximum of each window, and its precedence: a number that is larger for an earlier tap.

    Its digits are `k - t` for the tap `t` of each axis's kernel `k`, in base `k + 1`. Along each axis, of the
    elements equal to the maximum, the one of the largest precedence is chosen.
    """
    precedence = np.zeros((1,) * x.ndim, np.min_scalar_type(prod([k + 1 for k in p.kernel])))
    precedence = np.broadcast_to(precedence, x.shape)
    for axis, (k, size, taps) in enumerate(zip(p.kernel, p.out, _taps(p), strict=True), 1):
        y = _gather(np.maximum, x, axis, size, taps)
        has_nan = np.isnan(y).any()
        scaled = precedence * precedence.dtype.type(k + 1)
        precedence = np.zeros(y.shape, precedence.dtype)
        for tap, (outputs, inputs) in enumerate(taps):
            element = _along(axis, x, inputs)
            found = element == _along(axis, y, outputs)
            if has_nan:
                found |= element != element
            part = _along(axis, precedence, outputs)
            candidate = _along(axis, scaled, inputs) + precedence.dtype.type(k - tap)
            candidate *= found
            np.maximum(part, candidate, out=part)
        x = y
    return x, precedence


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
