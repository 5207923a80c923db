"""The numbers of a case: small integers, wide integers, or floats over many magnitudes."""

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from cnn_spec.case import Data
from cnn_spec.operations import Array
from cnn_spec.shapes import Shape

DENSE = 8
"""Exact data are the non-zero integers up to this magnitude: products stay below 2^6, and sums representable."""

Generator = np.random.Generator
Float = np.dtype[Any]


def signs(rng: Generator, shape: Shape) -> Array:
    """Plus or minus one."""
    return 1 - 2 * rng.integers(0, 2, shape)


def integers(rng: Generator, shape: Shape, magnitude: int) -> Array:
    """Non-zero integers of at most this magnitude."""
    return rng.integers(1, magnitude + 1, shape) * signs(rng, shape)


def distinct(rng: Generator, shape: Shape) -> Array:
    """The integers from 0 on, in random order."""
    return rng.permutation(prod(shape)).reshape(shape)


def wide_bits(dtype: Float) -> int:
    """Bits of a wide integer: more than any narrower format keeps, few enough for sums of some terms."""
    return 13 if dtype == np.float32 else 27


def wide(rng: Generator, shape: Shape, dtype: Float) -> Array:
    """Odd integers with their highest bit at one of the two places that `wide_bits` names."""
    top = 2 ** wide_bits(dtype)
    return (rng.integers(top // 8, top // 2, shape) * 2 + 1) * signs(rng, shape)


def room_beside_wide(dtype: Float) -> int:
    """How many times a wide integer can be added up and stay representable."""
    return int(2 ** (np.finfo(dtype).nmant + 1 - wide_bits(dtype)))


def companions(rng: Generator, shape: Shape, dtype: Float, terms: int) -> Array:
    """Small integers to multiply wide ones with, so that sums of `terms` products stay representable."""
    room = room_beside_wide(dtype)
    if terms <= room:
        return integers(rng, shape, min(DENSE, room // terms))
    sparse = np.zeros(prod(shape), np.int64)
    some = rng.permutation(prod(shape))[:room]
    sparse[some] = signs(rng, some.shape)
    return sparse.reshape(shape)


def magnitudes(rng: Generator, shape: Shape) -> Array:
    """Floats whose magnitudes spread over twelve binary orders."""
    return rng.standard_normal(shape) * np.exp2(rng.integers(-6, 7, shape))


def around_zero(rng: Generator, shape: Shape, data: Data) -> Array:
    """Both signs, and zeros among them."""
    values: Array = magnitudes(rng, shape) if data is Data.ROUNDED else integers(rng, shape, DENSE)
    values[rng.integers(0, 4, shape) == 0] = 0
    return values


def spread_out(rng: Generator, shape: Shape) -> Array:
    """Floats over many magnitudes, all of them moved up or down by a little or by more than `exp` can take."""
    return np.asarray(magnitudes(rng, shape) + rng.choice([0.0, 300.0, -300.0, 10_000.0]))


def bilinear(
    rng: Generator, shapes: Mapping[str, Shape], data: Data, dtype: Float, terms: int
) -> dict[str, Array]:
    """Arrays that are multiplied with one another: at most one of them is wide."""
    if data is Data.ROUNDED:
        return {name: magnitudes(rng, shape) for name, shape in shapes.items()}
    if data is Data.EXACT:
        return {name: integers(rng, shape, DENSE) for name, shape in shapes.items()}
    chosen = rng.choice([name for name in shapes if name != "b"])
    return {
        name: wide(rng, shape, dtype) if name == chosen else companions(rng, shape, dtype, terms)
        for name, shape in shapes.items()
    }


def ordered(rng: Generator, shape: Shape, data: Data) -> Array:
    """What is compared and selected: all values differ, unless the data are tied."""
    if data is Data.TIED:
        return rng.integers(-2, 1, shape)
    order = distinct(rng, shape)
    if data is Data.EXACT:
        return order - prod(shape)
    return order * 2 + 1 - prod(shape) if data is Data.WIDE else (order - prod(shape) // 2) * 1.37


def powers_of_two(rng: Generator, shape: Shape, dtype: Float) -> Array:
    """In each plane distinct powers of two, so that a sum shows its terms; zeros where there are too many."""
    planes, size = shape[:2], prod(shape[2:])
    exponents = (
        np.stack([rng.permutation(size) for _ in range(prod(planes))])
        if prod(planes)
        else np.empty((0, size))
    )
    representable = exponents < np.finfo(dtype).nmant
    return np.where(representable, np.exp2(exponents * representable), 0.0).reshape(shape)
