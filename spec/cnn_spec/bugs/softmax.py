"""Wrong softmax: overflow, the axis, the sum, and the term that its derivative subtracts."""

from collections.abc import Callable, Mapping

import numpy as np

from cnn_spec.bugs.conditions import kind
from cnn_spec.bugs.model import Bug, Wrong, answering, bug, taking
from cnn_spec.operations import Array, Call


def shares(x: Array, axis: int) -> Array:
    """What is right."""
    powers = np.exp(x - x.max(axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis, keepdims=True))


def along(function: Callable[[Array, int], Array]) -> Wrong:
    """Another function of the array along the axis."""
    return answering(lambda call: function(call["x"], int(call["axis"])))


def of_the_first(x: Array, axis: int, size: int) -> Array:
    """Powers over the sum of the first so many."""
    powers = np.exp(x - x.max(axis, keepdims=True))
    total = np.take(powers, range(min(size, x.shape[axis])), axis).sum(axis, keepdims=True)
    return np.asarray(powers / total)


def one_hot(x: Array, axis: int) -> Array:
    """1 for the first of the largest."""
    return np.asarray(np.arange(x.shape[axis]) == np.moveaxis(x, axis, -1).argmax(-1)[..., None])


SOFTMAX: Mapping[str, Callable[[Array, int], Array]] = {
    "the largest is not subtracted": lambda x, axis: np.exp(x) / np.exp(x).sum(axis, keepdims=True),
    "the largest of the whole array is subtracted": lambda x, axis: (
        np.exp(x - x.max()) / np.exp(x - x.max()).sum(axis, keepdims=True)
    ),
    "over the whole array": lambda x, axis: shares(x.ravel(), 0).reshape(x.shape),
    "not divided by the sum": lambda x, axis: np.exp(x - x.max(axis, keepdims=True)),
    "its logarithm": lambda x, axis: np.log(shares(x, axis)),
    "powers of 2": lambda x, axis: shares(x * np.log(2), axis),
    "1 for the largest": lambda x, axis: np.moveaxis(one_hot(x, axis), -1, axis),
    "of -x": lambda x, axis: shares(-x, axis),
    "of x over the root of their number": lambda x, axis: shares(x / np.sqrt(x.shape[axis]), axis),
    "a millionth is added to the sum": lambda x, axis: shares(x, axis) / (1 + 1e-6),
    "nothing below a ten-millionth": lambda x, axis: np.maximum(shares(x, axis), 1e-7),
    "the last is left out of the sum": lambda x, axis: of_the_first(x, axis, max(x.shape[axis] - 1, 1)),
    "the sum ends with the 32nd": lambda x, axis: of_the_first(x, axis, 32),
    "through float16": lambda x, axis: shares(x.astype(np.float16), axis),
}
"""Functions taken for softmax."""

Pull = Callable[[Array, Array, int], Array]

SOFTMAX_DX: Mapping[str, Pull] = {
    "without the sum term": lambda dy, y, axis: y * dy,
    "the diagonal alone": lambda dy, y, axis: dy * y * (1 - y),
    "the sum of dy": lambda dy, y, axis: y * (dy - dy.sum(axis, keepdims=True)),
    "the mean of y dy, not the sum": lambda dy, y, axis: y * (dy - (y * dy).mean(axis, keepdims=True)),
    "the sum over the whole array": lambda dy, y, axis: y * (dy - (y * dy).sum()),
    "the sum term is added": lambda dy, y, axis: y * (dy + (y * dy).sum(axis, keepdims=True)),
    "y is left out": lambda dy, y, axis: dy - (y * dy).sum(axis, keepdims=True),
    "y - dy, that of another loss": lambda dy, y, axis: y - dy,
    "dy itself": lambda dy, y, axis: dy,
    "the sum ends with the 32nd": lambda dy, y, axis: (
        y * (dy - np.take(y * dy, range(min(32, y.shape[axis])), axis).sum(axis, keepdims=True))
    ),
}
"""Derivatives taken for softmax's, of `dy`, the shares and the axis."""

AXES: Mapping[str, Callable[[Call], int]] = {
    "along the last axis": lambda call: call["x"].ndim - 1,
    "along the first axis": lambda call: 0,
    "along the second axis": lambda call: min(1, call["x"].ndim - 1),
    "the axis is counted from the end": lambda call: call["x"].ndim - 1 - int(call["axis"]),
}
"""Axes taken for the one that was asked."""


def pulled(function: Pull) -> Wrong:
    """Another derivative."""
    return answering(
        lambda call: function(call["dy"], shares(call["x"], int(call["axis"])), int(call["axis"]))
    )


def on_axis(axis: Callable[[Call], int]) -> Wrong:
    """Along another axis."""
    return taking("axis", lambda call, asked: axis(call))


BUGS: tuple[Bug, ...] = (
    *(bug(f"softmax: {words}", "softmax", along(f)) for words, f in SOFTMAX.items()),
    bug(
        "softmax: through float32 in float64",
        "softmax",
        along(lambda x, axis: shares(x.astype(np.float32), axis)),
        kind("float64"),
    ),
    *(
        bug(f"softmax: {words}", "softmax", on_axis(axis), source="SCAN-SOFTMAX")
        for words, axis in AXES.items()
    ),
    *(bug(f"softmax dx: {words}", "softmax_backward", pulled(f)) for words, f in SOFTMAX_DX.items()),
    *(bug(f"softmax dx: {words}", "softmax_backward", on_axis(axis)) for words, axis in AXES.items()),
)
