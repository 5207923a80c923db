"""The fully connected layer and its gradients (notes §1.6, §3.2)."""

import numpy as np

from cnn_reference.checks import QUIET, Array, require, require_shape


@QUIET
def linear(x: Array, w: Array, b: Array | None) -> Array:
    """Give `x wᵀ + b`: (N, out) from `x` (N, in), `w` (out, in) and `b` (out,) or None.

    Raises `ShapeError` for shapes that do not fit.
    """
    _require_fit(x, w)
    y = x @ w.T
    if b is not None:
        require_shape("b", b, w.shape[:1])
        y += b
    return y


@QUIET
def linear_backward(dy: Array, x: Array, w: Array) -> tuple[Array, Array, Array]:
    """Give the gradients (dx, dw, db) of `linear`. Raises `ShapeError` for shapes that do not fit."""
    _require_fit(x, w)
    require_shape("dy", dy, (len(x), len(w)))
    return dy @ w, dy.T @ x, np.add.reduce(dy, 0)


def _require_fit(x: Array, w: Array) -> None:
    require(
        x.ndim == w.ndim == 2 and x.shape[1] == w.shape[1],
        "x of shape {} and w of shape {} are not (N, in) and (out, in)", x.shape, w.shape,
    )  # fmt: skip
