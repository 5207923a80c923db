"""The three sums behind every convolution: of x with w, of dy with w, and of dy with x (notes §2.1, §3.2).

Each is a matrix product with *columns*: for every tap of the kernel, the inputs that it meets, as a row.
An image whose columns are small has all its taps gathered. Where they are large, and the stride is 1, the
first axis *slides*: the taps of the other axes are gathered on every input row, and what one tap of the first
axis meets is a contiguous part of that. The shapes given here fit together; the callers have checked them.
"""

from collections.abc import Iterator
from math import prod
from typing import NamedTuple

import numpy as np

from cnn_reference.checks import Array, Ints, Pairs
from cnn_reference.windows import CACHE, Index, axis_taps, kernel_taps, pad, windows


class Geometry(NamedTuple):
    """How a kernel moves over images: an entry for each spatial axis, and the groups of channels."""

    kernel: Ints
    stride: Ints
    padding: Pairs
    dilation: Ints
    out: Ints
    groups: int


def correlate(x: Array, w: Array, g: Geometry) -> Array:
    """Sum `x w` over channels and taps: (N, C_out, *out)."""
    n, c_out = len(x), len(w)
    y = np.empty((n, g.groups, c_out // g.groups, prod(g.out)), x.dtype)
    slid = _slid(x, g)
    filters = _by_tap(w, g, slid)
    for images, channels, tap, columns in _columns(x, g, slid, y[:1].nbytes, x.nbytes + y.nbytes):
        part = filters[tap, :, :, channels].reshape(*y.shape[1:3], columns.shape[2])
        if channels.start == tap == 0:
            np.matmul(part, columns, out=y[images])
        else:
            y[images] += part @ columns
    return y.reshape(n, c_out, *g.out)


def weight_gradient(dy: Array, x: Array, g: Geometry) -> Array:
    """Sum `dy x` over images and positions: (C_out, C_in // groups, *kernel)."""
    c_out, c_in = dy.shape[1], x.shape[1]
    dw = np.zeros((c_out, c_in // g.groups, *g.kernel), x.dtype)
    dy = dy.reshape(len(x), g.groups, c_out // g.groups, prod(g.out))
    slid = _slid(x, g)
    filters = _by_tap(dw, g, slid)
    for images, channels, tap, columns in _columns(x, g, slid, dw.nbytes, x.nbytes + dy.nbytes):
        part = filters[tap, :, :, channels]
        part += np.matmul(dy[images], columns.swapaxes(2, 3)).sum(0).reshape(part.shape)
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
        flipped = np.flip(filters, tuple(range(3, filters.ndim)))
        kept: Index = (...,)
        padding: Pairs = ()
        for size, k, d, p, o in zip(sizes, g.kernel, g.dilation, g.padding, g.out, strict=True):
            before = d * (k - 1) - p[0]
            after = size + d * (k - 1) - before - o
            kept += (slice(max(-before, 0), o + min(after, 0)),)
            padding += ((max(before, 0), max(after, 0)),)
        return correlate(
            dy[kept], flipped.reshape(c_in, -1, *g.kernel), g._replace(padding=padding, out=sizes)
        )
    taps = _taps(sizes, g)
    dx = np.zeros((n, g.groups, w.shape[1], *sizes), dy.dtype)
    dy = dy.reshape(n, g.groups, c_out // g.groups, prod(g.out))
    shares_of_channel = g.groups * len(taps) * prod(g.out) * dy.itemsize
    for images, channels in _blocks(n, w.shape[1], shares_of_channel, 0, dx.nbytes + dy.nbytes):
        part = dx[images, :, channels]
        transposed = (
            filters[:, channels].swapaxes(1, 2).reshape(g.groups, c_out // g.groups, -1).swapaxes(1, 2)
        )
        shares = np.matmul(transposed, dy[images]).reshape(*part.shape[:3], len(taps), *g.out)
        for tap, (outputs, inputs) in enumerate(taps):
            part[inputs] += shares[:, :, :, tap][outputs]
    return dx.reshape(n, c_in, *sizes)


def _taps(sizes: Ints, g: Geometry) -> list[tuple[Index, Index]]:
    """Give for each tap of the kernel, in row-major order, the outputs and the inputs that meet."""
    befores = [before for before, _ in g.padding]
    axes = zip(sizes, g.kernel, g.stride, befores, g.dilation, g.out, strict=True)
    return list(kernel_taps([axis_taps(*axis) for axis in axes]))


def _slid(x: Array, g: Geometry) -> int:
    """Count the taps of the first axis that are taken one by one; 1 if all are gathered."""
    columns = x.shape[1] * prod(g.kernel) * prod(g.out) * x.itemsize
    return g.kernel[0] if g.stride[0] == 1 and columns > CACHE else 1


def _by_tap(w: Array, g: Geometry, slid: int) -> Array:
    """Lay the filters out as (slid, groups, C_out // groups, C_in // groups, gathered taps)."""
    split = w.reshape(g.groups, len(w) // g.groups, w.shape[1], slid, prod(g.kernel) // slid)
    return np.ascontiguousarray(split.transpose(3, 0, 1, 2, 4))


def _columns(
    x: Array, g: Geometry, slid: int, product: int, room: int
) -> Iterator[tuple[slice, slice, int, Array]]:
    """Give, for each block and slid tap, the columns: (images, groups, channels * taps, positions)."""
    kernel = g.kernel if slid == 1 else (1, *g.kernel[1:])
    rows = (g.out[0] + g.dilation[0] * (slid - 1), *g.out[1:])
    row, taps = prod(g.out[1:]), prod(kernel)
    x = x.reshape(len(x), g.groups, x.shape[1] // g.groups, *x.shape[2:])
    columns_of_channel = g.groups * taps * prod(rows) * x.itemsize
    for images, channels in _blocks(len(x), x.shape[2], columns_of_channel, product, room):
        padded = pad(x[images, :, channels], g.padding)
        view = windows(padded, kernel, g.stride, g.dilation, rows)
        columns = view.reshape(*padded.shape[:2], padded.shape[2] * taps, prod(rows))
        for tap in range(slid):
            first = tap * g.dilation[0] * row
            yield images, channels, tap, columns[..., first : first + g.out[0] * row]


def _blocks(
    n: int, channels: int, of_channel: int, of_image: int, room: int
) -> Iterator[tuple[slice, slice]]:
    """Split the images to fit the cache, and the channels where those of one image exceed the room."""
    images = max(1, CACHE // (channels * of_channel + of_image))
    width = max(1, min(channels, max(room, CACHE) // of_channel))
    for image in range(0, n, images):
        for channel in range(0, channels, width):
            yield slice(image, image + images), slice(channel, channel + width)
