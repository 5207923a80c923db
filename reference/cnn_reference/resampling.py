"""Downsampling, upsampling and their gradients, on any number of spatial axes (notes §2.3, §3.4)."""

from collections.abc import Sequence

import numpy as np

from cnn_reference.checks import Array, Ints, per_axis, require_images, require_shape
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


def _kept(x: Array, factor: Sequence[int]) -> tuple[slice, ...]:
    rank = require_images("x", x)
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
