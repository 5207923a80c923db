"""Operations that the notes use without a claim of their own: what they answer, and what is true of them."""

import numpy as np

from cnn_spec.bounds import Oracle
from cnn_spec.case import Case
from cnn_spec.clause import Clause, Law, Standing
from cnn_spec.comparison import Comparison, compare
from cnn_spec.laws import agreement, inner, on_every_call
from cnn_spec.operations import Implementation
from cnn_spec.sights import a_kernel_above_one, a_stride_above_one, exact_integers

LINEAR = ("conv", "conv_transpose", "avg_pool", "downsample", "upsample")
"""Operations that are linear in x once there is no bias, and that have a derivative of their own."""


def the_derivative_is_the_adjoint(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """<dy, A x> = <A'dy, x>: exact on integers. The forward map is the oracle's, not the candidate's."""
    forward = case.call.on(case.call.operation.removesuffix("_backward"), b=None)
    (y,) = oracle(forward)
    dx = implementation(case.call)[0]
    return compare(np.array(inner(dx, case.call["x"])), np.array(inner(case.call["dy"], y)))


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
)
