"""Wrong derivatives of a convolution by its input."""

import numpy as np

from cnn_spec.bugs.changes import (
    ALL,
    SEVERAL,
    all_one,
    assigned,
    beyond,
    deriving,
    first_for_all,
    flip_kernel,
    interleave,
    next_group,
    no_padding,
    nothing,
    only,
    reverse_axes,
    swap_channels,
    swap_pairs,
    swap_stride_and_dilation,
    transpose_last,
    zeroed,
)
from cnn_spec.bugs.conditions import (
    as_many_filters_as_channels,
    batched,
    depthwise,
    dilated,
    few_outputs,
    grouped,
    lopsided,
    padded,
    pointwise,
    square,
    strided,
    unpadded,
    with_remainder,
)
from cnn_spec.bugs.model import Bug, bug, giving, variants
from cnn_spec.operations import Array, Call
from cnn_spec.sights import spans_of

BACK = "conv_backward"


def interior(call: Call, dx: Array) -> Array:
    """The border is zero."""
    found = np.zeros_like(dx)
    inside = (ALL, ALL, *(slice(1, -1) for _ in range(call.rank)))
    found[inside] = dx[inside]
    return found


def with_an_interior(call: Call) -> bool:
    """A map of at least 3 on every axis."""
    return bool(min(call["x"].shape[2:]) > 2)


def filled_remainder(call: Call, dx: Array) -> Array:
    """What no window sees gets the derivative of its neighbour."""
    found = np.array(dx)
    for at in range(1, found.shape[-1]):
        if not np.any(dx[..., at]):
            found[..., at] = found[..., at - 1]
    return found


def without_remainder(call: Call, dx: Array) -> Array:
    """Without what lies behind the last window."""
    axes = zip(call["dy"].shape[2:], call["stride"], spans_of(call), strict=True)
    return dx[(ALL, ALL, *(slice((outputs - 1) * stride + span) for outputs, stride, span in axes))]


def one_place_on(call: Call, dy: Array) -> Array:
    """Derivatives one place further on: the zeros of the spread come first."""
    moved = np.zeros_like(dy)
    moved[..., 1:] = dy[..., :-1]
    return moved


def narrow_with_many_channels(call: Call) -> bool:
    """More than 16 channels, and few columns."""
    return bool(call["x"].shape[1] > 16 and call["x"].shape[-1] < 17)


FILTERS: tuple[Bug, ...] = (
    *variants(
        "dx: the kernel is not flipped",
        BACK,
        deriving("dx", "w", flip_kernel),
        {
            "": (),
            "if there is a stride": (strided,),
            "if there are groups and a dilation": (grouped, dilated),
        },
        source="YG-FLIP",
    ),
    bug(
        "dx: the kernel is flipped on one axis only",
        BACK,
        deriving("dx", "w", lambda c, w: w[..., ::-1]),
        ranks=SEVERAL,
        source="YG-DOUBLEFLIP",
    ),
    bug("dx: the kernel is transposed where it is square", BACK, deriving("dx", "w", transpose_last), square),
    bug(
        "dx: the kernel is turned by a quarter where it is square",
        BACK,
        deriving("dx", "w", lambda c, w: w.swapaxes(-1, -2)[..., ::-1]),
        square,
        source="YG-FLIP",
    ),
    *variants(
        "dx: filters and channels are not exchanged",
        BACK,
        deriving("dx", "w", swap_channels),
        {
            "": (as_many_filters_as_channels,),
            "if there are groups": (as_many_filters_as_channels, grouped),
        },
        source="YG-GENERAL",
    ),
    bug("dx: filters beyond the 32nd do not count", BACK, deriving("dx", "w", zeroed(beyond(32)))),
    bug("dx: windows overwrite one another", BACK, assigned("dy"), few_outputs, source="EQ3-UPDATE"),
)

