"""What the laws of several sections share."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cnn_spec.bounds import Oracle
from cnn_spec.case import Case
from cnn_spec.clause import Law, Predicate
from cnn_spec.comparison import Comparison, compare, worst
from cnn_spec.operations import OPERATIONS, Array, Call, Implementation

ON_ARRAYS = tuple(name for name, operation in OPERATIONS.items() if not operation.of_integers)
"""The operations that take arrays: all but the arithmetic on sizes."""


def agree(implementation: Implementation, call: Call, case: Case, oracle: Oracle, result: str) -> Comparison:
    """One result of a call against the oracle's, within its bound."""
    at = call.results.index(result)
    return compare(implementation(call)[at], oracle(call)[at], oracle.tolerance(case, call)[at])


def agreement(result: str, name: str) -> Callable[[Implementation, Case, Oracle], Comparison]:
    """The law that one result of the case's call is the oracle's."""

    def law(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
        return agree(implementation, case.call, case, oracle, result)

    law.__name__ = name.replace(" ", "_")
    law.__doc__ = f"The {name} is the definition's."
    return law


_NOTHING_WRONG = worst(())


def answered(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """The call is answered as the interface asks; what is wrong with an answer says itself which clause it breaks."""
    implementation(case.call)
    return _NOTHING_WRONG


def on_every_call(
    operations: Sequence[str] = tuple(OPERATIONS), must_see: tuple[Predicate, ...] = ()
) -> tuple[Law, ...]:
    """Laws for a clause that every answer of these operations can break."""
    return tuple(Law(operation=name, check=answered, must_see=must_see) for name in operations)


def same_numbers(
    case: Case, oracle: Oracle, expected: Array, got: Array, *calls: tuple[Call, int]
) -> Comparison:
    """Two ways to the same numbers: equal on exact data, else within the sum of the calls' bounds.

    Each call comes with the index of the result that was used; bounds are taken at their largest where
    the two ways index their elements differently.
    """
    tolerances = (oracle.tolerance(case, call)[at] for call, at in calls)
    return compare(got, expected, sum(float(np.max(t, initial=0.0)) for t in tolerances))


def middle_only(a: Array, *axes: int) -> Array:
    """The array with everything zeroed but its middle element along some axes."""
    kept = np.zeros_like(a)
    where: list[Any] = [slice(None)] * a.ndim
    for axis in axes:
        where[axis] = slice(a.shape[axis] // 2, a.shape[axis] // 2 + 1)
    kept[tuple(where)] = a[tuple(where)]
    return kept


def inner(a: Array, b: Array) -> float:
    """The inner product, in float64."""
    return float(np.sum(a.astype(np.float64) * b.astype(np.float64)))


def every(steps: Sequence[int]) -> tuple[Any, ...]:
    """The index that keeps the first of every so many elements along each spatial axis."""
    return (..., *(slice(None, None, step) for step in steps))


def spread(a: Array, steps: Sequence[int], sizes: Sequence[int]) -> Array:
    """Zeros of these spatial sizes with the elements of `a` at every so many places."""
    spaced = np.zeros((*a.shape[:2], *sizes), a.dtype)
    spaced[every(steps)][tuple(map(slice, a.shape))] = a
    return spaced
