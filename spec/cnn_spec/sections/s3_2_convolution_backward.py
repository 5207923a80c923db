"""Notes §3.1 and §3.2: the derivatives of a convolution by its input, its weights and its bias."""

import numpy as np

from cnn_spec.bounds import Oracle
from cnn_spec.case import Case
from cnn_spec.clause import Clause, Law, Standing
from cnn_spec.comparison import Comparison, compare
from cnn_spec.laws import agree, agreement, inner, middle_only, on_every_call, same_numbers, spread
from cnn_spec.operations import OPERATIONS, Implementation
from cnn_spec.shapes import forward_shape
from cnn_spec.sights import (
    a_kernel_above_one,
    a_remainder,
    a_stride_above_one,
    exact_integers,
    several_filters,
    several_samples,
)


def one_hot_derivative_shows_the_kernel(
    implementation: Implementation, case: Case, oracle: Oracle
) -> Comparison:
    """A single one in each channel of dy puts that filter into dx, unflipped, where its window lies."""
    one_hot = middle_only(np.ones_like(case.call["dy"]), *range(2, 2 + case.call.rank))
    return agree(implementation, case.call.but(dy=one_hot), case, oracle, "dx")


def input_and_weights_are_credited_alike(
    implementation: Implementation, case: Case, oracle: Oracle
) -> Comparison:
    """<dx, x> = <dw, w>: the affine map is linear in each of them."""
    dx, dw, _ = implementation(case.call)
    rounding = sum(
        float(np.sum(np.abs(v) * t))
        for v, t in zip((case.call["x"], case.call["w"]), oracle.tolerance(case), strict=False)
    )
    return compare(np.array(inner(dw, case.call["w"])), np.array(inner(dx, case.call["x"])), rounding)


def other_filters_get_nothing(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """Where dy is zero on every channel but one, dw and db are zero for every other filter."""
    only = middle_only(case.call["dy"], 1)
    silent = np.arange(only.shape[1]) != only.shape[1] // 2
    _, dw, db = implementation(case.call.but(dy=only))
    others = np.concatenate([dw[silent].ravel(), db[silent]])
    return compare(others, np.zeros_like(others))


def strided_is_stride_one_of_the_spread_derivative(
    implementation: Implementation, case: Case, oracle: Oracle
) -> Comparison:
    """dx at stride S is dx at stride 1 of dy with zeros where elements were dropped."""
    call = case.call
    full = call.but(stride=(1,) * call.rank)
    full = full.but(dy=spread(call["dy"], call["stride"], forward_shape(full)[2:]))
    expected, got = implementation(full)[0], implementation(call)[0]
    return same_numbers(case, oracle, expected, got, (full, 0), (call, 0))


def one_sample_at_a_time(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """dw of a batch is the sum of its samples' dw."""
    call = case.call
    each = [call.but(dy=call["dy"][i : i + 1], x=call["x"][i : i + 1]) for i in range(call["x"].shape[0])]
    total = np.sum([implementation(sample)[1] for sample in each], axis=0)
    return same_numbers(case, oracle, total, implementation(call)[1], (call, 1), *((s, 1) for s in each))


_BACKWARD = tuple(name for name in OPERATIONS if name.endswith("_backward"))
_SEEN = (a_kernel_above_one, a_stride_above_one, a_remainder)

CLAUSES = (
    Clause(
        id="SHAPE-SAME",
        section="3.1",
        standing=Standing.DOMAIN,
        statement="A derivative of the loss has the shape of the variable it is taken by.",
        domain="Derivatives of a scalar.",
        counterexample="z = (y, 2y): dz/dy has two elements, y has one.",
        laws=on_every_call(_BACKWARD),
    ),
    Clause(
        id="YG-GENERAL",
        section="3.2.2",
        standing=Standing.HOLDS,
        statement=(
            "dx[m, i] is the sum over filters n and outputs o of dy[n, o] w[n, m, k], for the one cell k that lies "
            "on i when the window is at o, if there is one."
        ),
        laws=(Law(operation="conv_backward", check=agreement("dx", "input derivative"), must_see=_SEEN),),
    ),
    Clause(
        id="YG-FLIP",
        section="3.2.2",
        standing=Standing.AMBIGUOUS,
        statement="Backward, the filter is turned by 180 degrees, every axis flipped, and its channel axes are exchanged.",
        notes_say="The filter is transposed and flipped.",
        counterexample="w=((1, 2), (3, 4)): turned ((4, 3), (2, 1)); transposed and flipped ((4, 2), (3, 1)).",
        laws=(
            Law(
                operation="conv_backward",
                check=one_hot_derivative_shows_the_kernel,
                when=(exact_integers, a_kernel_above_one),
            ),
        ),
    ),
    Clause(
        id="YG-EQ2",
        section="3.2.2",
        standing=Standing.HOLDS,
        statement="The chain rule sums over every channel and position of the affine map: <dx, x> = <dw, w>.",
        laws=(
            Law(
                operation="conv_backward", check=input_and_weights_are_credited_alike, when=(exact_integers,)
            ),
        ),
    ),
    Clause(
        id="WG-LOCAL",
        section="3.2.3",
        standing=Standing.HOLDS,
        statement="A filter influences its own channel of the affine map only.",
        laws=(
            Law(
                operation="conv_backward",
                check=other_filters_get_nothing,
                when=(exact_integers, several_filters),
            ),
        ),
    ),
    Clause(
        id="WG-FORMULA",
        section="3.2.3",
        standing=Standing.DOMAIN,
        statement="dw[n, m, k] is the sum over outputs o of dy[n, o] times the input under cell k when the window is at o.",
        domain="As printed, stride 1 without padding; in general the input at S o + D k - before.",
        counterexample="N=3, K=1, S=2: without the stride, output 1 is paired with input 1, not 2.",
        laws=(
            Law(operation="conv_backward", check=agreement("dw", "weight derivative"), must_see=_SEEN),
            Law(
                operation="conv_backward", check=one_sample_at_a_time, when=(exact_integers, several_samples)
            ),
        ),
    ),
    Clause(
        id="BGRAD",
        section="3.2",
        standing=Standing.HOLDS,
        statement="db[n] is the sum of dy over the batch and all positions of channel n; the notes leave it out.",
        laws=(
            Law(
                operation="conv_backward",
                check=agreement("db", "bias derivative"),
                must_see=(several_samples,),
            ),
        ),
    ),
    Clause(
        id="DOWN-BWD-COMPOSE",
        section="3.4.1",
        standing=Standing.HOLDS,
        statement="Backward, a stride is zero-filling: dx at stride S is dx at stride 1 of dy spread out by S.",
        laws=(
            Law(
                operation="conv_backward",
                check=strided_is_stride_one_of_the_spread_derivative,
                when=(exact_integers, a_stride_above_one),
            ),
        ),
    ),
)
