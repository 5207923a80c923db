"""Downsampling, zero-upsampling and their derivatives (notes §2.3, §3.4), over any ring.

Both move elements between `i` and `i * factor`; each is the other's derivative at the sizes concerned.
"""

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
