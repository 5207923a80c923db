"""Where a kernel meets its input: the padded input, its windows, and its taps.

Output position `o` and tap `k` of one axis meet at input position `o stride + k dilation - before`.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from operator import mul
from typing import Any

import numpy as np

from cnn_reference.checks import Array, Ints, Pairs

CACHE = 1 << 20
"""Bytes that are worked on at a time: about a processor core's own cache."""

Index = tuple[Any, ...]
AxisTaps = list[tuple[slice, slice]]


def pad(x: Array, padding: Pairs) -> Array:
    """Surround the last axes by zeros; the result is C-contiguous."""
    if not any(map(any, padding)):
        return np.ascontiguousarray(x)
    first = x.ndim - len(padding)
    sizes = x.shape[first:]
    padded = np.zeros(
        (*x.shape[:first], *[n + p[0] + p[1] for n, p in zip(sizes, padding, strict=True)]), x.dtype
    )
    inside: Index = (..., *[slice(p[0], p[0] + n) for n, p in zip(sizes, padding, strict=True)])
    padded[inside] = x
    return padded


def windows(x: Array, kernel: Ints, stride: Ints, dilation: Ints, out: Ints) -> Array:
    """View the C-contiguous `x` as (..., *kernel, *out): for each tap, the inputs that it meets."""
    rank = len(kernel)
    steps = x.strides[-rank:]
    strides = (*x.strides[:-rank], *map(mul, steps, dilation), *map(mul, steps, stride))
    return np.ndarray((*x.shape[:-rank], *kernel, *out), x.dtype, x, 0, strides)


def axis_taps(n: int, kernel: int, stride: int, before: int, dilation: int, out: int) -> AxisTaps:
    """For each tap of one axis, give the outputs where it lies in the input and the inputs it meets."""
    taps = []
    for offset in range(-before, dilation * kernel - before, dilation):
        first = max(0, -(offset // stride))
        last = max(first, min(out, (n - 1 - offset) // stride + 1))
        start = first * stride + offset
        taps.append((slice(first, last), slice(start, start + (last - first) * stride, stride)))
    return taps


def kernel_taps(axes: Sequence[AxisTaps]) -> Iterator[tuple[Index, Index]]:
    """Combine the taps of all axes, in row-major order, as indices of the last axes."""
    for combination in product(*axes):
        outputs, inputs = zip(*combination, strict=True)
        yield (..., *outputs), (..., *inputs)