PARAMETERS: tuple[Bug, ...] = (
    bug(
        "dx: the stride is ignored",
        BACK,
        deriving("dx", "stride", all_one),
        strided,
        source="enggen/Deep-Learning-Coursera/issues/7",
    ),
    bug(
        "dx: the stride is ignored for 1x1 kernels",
        BACK,
        deriving("dx", "stride", all_one),
        strided,
        pointwise,
    ),
    bug(
        "dx: the stride is ignored if there are groups",
        BACK,
        deriving("dx", "stride", all_one),
        strided,
        grouped,
        source="ml-explore/mlx/pull/3800",
    ),
    bug(
        "dx: strides are in reverse order of the axes",
        BACK,
        deriving("dx", "stride", reverse_axes),
        ranks=SEVERAL,
    ),
    bug(
        "dx: the first axis' stride counts for all",
        BACK,
        deriving("dx", "stride", first_for_all),
        ranks=SEVERAL,
    ),
    bug("dx: one place late if there is a stride", BACK, deriving("dx", "dy", one_place_on), strided),
    bug(
        "dx: stride and dilation are swapped",
        BACK,
        only("dx", swap_stride_and_dilation),
    ),
    *variants(
        "dx: the dilation is ignored",
        BACK,
        deriving("dx", "dilation", all_one),
        {
            "": (dilated,),
            "if there is a stride": (dilated, strided),
            "in a depthwise convolution": (dilated, depthwise),
        },
    ),
    *variants(
        "dx: the padding's pairs are swapped",
        BACK,
        deriving("dx", "padding", swap_pairs),
        {"": (lopsided,), "if there is a stride": (lopsided, strided)},
        source="nntrainer/nntrainer/pull/1570",
    ),
    bug(
        "dx: paddings are in reverse order of the axes",
        BACK,
        deriving("dx", "padding", reverse_axes),
        ranks=SEVERAL,
    ),
    bug(
        "dx: the padding is not cut off",
        BACK,
        deriving("dx", "padding", no_padding),
        padded,
        source="YG-PAD",
    ),
)

PLACES: tuple[Bug, ...] = (
    bug("dx: the border stays zero", BACK, giving("dx", interior), with_an_interior, source="YG-BORDER"),
    bug("dx: the last sample is zero", BACK, giving("dx", zeroed(-1)), batched),
    bug("dx: divided by the batch", BACK, giving("dx", lambda c, dx: dx / c["x"].shape[0])),
    bug(
        "dx: ends with the last window",
        BACK,
        giving("dx", without_remainder),
        with_remainder,
        unpadded,
        source="YG-PAD",
    ),
    bug(
        "dx: what no window sees gets its neighbour's derivative",
        BACK,
        giving("dx", filled_remainder),
        with_remainder,
    ),
    bug(
        "dx: every group gets its neighbour's derivative",
        BACK,
        giving("dx", next_group),
        grouped,
        source="apache/tvm/pull/9465",
    ),
    *variants(
        "dx: every group gets its neighbour's derivative",
        BACK,
        giving("dx", next_group),
        {
            "if there is a stride": (grouped, strided),
            "if there are a stride and padding": (grouped, strided, padded),
            "if there are a stride and a dilation": (grouped, strided, dilated),
        },
        source="ml-explore/mlx/pull/3800",
    ),
    bug("dx: channels are dealt out to the groups in turn", BACK, giving("dx", interleave), grouped),
    bug(
        "dx: channels beyond the 16th are zero if there is a stride and few columns",
        BACK,
        giving("dx", zeroed(ALL, beyond(16))),
        strided,
        narrow_with_many_channels,
        source="fujitsu/oneDNN/issues/43",
    ),
    bug("dx: the last column is zero if there is a stride", BACK, giving("dx", zeroed(..., -1)), strided),
    bug("dx: zero in 3-d with groups", BACK, giving("dx", nothing), grouped, ranks=(3,)),
)

BUGS = FILTERS + PARAMETERS + PLACES
