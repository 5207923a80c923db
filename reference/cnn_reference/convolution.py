"""Convolution and its gradients, on any number of spatial axes (notes §2.1, §2.3, §3.2)."""

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np

from cnn_reference.checks import (
    Array,
    Ints,
    Pairs,
    ShapeError,
    per_axis,
    per_side,
    require,
    require_images,
    require_shape,
)
from cnn_reference.ranks import of_each_rank
from cnn_reference.sizes import conv_output_size
from cnn_reference.windows import axis_taps, kernel_taps, pad, windows

_WORKSPACE = 1 << 20


def conv(
    x: Array,
    w: Array,
    b: Array | None,
    *,
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    groups: int,
) -> Array:
    """Slide each filter over its group of channels and add its bias; the kernel is not flipped (notes §2.1).

    `x` is (N, C_in, *spatial), `w` (C_out, C_in // groups, *kernel), `b` (C_out,) or None; the result is
    (N, C_out, *out). Raises `ShapeError` for shapes or parameters that do not fit.
    """
    stride, padding, dilation, out = _geometry(x, w, stride, padding, dilation, groups)
    if b is not None:
        require_shape("b", b, w.shape[:1])
    n, c_out, kernel = len(x), len(w), w.shape[2:]
    y = np.empty((n, groups, c_out // groups, prod(out)), x.dtype)
    filters = w.reshape(groups, c_out // groups, w[0].size)
    for images, columns in _columns(x, kernel, stride, padding, dilation, groups, out):
        np.matmul(filters, columns, out=y[images])
    y = y.reshape(n, c_out, *out)
    if b is not None:
        y += b.reshape(-1, *(1,) * len(out))
    return y


def conv_backward(
    dy: Array,
    x: Array,
    w: Array,
    *,
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    groups: int,
) -> tuple[Array, Array, Array]:
    """Give the gradients (dx, dw, db) of `conv`, each of the shape of its variable (notes §3.2.2, §3.2.3).

    Raises `ShapeError` for shapes or parameters that do not fit.
    """
    stride, padding, dilation, out = _geometry(x, w, stride, padding, dilation, groups)
    n, c_out, kernel = len(x), len(w), w.shape[2:]
    require_shape("dy", dy, (n, c_out, *out))
    db = dy.sum((0, *range(2, dy.ndim)))
    grouped = dy.reshape(n, groups, c_out // groups, prod(out))
    dw = np.zeros((groups, c_out // groups, w[0].size), x.dtype)
    dx = np.zeros(x.shape, x.dtype)
    taps = [
        axis_taps(*axis)
        for axis in zip(x.shape[2:], kernel, stride, [p[0] for p in padding], dilation, out, strict=True)
    ]
    filters = w.reshape(dw.shape).transpose(0, 2, 1)
    for images, columns in _columns(x, kernel, stride, padding, dilation, groups, out):
        dw += np.matmul(grouped[images], columns.transpose(0, 1, 3, 2)).sum(0)
        shares = np.matmul(filters, grouped[images]).reshape(-1, x.shape[1], *kernel, *out)
        for tap, (outputs, inputs) in zip(np.ndindex(kernel), kernel_taps(taps), strict=True):
            dx[images][inputs] += shares[(slice(None), slice(None), *tap)][outputs]
    return dx, dw.reshape(w.shape), db


def _geometry(
    x: Array,
    w: Array,
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    groups: int,
) -> tuple[Ints, Pairs, Ints, Ints]:
    """Check that the filters fit the images; give the parameters and the output's sizes."""
    rank = require_images("x", x)
    stride, dilation = per_axis("stride", stride, rank), per_axis("dilation", dilation, rank)
    padding = per_side(padding, rank)
    require(w.ndim == x.ndim, "w has shape {}, where x of shape {} needs as many axes", w.shape, x.shape)
    if not (groups >= 1 and len(w) % groups == 0 and w.shape[1] * groups == x.shape[1]):
        raise ShapeError(
            f"x of shape {x.shape} and w of shape {w.shape} do not make {groups} groups: w is "
            "(C_out, C_in // groups, *kernel), and groups divides both channels"
        )
    out = tuple(
        [
            conv_output_size(n, kernel_size=k, stride=s, padding=p, dilation=d)
            for n, k, s, p, d in zip(x.shape[2:], w.shape[2:], stride, padding, dilation, strict=True)
        ]
    )
    return stride, padding, dilation, out


def _columns(
    x: Array, kernel: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int, out: Ints
) -> Iterator[tuple[slice, Array]]:
    """Lay windows out as columns (images, groups, C_in // groups * taps, positions), image by image."""
    n, rows, positions = len(x), x.shape[1] // groups * prod(kernel), prod(out)
    step = max(1, _WORKSPACE // (groups * rows * positions * x.itemsize))
    for first in range(0, n, step):
        images = slice(first, min(first + step, n))
        view = windows(pad(x[images], padding), kernel, stride, dilation, out)
        yield images, view.reshape(len(view), groups, rows, positions)


conv1d, conv2d, conv3d = of_each_rank("conv{}d", conv)
conv1d_backward, conv2d_backward, conv3d_backward = of_each_rank("conv{}d_backward", conv_backward)
