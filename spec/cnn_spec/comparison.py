"""Comparing what a law found on its two sides: exactly, or in units of a bound."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cnn_spec.operations import Array


@dataclass(frozen=True)
class Comparison:
    """The two sides of a law. `error` is in units of the bound: at most 1 holds; infinite where nothing is allowed.

    `words` say what is wrong where the two sides do not show it.
    """

    error: float
    expected: Array
    got: Array
    words: str = ""

    @property
    def holds(self) -> bool:
        """Whether the two sides agree."""
        return self.error <= 1


def compare(got: Array, expected: Array, bound: Array | float = 0.0) -> Comparison:
    """Hold `got` against `expected`, arrays of one shape, elementwise within `bound` (0: exactly).

    NaN agrees with NaN, and an infinity with itself; nothing else agrees with either.
    """
    if got.shape != expected.shape:
        return Comparison(np.inf, expected, got)
    if np.array_equal(got, expected):
        return Comparison(0.0, expected, got)
    return Comparison(float(np.max(units(got, expected, bound), initial=0.0)), expected, got)


def units(got: Array, expected: Array, bound: Array | float = 0.0) -> Array:
    """How far each element is from what is expected, in units of the bound; infinitely where nothing is allowed."""
    with np.errstate(all="ignore"):
        difference = np.abs(got.astype(np.float64) - expected.astype(np.float64))
        same = (got == expected) | (np.isnan(got) & np.isnan(expected))
        found = np.where(same, 0.0, difference / bound)
    return np.where(np.isnan(found), np.inf, found)


def worst(comparisons: Iterable[Comparison]) -> Comparison:
    """The one with the largest error, the first of several; what has no sides holds."""
    nothing = np.zeros(())
    return max(comparisons, key=lambda found: found.error, default=Comparison(0.0, nothing, nothing))
