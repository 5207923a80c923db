"""Downsampling, upsampling and their gradients, on any number of spatial axes (notes §2.3, §3.4)."""

from collections.abc import Sequence
from math import prod

import numpy as np

from cnn_reference.checks import Array, Ints, per_axis, require, require_images, require_shape
from cnn_reference.ranks import of_each_rank


def downsample(x: Array, *, factor: Sequence[int]) -> Array:
    """Keep the first of every `factor` elements of each axis (notes §2.3.1).

    `x` is (N, C, *spatial), the result (N, C, *⌈spatial / factor⌉). Raises `ShapeError` for a factor below 1.
    """
    return x[_kept(x, factor)].copy()


def downsample_backward(dy: Array, x: Array, *, factor: Sequence[int]) -> Array:
    """Copy the gradients to the elements that were kept; the dropped ones have none (notes §3.4.1)."""
    kept = _kept(x, factor)
    dx = np.zeros(x.shape, x.dtype)
    require_shape("dy", dy, dx[kept].shape)
    dx[kept] = dy
    return dx


def upsample(x: Array, *, factor: Sequence[int]) -> Array:
    """Put `factor - 1` zeros between neighbours on each axis (notes §2.3.2).

    `x` is (N, C, *spatial), the result (N, C, *(factor (spatial - 1) + 1)). Raises `ShapeError` for a factor
    below 1.
    """
    kept = _kept(x, factor)
    y = np.zeros(_upsampled(x, factor), x.dtype)
    y[kept] = x
    return y


def upsample_backward(dy: Array, x: Array, *, factor: Sequence[int]) -> Array:
    """Keep the gradients of what came from the input; the inserted zeros came from nothing (notes §3.4.2)."""
    kept = _kept(x, factor)
    require_shape("dy", dy, _upsampled(x, factor))
    return dy[kept].copy()


def pixel_unshuffle(x: Array, *, factor: Sequence[int]) -> Array:
    """Move each block of `factor` elements into channels: a downsampling that drops none (notes §2.3.1).

    `x` is (N, C, *spatial), the result (N, C * prod(factor), *(spatial / factor)); an element at `offset` of
    its block, row-major, goes to channel `c * prod(factor) + offset`. Raises `ShapeError` where the factor
    does not divide the size.
    """
    rank = require_images("x", x.shape)
    factor = per_axis("factor", factor, rank)
    sizes = x.shape[2:]
    require(
        all(n % f == 0 for n, f in zip(sizes, factor, strict=True)),
        "factor {} does not divide the sizes of x, whose shape is {}", factor, x.shape,
    )  # fmt: skip
    out = [n // f for n, f in zip(sizes, factor, strict=True)]
    blocks = x.reshape(*x.shape[:2], *[size for pair in zip(out, factor, strict=True) for size in pair])
    axes = (0, 1, *range(3, 3 + 2 * rank, 2), *range(2, 2 + 2 * rank, 2))
    return blocks.transpose(axes).copy().reshape(len(x), x.shape[1] * prod(factor), *out)


def pixel_shuffle(x: Array, *, factor: Sequence[int]) -> Array:
    """Undo `pixel_unshuffle`: (N, C, *(spatial * factor)) from (N, C * prod(factor), *spatial) (§2.3.2).

    Raises `ShapeError` where `prod(factor)` does not divide the channels.
    """
    rank = require_images("x", x.shape)
    factor = per_axis("factor", factor, rank)
    channels, rest = divmod(x.shape[1], prod(factor))
    require(rest == 0, "factor {} does not divide the channels of x, whose shape is {}", factor, x.shape)
    blocks = x.reshape(len(x), channels, *factor, *x.shape[2:])
    axes = (0, 1, *[axis for i in range(2, 2 + rank) for axis in (i + rank, i)])
    sizes = [n * f for n, f in zip(x.shape[2:], factor, strict=True)]
    return blocks.transpose(axes).copy().reshape(len(x), channels, *sizes)


def _kept(x: Array, factor: Sequence[int]) -> tuple[slice, ...]:
    rank = require_images("x", x.shape)
    return (slice(None), slice(None), *[slice(None, None, f) for f in per_axis("factor", factor, rank)])


def _upsampled(x: Array, factor: Sequence[int]) -> Ints:
    return (*x.shape[:2], *[f * (n - 1) + 1 for n, f in zip(x.shape[2:], factor, strict=True)])


downsample1d, downsample2d, downsample3d = of_each_rank("downsample{}d", downsample)
downsample1d_backward, downsample2d_backward, downsample3d_backward = of_each_rank(
    "downsample{}d_backward", downsample_backward
)
upsample1d, upsample2d, upsample3d = of_each_rank("upsample{}d", upsample)
upsample1d_backward, upsample2d_backward, upsample3d_backward = of_each_rank(
    "upsample{}d_backward", upsample_backward
)
pixel_unshuffle1d, pixel_unshuffle2d, pixel_unshuffle3d = of_each_rank("pixel_unshuffle{}d", pixel_unshuffle)
pixel_shuffle1d, pixel_shuffle2d, pixel_shuffle3d = of_each_rank("pixel_shuffle{}d", pixel_shuffle)
