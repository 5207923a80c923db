"""The three sums behind every convolution: of x with w, of dy with w, and of dy with x (notes §2.1, §3.2).

Each is a matrix product with the columns of one of them, or has columns for its result. The shapes given here fit
together; the callers have checked them.
"""

from functools import lru_cache
from itertools import product
from math import prod

import numpy as np

from cnn_reference.checks import Array, Ints, Pairs
from cnn_reference.columns import Geometry, Plan, columns, parts, plan
from cnn_reference.windows import CACHE, Index, axis_taps, kernel_taps


def correlate(x: Array, w: Array, b: Array | None, g: Geometry) -> Array:
    """Sum `x w` over channels and taps, and add `b`: (N, C_out, *out)."""
    p = plan(x.shape, x.itemsize, len(w), g, runs=True)
    y = _products(x, w, p) if p.filters[1] == 1 else _shares(x, w, p)
    y = y.reshape(len(x), len(w), *p.grid)
    if p.grid != g.out:
        kept: Index = (..., *map(slice, g.out))
        y = y[kept].copy()
    if b is not None:
        y += b.reshape(-1, *(1,) * len(g.out))
    return y


def _products(x: Array, w: Array, p: Plan) -> Array:
    """Multiply the filters by columns, in windows or runs."""
    groups, _, c_out, rows = p.filters
    y, filters = np.empty(p.results, x.dtype), w.reshape(groups, c_out, rows)
    for block in p.blocks:
        np.matmul(filters[block.groups], columns(x, block), out=y[block.results])
    return y


def _shares(x: Array, w: Array, p: Plan) -> Array:
    """Multiply each first-axis tap of the filters by columns, in rows, and add what comes of it where it belongs."""
    groups, spread, c_out, rows = p.filters
    y, filters = np.zeros(p.results, x.dtype), w.reshape(groups, c_out, -1, spread, rows // w.shape[1])
    filters = filters.transpose(0, 3, 1, 2, 4).reshape(groups, spread * c_out, rows)
    for block in p.blocks:
        shares = np.matmul(filters[block.groups], columns(x, block))
        shares = shares.reshape(*shares.shape[:2], spread, c_out, shares.shape[3])
        part = y[block.results[:2]]
        for tap, (outputs, inputs) in enumerate(block.spread):
            part[..., outputs] += shares[:, :, tap, :, inputs]
        del shares  # before the next block's are made
    return y


def weight_gradient(dy: Array, x: Array, g: Geometry) -> Array:
    """Sum `dy x` over images and positions: (C_out, C_in // groups, *kernel)."""
    c_out, c_in = dy.shape[1], x.shape[1] // g.groups
    # Windows that begin in one row and end in the next would meet dy's zeros there, and 0 times infinity is not 0.
    p = plan(x.shape, x.itemsize, c_out, g, runs=False)
    dw, dy = np.zeros(p.filters, x.dtype), dy.reshape(p.results)
    for block in p.blocks:
        met = columns(x, block).swapaxes(2, 3)
        images, groups, _, positions = block.results
        for tap, (outputs, inputs) in enumerate(block.spread or [(positions, slice(None))]):
            dw[groups, tap] += np.matmul(dy[images, groups, :, outputs], met[:, :, inputs]).sum(0)
        del met
    by_tap = dw.reshape(*p.filters[:3], c_in, -1)
    return by_tap.transpose(0, 2, 3, 1, 4).reshape(c_out, c_in, *g.kernel)


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
        flipped = np.flip(filters, tuple(range(3, filters.ndim))).copy().reshape(c_in, -1, *g.kernel)
        kept, mirrored = _mirrored(g, sizes)
        return correlate(dy[kept], flipped, None, mirrored)
    taps = _taps(sizes, g)
    dx = np.zeros((n, g.groups, w.shape[1], *sizes), dy.dtype)
    dy = dy.reshape(n, g.groups, c_out // g.groups, prod(g.out))
    transposed = filters.reshape(*filters.shape[:3], len(taps)).swapaxes(2, 3)
    of_channel, room = len(taps) * prod(g.out), 3 * (dx.size + dy.size) + 2 * w.size
    of_group = of_channel * w.shape[1]
    fit = min(room, CACHE // dy.itemsize) // (of_group * g.groups), room // of_group, room // of_channel
    for block in product(*map(parts, dx.shape[:3], fit)):
        part, shared = dx[block], transposed[block[1:]]
        shared = shared.reshape(shared.shape[0], -1, shared.shape[3])
        shares = np.matmul(shared, dy[block[:2]]).reshape(*part.shape[:3], len(taps), *g.out)
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
