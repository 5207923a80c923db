"""Downsampling, zero-upsampling, their derivatives (notes §2.3, §3.4), and shuffles that lose nothing, over any ring.

Both move elements between `i` and `i * factor`; each is the other's derivative at the sizes concerned.
"""

from collections.abc import Iterator
from itertools import product
from math import prod

from cnn_spec.definitions.convolution import Index, indices, zeros
from cnn_spec.operations import Array
from cnn_spec.sizes import downsampled_size, upsampled_size


def _times(i: Index, factor: Index) -> Index:
    return (*i[:2], *(at * f for at, f in zip(i[2:], factor, strict=True)))


def downsample(x: Array, *, factor: Index) -> Array:
    """Keep the first of every `factor` rows and columns (notes §2.3.1, the reading that striding needs)."""
    sizes = (downsampled_size(n, f) for n, f in zip(x.shape[2:], factor, strict=True))
    y = zeros((*x.shape[:2], *sizes), x)
    for o in indices(*y.shape):
        y[o] = x[_times(o, factor)]
    return y


def downsample_backward(dy: Array, x: Array, *, factor: Index) -> Array:
    """Zeros of the input's size, with the derivatives of the kept elements in their places (notes §3.4.1)."""
    dx = zeros(x.shape, dy)
    for o in indices(*dy.shape):
        dx[_times(o, factor)] = dy[o]
    return dx


def upsample(x: Array, *, factor: Index) -> Array:
    """`factor - 1` zeros between neighbours and none after the last (notes §2.3.2, one of three readings)."""
    sizes = (upsampled_size(n, f) for n, f in zip(x.shape[2:], factor, strict=True))
    y = zeros((*x.shape[:2], *sizes), x)
    for i in indices(*x.shape):
        y[_times(i, factor)] = x[i]
    return y


def upsample_backward(dy: Array, x: Array, *, factor: Index) -> Array:
    """The derivatives at the original elements; inserted ones depend on nothing (notes §3.4.2)."""
    dx = zeros(x.shape, dy)
    for i in indices(*x.shape):
        dx[i] = dy[_times(i, factor)]
    return dx


def _shuffled(channels: int, spatial: Index, factor: Index) -> Iterator[tuple[Index, Index]]:
    """Where each element is with few channels, and with many: channel `c prod(factor) + offset`, row-major."""
    for c, *i in indices(channels, *(n * f for n, f in zip(spatial, factor, strict=True))):
        offset = 0
        for at, f in zip(i, factor, strict=True):
            offset = offset * f + at % f
        place = (at // f for at, f in zip(i, factor, strict=True))
        yield (c, *i), (c * prod(factor) + offset, *place)


def pixel_unshuffle(x: Array, *, factor: Index) -> Array:
    """Move each block of `factor` elements into channels of their own."""
    sizes = tuple(n // f for n, f in zip(x.shape[2:], factor, strict=True))
    y = zeros((x.shape[0], x.shape[1] * prod(factor), *sizes), x)
    for n, (few, many) in product(range(x.shape[0]), _shuffled(x.shape[1], sizes, factor)):
        y[(n, *many)] = x[(n, *few)]
    return y


def pixel_shuffle(x: Array, *, factor: Index) -> Array:
    """Undo `pixel_unshuffle`: channels become blocks of `factor` elements."""
    channels = x.shape[1] // prod(factor)
    y = zeros((x.shape[0], channels, *(n * f for n, f in zip(x.shape[2:], factor, strict=True))), x)
    for n, (few, many) in product(range(x.shape[0]), _shuffled(channels, x.shape[2:], factor)):
        y[(n, *few)] = x[(n, *many)]
    return y
