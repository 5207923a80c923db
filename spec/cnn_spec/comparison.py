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
    with np.errstate(all="ignore"):
        difference = np.abs(got.astype(np.float64) - expected.astype(np.float64))
        same = (got == expected) | (np.isnan(got) & np.isnan(expected))
        units = np.where(same, 0.0, difference / bound)
    return Comparison(float(np.max(np.where(np.isnan(units), np.inf, units), initial=0.0)), expected, got)


def worst(comparisons: Iterable[Comparison]) -> Comparison:
    """The one with the largest error, the first of several; what has no sides holds."""
    nothing = np.zeros(())
    return max(comparisons, key=lambda found: found.error, default=Comparison(0.0, nothing, nothing))
