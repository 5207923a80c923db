"""Activations by other formulas and other orders of summation, within the bounds; some relative to 1 only."""

from collections.abc import Callable, Mapping

import numpy as np

from cnn_spec.operations import Array, Call, Results


def _quiet(answer: Callable[[Call], Array]) -> Callable[[Call], Results]:
    def within(call: Call) -> Results:
        with np.errstate(over="ignore", under="ignore"):
            return (answer(call),)

    return within


def _sigmoid(x: Array) -> Array:
    """One exponential, overflowing to infinity where the result is zero."""
    return np.asarray(1 / (1 + np.exp(-x)))


def _shares(x: Array, axis: int) -> Array:
    """Exponentials added up from the last on, one by one; times the reciprocal of the sum."""
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    total = np.cumsum(np.flip(e, axis), axis=axis, dtype=e.dtype).take([-1], axis=axis)
    return np.asarray(e * (1 / total))


def _softmax_backward(call: Call) -> Array:
    y, axis = _shares(call["x"], call["axis"]), call["axis"]
    total = np.cumsum(np.flip(y * call["dy"], axis), axis=axis, dtype=y.dtype).take([-1], axis=axis)
    return np.asarray(y * call["dy"] - y * total)


def _sigmoid_backward(call: Call) -> Array:
    y = _sigmoid(call["x"])
    return np.asarray((y - y * y) * call["dy"])


def _tanh_backward(call: Call) -> Array:
    y = np.tanh(call["x"])
    return np.asarray((1 - y) * (1 + y) * call["dy"])


OTHER_FORMULAS: Mapping[str, Callable[[Call], Results]] = {
    "relu": _quiet(lambda call: (call["x"] + np.abs(call["x"])) / 2),
    "relu_backward": _quiet(lambda call: call["dy"] * (call["x"] >= 0)),
    "sigmoid": _quiet(lambda call: _sigmoid(call["x"])),
    "sigmoid_backward": _quiet(_sigmoid_backward),
    "tanh": _quiet(lambda call: np.sign(call["x"]) * np.tanh(np.abs(call["x"]))),
    "tanh_backward": _quiet(_tanh_backward),
    "softmax": _quiet(lambda call: _shares(call["x"], call["axis"])),
    "softmax_backward": _quiet(_softmax_backward),
}
"""By operation."""


def _log_shares(call: Call) -> Array:
    """The exponential of x less the logarithm of the sum."""
    x, axis = call["x"], call["axis"]
    below = x - np.max(x, axis=axis, keepdims=True)
    return np.asarray(np.exp(below - np.log(np.sum(np.exp(below), axis=axis, keepdims=True))))


RELATIVE_TO_ONE: Mapping[str, Callable[[Call], Results]] = {
    "sigmoid": _quiet(lambda call: (1 + np.tanh(call["x"] / 2)) / 2),
    "tanh": _quiet(lambda call: 1 - 2 / (np.exp(2 * call["x"]) + 1)),
    "softmax": _quiet(_log_shares),
}
"""Such as lose all digits of a small result."""


def zero_for_nan(call: Call) -> Results:
    """The larger of x and 0 where a NaN is smaller than anything."""
    return (np.fmax(call["x"], call["x"].dtype.type(0)),)
