"""Notes §3.4: the derivatives of downsampling and of upsampling."""

import numpy as np

from cnn_spec.bounds import Oracle
from cnn_spec.case import Case
from cnn_spec.clause import Clause, Law, Standing
from cnn_spec.comparison import Comparison, compare
from cnn_spec.laws import agreement, every, same_numbers, spread
from cnn_spec.operations import Implementation
from cnn_spec.sections.s2_3_2_upsampling import a_reached_output, upsampled_first
from cnn_spec.sights import a_factor_above_one, a_kernel_above_one, a_stride_above_one, exact_integers


def dropped_elements_get_nothing(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """dx holds dy at every S-th place, and nothing else."""
    (dx,) = implementation(case.call)
    kept = dx[every(case.call["factor"])]
    return compare(dx, spread(kept, case.call["factor"], dx.shape[2:]))


def inserted_elements_do_not_matter(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """dx is the same if dy is zero wherever a zero was inserted."""
    call = case.call
    silent = spread(call["dy"][every(call["factor"])], call["factor"], call["dy"].shape[2:])
    return compare(implementation(call)[0], implementation(call.but(dy=silent))[0])


def stride_one_then_that_of_upsampling(
    implementation: Implementation, case: Case, oracle: Oracle
) -> Comparison:
    """dx at stride S is every S-th element of dx at stride 1 of the upsampled map; dw is the same."""
    call = case.call
    first, reached = upsampled_first(call)
    first = first.but(dy=call["dy"][reached])
    dx, dw, _ = implementation(first)
    expected = np.concatenate([dx[every(call["stride"])].ravel(), dw.ravel()])
    got = np.concatenate([part.ravel() for part in implementation(call)[:2]])
    return same_numbers(case, oracle, expected, got, *((c, at) for c in (first, call) for at in (0, 1)))


CLAUSES = (
    Clause(
        id="DOWN-CONTRIB",
        section="3.4.1",
        standing=Standing.HOLDS,
        statement="Only the elements that were kept influence the loss; the dropped ones' derivative is zero.",
        laws=(
            Law(
                operation="downsample_backward",
                check=dropped_elements_get_nothing,
                when=(a_factor_above_one,),
            ),
        ),
    ),
    Clause(
        id="DOWN-BWD",
        section="3.4.1",
        standing=Standing.HOLDS,
        statement="The derivative of downsampling is dy at every S-th place in zeros of the input's size.",
        laws=(
            Law(
                operation="downsample_backward",
                check=agreement("dx", "input derivative"),
                must_see=(a_factor_above_one,),
            ),
        ),
    ),
    Clause(
        id="UP-NOTFUNC",
        section="3.4.2",
        standing=Standing.HOLDS,
        statement="The inserted rows and columns are no function of the input, so their derivatives go nowhere.",
        laws=(
            Law(
                operation="upsample_backward",
                check=inserted_elements_do_not_matter,
                when=(a_factor_above_one,),
            ),
        ),
    ),
    Clause(
        id="UP-BWD",
        section="3.4.2",
        standing=Standing.HOLDS,
        statement="The derivative of upsampling by S is every S-th element of dy.",
        laws=(
            Law(
                operation="upsample_backward",
                check=agreement("dx", "input derivative"),
                must_see=(a_factor_above_one,),
            ),
        ),
    ),
    Clause(
        id="DOWN-BWD-LIST",
        section="3.4.1",
        standing=Standing.CORRECTED,
        statement="Backward, S - 1 zeros follow each copied row and column, up to the input's size.",
        notes_say="One row of zeros for every S - 1 copied.",
        counterexample="n=4, S=3, dy=(1, 2): (1, 0, 0, 2); one zero for every two copied gives (1, 2, 0, 0).",
    ),
    Clause(
        id="POS-STRIDE",
        section="3.4.1",
        standing=Standing.AMBIGUOUS,
        statement="A stride is a whole number S >= 1; 1/S is called a fractional stride, and is upsampling.",
        notes_say="Positive strides against fractional ones, which are positive too.",
        counterexample="A stride of 1/2 is positive.",
    ),
    Clause(
        id="UP-BWD-LIST",
        section="3.4.2",
        standing=Standing.CORRECTED,
        statement=(
            "Backward, every S-th row and column is kept from the first on, and the S - 1 between are "
            "skipped."
        ),
        notes_say="Every (S - 1)-th row and column is skipped.",
        counterexample="n=1, S=2: every row is skipped, and none is left of 1.",
    ),
    Clause(
        id="UP-BWD-COMPOSE",
        section="3.4.2",
        standing=Standing.HOLDS,
        statement=(
            "The derivative of a fractional-stride convolution is the derivative of the stride-1 "
            "convolution, then that of upsampling."
        ),
        laws=(
            Law(
                operation="conv_transpose_backward",
                check=agreement("dx", "input derivative"),
                must_see=(a_kernel_above_one, a_stride_above_one),
            ),
            Law(
                operation="conv_transpose_backward",
                check=stride_one_then_that_of_upsampling,
                when=(exact_integers, a_stride_above_one, a_reached_output),
            ),
        ),
    ),
)
