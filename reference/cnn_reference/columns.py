"""Windows laid out as columns: for every tap of a kernel, the inputs that it meets, as a row of a matrix.

An image whose columns are small has all its taps gathered. Where they are large, and the stride is 1, the first
axis *slides*: the taps of the other axes are gathered on every input row, and what one tap of the first axis
meets is a contiguous part of that. Columns are laid out for a block of images and channels at a time.
"""

from collections.abc import Iterator
from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from cnn_reference.checks import Array, Ints, Pairs
from cnn_reference.windows import CACHE, Index


class Geometry(NamedTuple):
    """How a kernel moves over images: an entry for each spatial axis, and the groups of channels."""

    kernel: Ints
    stride: Ints
    padding: Pairs
    dilation: Ints
    out: Ints
    groups: int


class Block(NamedTuple):
    """A part of the images and of each group's channels, and the shapes of it padded, as windows, as columns."""

    images: slice
    channels: slice
    padded: Ints
    windows: Ints
    strides: Ints
    columns: Ints


class Plan(NamedTuple):
    """All that columns need and that follows from sizes alone."""

    grouped: Ints
    """The images' shape with groups apart: (N, groups, C // groups, *spatial)."""
    inside: Index | None
    """Where the image lies in the padded one; None without padding."""
    spans: list[slice]
    """The columns that each slid tap meets."""
    blocks: list[Block]


@lru_cache(maxsize=1024)
def plan(shape: Ints, itemsize: int, g: Geometry, product: int, room: int) -> Plan:
    """Choose blocks that fit the cache together with `product`, the bytes of an image's result.

    The columns of one image may be larger than the cache, up to `room` bytes.
    """
    n, c_in, *sizes = shape
    slides = g.stride[0] == 1 and c_in * prod(g.kernel) * prod(g.out) * itemsize > CACHE
    slid, kernel = (g.kernel[0], (1, *g.kernel[1:])) if slides else (1, g.kernel)
    rows = (g.out[0] + g.dilation[0] * (slid - 1), *g.out[1:])
    row = prod(g.out[1:])
    starts = [tap * g.dilation[0] * row for tap in range(slid)]
    padded = [size + before + after for size, (before, after) in zip(sizes, g.padding, strict=True)]
    inside = (..., *[slice(p[0], p[0] + size) for size, p in zip(sizes, g.padding, strict=True)])
    taps, positions, channels = prod(kernel), prod(rows), c_in // g.groups
    blocks = []
    for images, part in split(n, channels, g.groups * taps * positions * itemsize, product, room):
        first = (images.stop - images.start, g.groups, part.stop - part.start)
        steps = [itemsize * prod((*first, *padded)[axis + 1 :]) for axis in range(3 + len(padded))]
        moves = [step * s for step, s in zip(steps[3:], g.stride, strict=True)]
        reaches = [step * d for step, d in zip(steps[3:], g.dilation, strict=True)]
        blocks.append(
            Block(
                images,
                part,
                padded=(*first, *padded),
                windows=(*first, *kernel, *rows),
                strides=(*steps[:3], *reaches, *moves),
                columns=(*first[:2], first[2] * taps, positions),
            )
        )
    return Plan(
        (n, g.groups, channels, *sizes),
        inside if any(map(any, g.padding)) else None,
        [slice(start, start + g.out[0] * row) for start in starts],
        blocks,
    )


def split(n: int, channels: int, of_channel: int, of_image: int, room: int) -> Iterator[tuple[slice, slice]]:
    """Split the images to fit the cache, and the channels where those of one image exceed the room.

    Small images are not all taken at once either, where that would need more than the room.
    """
    images = max(1, min(CACHE, max(room, CACHE // 16)) // (channels * of_channel + of_image))
    width = max(1, max(room, CACHE) // of_channel)
    for image in range(0, n, images):
        for channel in range(0, channels, width):
            yield slice(image, min(image + images, n)), slice(channel, min(channel + width, channels))


def columns(x: Array, p: Plan) -> Iterator[tuple[slice, slice, int, Array]]:
    """Give, for each block and slid tap, (images, groups, channels * gathered taps, positions)."""
    x = x.reshape(p.grouped)
    for block in p.blocks:
        padded = x[block.images, :, block.channels]
        if p.inside is None:
            padded = np.ascontiguousarray(padded)
        else:
            padded = np.zeros(block.padded, x.dtype)
            padded[p.inside] = x[block.images, :, block.channels]
        windows: Array = np.ndarray(block.windows, x.dtype, padded, 0, block.strides)
        matrix = windows.reshape(block.columns)
        for tap, span in enumerate(p.spans):
            yield block.images, block.channels, tap, matrix[..., span]
        del padded, windows, matrix  # before the next block's are made
