"""Activations and their gradients, element by element, and softmax along an axis (notes §1.1, §3.2.1)."""

import numpy as np

from cnn_reference.checks import QUIET, Array, require, require_shape


def relu(x: Array) -> Array:
    """Give the larger of `x` and 0; NaN stays NaN."""
    y: Array = np.maximum(x, 0)
    return y


def relu_backward(dy: Array, x: Array) -> Array:
    """Pass the gradient on where `x` is above 0. Raises `ShapeError` where the shapes differ."""
    require_shape("dy", dy, x.shape)
    return np.where(x > 0, dy, dy.dtype.type(0))


def sigmoid(x: Array) -> Array:
    """Give `1 / (1 + exp(-x))`, to within rounding of the result however small that is."""
    decay = np.exp(-np.abs(x))
    y: Array = np.where(x < 0, decay, 1) / (1 + decay)
    return y


@QUIET
def sigmoid_backward(dy: Array, x: Array) -> Array:
    """Give `dy y (1 - y)`, computed as `dy e / (1 + e)²` with `e = exp(-|x|)`.

    Raises `ShapeError` where the shapes differ.
    """
    require_shape("dy", dy, x.shape)
    decay = np.exp(-np.abs(x))
    dx: Array = dy * (decay / (1 + decay) ** 2)
    return dx


def tanh(x: Array) -> Array:
    """Give the hyperbolic tangent."""
    y: Array = np.tanh(x)
    return y


@QUIET
def tanh_backward(dy: Array, x: Array) -> Array:
    """Give `dy (1 - tanh² x)`. Raises `ShapeError` where the shapes differ."""
    require_shape("dy", dy, x.shape)
    dx: Array = dy * (1 - np.tanh(x) ** 2)
    return dx


@QUIET
def softmax(x: Array, *, axis: int) -> Array:
    """Give `exp(x)` over its sum along the axis. Raises `ShapeError` where `x` has no such axis."""
    require(-x.ndim <= axis < x.ndim, "x of shape {} has no axis {}", x.shape, axis)
    y: Array = np.exp(x - x.max(axis, keepdims=True))
    y /= y.sum(axis, keepdims=True)
    return y


@QUIET
def softmax_backward(dy: Array, x: Array, *, axis: int) -> Array:
    """Give `y (dy - Σ y dy)`. Raises `ShapeError` where the shapes differ or `x` has no such axis."""
    require_shape("dy", dy, x.shape)
    y = softmax(x, axis=axis)
    dx: Array = y * (dy - (y * dy).sum(axis, keepdims=True))
    return dx
