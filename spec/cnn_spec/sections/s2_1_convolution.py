"""Notes §2.1 and §2.1.1: the affine map of a convolutional layer, and its size."""

import numpy as np

from cnn_spec.bounds import Oracle
from cnn_spec.case import Case
from cnn_spec.clause import Clause, Law, Standing
from cnn_spec.comparison import Comparison
from cnn_spec.laws import agree, agreement, middle_only, same_numbers
from cnn_spec.operations import Implementation
from cnn_spec.sights import (
    a_bias,
    a_kernel_above_one,
    exact_integers,
    several_filters,
    several_input_channels,
    unequal_axes,
)


def one_hot_input_shows_the_kernel(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """A single one in the input is answered with the kernel's cells, each where its window lies: unflipped."""
    one_hot = middle_only(np.ones_like(case.call["x"]), *range(2, 2 + case.call.rank))
    return agree(implementation, case.call.but(x=one_hot, b=None), case, oracle, "y")


def channels_add_up(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """conv(x, w, b) = conv(x on the even channels, w, b) + conv(x on the odd channels, w, 0)."""
    call = case.call
    even = np.arange(call["x"].shape[1]).reshape(-1, *(1,) * call.rank) % 2 == 0
    some, others = call.but(x=call["x"] * even), call.but(x=call["x"] * ~even, b=None)
    whole, parts = implementation(call)[0], implementation(some)[0] + implementation(others)[0]
    return same_numbers(case, oracle, parts, whole, (call, 0), (some, 0), (others, 0))


def filters_are_independent(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """With the filters of each group in reverse order, so are the channels of the output."""
    call = case.call
    per_group = np.arange(call["w"].shape[0]).reshape(call["groups"], -1)
    order = per_group[:, ::-1].ravel()
    permuted = call.but(w=call["w"][order], b=None if call["b"] is None else call["b"][order])
    return same_numbers(
        case,
        oracle,
        implementation(call)[0][:, order],
        implementation(permuted)[0],
        (call, 0),
        (permuted, 0),
    )


def axes_are_alike(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """With the spatial axes in reverse order everywhere, so are those of the output."""
    call = case.call
    order = (0, 1, *range(1 + call.rank, 1, -1))
    turned = call.but(
        x=call["x"].transpose(order),
        w=call["w"].transpose(order),
        **{name: call[name][::-1] for name in ("stride", "padding", "dilation")},
    )
    expected, got = implementation(call)[0].transpose(order), implementation(turned)[0]
    return same_numbers(case, oracle, expected, got, (call, 0), (turned, 0))


CLAUSES = (
    Clause(
        id="CONV-AFFINE",
        section="2.1",
        standing=Standing.AMBIGUOUS,
        statement=(
            "Each element of an output channel is the sum, over the channels and cells of that channel's filter, "
            "of filter times window, plus the filter's bias, once."
        ),
        notes_say="Filter and window are multiplied component by component and a bias is broadcast.",
        counterexample="K=2, w=x=(1, 1), b=1: bias on each product gives 4; bias once after the sum gives 3.",
        laws=(
            Law(
                operation="conv",
                check=agreement("y", "affine map"),
                must_see=(a_kernel_above_one, several_input_channels, a_bias),
            ),
        ),
    ),
    Clause(
        id="CONV-FILTER",
        section="2.1",
        standing=Standing.HOLDS,
        statement="There is one filter with one bias for each output channel, and it affects no other channel.",
        laws=(Law(operation="conv", check=filters_are_independent, when=(exact_integers, several_filters)),),
    ),
    Clause(
        id="CONV-CHAN",
        section="2.1",
        standing=Standing.HOLDS,
        statement="A filter has one plane for each input channel, and the output is the sum over the channels.",
        laws=(Law(operation="conv", check=channels_add_up, when=(exact_integers, several_input_channels)),),
    ),
    Clause(
        id="CONV-XCORR",
        section="2.1",
        standing=Standing.AMBIGUOUS,
        statement="The filter is not flipped: convolution here is cross-correlation.",
        notes_say="Called convolution, whose mathematical sense flips the filter.",
        counterexample="x=(1, 0), w=(1, 2): unflipped 1, flipped 2.",
        laws=(
            Law(
                operation="conv",
                check=one_hot_input_shows_the_kernel,
                when=(exact_integers, a_kernel_above_one),
            ),
        ),
    ),
    Clause(
        id="RECT",
        section="2.1.1",
        standing=Standing.HOLDS,
        statement="Everything that is said of one axis holds of each axis on its own, with its own sizes and parameters.",
        laws=(
            Law(
                operation="conv",
                check=axes_are_alike,
                when=(exact_integers, unequal_axes),
                must_see=(a_kernel_above_one,),
                least_rank=2,
            ),
        ),
    ),
)
