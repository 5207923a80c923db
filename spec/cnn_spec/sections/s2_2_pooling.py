"""Notes §2.2 (with §1.4 and §2.1.2): what pooling sees of a map."""

from dataclasses import replace

import numpy as np

from cnn_spec.bounds import Oracle
from cnn_spec.case import Case, Data
from cnn_spec.clause import Clause, Law, Standing
from cnn_spec.comparison import Comparison, compare
from cnn_spec.laws import same_numbers
from cnn_spec.operations import Implementation
from cnn_spec.sights import (
    a_kernel_above_one,
    exact_integers,
    padding,
    several_channels,
)


def channels_are_pooled_apart(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """With the channels in reverse order, so are those of the output."""
    turned = case.call.but(x=case.call["x"][:, ::-1])
    expected, got = implementation(case.call)[0][:, ::-1], implementation(turned)[0]
    return same_numbers(case, oracle, expected, got, (case.call, 0), (turned, 0))


def a_constant_comes_out_again(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """max pool(x - c) = max pool(x) - c: what is not the map's never wins, however small the map's values."""
    call, c = case.call, case.call["x"].dtype.type(2.0**10)
    lowered = call.but(x=call["x"] - c)
    return compare(implementation(lowered)[0], implementation(call)[0] - c)


def a_constant_map_stays(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """The mean of a constant map is that constant, up to rounding, wherever padding is not counted."""
    call = case.call
    constant = call.but(x=np.full_like(call["x"], 4.0), count_include_pad=False)
    (y,) = implementation(constant)
    rounded = replace(case, data=Data.ROUNDED)
    return same_numbers(rounded, oracle, np.full_like(y, 4.0), y, (constant, 0))


CLAUSES = (
    Clause(
        id="CNN-ARCH",
        section="1.4",
        standing=Standing.HOLDS,
        statement="Pooling aggregates windows of each channel on its own; channels do not mix.",
        laws=tuple(
            Law(operation=name, check=channels_are_pooled_apart, when=(exact_integers, several_channels))
            for name in ("max_pool", "avg_pool")
        ),
    ),
    Clause(
        id="PAD-POOL",
        section="2.1.2",
        standing=Standing.DOMAIN,
        statement=(
            "Every pooled value depends on the map alone: padding, where there is some, counts as minus infinity "
            "in max pooling."
        ),
        domain="Windows that lie wholly on the map, or are clipped to it.",
        notes_say="Pooling is not padded; the pooled size by the ceiling needs more than the map.",
        counterexample="N=1, K=3, x=(-1), one zero on each side: 0 instead of -1.",
        laws=(Law(operation="max_pool", check=a_constant_comes_out_again, when=(exact_integers, padding)),),
    ),
    Clause(
        id="POOL-TYPES",
        section="2.2",
        standing=Standing.HOLDS,
        statement="Pooling may be by maximum, mean or any function of a window; the mean of a constant is that constant.",
        laws=(
            Law(
                operation="avg_pool",
                check=a_constant_map_stays,
                when=(exact_integers,),
                must_see=(a_kernel_above_one,),
            ),
        ),
    ),
    Clause(
        id="POOL-JITTER",
        section="2.2",
        standing=Standing.DOMAIN,
        statement=(
            "Rearranging the samples of a window changes neither its maximum nor its mean, and of the K "
            "windows that see a single large sample, K - d still do when it moves by d."
        ),
        domain="Windows that do not overlap, in the first part; stride 1, in the second.",
        notes_say="Pooling makes the model robust to jitter and deformation.",
        counterexample=(
            "K=S=2: (0, 1, 0, 0) and (0, 0, 1, 0) are pooled differently; learned pooling with w=(1, 0) "
            "is not robust at all."
        ),
    ),
)
