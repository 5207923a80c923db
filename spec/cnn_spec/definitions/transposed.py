"""Transposed convolution and its derivatives, as the adjoint of convolution (notes §2.3.2, §3.4.2), over any ring.

Its terms are those of the convolution with the same filters, from the larger image to the smaller one:
wherever that one would add `y[o] w[k]` to `x[i]`, this one adds `x[i] w[k]` to `y[o]`.
"""

from collections.abc import Iterator
from typing import Any

from cnn_spec.definitions.convolution import Index, indices, inside, terms, zeros
from cnn_spec.operations import Array
from cnn_spec.sizes import conv_transpose_output_size


def _enlarged_shape(x: Array, w: Array, **parameters: Any) -> Index:
    per_axis = (parameters[name] for name in ("stride", "padding", "output_padding", "dilation"))
    sizes = (
        conv_transpose_output_size(n, kernel_size=k, stride=s, padding=p, output_padding=o, dilation=d)
        for n, k, s, p, o, d in zip(x.shape[2:], w.shape[2:], *per_axis, strict=True)
    )
    return (x.shape[0], w.shape[1] * parameters["groups"], *sizes)


def _terms(x: Array, w: Array, output_padding: Index, **parameters: Any) -> Iterator[tuple[Index, ...]]:
    """Every term, as the positions (in y, in x, in w) of `y += x w`.

    With an output padding of a whole stride and more, the convolution has places that `x` has not.
    """
    y_shape = _enlarged_shape(x, w, output_padding=output_padding, **parameters)
    for at_x, at_y, at_w in terms(y_shape, w.shape, **parameters):
        if inside(at_x[2:], x.shape[2:]):
            yield at_y, at_x, at_w


def conv_transpose(x: Array, w: Array, b: Array | None, **parameters: Any) -> Array:
    """`Z[m, S i + D k - lo] = b[m] + Σ w[n, m, k] Y[n, i]`: each element spreads the filter around its place.

    `x` (N, C_in, *spatial), `w` (C_in, C_out / groups, *kernel), `b` (C_out,) or None; returns
    (N, C_out, *sizes).
    """
    y = zeros(_enlarged_shape(x, w, **parameters), x, w)
    if b is not None:
        y += b.reshape(-1, *(1 for _ in x.shape[2:]))
    for at_y, at_x, at_w in _terms(x, w, **parameters):
        y[at_y] += x[at_x] * w[at_w]
    return y


def conv_transpose_backward(dy: Array, x: Array, w: Array, **parameters: Any) -> tuple[Array, Array, Array]:
    """The derivatives by x, w and b, of their shapes (notes §3.4.2)."""
    dx, dw = zeros(x.shape, dy, w), zeros(w.shape, dy, x)
    for at_y, at_x, at_w in _terms(x, w, **parameters):
        dx[at_x] += dy[at_y] * w[at_w]
        dw[at_w] += dy[at_y] * x[at_x]
    db = zeros(dy.shape[1:2], dy)
    for at_y in indices(*dy.shape):
        db[at_y[1]] += dy[at_y]
    return dx, dw, db
