"""The notes' §1.7: depthwise separable convolution, with M input channels, N output channels and K x K kernels."""

import numpy as np

from cnn_spec.bounds import Oracle
from cnn_spec.case import Case
from cnn_spec.clause import Clause, Law, Standing
from cnn_spec.comparison import Comparison
from cnn_spec.laws import agreement, middle_only, same_numbers
from cnn_spec.operations import Implementation
from cnn_spec.sights import (
    a_counted_bias,
    a_kernel_above_one,
    a_multiplier_above_one,
    exact_integers,
    several_channels,
    several_counted_channels,
    several_groups,
)


def each_channel_by_itself(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """Where x is zero on every channel but one, only that channel's outputs differ from the bias, and stay as they were."""
    call = case.call
    only = call.but(x=middle_only(call["x"], 1), b=None)
    channels, multiplier = call["x"].shape[1], call["w"].shape[0] // call["x"].shape[1]
    of_it = np.arange(call["w"].shape[0]) // multiplier == channels // 2
    mask = of_it.reshape(-1, *(1,) * call.rank)
    plain = call.but(b=None)
    expected, got = implementation(plain)[0] * mask, implementation(only)[0]
    return same_numbers(case, oracle, expected, got, (plain, 0), (only, 0))


def groups_of_one_channel(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """Depthwise convolution is convolution in as many groups as channels; the convolution is the oracle's."""
    grouped = case.call.on("conv", groups=case.call["x"].shape[1])
    got = implementation(case.call)[0]
    return same_numbers(case, oracle, oracle(grouped)[0], got, (grouped, 0), (case.call, 0))


def rank_one_filters(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """Separable convolution is convolution with w[n, m] = Σ p[n, m j] d[m j], j the channel's planes.

    The convolution is the oracle's.
    """
    call = case.call
    depthwise, pointwise = call["w_depthwise"], call["w_pointwise"]
    products = pointwise * depthwise[:, 0][None]
    by_channel = products.reshape(products.shape[0], call["x"].shape[1], -1, *depthwise.shape[2:])
    standard = call.on("conv", w=by_channel.sum(axis=2), groups=1)
    got = implementation(call)[0]
    return same_numbers(case, oracle, oracle(standard)[0], got, (standard, 0), (call, 0))


def single_ones_show_the_maps_between(
    implementation: Implementation, case: Case, oracle: Oracle
) -> Comparison:
    """With each output a single one of the maps between the steps, they are the depthwise convolution's."""
    call = case.call
    maps = call["w_depthwise"].shape[0]
    one_hot = np.eye(maps, dtype=call["x"].dtype).reshape(maps, maps, *(1,) * call.rank)
    between = call.but(w_pointwise=one_hot, b=None)
    depthwise = call.on("depthwise_conv", w=call["w_depthwise"], b=None)
    got = implementation(between)[0]
    return same_numbers(case, oracle, oracle(depthwise)[0], got, (depthwise, 0), (between, 0))


_MUST_SEE = (a_kernel_above_one, a_multiplier_above_one)

CLAUSES: tuple[Clause, ...] = (
    Clause(
        id="DW-TERM",
        section="1.7",
        standing=Standing.CORRECTED,
        statement="Standard convolution mixes channels and positions; depthwise filters each channel by itself; "
        "pointwise has a 1x1 kernel; depthwise separable is depthwise, then pointwise.",
        notes_say="Standard convolution is called pointwise, and the separable one depthwise.",
        counterexample="K = 2, M = N = 1: a pointwise filter has 1 weight, the notes' has 4.",
        laws=(
            Law(
                operation="depthwise_conv", check=agreement("y", "depthwise convolution"), must_see=_MUST_SEE
            ),
            Law(
                operation="depthwise_conv",
                check=each_channel_by_itself,
                when=(exact_integers, several_channels),
            ),
            Law(operation="depthwise_conv", check=groups_of_one_channel, when=(exact_integers,)),
        ),
    ),
    Clause(
        id="DW-STD-SHAPE",
        section="1.7",
        standing=Standing.HOLDS,
        statement="Standard convolution has N filters of M planes of K x K: N M K^2 weights.",
        laws=(
            Law(
                operation="conv_param_count",
                check=agreement("count", "count"),
                must_see=(several_groups, several_counted_channels, a_kernel_above_one, a_counted_bias),
            ),
        ),
    ),
    Clause(
        id="SEP-SHAPE",
        section="1.7",
        standing=Standing.HOLDS,
        statement="Separable convolution has M planar filters and N vectors of M weights: M K^2 + N M weights.",
        laws=(
            Law(
                operation="separable_param_count",
                check=agreement("count", "count"),
                must_see=(several_counted_channels, a_kernel_above_one, a_counted_bias),
            ),
        ),
    ),
    Clause(
        id="SEP-INTER",
        section="1.7",
        standing=Standing.HOLDS,
        statement="The maps between the two steps are M, each from its own input channel.",
        laws=(
            Law(
                operation="separable_conv",
                check=single_ones_show_the_maps_between,
                when=(exact_integers,),
                must_see=_MUST_SEE,
            ),
        ),
    ),
    Clause(
        id="SEP-LIGHT",
        section="1.7",
        standing=Standing.DOMAIN,
        statement="Separable convolution has fewer weights than standard convolution exactly when (N - "
        "1)(K^2 - 1) > 1.",
        domain="N >= 2 and K >= 2",
        notes_say="It is a parameter-light alternative.",
        counterexample="M = N = K = 1: 2 weights in place of 1.",
    ),
    Clause(
        id="SEP-ONCE",
        section="1.7",
        standing=Standing.AMBIGUOUS,
        statement="Each input channel is filtered once, M planar convolutions in all, in place of once for every "
        "output channel, M N in all.",
        notes_say="The convolution step is performed once instead of N times for each of the N output channels.",
        counterexample="M = 2, N = 1: 2 planar convolutions and not 1.",
    ),
    Clause(
        id="SEP-WSUM",
        section="1.7",
        standing=Standing.HOLDS,
        statement="Each output channel is a weighted sum of the filtered channels: the standard convolution with "
        "w[n, m] = p[n, m] d[m], if nothing comes between the steps.",
        laws=(
            Law(
                operation="separable_conv", check=agreement("y", "separable convolution"), must_see=_MUST_SEE
            ),
            Law(
                operation="separable_conv", check=rank_one_filters, when=(exact_integers,), must_see=_MUST_SEE
            ),
        ),
    ),
    Clause(
        id="SEP-RANK",
        section="1.7",
        standing=Standing.HOLDS,
        statement="The output channels have no filters of their own: for every input channel, the N planes as rows "
        "form a matrix of rank at most 1. Standard filters need not.",
    ),
    Clause(
        id="SEP-MACS",
        section="1.7",
        standing=Standing.HOLDS,
        statement="For each output position, standard convolution takes N M K^2 products and separable M K^2 + N M.",
    ),
)
