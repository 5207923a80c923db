"""How far a correct activation may be from the definition, derived from what `exp` and `tanh` are granted.

They may err by 3 and 5 units in the last place (the OpenCL full profile), that is by 6 and 10 units of the
roundoff `u`; each further operation rounds once. Softmax over n entries subtracts the largest, which may
round an entry by `u d`, with `d` its distance from the largest, and so its exponential by as much again in
relative terms. The oracle's own error is the same with `2^-53`; `η`, the smallest normal number, covers
results that are flushed to zero. Under the convention `activation_accuracy: one` the error of a forward
result is relative to 1.
"""

from typing import Any

import numpy as np

from cnn_spec.operations import Array, Call

EXP, TANH = 6, 10


def is_activation(call: Call) -> bool:
    """Whether the operation rests on `exp` or `tanh`."""
    return call.operation.startswith(("sigmoid", "tanh", "softmax"))


def activation_bound(call: Call, dtype: np.dtype[Any], y: Array, relative_to_one: bool) -> Array:
    """The bound on each element of the result `y` of an activation that is not exact."""
    u = float(np.finfo(dtype).eps) / 2 + 2.0**-53
    smallest = float(np.finfo(dtype).smallest_normal)
    units = _units(call)
    if "dy" not in call.arguments:
        scale = np.ones_like(y) if relative_to_one else np.abs(y)
    elif call.operation == "softmax_backward":
        scale = np.max(np.abs(call["dy"]), axis=call["axis"], keepdims=True, initial=0.0)
    else:
        scale = np.abs(call["dy"])
    return np.asarray(np.broadcast_to(units * u * scale + smallest, y.shape))


def _units(call: Call) -> Array | float:
    """The error in units of the roundoff and of the scale."""
    match call.operation:
        case "sigmoid":
            return EXP + 3
        case "tanh":
            return TANH + 1
        case "sigmoid_backward":
            return 2 * EXP + 6
        case "tanh_backward":
            return 2 * TANH + 6
        case "softmax":
            x, axis = call["x"], call["axis"]
            below = np.max(x, axis=axis, keepdims=True) - x if x.size else x
            return np.asarray(below + 2 * x.shape[axis] + 2 * EXP)
    return float(2 * call["x"].shape[call["axis"]] + 2 * EXP + 4)
