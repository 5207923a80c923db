"""The one exception, and the checks that several operations share.

Every impossible shape or parameter is refused by `ShapeError`, whose sentence gives the shapes and the rule
that they break.
"""

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
"""An array of floats: every operation computes in, and answers in, the dtype of what it is given."""

Indices = npt.NDArray[np.int64]
Ints = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


QUIET = np.errstate(invalid="ignore", over="ignore")
"""Infinities and NaN go where arithmetic sends them, without a warning."""


class ShapeError(ValueError):
    """An array's shape or a parameter that the operation cannot have."""


def require(holds: bool, sentence: str, *values: object) -> None:
    """Raise `ShapeError` with the sentence, its `{}` filled in by the values, unless the rule holds."""
    if not holds:
        raise ShapeError(sentence.format(*values))


def integers(name: str, values: Sequence[int]) -> Ints:
    """Make a parameter a tuple of integers: in a cache, 1.0 would pass for 1."""
    try:
        return tuple(map(index, values))
    except TypeError:
        raise ShapeError(f"{name} is one integer for each spatial axis, not {values!r}") from None


def pairs(padding: Sequence[tuple[int, int]]) -> Pairs:
    """Make a padding a tuple of pairs (before, after) of integers."""
    try:
        return tuple([(index(before), index(after)) for before, after in padding])
    except (TypeError, ValueError):
        raise ShapeError(f"padding is a pair (before, after) for each axis, not {padding!r}") from None


def per_axis(name: str, values: Sequence[int], rank: int, *, least: int = 1) -> Ints:
    """Check a parameter that has one integer, of at least `least`, for each spatial axis."""
    checked = integers(name, values)
    if len(checked) != rank or min(checked) < least:
        raise ShapeError(f"{name} is one integer of at least {least} for each of {rank} axes, not {values!r}")
    return checked


def per_side(padding: Sequence[tuple[int, int]], rank: int) -> Pairs:
    """Check a padding: a pair (before, after) of integers of at least 0 for each spatial axis."""
    checked = pairs(padding)
    if len(checked) != rank or min(map(min, checked)) < 0:
        raise ShapeError(f"padding is a pair of at least 0 for each of {rank} axes, not {padding!r}")
    return checked


def require_images(name: str, shape: Ints) -> int:
    """Check that a shape is that of images, (N, C, *spatial), and give the number of its spatial axes."""
    require(len(shape) >= 3, "{} has shape {}, where (N, C, *spatial) is needed", name, shape)
    return len(shape) - 2


def require_shape(name: str, array: Array, shape: Sequence[int]) -> None:
    """Check the shape of an array against the one that the other arguments imply."""
    require(
        array.shape == tuple(shape),
        "{} has shape {}, where {} is needed",
        name,
        array.shape,
        shape,
    )
