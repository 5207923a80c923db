"""The three sums behind every convolution: of x with w, of dy with w, and of dy with x (notes §2.1, §3.2).

Each is a matrix product with the columns of one of them, or has columns for its result. The shapes given here fit
together; the callers have checked them.
"""

from functools import lru_cache
from math import prod

import numpy as np

from cnn_reference.checks import Array, Ints, Pairs
from cnn_reference.columns import Geometry, columns, plan, split
from cnn_reference.windows import Index, axis_taps, kernel_taps


def correlate(x: Array, w: Array, g: Geometry) -> Array:
    """Sum `x w` over channels and taps: (N, C_out, *out)."""
    n, c_out = len(x), len(w)
    y = np.empty((n, g.groups, c_out // g.groups, prod(g.out)), x.dtype)
    p = plan(x.shape, x.itemsize, g, y.nbytes // max(n, 1), x.nbytes + y.nbytes)
    filters = _by_tap(w, g, len(p.spans))
    for images, channels, tap, met in columns(x, p):
        part = filters[tap, :, :, channels].reshape(g.groups, c_out // g.groups, met.shape[2])
        if channels.start == tap == 0:
            np.matmul(part, met, out=y[images])
        else:
            y[images] += part @ met
        del met
    return y.reshape(n, c_out, *g.out)


def weight_gradient(dy: Array, x: Array, g: Geometry) -> Array:
    """Sum `dy x` over images and positions: (C_out, C_in // groups, *kernel)."""
    c_out, c_in = dy.shape[1], x.shape[1]
    dw = np.zeros((c_out, c_in // g.groups, *g.kernel), x.dtype)
    dy = dy.reshape(len(x), g.groups, c_out // g.groups, prod(g.out))
    p = plan(x.shape, x.itemsize, g, dw.nbytes, x.nbytes + dy.nbytes)
    filters = _by_tap(dw, g, len(p.spans))
    for images, channels, tap, met in columns(x, p):
        part = filters[tap, :, :, channels]
        part += np.matmul(dy[images], met.swapaxes(2, 3)).sum(0).reshape(part.shape)
        del met
    return filters.transpose(1, 2, 3, 0, 4).reshape(dw.shape)


def weight_gradient_inside(dy: Array, x: Array, g: Geometry) -> Array:
    """Give `weight_gradient` tap by tap, each where it lies inside `x`: no zeros of the padding."""
    n, c_out, c_in = len(x), dy.shape[1], x.shape[1]
    dw = np.zeros((g.groups, c_out // g.groups, c_in // g.groups, prod(g.kernel)), x.dtype)
    for tap, (outputs, inputs) in enumerate(_taps(x.shape[2:], g)):
        met, gradient = x[inputs], dy[outputs]
        positions = prod(met.shape[2:])
        met = met.reshape(n, g.groups, c_in // g.groups, positions)
        gradient = gradient.reshape(n, g.groups, c_out // g.groups, positions)
        dw[..., tap] = np.matmul(gradient, met.swapaxes(2, 3)).sum(0)
    return dw.reshape(c_out, c_in // g.groups, *g.kernel)


def input_gradient(dy: Array, w: Array, sizes: Ints, g: Geometry) -> Array:
    """Sum `dy w` over filters and taps: (N, C_in, *sizes).

    At stride 1 it is the correlation of the padded `dy` with the flipped filters, their channels exchanged
    (notes §3.2.2); otherwise each output's shares are added to the inputs that made it.
    """
    n, c_out, c_in = len(dy), len(w), w.shape[1] * g.groups
    filters = w.reshape(g.groups, c_out // g.groups, w.shape[1], *g.kernel).swapaxes(1, 2)
    if max(g.stride) == 1:
        flipped = np.flip(filters, tuple(range(3, filters.ndim))).reshape(c_in, -1, *g.kernel)
        kept, mirrored = _mirrored(g, sizes)
        return correlate(dy[kept], flipped, mirrored)
    taps = _taps(sizes, g)
    dx = np.zeros((n, g.groups, w.shape[1], *sizes), dy.dtype)
    dy = dy.reshape(n, g.groups, c_out // g.groups, prod(g.out))
    shares_of_channel = g.groups * len(taps) * prod(g.out) * dy.itemsize
    for images, channels in split(n, w.shape[1], shares_of_channel, 0, dx.nbytes + dy.nbytes):
        part = dx[images, :, channels]
        transposed = (
            filters[:, channels].swapaxes(1, 2).reshape(g.groups, c_out // g.groups, -1).swapaxes(1, 2)
        )
        shares = np.matmul(transposed, dy[images]).reshape(*part.shape[:3], len(taps), *g.out)
        for tap, (outputs, inputs) in enumerate(taps):
            part[inputs] += shares[:, :, :, tap][outputs]
    return dx.reshape(n, c_in, *sizes)


@lru_cache(maxsize=1024)
def _mirrored(g: Geometry, sizes: Ints) -> tuple[Index, Geometry]:
    """Give how, at stride 1, the flipped kernel moves over `dy`, and the part of `dy` that it meets."""
    kept: Index = (...,)
    padding: Pairs = ()
    for size, k, d, p, o in zip(sizes, g.kernel, g.dilation, g.padding, g.out, strict=True):
        before = d * (k - 1) - p[0]
        after = size + d * (k - 1) - before - o
        kept += (slice(max(-before, 0), o + min(after, 0)),)
        padding += ((max(before, 0), max(after, 0)),)
    return kept, g._replace(padding=padding, out=sizes)


@lru_cache(maxsize=1024)
def _taps(sizes: Ints, g: Geometry) -> list[tuple[Index, Index]]:
    """Give for each tap of the kernel, in row-major order, the outputs and the inputs that meet."""
    befores = [before for before, _ in g.padding]
    axes = zip(sizes, g.kernel, g.stride, befores, g.dilation, g.out, strict=True)
    return list(kernel_taps([axis_taps(*axis) for axis in axes]))


def _by_tap(w: Array, g: Geometry, slid: int) -> Array:
    """Lay the filters out as (slid, groups, C_out // groups, C_in // groups, gathered taps)."""
    split = w.reshape(g.groups, len(w) // g.groups, w.shape[1], slid, prod(g.kernel) // slid)
    return np.ascontiguousarray(split.transpose(3, 0, 1, 2, 4))
