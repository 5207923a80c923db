"""Tensors to check with, and the literal definitions with their defaults filled in."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import numpy as np
from sympy.polys.domains import QQ
from sympy.polys.rings import ring

from cnn_spec.definitions import convolution, pooling, resampling
from cnn_spec.definitions.scanning import Layer
from cnn_spec.operations import Array
from cnn_spec.sizes import Pair

Shape = tuple[int, ...]


def symbols(*shapes: Shape) -> list[Array]:
    """Tensors of independent symbols, one for each shape: generators of one polynomial ring over the rationals.

    An identity between polynomials in them is an identity for every real tensor of these shapes.
    """
    names = [f"a{i}" for i in range(sum(map(int, map(np.prod, shapes))))]
    _, *generators = ring(names, QQ)
    given = iter(generators)
    return [filled(shape, given) for shape in shapes]


def integers(*shapes: Shape, seed: int = 0) -> list[Array]:
    """Tensors of non-zero integers of one digit, as Python integers."""
    draw = np.random.default_rng(seed)
    return [(draw.integers(1, 10, shape) * draw.choice([-1, 1], shape)).astype(object) for shape in shapes]


def seeded(channels: int, *sizes: tuple[int, int, int], seed: int = 0) -> list[Layer]:
    """Scanning layers of small non-zero integer weights, for (units, K, S) of each."""
    draw = np.random.default_rng(seed)
    layers = []
    for units, K, S in sizes:
        weights: Any = draw.integers(1, 6, (units, channels * K)) * draw.choice(
            [-1, 1], (units, channels * K)
        )
        layers.append(Layer(weights.astype(object), draw.integers(-3, 4, units).astype(object), K, S))
        channels = units
    return layers


def distinct(shape: Shape, start: int = 1, step: int = 1) -> Array:
    """A tensor of different integers, in order."""
    return filled(shape, count(start, step))


def filled(shape: Shape, values: Iterator[Any]) -> Array:
    """A tensor of these objects in row-major order."""
    tensor = np.empty(shape, dtype=object)
    for at in np.ndindex(*shape):
        tensor[at] = next(values)
    return tensor


def basis(shape: Shape) -> Iterator[Array]:
    """Every tensor with a single 1. A linear identity that holds on them all holds for every real tensor."""
    for at in np.ndindex(*shape):
        tensor = np.zeros(shape, dtype=object)
        tensor[at] = 1
        yield tensor


def same(a: Array, b: Array) -> bool:
    """Whether two tensors agree in shape and in every element."""
    return a.shape == b.shape and all(x == y for x, y in zip(a.flat, b.flat, strict=True))


def inner(a: Array, b: Array) -> Any:
    """The inner product of two tensors of one shape."""
    return sum(x * y for x, y in zip(a.flat, b.flat, strict=True))


def derivative(scalar: Any, by: Array) -> Array:
    """The derivatives of a polynomial by each symbol of a tensor."""
    return filled(by.shape, (scalar.diff(symbol) for symbol in by.flat))


def line(*values: Any) -> Array:
    """A one-dimensional map of one channel, shape (1, 1, n)."""
    return np.array(values, dtype=object).reshape(1, 1, -1)


def sliced(x: Array, *slices: slice) -> Array:
    """A part of every plane."""
    picked: Array = x[(slice(None), slice(None), *slices)]
    return picked


def repeated(x: Array, S: int, sizes: Sequence[int]) -> Array:
    """Every element S times along every spatial axis, cut to these sizes: what nearest-neighbour resizing does."""
    for axis, size in enumerate(sizes, start=2):
        x = x.take(np.arange(size) // S, axis=axis)
    return x


def _all_axes(x: Array, value: Any) -> tuple[Any, ...]:
    return (value,) * (x.ndim - 2)


def conv(
    x: Array, w: Array, b: Array | None = None, *, stride: int = 1, padding: Pair = (0, 0), groups: int = 1
) -> Array:
    """The literal convolution, with the same stride and padding on every axis."""
    return convolution.conv(x, w, b, **conv_parameters(x, stride, padding, groups))


def conv_backward(
    dy: Array, x: Array, w: Array, *, stride: int = 1, padding: Pair = (0, 0), groups: int = 1
) -> tuple[Array, Array, Array]:
    """The literal derivatives of `conv` by x, w and b."""
    return convolution.conv_backward(dy, x, w, **conv_parameters(x, stride, padding, groups))


def conv_parameters(x: Array, stride: int, padding: Pair, groups: int) -> dict[str, Any]:
    """The interface's parameters of a convolution that is the same on every axis."""
    return {
        "stride": _all_axes(x, stride),
        "padding": _all_axes(x, padding),
        "dilation": _all_axes(x, 1),
        "groups": groups,
    }


def pool_parameters(x: Array, K: int, S: int, ceil_mode: bool = False) -> dict[str, Any]:
    """The interface's parameters of unpadded pooling that is the same on every axis."""
    return {
        "kernel_size": _all_axes(x, K),
        "stride": _all_axes(x, S),
        "padding": _all_axes(x, (0, 0)),
        "ceil_mode": ceil_mode,
    }


def max_pool(x: Array, K: int, S: int, ceil_mode: bool = False) -> Array:
    """The literal max pooling, unpadded."""
    return pooling.max_pool(x, **pool_parameters(x, K, S, ceil_mode))


def avg_pool(x: Array, K: int, S: int, ceil_mode: bool = False) -> Array:
    """The literal mean pooling, unpadded."""
    return pooling.avg_pool(x, count_include_pad=False, **pool_parameters(x, K, S, ceil_mode))


def max_pool_backward(dy: Array, x: Array, K: int, S: int) -> Array:
    """The literal derivative of `max_pool`."""
    return pooling.max_pool_backward(dy, x, **pool_parameters(x, K, S))


def avg_pool_backward(dy: Array, x: Array, K: int, S: int) -> Array:
    """The literal derivative of `avg_pool`."""
    return pooling.avg_pool_backward(dy, x, count_include_pad=False, **pool_parameters(x, K, S))


def down(x: Array, S: int) -> Array:
    """The literal downsampling, on every axis."""
    return resampling.downsample(x, factor=_all_axes(x, S))


def up(x: Array, S: int) -> Array:
    """The literal upsampling, on every axis."""
    return resampling.upsample(x, factor=_all_axes(x, S))


def pad(x: Array, padding: Pair) -> Array:
    """Zeros on both sides of every spatial axis."""
    return np.pad(x, [(0, 0), (0, 0), *_all_axes(x, padding)])


def count_windows(N: int, K: int, S: int) -> int:
    """How many window positions 0, S, 2S, ... lie wholly on N samples: counted, not computed."""
    return sum(1 for p in range(0, N, S) if p + K <= N)
