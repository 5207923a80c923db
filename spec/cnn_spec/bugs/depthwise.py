"""Wrong depthwise and separable convolutions: which filter meets which channel, and the two stages."""

import numpy as np

from cnn_spec.bugs.changes import (
    ALL,
    SEVERAL,
    all_one,
    beyond,
    filled,
    first_for_all,
    first_sample_for_all,
    flip_kernel,
    no_padding,
    nothing,
    ones,
    reverse_axes,
    swap_pairs,
    zeroed,
)
from cnn_spec.bugs.conditions import batched, channels_above, dilated, lopsided, padded, strided
from cnn_spec.bugs.model import Bug, Change, Wrong, asked, bug, giving, taking, variants
from cnn_spec.operations import Array, Call, Implementation, Results

DEPTHWISE, SEPARABLE = "depthwise_conv", "separable_conv"


# one stage


def multiplier(call: Call) -> int:
    """How many filters each channel has."""
    filters = call["w_depthwise" if call.operation == SEPARABLE else "w"]
    return int(filters.shape[0] // call["x"].shape[1])


def multiplied(call: Call) -> bool:
    """Several channels with several filters each."""
    return multiplier(call) > 1 and bool(call["x"].shape[1] > 1)


def filter_by_filter(call: Call, w: Array) -> Array:
    """What is counted channel by channel, `c multiplier + m`, counted filter by filter, `m C + c`."""
    return w.reshape(-1, multiplier(call), *w.shape[1:]).swapaxes(0, 1).reshape(w.shape)


def channels_filter_by_filter(call: Call, y: Array) -> Array:
    """The same of the channels of each sample."""
    return filter_by_filter(call, y.swapaxes(0, 1)).swapaxes(0, 1)


def each_channels_first(call: Call, a: Array) -> Array:
    """Every filter of a channel has what its first has."""
    return np.repeat(a[:: multiplier(call)], multiplier(call), axis=0)


def first_for_every_channel(call: Call, w: Array) -> Array:
    """Every channel has the first one's first filter."""
    return np.repeat(w[:1], w.shape[0], axis=0)


def sum_of_channels(call: Call, x: Array) -> Array:
    """Every channel is the sum of all."""
    return np.repeat(x.sum(1, keepdims=True), x.shape[1], axis=1).astype(x.dtype)


def whole_fours(call: Call, y: Array) -> Array:
    """The channels behind the last multiple of 4 are zero."""
    return zeroed(ALL, beyond(y.shape[1] // 4 * 4))(call, y)


ONE_STAGE: tuple[Bug, ...] = (
    bug(
        "depthwise: output channels are counted filter by filter",
        DEPTHWISE,
        giving("y", channels_filter_by_filter),
        multiplied,
    ),
    bug("depthwise: weights are read filter by filter", DEPTHWISE, taking("w", filter_by_filter), multiplied),
    bug("depthwise: every filter of a channel is its first", DEPTHWISE, taking("w", each_channels_first)),
    bug(
        "depthwise: the bias is each channel's, not each filter's",
        DEPTHWISE,
        taking("b", each_channels_first),
    ),
    bug(
        "depthwise: every channel has the first one's filter", DEPTHWISE, taking("w", first_for_every_channel)
    ),
    bug(
        "depthwise: every filter sees the sum of all channels",
        DEPTHWISE,
        taking("x", sum_of_channels),
        source="SEP-INTER",
    ),
    bug(
        "depthwise: every filter sees the next channel", DEPTHWISE, taking("x", lambda c, x: np.roll(x, 1, 1))
    ),
    *variants(
        "depthwise: the bias is left out",
        DEPTHWISE,
        taking("b", nothing),
        {"": (), "if there is a multiplier": (multiplied,)},
    ),
    *variants(
        "depthwise: the kernel is flipped",
        DEPTHWISE,
        taking("w", flip_kernel),
        {"": (), "if there is a multiplier": (multiplied,), "if there is a dilation": (dilated,)},
    ),
    bug(
        "depthwise: with a dilation nothing but the bias is written",
        DEPTHWISE,
        taking("w", nothing),
        dilated,
        source="Tencent/ncnn/issues/315",
    ),
    bug(
        "depthwise: the dilation is ignored if there is a stride",
        DEPTHWISE,
        taking("dilation", all_one),
        dilated,
        strided,
    ),
    bug(
        "depthwise: the first axis' stride counts for all",
        DEPTHWISE,
        taking("stride", first_for_all),
        ranks=SEVERAL,
    ),
    bug(
        "depthwise: paddings are in reverse order of the axes if there is a stride",
        DEPTHWISE,
        taking("padding", reverse_axes),
        strided,
        ranks=SEVERAL,
        source="tensorflow/tfjs/issues/6629",
    ),
    bug("depthwise: the padding's pairs are swapped", DEPTHWISE, taking("padding", swap_pairs), lopsided),
    bug("depthwise: padding repeats the edge", DEPTHWISE, asked(lambda c: filled(c, mode="edge")), padded),
    bug(
        "depthwise: channels behind the last multiple of 4 are zero",
        DEPTHWISE,
        giving("y", whole_fours),
        channels_above(4),
    ),
    bug("depthwise: columns beyond the 16th are zero", DEPTHWISE, giving("y", zeroed(..., beyond(16)))),
    bug(
        "depthwise: every sample has the first one's result",
        DEPTHWISE,
        giving("y", first_sample_for_all),
        batched,
    ),
)


# two stages


def filtered(right: Implementation, call: Call) -> Array:
    """The first stage: each channel by its own filters."""
    return right(call.on(DEPTHWISE, w=call["w_depthwise"], b=None))[0]


def mixed(right: Implementation, call: Call, x: Array, b: Array | None) -> Array:
    """The second stage: weighted sums of the channels."""
    alone = {"stride": ones(call), "dilation": ones(call), "padding": no_padding(call, ()), "groups": 1}
    return right(call.on("conv", x=x, w=call["w_pointwise"], b=b, **alone))[0]


def between(change: Change) -> Wrong:
    """Something happens to the filtered channels before they are mixed."""

    def wrong(right: Implementation) -> Implementation:
        return lambda call: (mixed(right, call, change(call, filtered(right, call)), call["b"]),)

    return wrong


def pointwise_first(right: Implementation) -> Implementation:
    """The channels are mixed before they are filtered."""

    def answer(call: Call) -> Results:
        x = mixed(right, call, call["x"], None)
        return right(call.on(DEPTHWISE, x=x, w=call["w_depthwise"]))

    return answer


def as_many_out_as_in(call: Call) -> bool:
    """As many output channels as input channels, without a multiplier."""
    return bool(call["w_pointwise"].shape[0] == call["x"].shape[1] == call["w_depthwise"].shape[0])


def transposed_where_square(call: Call, w: Array) -> Array:
    """Outputs and channels exchanged, where there are as many of them."""
    return w.swapaxes(0, 1) if w.shape[0] == w.shape[1] else w


def biased_between(call: Call, x: Array) -> Array:
    """The first biases are added to the filtered channels too."""
    count = min(x.shape[1], call["b"].size) if call["b"] is not None else 0
    found = np.array(x)
    if count:
        found[:, :count] += call["b"][:count].reshape(1, -1, *ones(call))
    return found


TWO_STAGES: tuple[Bug, ...] = (
    bug(
        "separable: the channels are mixed before they are filtered",
        SEPARABLE,
        pointwise_first,
        as_many_out_as_in,
    ),
    bug(
        "separable: relu between the stages",
        SEPARABLE,
        between(lambda c, x: np.maximum(x, 0)),
        source="SEP-WSUM",
    ),
    bug("separable: the bias is added after both stages", SEPARABLE, between(biased_between)),
    bug("separable: the bias is left out", SEPARABLE, taking("b", nothing)),
    bug("separable: the bias is added twice", SEPARABLE, taking("b", lambda c, b: 2 * b)),
    bug(
        "separable: between the stages channels are counted filter by filter",
        SEPARABLE,
        between(channels_filter_by_filter),
        multiplied,
    ),
    bug(
        "separable: every filter of a channel is its first",
        SEPARABLE,
        taking("w_depthwise", each_channels_first),
    ),
    bug("separable: the kernels are flipped", SEPARABLE, taking("w_depthwise", flip_kernel)),
    bug(
        "separable: pointwise weights are transposed where they are square",
        SEPARABLE,
        taking("w_pointwise", transposed_where_square),
    ),
    bug(
        "separable: only the first channel is mixed", SEPARABLE, taking("w_pointwise", zeroed(ALL, beyond(1)))
    ),
    bug(
        "separable: channels are mixed in equal parts",
        SEPARABLE,
        taking("w_pointwise", lambda c, w: np.ones_like(w)),
        source="SEP-WSUM",
    ),
    bug(
        "separable: the first stage sums all channels",
        SEPARABLE,
        taking("x", sum_of_channels),
        source="SEP-INTER",
    ),
    bug("separable: the dilation is ignored", SEPARABLE, taking("dilation", all_one), dilated),
    bug(
        "separable: strides are in reverse order of the axes",
        SEPARABLE,
        taking("stride", reverse_axes),
        ranks=SEVERAL,
    ),
    bug("separable: the padding's pairs are swapped", SEPARABLE, taking("padding", swap_pairs), lopsided),
    bug(
        "separable: the last filtered column is zero if there is padding",
        SEPARABLE,
        between(zeroed(..., -1)),
        padded,
    ),
    bug("separable: outputs beyond the 16th are zero", SEPARABLE, giving("y", zeroed(ALL, beyond(16)))),
)

BUGS = ONE_STAGE + TWO_STAGES
