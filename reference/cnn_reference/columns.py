"""Windows laid out as columns: for every tap of a kernel, the inputs that it meets, as a row of a matrix.

Columns are laid out for a block at a time: some images, some groups of channels, or some rows, a row being a place on
the first spatial axis. There are three layouts:

- *windows*: what every tap meets in every window.
- *runs*, at stride 1: in a padded image laid out flat, all that a tap meets lies in one run, which is faster to copy
  than row by row. Windows that begin in one row and end in the next come with it, and are left out of the result.
- *rows*, at stride 1 of the first axis, where the windows of a group of an image are larger than the cache: only the
  taps of the other axes are laid out, on every input row. Each tap of the first axis meets all of that, and spreads
  its share over outputs that are shifted by its place.
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
"""Bytes that are not worth saving."""


class Geometry(NamedTuple):
    """How a kernel moves over images: an entry for each spatial axis, and the groups of channels."""

    kernel: Ints
    stride: Ints
    padding: Pairs
    dilation: Ints
    out: Ints
    groups: int


class Block(NamedTuple):
    """Where a block's columns come from, how they are laid out, and where their products go to."""

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
    groups: slice
    results: Index
    """The part of a plan's results."""
    spread: AxisTaps
    """In rows, for each tap of the first axis: the results that it has a share in, and the columns that it meets."""


class Plan(NamedTuple):
    """All that follows from sizes alone."""

    blocks: list[Block]
    filters: Ints
    """(groups, taps of the first axis that rows spread, C_out // groups, C // groups * taps laid out)"""
    results: Ints
    """(N, groups, C_out // groups, prod(grid))"""
    grid: Ints
    """The outputs' sizes, but in runs with what is left out."""


@lru_cache(maxsize=1024)
def plan(shape: Ints, itemsize: int, c_out: int, g: Geometry, runs: bool) -> Plan:
    """Choose the layout, one of runs if they are allowed, and the blocks.

    Blocks fit the cache, but rows, which make up for it by larger products, only the room: what makes the peak of memory
    four times the images, filters and outputs. A row of one group of an image is not split, whatever it takes.
    """
    n, c_in, size, *_ = shape
    of_group = c_in // g.groups
    filters, outputs = c_out * of_group * prod(g.kernel), n * c_out * prod(g.out)
    laid, spread, shares = g, 1, 0
    if g.stride[0] == 1 < g.kernel[0] and of_group * prod(g.kernel) * prod(g.out) * itemsize > CACHE:
        kernel, padding, out = (1, *g.kernel[1:]), ((0, 0), *g.padding[1:]), (size, *g.out[1:])
        laid, spread = g._replace(kernel=kernel, padding=padding, out=out), g.kernel[0]
        shares = spread * c_out * prod(out)
    runs = runs and spread == max(g.stride) == 1

    whole = lay_out(shape, itemsize, laid, runs, slice(0, 1), slice(0, g.groups), slice(0, laid.out[0]))
    grid = (g.out[0], *whole.padded[3:]) if runs else g.out
    of_image = prod(whole.padded) + prod(whole.columns) + (shares or filters)
    room = max(SMALL // itemsize, 3 * prod(shape) + 2 * filters + 4 * outputs - n * c_out * prod(grid))
    fit = min(CACHE // itemsize, room)
    images, groups = fit // of_image, (room if shares else fit) * g.groups // of_image
    rows = room * g.groups * laid.out[0] // of_image
    blocks = []
    for part in product(parts(n, images), parts(g.groups, groups), parts(laid.out[0], rows)):
        block = lay_out(shape, itemsize, laid, runs, *part)
        blocks.append(block._replace(spread=spread_over(g, part[2])) if shares else block)
    return Plan(
        blocks,
        filters=(g.groups, spread, c_out // g.groups, of_group * prod(laid.kernel)),
        results=(n, g.groups, c_out // g.groups, prod(grid)),
        grid=grid,
    )


def parts(size: int, most: int) -> list[slice]:
    """Split an axis into equal parts of no more than `most`, or of 1."""
    count = -(-size // max(1, most))
    return [slice(size * part // count, size * (part + 1) // count) for part in range(count)]


def lay_out(
    shape: Ints, itemsize: int, g: Geometry, runs: bool, images: slice, groups: slice, rows: slice
) -> Block:
    """Give a block of windows, or of runs."""
    of_group, count = shape[1] // g.groups, groups.stop - groups.start
    counts = (images.stop - images.start, count * of_group)
    befores = [before for before, _ in g.padding]
    outputs = (rows, *[slice(0, n) for n in g.out[1:]])
    axes = zip(shape[2:], g.kernel, g.stride, befores, g.dilation, outputs, strict=True)
    sources, insides, padded = zip(*[covered(*axis) for axis in axes], strict=True)

    # From one image, channel and element of each axis to the next.
    apart = [*accumulate((1, *padded[:0:-1], padded[0], counts[1]), mul)][::-1]
    positions = (rows.stop - rows.start, *g.out[1:])
    row, moves = prod(g.out[1:]), tuple(map(mul, apart[2:], g.stride))
    if runs:
        last = sum([(n - 1) * step for n, step in zip(positions, apart[2:], strict=True)])
        positions, row, moves = (last + 1,), apart[2], (1,)
    start, length = rows.start * row, prod(positions)
    return Block(
        source=(images, slice(groups.start * of_group, groups.stop * of_group), *sources),
        padded=(*counts, *padded),
        inside=(..., *insides) if any(map(any, g.padding)) else None,
        windows=(*counts, *g.kernel, *positions),
        steps=tuple([itemsize * s for s in (*apart[:2], *map(mul, apart[2:], g.dilation), *moves)]),
        columns=(counts[0], count, of_group * prod(g.kernel), length),
        groups=groups,
        results=(images, groups, slice(None), slice(start, start + length)),
        spread=[],
    )


def covered(
    n: int, kernel: int, stride: int, before: int, dilation: int, outputs: slice
) -> tuple[slice, slice, int]:
    """Give the inputs of an axis that some windows cover, and where they lie in all that these cover, and its size."""
    first = outputs.start * stride - before
    size = (outputs.stop - 1 - outputs.start) * stride + (kernel - 1) * dilation + 1
    start = max(first, 0)
    stop = max(start, min(first + size, n))
    return slice(start, stop), slice(start - first, stop - first), size


def spread_over(g: Geometry, rows: slice) -> AxisTaps:
    """For each tap of the first axis, give the outputs that some input rows have a share in, and these inputs."""
    row, taps = prod(g.out[1:]), []
    for tap in range(g.kernel[0]):
        shift = g.padding[0][0] - tap * g.dilation[0]
        first = max(0, rows.start + shift)
        last = max(first, min(g.out[0], rows.stop + shift))
        inputs = slice((first - shift - rows.start) * row, (last - shift - rows.start) * row)
        taps.append((slice(first * row, last * row), inputs))
    return taps


def columns(x: Array, block: Block) -> Array:
    """Lay out a block's columns: (N, groups, C // groups * taps, positions)."""
    if block.inside is None:
        padded = np.ascontiguousarray(x[block.source])
    else:
        padded = np.zeros(block.padded, x.dtype)
        padded[block.inside] = x[block.source]
    windows: Array = np.ndarray(block.windows, x.dtype, padded, 0, block.steps)
    return windows.reshape(block.columns)
