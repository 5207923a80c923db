"""Operations that the notes use without a claim of their own: what they answer, and what is true of them."""

import numpy as np

from cnn_spec.bounds import Oracle
from cnn_spec.case import Case
from cnn_spec.clause import Clause, Law, Standing
from cnn_spec.comparison import Comparison, compare
from cnn_spec.laws import agreement, inner, on_every_call
from cnn_spec.operations import Implementation
from cnn_spec.sights import (
    a_bias,
    a_factor_above_one,
    a_kernel_above_one,
    a_stride_above_one,
    exact_integers,
    several_samples,
)

LINEAR = ("conv", "conv_transpose", "avg_pool", "downsample", "upsample", "linear")
"""Operations that are linear in x once there is no bias, and that have a derivative of their own."""


def the_derivative_is_the_adjoint(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """<dy, A x> = <A'dy, x>: exact on integers. The forward map is the oracle's, not the candidate's."""
    forward = case.call.on(case.call.operation.removesuffix("_backward"), b=None)
    (y,) = oracle(forward)
    dx = implementation(case.call)[0]
    rounding = float(np.sum(np.abs(case.call["x"]) * oracle.tolerance(case)[0]))
    return compare(np.array(inner(dx, case.call["x"])), np.array(inner(case.call["dy"], y)), rounding)


def unshuffled_again(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """unshuffle(shuffle(x)) = x; the other direction is the oracle's."""
    (y,) = implementation(case.call)
    return compare(oracle(case.call.on("pixel_unshuffle", x=y))[0].astype(case.dtype), case.call["x"])


def shuffled_back(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """shuffle(unshuffle(x)) = x; the other direction is the oracle's."""
    (y,) = implementation(case.call)
    return compare(oracle(case.call.on("pixel_shuffle", x=y))[0].astype(case.dtype), case.call["x"])


_SEEN = (a_kernel_above_one, a_stride_above_one)

CLAUSES = (
    Clause(
        id="ADJOINT",
        section="interface",
        standing=Standing.HOLDS,
        statement="The derivative by the input of a linear operation is its adjoint: <dx, x> = <dy, y> without a bias.",
        laws=tuple(
            Law(operation=f"{name}_backward", check=the_derivative_is_the_adjoint, when=(exact_integers,))
            for name in LINEAR
        ),
    ),
    Clause(
        id="TRANSPOSE-SIZE",
        section="interface",
        standing=Standing.HOLDS,
        statement="A transposed convolution leaves (N - 1) S - before - after + D (K - 1) + output_padding + 1.",
        laws=(
            Law(operation="conv_transpose_output_size", check=agreement("size", "size")),
            *on_every_call(("conv_transpose",)),
        ),
    ),
    Clause(
        id="TRANSPOSE-WEIGHTS",
        section="interface",
        standing=Standing.HOLDS,
        statement=(
            "The weights' derivative of a transposed convolution sums, over samples and elements of the input, "
            "that element times dy under the cell."
        ),
        laws=(
            Law(
                operation="conv_transpose_backward",
                check=agreement("dw", "weight derivative"),
                must_see=_SEEN,
            ),
        ),
    ),
    Clause(
        id="TRANSPOSE-BIAS",
        section="interface",
        standing=Standing.HOLDS,
        statement="The bias derivative of a transposed convolution is dy summed over samples and positions.",
        laws=(Law(operation="conv_transpose_backward", check=agreement("db", "bias derivative")),),
    ),
    Clause(
        id="LINEAR",
        section="interface",
        standing=Standing.HOLDS,
        statement="A flat layer answers W x + b for each sample.",
        laws=(
            Law(operation="linear", check=agreement("y", "affine map"), must_see=(several_samples, a_bias)),
        ),
    ),
    Clause(
        id="SHUFFLE-ORDER",
        section="interface",
        standing=Standing.HOLDS,
        statement=(
            "Element `offset` of a block, row-major, belongs to channel c S^2 + offset: unshuffling takes it "
            "there, shuffling takes it back."
        ),
        laws=tuple(
            Law(operation=name, check=agreement("y", "rearranged map"), must_see=(a_factor_above_one,))
            for name in ("pixel_unshuffle", "pixel_shuffle")
        ),
    ),
    Clause(
        id="SHUFFLE-INVERSE",
        section="interface",
        standing=Standing.HOLDS,
        statement="Shuffling and unshuffling by the same factor undo one another.",
        laws=(
            Law(operation="pixel_shuffle", check=unshuffled_again, must_see=(a_factor_above_one,)),
            Law(operation="pixel_unshuffle", check=shuffled_back, must_see=(a_factor_above_one,)),
        ),
    ),
    Clause(
        id="SHUFFLE-SIZE",
        section="interface",
        standing=Standing.HOLDS,
        statement="Unshuffling N by a factor that divides it leaves N / S, shuffling makes N S.",
        laws=on_every_call(("pixel_unshuffle", "pixel_shuffle")),
    ),
)
