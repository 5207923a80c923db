"""What memory shows: results that were never written, and results that a later call overwrites.

Memory that is freed is filled with a number of its own first. NumPy hands small blocks out again from a cache
by size, and the C library larger ones, so that a result that is not written wholly shows the number.
"""

from collections.abc import Iterable
from math import prod
from typing import Any

import numpy as np

from cnn_spec.operations import Array, Call
from cnn_spec.shapes import Shape

UNWRITTEN = float(np.float32(1.2345678e33))
"""No right result has this number, nor one that differs from it by less than it can tell."""
INDEX_UNWRITTEN = 1_234_567_890_123_456_789
BLOCKS = 4
"""So many blocks of each size are left behind: a call may take some for itself."""
LARGEST = 2**14
"""Elements of the largest result for which memory is prepared: beyond, pages come from the system, and blank."""


def litter(call: Call, shapes: Iterable[Shape], dtype: np.dtype[Any]) -> None:
    """Leave memory of the results' sizes behind, filled with a number that no result has."""
    for name, shape in zip(call.results, shapes, strict=True):
        if prod(shape) <= LARGEST:
            index = name == "indices"
            blocks = [np.empty(shape, np.int64 if index else dtype) for _ in range(BLOCKS)]
            for block in blocks:
                block.fill(INDEX_UNWRITTEN if index else UNWRITTEN)


def unwritten(result: Array) -> bool:
    """Whether a result shows what was left behind."""
    return bool((result == (UNWRITTEN if result.dtype.kind == "f" else INDEX_UNWRITTEN)).any())


_Answer = list[tuple[Call, str, Array, bytes]]
"""Results by name: the arrays that were given, and what they held."""


class Kept:
    """The first and the last answer of some calls, as they were given and as they were then."""

    def __init__(self) -> None:
        self._first: _Answer = []
        self._last: _Answer = []

    def keep(self, call: Call, given: Iterable[tuple[str, Array]]) -> None:
        """Remember an answer by the very arrays that were given."""
        self._last = [(call, name, array, array.tobytes()) for name, array in given]
        self._first = self._first or self._last

    def overwritten(self) -> tuple[Call, str] | None:
        """A call, and which of its results is not any more what it was."""
        kept = (*self._first, *self._last)
        return next(((c, name) for c, name, array, was in kept if array.tobytes() != was), None)
