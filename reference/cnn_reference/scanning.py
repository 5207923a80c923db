"""Scanning MLPs, in either order and as convolutions, and planes of S and C cells (notes §1.1 to §1.4)."""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from cnn_reference.activations import relu
from cnn_reference.checks import Array, Ints, require_images
from cnn_reference.convolution import conv
from cnn_reference.dense import linear
from cnn_reference.pooling import max_pool
from cnn_reference.sizes import conv_output_size
from cnn_reference.windows import Index

MLP = Sequence[tuple[Array, Array]]
"""Weights (out, in) and biases of each layer; relu stands between layers."""


def positions(x: Array, kernel: Ints, stride: Ints) -> Ints:
    """Count the windows on each axis. Raises `ShapeError` where none fits."""
    require_images("x", x.shape)
    return tuple(
        conv_output_size(n, kernel_size=k, stride=s, padding=(0, 0), dilation=1)
        for n, k, s in zip(x.shape[2:], kernel, stride, strict=True)
    )


def windows(x: Array, kernel: Ints, stride: Ints) -> Iterator[Array]:
    """Cut images, (N, C, *spatial), into windows, each flat, (N, C * prod(kernel)), in order (notes §1.1)."""
    for position in product(*map(range, positions(x, kernel, stride))):
        cut: Index = (
            ...,
            *[slice(p * s, p * s + k) for p, s, k in zip(position, stride, kernel, strict=True)],
        )
        yield x[cut].reshape(len(x), -1)


def scan_by_window(x: Array, mlp: MLP, kernel: Ints, stride: Ints) -> Array:
    """Put each window through the whole MLP before the next: (N, out, *positions) (notes §1.1)."""
    results = [_finish(mlp, window) for window in windows(x, kernel, stride)]
    return np.stack(results, 2).reshape(len(x), -1, *positions(x, kernel, stride))


def scan_by_layer(x: Array, mlp: MLP, kernel: Ints, stride: Ints) -> Array:
    """Put all windows through a layer before the next layer: the same results (notes §1.3)."""
    maps = list(windows(x, kernel, stride))
    for index, (w, b) in enumerate(mlp):
        maps = [linear(relu(values) if index else values, w, b) for values in maps]
    return np.stack(maps, 2).reshape(len(x), -1, *positions(x, kernel, stride))


def scan_by_convolution(x: Array, mlp: MLP, kernel: Ints, stride: Ints) -> Array:
    """Scan as a convolution of the window's size, and one of size 1 for each further layer (notes §1.3)."""
    ones, zeros = (1,) * len(kernel), ((0, 0),) * len(kernel)
    (w, b), *rest = mlp
    filters = w.reshape(len(w), x.shape[1], *kernel)
    y = conv(x, filters, b, stride=stride, padding=zeros, dilation=ones, groups=1)
    for w, b in rest:
        y = conv(relu(y), w.reshape(*w.shape, *ones), b, stride=ones, padding=zeros, dilation=ones, groups=1)
    return y


def shared_matrix(w: Array, channels: int, n: int, stride: int) -> Array:
    """Give the giant network's first layer on an axis of `n`: a copy of `w` for each window (notes §1.1, §1.2).

    Row `t * out + h` holds `w[h]` where window `t` lies, and zeros elsewhere; columns are `channels` times `n`.
    """
    out, kernel = len(w), w.shape[1] // channels
    count = conv_output_size(n, kernel_size=kernel, stride=stride, padding=(0, 0), dilation=1)
    matrix = np.zeros((count, out, channels, n), w.dtype)
    for t in range(count):
        matrix[t, :, :, t * stride : t * stride + kernel] = w.reshape(out, channels, kernel)
    return matrix.reshape(count * out, channels * n)


def s_planes(x: Array, w: Array, b: Array) -> Array:
    """Respond to patterns: each plane's cells share their weights, on inputs shifted like the cells (notes §1.4)."""
    ones = (1,) * (x.ndim - 2)
    return relu(conv(x, w, b, stride=ones, padding=((0, 0),) * len(ones), dilation=ones, groups=1))


def c_planes(s: Array, kernel: Ints) -> Array:
    """Clean each S-plane up by a response that is fixed: the largest of its cells around (notes §1.4)."""
    ones = (1,) * len(kernel)
    return max_pool(
        s, kernel_size=kernel, stride=ones, padding=((0, 0),) * len(ones), dilation=ones, ceil_mode=False
    )


def _finish(mlp: MLP, values: Array) -> Array:
    for index, (w, b) in enumerate(mlp):
        values = linear(relu(values) if index else values, w, b)
    return values
