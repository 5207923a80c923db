"""How an array lies in memory, as plain data, and a copy that lies so."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cnn_spec.operations import Array

FILLER = 77
"""What stands between the elements of an array that has gaps."""


def layout_of(a: Array) -> dict[str, Any]:
    """How an array lies in memory, as far as it is not row-major without gaps and writeable."""
    layout: dict[str, Any] = {}
    if not a.flags.c_contiguous:
        layout["strides"] = [step // a.itemsize for step in a.strides]
    if not a.flags.writeable:
        layout["read_only"] = True
    return layout


def laid_out(a: Array, layout: Mapping[str, Any]) -> Array:
    """A copy that lies in memory as `layout_of` found it."""
    strides = layout.get("strides")
    if strides is None:
        laid = np.array(a)
    else:
        reach = [(n - 1) * step for n, step in zip(a.shape, strides, strict=True)]
        first = -sum(r for r in reach if r < 0)
        buffer = np.full(first + sum(r for r in reach if r > 0) + 1, FILLER, a.dtype)
        laid = np.ndarray(a.shape, a.dtype, buffer, first * a.itemsize, [s * a.itemsize for s in strides])
        laid[...] = a
    if layout.get("read_only"):
        laid.flags.writeable = False
    return laid
