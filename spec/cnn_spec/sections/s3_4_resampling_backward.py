"""Notes §3.4: the derivatives of downsampling and of upsampling."""

from cnn_spec.bounds import Oracle
from cnn_spec.case import Case
from cnn_spec.clause import Clause, Law, Standing
from cnn_spec.comparison import Comparison, compare
from cnn_spec.laws import agreement, every, spread
from cnn_spec.operations import Implementation
from cnn_spec.sights import a_factor_above_one


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
)
