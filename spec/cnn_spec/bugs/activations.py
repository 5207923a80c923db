"""Wrong relu, sigmoid and tanh, and their derivatives: formulas, overflow, cancellation, where the slope is taken."""

from collections.abc import Callable, Mapping

import numpy as np

from cnn_spec.bugs.conditions import kind
from cnn_spec.bugs.model import Bug, Wrong, answering, bug, giving, taking
from cnn_spec.operations import Array, Call


def elementwise(function: Callable[[Array], Array]) -> Wrong:
    """Another function of each element."""
    return answering(lambda call: function(call["x"]))


def slope(function: Callable[[Array, Array], Array]) -> Wrong:
    """Another derivative, of `dy` and `x`."""
    return answering(lambda call: function(call["dy"], call["x"]))


def sigmoid(x: Array) -> Array:
    """What is right, for any x."""
    decay = np.exp(-np.abs(x))
    return np.asarray(np.where(x < 0, decay, 1) / (1 + decay))


def first_32_only(call: Call, y: Array) -> Array:
    """Behind the 32nd column x stays as it is."""
    return np.where(np.arange(y.shape[-1]) < 32, y, call["x"])


RELU: Mapping[str, Callable[[Array], Array]] = {
    "the magnitude": np.abs,
    "a hundredth of what is negative": lambda x: np.where(x > 0, x, x / 100),
    "nothing above 6": lambda x: np.clip(x, 0, 6),
    "1 for what is positive": lambda x: np.sign(np.maximum(x, 0)),
    "the smaller of x and 0": lambda x: np.minimum(x, 0),
    "what is below 1 becomes 0": lambda x: np.where(x < 1, 0, x),
    "through float16": lambda x: np.maximum(x.astype(np.float16), 0),
}
"""Functions taken for relu."""

RELU_DX: Mapping[str, Callable[[Array, Array], Array]] = {
    "x is not looked at": lambda dy, x: dy,
    "positive derivatives only, wherever x is": lambda dy, x: np.maximum(dy, 0),
    "positive derivatives where x is positive": lambda dy, x: np.maximum(dy, 0) * (x > 0),
    "where x is negative": lambda dy, x: dy * (x < 0),
    "reversed where x is negative": lambda dy, x: dy * np.sign(x),
    "a hundredth where x is negative": lambda dy, x: np.where(x > 0, dy, dy / 100),
    "NaN where x is 0": lambda dy, x: dy * (x / np.abs(x) + 1) / 2,
    "multiplied by x": lambda dy, x: dy * np.maximum(x, 0),
    "dy is left out": lambda dy, x: np.sign(np.maximum(x, 0)),
    "where x is above 1": lambda dy, x: dy * (x > 1),
}
"""Derivatives taken for relu's."""

SIGMOID: Mapping[str, Callable[[Array], Array]] = {
    "e^x / (1 + e^x) overflows": lambda x: np.exp(x) / (1 + np.exp(x)),
    "by tanh, undeclared": lambda x: (1 + np.tanh(x / 2)) / 2,
    "x is cut at 10": lambda x: sigmoid(np.clip(x, -10, 10)),
    "a line with two bends": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "of -x": lambda x: sigmoid(-x),
    "of 2x": lambda x: sigmoid(2 * x),
    "tanh instead": np.tanh,
    "through float16": lambda x: sigmoid(x.astype(np.float16)),
    "0 below -20": lambda x: np.where(x < -20, 0, sigmoid(x)),
}
"""Functions taken for sigmoid."""

SIGMOID_DX: Mapping[str, Callable[[Array, Array], Array]] = {
    "y": lambda dy, x: dy * sigmoid(x),
    "y (1 + y)": lambda dy, x: dy * sigmoid(x) * (1 + sigmoid(x)),
    "1 - y^2": lambda dy, x: dy * (1 - sigmoid(x) ** 2),
    "dy is left out": lambda dy, x: sigmoid(x) * sigmoid(-x),
    "overflows for large x": lambda dy, x: dy * np.exp(x) / (1 + np.exp(x)) ** 2,
}
"""Derivatives taken for sigmoid's."""

TANH: Mapping[str, Callable[[Array], Array]] = {
    "(e^x - e^-x) / (e^x + e^-x) overflows": lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)),
    "2 sigmoid(2x) - 1, undeclared": lambda x: 2 * sigmoid(2 * x) - 1,
    "2 sigmoid(x) - 1": lambda x: 2 * sigmoid(x) - 1,
    "a quotient of polynomials": lambda x: np.clip(x * (27 + x * x) / (27 + 9 * x * x), -1, 1),
    "x, cut at 1": lambda x: np.clip(x, -1, 1),
    "x itself below a hundredth": lambda x: np.where(np.abs(x) < 0.01, x, np.tanh(x)),
    "its magnitude": lambda x: np.abs(np.tanh(x)),
    "the tangent": np.tan,
    "through float16": lambda x: np.tanh(x.astype(np.float16)),
}
"""Functions taken for tanh."""

TANH_DX: Mapping[str, Callable[[Array, Array], Array]] = {
    "1 - y": lambda dy, x: dy * (1 - np.tanh(x)),
    "1 + y^2": lambda dy, x: dy * (1 + np.tanh(x) ** 2),
    "y (1 - y)": lambda dy, x: dy * np.tanh(x) * (1 - np.tanh(x)),
    "dy is left out": lambda dy, x: 1 - np.tanh(x) ** 2,
    "overflows for large x": lambda dy, x: dy * 4 * np.exp(2 * x) / (1 + np.exp(2 * x)) ** 2,
}
"""Derivatives taken for tanh's."""

BUGS: tuple[Bug, ...] = (
    *(bug(f"relu: {words}", "relu", elementwise(f)) for words, f in RELU.items()),
    bug("relu: columns beyond the 32nd stay as they are", "relu", giving("y", first_32_only)),
    bug(
        "relu: a NaN becomes 0, undeclared",
        "relu",
        taking("x", lambda c, x: np.nan_to_num(x, nan=0, posinf=np.inf, neginf=-np.inf)),
    ),
    *(bug(f"relu dx: {words}", "relu_backward", slope(f)) for words, f in RELU_DX.items()),
    *(bug(f"sigmoid: {words}", "sigmoid", elementwise(f)) for words, f in SIGMOID.items()),
    bug(
        "sigmoid: through float32 in float64",
        "sigmoid",
        elementwise(lambda x: sigmoid(x.astype(np.float32))),
        kind("float64"),
    ),
    *(bug(f"sigmoid dx: {words}", "sigmoid_backward", slope(f)) for words, f in SIGMOID_DX.items()),
    bug("sigmoid dx: x (1 - x)", "sigmoid_backward", slope(lambda dy, x: dy * x * (1 - x)), source="ACT-BP"),
    bug(
        "sigmoid dx: the slope at y",
        "sigmoid_backward",
        taking("x", lambda c, x: sigmoid(x)),
        source="ACT-BP",
    ),
    *(bug(f"tanh: {words}", "tanh", elementwise(f)) for words, f in TANH.items()),
    *(bug(f"tanh dx: {words}", "tanh_backward", slope(f)) for words, f in TANH_DX.items()),
    bug("tanh dx: 1 - x^2", "tanh_backward", slope(lambda dy, x: dy * (1 - x * x)), source="ACT-BP"),
    bug("tanh dx: the slope at y", "tanh_backward", taking("x", lambda c, x: np.tanh(x)), source="ACT-BP"),
)
