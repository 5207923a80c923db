"""Where a kernel meets its input: the padded input, its windows, and its taps.

Output position `o` and tap `k` of one axis meet at input position `o stride + k dilation - before`.
"""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from cnn_reference.checks import Array, Ints, Pairs

Slices = tuple[slice, ...]


def pad(x: Array, padding: Pairs) -> Array:
    """Surround each image by zeros; the result is C-contiguous."""
    if not any(map(any, padding)):
        return np.ascontiguousarray(x)
    sizes = [n + before + after for n, (before, after) in zip(x.shape[2:], padding, strict=True)]
    padded = np.zeros((*x.shape[:2], *sizes), x.dtype)
    inside = [slice(before, before + n) for n, (before, _) in zip(x.shape[2:], padding, strict=True)]
    padded[(slice(None), slice(None), *inside)] = x
    return padded


def windows(x: Array, kernel: Ints, stride: Ints, dilation: Ints, out: Ints) -> Array:
    """View the C-contiguous `x` as (N, C, *kernel, *out): for each tap, the plane of inputs that it meets."""
    steps = x.strides[2:]
    taps = [step * d for step, d in zip(steps, dilation, strict=True)]
    moves = [step * s for step, s in zip(steps, stride, strict=True)]
    return np.ndarray((*x.shape[:2], *kernel, *out), x.dtype, x, 0, (*x.strides[:2], *taps, *moves))


def axis_taps(
    n: int, kernel: int, stride: int, before: int, dilation: int, out: int
) -> list[tuple[slice, slice]]:
    """For each tap of one axis, give the outputs where it lies in the input and the inputs it meets."""
    taps = []
    for offset in range(-before, dilation * kernel - before, dilation):
        first = max(0, -(offset // stride))
        last = max(first, min(out, (n - 1 - offset) // stride + 1))
        start = first * stride + offset
        taps.append((slice(first, last), slice(start, start + (last - first) * stride, stride)))
    return taps


def kernel_taps(axes: Sequence[list[tuple[slice, slice]]]) -> Iterator[tuple[Slices, Slices]]:
    """Combine the taps of all axes, in row-major order, as slices of (N, C, *spatial)."""
    for combination in product(*axes):
        outputs, inputs = zip(*combination, strict=True)
        yield (slice(None), slice(None), *outputs), (slice(None), slice(None), *inputs)
