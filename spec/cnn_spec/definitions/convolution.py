"""Convolution and its derivatives as literal sums (notes §2.1, §2.3.1, §3.2), over any ring.

The affine map is bilinear, so it and its two derivatives are three sums over the same terms: wherever
`x[i] w[k]` is added to `y[o]`, `dy[o] w[k]` is added to `dx[i]`, and `dy[o] x[i]` to `dw[k]`.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from cnn_spec.operations import Array
from cnn_spec.sizes import Pair, conv_output_size

Index = tuple[int, ...]


def indices(*sizes: int) -> Iterator[Index]:
    """Every index of an array of these sizes."""
    return product(*map(range, sizes))


def zeros(shape: Sequence[int], *like: Array) -> Array:
    """Zeros of the ring that the arrays share: Python's 0 for objects, else their common dtype."""
    return np.zeros(tuple(shape), dtype=np.result_type(*like))


def output_sizes(
    spatial: Index, kernel: Index, stride: Index, padding: Sequence[Pair], dilation: Index
) -> Index:
    """The size of the affine map on each axis."""
    return tuple(
        conv_output_size(n, kernel_size=k, stride=s, padding=p, dilation=d)
        for n, k, s, p, d in zip(spatial, kernel, stride, padding, dilation, strict=True)
    )


def position(o: Index, k: Index, stride: Index, padding: Sequence[Pair], dilation: Index) -> Index:
    """Where cell `k` of the window at `o` lies on the unpadded input; negative or too large in the padding."""
    return tuple(
        oo * s + kk * d - before
        for oo, kk, s, (before, _), d in zip(o, k, stride, padding, dilation, strict=True)
    )


def inside(i: Index, spatial: Index) -> bool:
    """Whether a position lies on the input and not in its padding, which is zero."""
    return all(0 <= at < n for at, n in zip(i, spatial, strict=True))


def taps(
    spatial: Index, kernel: Index, stride: Index, padding: Sequence[Pair], dilation: Index
) -> list[tuple[Index, Index, Index]]:
    """Every window `o` with every cell `k` of it that lies on the input and not in its padding, at `i`."""
    sizes = output_sizes(spatial, kernel, stride, padding, dilation)
    placed = (
        (o, k, position(o, k, stride, padding, dilation)) for o in indices(*sizes) for k in indices(*kernel)
    )
    return [(o, k, i) for o, k, i in placed if inside(i, spatial)]


def terms(
    x_shape: Index, w_shape: Index, *, stride: Index, padding: Sequence[Pair], dilation: Index, groups: int
) -> Iterator[tuple[Index, Index, Index]]:
    """Every term of the affine map, as the positions (in y, in x, in w) of `y += x w`."""
    c_out, c_in, *kernel = w_shape
    placed = taps(x_shape[2:], tuple(kernel), stride, padding, dilation)
    for n, co, ci in indices(x_shape[0], c_out, c_in):
        group = co // (c_out // groups)
        for o, k, i in placed:
            yield (n, co, *o), (n, group * c_in + ci, *i), (co, ci, *k)


def conv(
    x: Array,
    w: Array,
    b: Array | None,
    *,
    stride: Index,
    padding: Sequence[Pair],
    dilation: Index,
    groups: int,
) -> Array:
    """The affine map `Z[n, o] = b[n] + Σ w[n, m, k] Y[m, S o + D k - lo]`: cross-correlation, bias once.

    `x` (N, C_in, *spatial), `w` (C_out, C_in / groups, *kernel), `b` (C_out,) or None; returns
    (N, C_out, *sizes).
    """
    sizes = output_sizes(x.shape[2:], w.shape[2:], stride, padding, dilation)
    y = zeros((x.shape[0], w.shape[0], *sizes), x, w)
    if b is not None:
        y += b.reshape(-1, *(1 for _ in sizes))
    for at_y, at_x, at_w in terms(
        x.shape, w.shape, stride=stride, padding=padding, dilation=dilation, groups=groups
    ):
        y[at_y] += x[at_x] * w[at_w]
    return y


def conv_backward(dy: Array, x: Array, w: Array, **parameters: Any) -> tuple[Array, Array, Array]:
    """The derivatives by x, w and b, of their shapes (notes §3.2.2 and §3.2.3 as corrected; §2.1's bias)."""
    dx, dw = zeros(x.shape, dy, w), zeros(w.shape, dy, x)
    for at_y, at_x, at_w in terms(x.shape, w.shape, **parameters):
        dx[at_x] += dy[at_y] * w[at_w]
        dw[at_w] += dy[at_y] * x[at_x]
    db = zeros((w.shape[0],), dy)
    for at_y in indices(*dy.shape):
        db[at_y[1]] += dy[at_y]
    return dx, dw, db
