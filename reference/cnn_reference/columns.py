"""Windows laid out as columns: for every tap of a kernel, the inputs that it meets, as a row of a matrix.

Columns are laid out for a block at a time: some images, or some rows of one image, a row being a place on the first
spatial axis. There are three layouts:

- *windows*: the inputs of every window.
- *runs*, at stride 1: in a padded image laid out flat, all that a tap meets is one run, which is faster to copy than
  row by row. Windows that begin in one row and end in the next come with it; their results are left out.
- *rows*, at stride 1 of the first axis, where the windows of an image are larger than the cache: the taps of the
  other axes are laid out on every input row. Each tap of the first axis meets all of that, for outputs that it shifts.
"""

from functools import lru_cache
from itertools import accumulate, product
from math import prod
from operator import mul
from typing import NamedTuple

import numpy as np

from cnn_reference.checks import Array, Ints, Pairs
from cnn_reference.windows import CACHE, AxisTaps, Index

SMALL = 1 << 14
"""Bytes of columns that are not worth splitting."""


class Geometry(NamedTuple):
    """How a kernel moves over images: an entry for each spatial axis, and the groups of channels."""

    kernel: Ints
    stride: Ints
    padding: Pairs
    dilation: Ints
    out: Ints
    groups: int


class Block(NamedTuple):
    """Some images and some rows of their outputs: where they come from, how they are laid out, where they go to."""

    source: Index
    padded: Ints
    """The source's shape with its padding."""
    inside: Index | None
    """Where the source lies in that; None without padding."""
    windows: Ints
    """(N, C, *kernel, *positions)"""
    steps: Ints
    """From one of these to the next in the padded source, in bytes."""
    columns: Ints
    """(N, groups, C // groups * taps, positions)"""
    results: Index
    """The part of a plan's results."""
    taps: AxisTaps
    """Of the first axis, in rows: the results that each has a share in, and the columns that it meets."""


class Plan(NamedTuple):
    """All that follows from sizes alone."""

    blocks: list[Block]
    filters: Ints
    """(groups, taps of the first axis in rows, C_out // groups, C // groups * taps laid out)"""
    results: Ints
    """(N, groups, C_out // groups, prod(grid))"""
    grid: Ints
    """The sizes of the results, which are more than the outputs in runs."""


@lru_cache(maxsize=1024)
def plan(shape: Ints, itemsize: int, c_out: int, g: Geometry, exact: bool) -> Plan:
    """Choose the layout, not runs if `exact`, and blocks.

    Some images make a block if they fit the cache, and otherwise some rows of one. More than a row takes no more than
    makes the peak of memory four times images, filters and outputs.
    """
    n, c_in, size, *_ = shape
    laid, tall = g, 1
    if g.stride[0] == 1 < g.kernel[0] and c_in * prod(g.kernel) * prod(g.out) * itemsize > CACHE:
        tall = g.kernel[0]
        kernel, padding, out = (1, *g.kernel[1:]), ((0, 0), *g.padding[1:]), (size, *g.out[1:])
        laid = g._replace(kernel=kernel, padding=padding, out=out)
    runs = tall == 1 == max(g.stride) and not exact
    whole = lay_out(shape, itemsize, laid, runs, slice(0, 1), slice(0, laid.out[0]))

    filters, outputs = c_out * (c_in // g.groups) * prod(g.kernel), c_out * prod(g.out)
    of_image = prod(whole.padded) + prod(whole.columns) + filters + (tall > 1) * tall * c_out * prod(laid.out)
    room = max(SMALL // itemsize, 3 * prod(shape) + 2 * filters + 3 * n * outputs)
    images = min(CACHE // itemsize, room) // of_image
    rows = laid.out[0] * room // of_image
    blocks = []
    for part in product(parts(n, images), parts(laid.out[0], rows)):
        block = lay_out(shape, itemsize, laid, runs, *part)
        blocks.append(block._replace(taps=shifted(g, part[1])) if tall > 1 else block)
    grid = (g.out[0], *whole.padded[3:]) if runs else g.out
    return Plan(
        blocks,
        (g.groups, tall, c_out // g.groups, c_in // g.groups * prod(laid.kernel)),
        (n, g.groups, c_out // g.groups, prod(grid)),
        grid,
    )


def lay_out(shape: Ints, itemsize: int, g: Geometry, runs: bool, images: slice, rows: slice) -> Block:
    """Give the block of some images and rows."""
    source, inside, padded = [images, slice(None)], [], []
    outputs = [rows, *map(slice, g.out[1:])]
    for n, k, s, (before, _), d, o in zip(shape[2:], g.kernel, g.stride, g.padding, g.dilation, outputs):
        first, last = (o.start or 0) * s - before, (o.stop - 1) * s - before + d * (k - 1)
        read = slice(max(first, 0), max(first, 0, min(last + 1, n)))
        source.append(read)
        inside.append(slice(read.start - first, read.stop - first))
        padded.append(last + 1 - first)
    firsts = (images.stop - images.start, shape[1])
    steps = row_major((*firsts, *padded))
    pitch, row, positions = steps[2:], prod(g.out[1:]), (rows.stop - rows.start, *g.out[1:])
    moves = (*map(mul, pitch, g.dilation), *map(mul, pitch, g.stride))
    if runs:
        row, positions = pitch[0], (1 + sum(map(mul, [n - 1 for n in positions], pitch)),)
        moves = (*map(mul, pitch, g.dilation), 1)
    start, columns = rows.start * row, prod(positions)
    return Block(
        tuple(source),
        (*firsts, *padded),
        (..., *inside) if inside != [slice(0, size) for size in padded] else None,
        (*firsts, *g.kernel, *positions),
        tuple([itemsize * step for step in (*steps[:2], *moves)]),
        (firsts[0], g.groups, firsts[1] // g.groups * prod(g.kernel), columns),
        (images, slice(None), slice(None), slice(start, start + columns)),
        [],
    )


def shifted(g: Geometry, rows: slice) -> AxisTaps:
    """For each tap of the first axis, give the outputs that some input rows have a share in, and these inputs."""
    row, taps = prod(g.out[1:]), []
    for tap in range(g.kernel[0]):
        shift = g.padding[0][0] - tap * g.dilation[0]
        first = max(0, rows.start + shift)
        last = max(first, min(g.out[0], rows.stop + shift))
        start = first - shift - rows.start
        taps.append((slice(first * row, last * row), slice(start * row, (start + last - first) * row)))
    return taps


def parts(size: int, width: int) -> list[slice]:
    """Split an axis into equal parts of no more than some width, or of 1."""
    width = -(-size // max(1, -(-size // max(1, width))))
    return [slice(start, min(start + width, size)) for start in range(0, size, max(1, width))]


def row_major(sizes: Ints) -> Ints:
    """Give the distance between neighbours on each axis of an array laid out flat."""
    return tuple(accumulate((1, *sizes[:0:-1]), mul))[::-1]


def columns(x: Array, block: Block) -> Array:
    """Lay out a block's columns: (N, groups, C // groups * taps, positions)."""
    if block.inside is None:
        padded = np.ascontiguousarray(x[block.source])
    else:
        padded = np.zeros(block.padded, x.dtype)
        padded[block.inside] = x[block.source]
    windows: Array = np.ndarray(block.windows, x.dtype, padded, 0, block.steps)
    return windows.reshape(block.columns)
