"""tinygrad as a candidate, differentiated by its own gradients.

Unless the environment says otherwise, it compiles for the processor where clang is found (under the name that `CC` gives it, if
it does), and computes by its interpreter in Python where it is not.
"""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version
from shutil import which
from typing import Any

# No other compiler than clang takes the options that tinygrad gives it.
os.environ.setdefault(
    "DEV", "CPU" if "clang" in (cc := os.environ.get("CC", "clang")) and which(cc) else "PYTHON"
)

# Cases are judged by several processes already, of which each would start compilers of its own.
os.environ.setdefault("PARALLEL", "0")

import numpy as np
from tinygrad import Tensor

from cnn_conformance.adapters.common import (
    Array,
    Forward,
    Library,
    Pairs,
    cropped,
    every,
    fitting,
    functions,
)

about = {
    "name": "tinygrad",
    "version": version("tinygrad"),
    "shapes": 4,
    "conventions": {"tie_gradient": "split", "relu_nan": "zero", "activation_accuracy": "one"},
}


def _sides(padding: Pairs) -> tuple[int, ...]:
    """Last axis first."""
    return tuple(side for pair in reversed(padding) for side in pair)


def _conv(x: Tensor, w: Tensor, b: Tensor | None, *, padding: Pairs, **parameters: Any) -> Tensor:
    return x.conv2d(w, b, padding=_sides(padding), **parameters)


def _conv_transpose(x: Tensor, w: Tensor, b: Tensor | None, *, padding: Pairs, **parameters: Any) -> Tensor:
    return cropped(partial(x.conv_transpose2d, w, b, **parameters), padding)


def _max_pool(x: Tensor, *, padding: Pairs, **parameters: Any) -> Tensor:
    return x.max_pool2d(padding=_sides(padding), **parameters)


def _max_pool_with_indices(x: Tensor, *, padding: Pairs, **parameters: Any) -> tuple[Tensor, Tensor]:
    y, indices = x.max_pool2d(padding=_sides(padding), return_indices=True, **parameters)
    Tensor.realize(y, indices)  # at once, so that what they share is computed once
    return y, indices


def _avg_pool(x: Tensor, *, padding: Pairs, **parameters: Any) -> Tensor:
    return x.avg_pool2d(padding=_sides(padding), **parameters)


def _linear(x: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
    return x.linear(w.transpose(), b)


def _differentiate(
    of: Forward, parameters: Mapping[str, Any], variables: tuple[Tensor, ...], dy: Tensor
) -> Sequence[Tensor]:
    y = fitting(of(*variables, **parameters), dy)
    derivatives: Sequence[Tensor] = y.gradient(*variables, gradient=dy)
    Tensor.realize(*derivatives)  # at once, so that what they share is computed once
    return derivatives


def _array(y: Tensor) -> Array:
    return np.asarray(y.numpy())


globals().update(
    functions(
        Library(lambda a: Tensor(np.ascontiguousarray(a)), _array, _differentiate),
        {
            "conv": _conv,
            "conv_transpose": _conv_transpose,
            "max_pool": _max_pool,
            "max_pool_with_indices": _max_pool_with_indices,
            "avg_pool": _avg_pool,
            "downsample": lambda x, *, factor: x[every(factor)],
            "linear": _linear,
            "relu": lambda x: x.relu(),
            "sigmoid": lambda x: x.sigmoid(),
            "tanh": lambda x: x.tanh(),
            "softmax": lambda x, *, axis: x.softmax(axis),
        },
    )
)
