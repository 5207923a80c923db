"""What activations answer, and what is true of them without an oracle."""

import numpy as np

from cnn_spec.bounds import Oracle
from cnn_spec.case import Case
from cnn_spec.clause import Clause, Law, Standing
from cnn_spec.comparison import Comparison, compare
from cnn_spec.laws import agreement, same_numbers
from cnn_spec.operations import Implementation
from cnn_spec.sights import (
    exact_integers,
    several_entries,
    values_above_zero,
    values_below_zero,
)

SHIFT = 4096.0
"""A shift by which numbers on a grid of eighths stay representable."""


def a_nan_goes_where_it_is_declared(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """A NaN stays a NaN, or becomes 0 under the convention `relu_nan: zero`, and changes nothing else."""
    x = case.call["x"].copy()
    middle = tuple(n // 2 for n in x.shape)
    x[middle] = np.nan
    expected = implementation(case.call)[0].copy()
    expected[middle] = 0 if oracle.declared.convention("relu_nan") == "zero" else np.nan
    return compare(implementation(case.call.but(x=x))[0], expected)


def mirrored_shares_make_one(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """sigmoid(x) + sigmoid(-x) = 1."""
    call, mirrored = case.call, case.call.but(x=-case.call["x"])
    one, other = (implementation(c)[0].astype(np.float64) for c in (call, mirrored))
    return same_numbers(case, oracle, 1 - other, one, (call, 0), (mirrored, 0))


def odd(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """tanh(-x) = -tanh(x)."""
    call, mirrored = case.call, case.call.but(x=-case.call["x"])
    return same_numbers(
        case, oracle, -implementation(mirrored)[0], implementation(call)[0], (call, 0), (mirrored, 0)
    )


def the_shares_make_one(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """Along the axis the results sum to 1."""
    axis = case.call["axis"]
    total = implementation(case.call)[0].astype(np.float64).sum(axis=axis)
    bound = np.sum(oracle.tolerance(case)[0], axis=axis) + case.call["x"].shape[axis] * 2.0**-53
    return compare(total, np.ones_like(total), bound)


def a_shift_does_not_matter(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """softmax(x + c) = softmax(x), on numbers for which x + c is exact."""
    on_a_grid = np.round(np.clip(case.call["x"], -512, 512) * 8) / 8
    plain = case.call.but(x=on_a_grid)
    shifted = case.call.but(x=on_a_grid + on_a_grid.dtype.type(SHIFT))
    expected, got = implementation(plain)[0], implementation(shifted)[0]
    bound = oracle.tolerance(case, plain)[0] + oracle.tolerance(case, shifted)[0]
    return compare(got, expected, bound)


def the_derivatives_make_nothing(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """Along the axis dx sums to 0: the shares always make one."""
    axis = case.call["axis"]
    total = implementation(case.call)[0].astype(np.float64).sum(axis=axis)
    bound = np.sum(oracle.tolerance(case)[0], axis=axis)
    return compare(total, np.zeros_like(total), bound)


_BOTH_SIGNS = (values_above_zero, values_below_zero)

CLAUSES = (
    Clause(
        id="RELU",
        section="interface",
        standing=Standing.HOLDS,
        statement="relu answers the larger of x and 0, exactly.",
        laws=(
            Law(
                operation="relu",
                check=agreement("y", "larger of x and 0"),
                must_see=_BOTH_SIGNS,
            ),
        ),
    ),
    Clause(
        id="RELU-NAN",
        section="interface",
        standing=Standing.HOLDS,
        statement="relu leaves a NaN a NaN, unless the convention `relu_nan` says that it becomes 0.",
        laws=(Law(operation="relu", check=a_nan_goes_where_it_is_declared, when=(exact_integers,)),),
    ),
    Clause(
        id="SIGMOID",
        section="interface",
        standing=Standing.HOLDS,
        statement="sigmoid answers 1 / (1 + e^-x), for any x; those of x and -x make 1.",
        laws=(
            Law(operation="sigmoid", check=agreement("y", "logistic function"), must_see=_BOTH_SIGNS),
            Law(operation="sigmoid", check=mirrored_shares_make_one),
        ),
    ),
    Clause(
        id="TANH",
        section="interface",
        standing=Standing.HOLDS,
        statement="tanh answers (e^x - e^-x) / (e^x + e^-x), for any x; it is odd.",
        laws=(
            Law(operation="tanh", check=agreement("y", "hyperbolic tangent"), must_see=_BOTH_SIGNS),
            Law(operation="tanh", check=odd),
        ),
    ),
    Clause(
        id="SOFTMAX",
        section="interface",
        standing=Standing.HOLDS,
        statement="softmax answers e^x over its sum along the axis, however large x is: shares that make 1.",
        laws=(
            Law(operation="softmax", check=agreement("y", "shares"), must_see=(several_entries,)),
            Law(operation="softmax", check=the_shares_make_one),
            Law(operation="softmax", check=a_shift_does_not_matter),
        ),
    ),
    Clause(
        id="SOFTMAX-BWD",
        section="interface",
        standing=Standing.HOLDS,
        statement="The derivative of softmax is y (dy - Σ y dy), summed along the axis: it sums to 0.",
        laws=(
            Law(
                operation="softmax_backward",
                check=agreement("dx", "input derivative"),
                must_see=(several_entries,),
            ),
            Law(operation="softmax_backward", check=the_derivatives_make_nothing),
        ),
    ),
)
