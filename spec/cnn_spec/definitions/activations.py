"""Activations and their derivatives (notes §1.1, §3.2.1), literally and to sixty digits.

There is no exponential in a ring: what is not a float is taken for a rational number, and what comes out is
the rational number nearest to the result in decimals of that many digits. relu alone is exact.
"""

from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np

from cnn_spec.definitions.convolution import zeros
from cnn_spec.operations import Array

DIGITS = 60


def _decimal(value: Any) -> Decimal:
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / Decimal(value.denominator)
    return Decimal(float(value))


def _each(function: Callable[..., Decimal], *arrays: Array) -> Array:
    """The function of each element, in decimals; floats again where they were floats."""
    result = zeros(arrays[0].shape, *arrays)
    with localcontext() as context:
        context.prec = DIGITS
        for at in np.ndindex(*result.shape):
            value = function(*(_decimal(a[at]) for a in arrays))
            result[at] = Fraction(value) if result.dtype.hasobject else float(value)
    return result


def relu(x: Array) -> Array:
    """The larger of `x` and 0."""
    y = zeros(x.shape, x)
    for at in np.ndindex(*x.shape):
        y[at] = 0 if x[at] <= 0 else x[at]
    return y


def relu_backward(dy: Array, x: Array) -> Array:
    """`dy` where `x` is above 0; at exactly 0 anything from 0 to `dy` is right, and 0 is chosen here."""
    dx = zeros(x.shape, dy)
    for at in np.ndindex(*x.shape):
        dx[at] = dy[at] if x[at] > 0 else 0
    return dx


def _sigmoid(x: Decimal) -> Decimal:
    return 1 / (1 + (-x).exp())


def sigmoid(x: Array) -> Array:
    """`1 / (1 + e^-x)`."""
    return _each(_sigmoid, x)


def sigmoid_backward(dy: Array, x: Array) -> Array:
    """`dy y (1 - y)`, with `1 - y` the sigmoid of `-x`."""
    return _each(lambda dy, x: dy * _sigmoid(x) * _sigmoid(-x), dy, x)


def _tanh(x: Decimal) -> Decimal:
    return Decimal(1).copy_sign(x) if x.is_infinite() else (x.exp() - (-x).exp()) / (x.exp() + (-x).exp())


def tanh(x: Array) -> Array:
    """`(e^x - e^-x) / (e^x + e^-x)`; its limits at the infinities."""
    return _each(_tanh, x)


def tanh_backward(dy: Array, x: Array) -> Array:
    """`dy (1 - y^2)`, which is `4 dy / (e^x + e^-x)^2`."""
    return _each(lambda dy, x: 4 * dy / (x.exp() + (-x).exp()) ** 2, dy, x)


def _rows(axis: int, *arrays: Array) -> list[tuple[Array, ...]]:
    """The arrays' vectors along an axis, as views."""
    moved = [np.moveaxis(a, axis, -1) for a in arrays]
    return [tuple(a[at] for a in moved) for at in np.ndindex(*moved[0].shape[:-1])]


def _shares(x: Array) -> list[Decimal]:
    powers = [_decimal(value).exp() for value in x]
    return [power / sum(powers) for power in powers]


def _fill(row: Array, values: list[Decimal]) -> None:
    row[:] = [Fraction(v) if row.dtype.hasobject else float(v) for v in values]


def softmax(x: Array, *, axis: int) -> Array:
    """`e^x` over its sum along the axis."""
    y = zeros(x.shape, x)
    with localcontext() as context:
        context.prec = DIGITS
        for row, values in _rows(axis, y, x):
            _fill(row, _shares(values))
    return y


def softmax_backward(dy: Array, x: Array, *, axis: int) -> Array:
    """`y (dy - Σ y dy)` along the axis."""
    dx = zeros(x.shape, dy, x)
    with localcontext() as context:
        context.prec = DIGITS
        for row, derivatives, values in _rows(axis, dx, dy, x):
            y, by_y = _shares(values), [_decimal(d) for d in derivatives]
            mean = sum((p * d for p, d in zip(y, by_y, strict=True)), start=Decimal(0))
            _fill(row, [p * (d - mean) for p, d in zip(y, by_y, strict=True)])
    return dx
