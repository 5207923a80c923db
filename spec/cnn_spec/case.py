"""A case: what is called, on which data, and where in the case space it lies."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

from cnn_spec.operations import Call


class Data(StrEnum):
    """How the numbers of a case are drawn.

    `EXACT`: small integers, dense; every partial sum is representable. `WIDE`: one array of odd integers
    of 12 to 13 bits (26 to 27 for float64), which any rounding through a narrower format changes.
    `ROUNDED`: floats over a wide range of magnitudes, judged within the derived bounds.
    `TIED`: few different values, so that windows have several largest elements, and distinct powers of
    two as derivatives, so that a sum shows its terms.
    """

    EXACT = "exact"
    WIDE = "wide"
    ROUNDED = "rounded"
    TIED = "tied"


class Situation(StrEnum):
    """In what circumstances a case is called; all but the first are about more than the numbers.

    `EMPTY`: a batch of 0. `NON_FINITE`: a NaN or infinities in x. `LAID_OUT`: every memory layout in turn.
    `REPEATED`: a call again, and other calls between. `IMPOSSIBLE`: a valid call, to be made impossible.
    """

    ORDINARY = "ordinary"
    EMPTY = "empty"
    NON_FINITE = "non-finite"
    LAID_OUT = "laid-out"
    REPEATED = "repeated"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, eq=False)
class Case:
    """A short sequence of calls, nearly always one; the last is the one that is judged.

    `levels` says, factor by factor, which region of the case space it was drawn from.
    """

    id: str
    calls: tuple[Call, ...]
    data: Data
    levels: Mapping[str, str]

    @property
    def call(self) -> Call:
        """The call that is judged."""
        return self.calls[-1]

    @cached_property
    def situation(self) -> Situation:
        """In what circumstances it is called."""
        return Situation(self.levels.get("situation", Situation.ORDINARY))

    @property
    def exact(self) -> bool:
        """Whether right and wrong are told apart with zero tolerance."""
        return self.data is not Data.ROUNDED

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of every array in the judged call."""
        return next(a.dtype for a in self.call.arguments.values() if isinstance(a, np.ndarray))

    def with_call(self, call: Call) -> "Case":
        """The same case with another judged call."""
        return replace(self, calls=(*self.calls[:-1], call))
