"""PyTorch as a candidate once more, on images and weights that lie in memory with their channels last.

PyTorch sees from the strides how a tensor lies, and chooses other code by it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from cnn_conformance.adapters import torch as plain
from cnn_conformance.adapters.common import Array
from cnn_spec.cases.stream import FUNCTIONS

about = {**plain.about, "name": "torch, channels last", "ranks": (2, 3)}


def _channels_last(a: Array | None) -> Array | None:
    """The same array, laid out with its second axis last."""
    return a if a is None or a.ndim < 4 else np.moveaxis(np.moveaxis(a, 1, -1).copy(), -1, 1)


def _on_channels_last(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arrays, **parameters: function(*map(_channels_last, arrays), **parameters)


for _name, (_, _rank) in FUNCTIONS.items():
    if _rank in about["ranks"] and hasattr(plain, _name):
        globals()[_name] = _on_channels_last(getattr(plain, _name))
