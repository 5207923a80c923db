"""Where the taps of a kernel meet its input.

Output position `o` and tap `k` of one axis meet at input position `o stride + k dilation - before`.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

CACHE = 1 << 20
"""Bytes that are worked on at a time: about a processor core's own cache."""

Index = tuple[Any, ...]
AxisTaps = list[tuple[slice, slice]]


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
