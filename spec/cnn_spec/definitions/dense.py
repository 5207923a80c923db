"""The flat layer and its derivatives (notes §1.6, §3), over any ring."""

from cnn_spec.definitions.convolution import indices, zeros
from cnn_spec.operations import Array


def linear(x: Array, w: Array, b: Array | None) -> Array:
    """`y[n, o] = b[o] + Σ w[o, i] x[n, i]`: `x` (N, in), `w` (out, in), `b` (out,) or None."""
    y = zeros((x.shape[0], w.shape[0]), x, w)
    for n, o in indices(*y.shape):
        y[n, o] = sum((w[o, i] * x[n, i] for i in range(x.shape[1])), start=0 if b is None else b[o])
    return y


def linear_backward(dy: Array, x: Array, w: Array) -> tuple[Array, Array, Array]:
    """The derivatives by x, w and b: `dx = dy w`, `dw = dy' x`, `db = Σ dy` (notes §3)."""
    dx, dw, db = zeros(x.shape, dy, w), zeros(w.shape, dy, x), zeros(w.shape[:1], dy)
    for n, o in indices(*dy.shape):
        db[o] += dy[n, o]
        for i in range(x.shape[1]):
            dx[n, i] += dy[n, o] * w[o, i]
            dw[o, i] += dy[n, o] * x[n, i]
    return dx, dw, db
