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
    a_dy_of_another_shape,
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
_POINTWISE_BACKWARD = ("relu_backward", "sigmoid_backward", "tanh_backward", "softmax_backward")
_OTHER_BACKWARD = tuple(name for name in _BACKWARD if name not in _POINTWISE_BACKWARD)
_SEEN = (a_kernel_above_one, a_stride_above_one, a_remainder)

CLAUSES = (
    Clause(
        id="SHAPE-SAME",
        section="3.1",
        standing=Standing.DOMAIN,
        statement="A derivative of the loss has the shape of the variable it is taken by.",
        domain="Derivatives of a scalar.",
        notes_say="The derivative by any variable has that variable's shape.",
        counterexample="z = (y, 2y): dz/dy has two elements, y has one.",
        laws=(
            *on_every_call(_POINTWISE_BACKWARD),
            *on_every_call(_OTHER_BACKWARD, must_see=(a_dy_of_another_shape,)),
        ),
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
                operation="conv_backward",
                check=input_and_weights_are_credited_alike,
                when=(exact_integers,),
                must_see=_SEEN,
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
        notes_say="The sum of dZ(x', y') Y(x' + i, y' + j), without stride and padding.",
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
                must_see=(a_kernel_above_one, a_remainder),
            ),
        ),
    ),
    Clause(
        id="YG-INFLUENCE",
        section="3.2.2",
        standing=Standing.DOMAIN,
        statement=(
            "Every input channel influences every output channel, through its plane of that channel's filter."
        ),
        domain="groups = 1.",
        notes_say="Every channel influences every map.",
        counterexample="2 channels in 2 groups: the first input channel does not reach the second map.",
    ),
    Clause(
        id="YG-EQ1",
        section="3.2.2",
        standing=Standing.AMBIGUOUS,
        statement=(
            "The derivative by an input channel is the sum over the output channels of dZ contracted with "
            "the Jacobian of Z by that channel, over all positions of Z."
        ),
        notes_say=(
            "A product of dZ and the Jacobian, summed over the channels only: the product may be read "
            "element by element."
        ),
        counterexample="1 channel, N=2, K=1: the element-wise product has 2x2 elements and not 2.",
    ),
    Clause(
        id="YG-ONEORMORE",
        section="3.2.2",
        standing=Standing.DOMAIN,
        statement=(
            "An input sample feeds as many outputs as windows contain it; each feeds at least one exactly "
            "when S divides N - K and, if there are several windows, S <= K."
        ),
        domain="S divides N - K, and S <= K or N = K.",
        notes_say="Each input pixel produces one or more output pixels.",
        counterexample="N=2, K=1, S=2: the second sample feeds none.",
    ),
    Clause(
        id="YG-ADJACENT",
        section="3.2.2",
        standing=Standing.DOMAIN,
        statement="As the filter slides, the cells that meet an input sample are S apart.",
        domain="Adjacent at stride 1; all K cells for K - 1 <= x <= N - K.",
        notes_say="Each step puts an adjacent cell on the pixel.",
        counterexample="N=5, K=3, S=2: sample 2 meets cells 2 and 0.",
    ),
    Clause(
        id="EQ3-UPDATE",
        section="3.2.2",
        standing=Standing.CORRECTED,
        statement=(
            "Z starts as the bias, and every input sample adds its product with w at x - S x' + before, "
            "where that lies in the filter, to every output x'."
        ),
        notes_say=(
            "Products are added or subtracted (the sign is printed as plus or minus), without bias, "
            "stride or padding."
        ),
        counterexample="N=K=1, y=2, w=3: 6 and not -6; with y=0 and b=1: 1 and not 0.",
    ),
    Clause(
        id="EQ3-DERIV",
        section="3.2.2",
        standing=Standing.DOMAIN,
        statement=(
            "The derivative of output x' by input x is w at x - S x' + before, zero outside the filter."
        ),
        domain="As printed, w at x - x': stride 1, no padding.",
        notes_say="w at x - x'.",
        counterexample="N=3, K=1, S=2: input 2 feeds output 1 with w[0]; w[1] does not exist.",
    ),
    Clause(
        id="YG-BORDER",
        section="3.2.2",
        standing=Standing.DOMAIN,
        statement=(
            "The derivatives of the map by one input sample are the filter turned by 180 degrees, cut off "
            "at the border."
        ),
        domain="The whole filter for K - 1 <= x <= N - K.",
        notes_say="The contribution of a pixel is the flipped filter.",
        counterexample="N=K=2: the first sample meets the first cell only.",
    ),
    Clause(
        id="YG-PAD",
        section="3.2.2",
        standing=Standing.DOMAIN,
        statement="For the input's derivative, dZ is padded by K - 1 minus the forward padding on each side.",
        domain="K - 1 zeros on each side without forward padding, at stride 1.",
        notes_say="K - 1 zeros on each side.",
        counterexample="N=1, K=2, one zero before: 2 derivatives for 1 sample.",
    ),
    Clause(
        id="YG-CONV",
        section="3.2.2",
        standing=Standing.DOMAIN,
        statement=(
            "The input's derivative is the sum over the output channels of dZ, padded by K - 1, "
            "correlated with the flipped filter."
        ),
        domain="Stride 1, no forward padding; with a stride, dZ is spread out first.",
        notes_say="It is a convolution of the padded derivative map by the flipped filters.",
        counterexample="N=2, K=1, S=2: 1 derivative for 2 samples.",
    ),
    Clause(
        id="YG-DOUBLEFLIP",
        section="3.2.2",
        standing=Standing.AMBIGUOUS,
        statement=(
            "dZ is correlated with the flipped filter, which is convolving it, in the mathematical sense, "
            "with the filter as it is."
        ),
        notes_say="It is convolved with the flipped filter, which in the mathematical sense flips twice.",
        counterexample="K=2, w=(1, 2), dZ=1: (1, 2), and flipped twice (2, 1).",
    ),
    Clause(
        id="YG-ALGO",
        section="3.2.2",
        standing=Standing.DOMAIN,
        statement=(
            "Pad dZ, flip the filters, and take for each input sample the inner product with the K x K "
            "segment of dZ over all output channels."
        ),
        domain="Stride 1, no forward padding.",
        notes_say="The same, without saying that it runs over all output channels or needs stride 1.",
        counterexample="C_out=2, N=K=1: one channel alone leaves a term out.",
    ),
    Clause(
        id="WG-SUM",
        section="3.2.3",
        standing=Standing.CORRECTED,
        statement="A weight's derivative sums over the output positions x', y'.",
        notes_say="The sum runs over x, y, which do not occur in its terms.",
        counterexample="K=1, dy=(1, 0), x=(1, 2): 1; summing the first term for each x gives 2.",
    ),
    Clause(
        id="WG-OUTPUT",
        section="3.2.3",
        standing=Standing.AMBIGUOUS,
        statement="dZ is correlated with the channels of the layer's input Y(l-1).",
        notes_say="With the channels of the output.",
        counterexample="N=K=2: correlated with the output, 1 derivative for 2 weights.",
    ),
    Clause(
        id="WG-PLACE",
        section="3.2.3",
        standing=Standing.DOMAIN,
        statement=(
            "dZ placed on the input at (i, j), its elements S apart, meets the samples that weight (i, j) "
            "was multiplied by; their inner product is its derivative."
        ),
        domain="As printed, elements side by side: stride 1.",
        notes_say="dZ is placed at (i, j).",
        counterexample="N=3, K=1, S=2: the second derivative belongs on sample 2, not 1.",
    ),
    Clause(
        id="WG-KBOUND",
        section="3.2.3",
        standing=Standing.CORRECTED,
        statement="The segment of the input has the side of dZ (spread out by S); K bounds (i, j).",
        notes_say="The segment is bounded by the kernel size.",
        counterexample="N=2, K=1: the segment has 2 samples, not 1.",
    ),
    Clause(
        id="WG-NAMING",
        section="3.2.3",
        standing=Standing.AMBIGUOUS,
        statement=(
            "What is computed is the derivative by the weight; the weights change by an update rule that "
            "the notes do not give."
        ),
        notes_say="An algorithm for computing the weights.",
        counterexample="N=K=1, w=1, dy=0: the derivative is 0, the weight is 1.",
    ),
)
