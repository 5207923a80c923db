"""Wrong derivatives of a transposed convolution."""

import numpy as np

from cnn_spec.bugs.changes import (
    SEVERAL,
    all_one,
    beyond,
    deriving,
    first_group_for_all,
    first_sample,
    flip_kernel,
    next_group,
    no_padding,
    nothing,
    only,
    reverse_axes,
    spatial,
    swap_pairs,
    swap_stride_and_dilation,
    zeroed,
)
from cnn_spec.bugs.conditions import batched, dilated, grouped, lopsided, padded, pointwise, strided
from cnn_spec.bugs.model import Bug, bug, giving
from cnn_spec.bugs.transposed import as_of_a_convolution, last_places, more_at_the_end
from cnn_spec.operations import Array, Call

BACK = "conv_transpose_backward"


def without_output_padding(call: Call, dy: Array) -> Array:
    """What the output padding added does not count."""
    return last_places(call, dy, 0)


BY_INPUT: tuple[Bug, ...] = (
    bug("transposed dx: the kernel is flipped", BACK, deriving("dx", "w", flip_kernel)),
    bug(
        "transposed dx: the weights are taken for those of a convolution",
        BACK,
        deriving("dx", "w", as_of_a_convolution),
    ),
    bug("transposed dx: the stride is ignored", BACK, deriving("dx", "stride", all_one), strided),
    bug(
        "transposed dx: the stride is ignored for 1x1 kernels",
        BACK,
        deriving("dx", "stride", all_one),
        strided,
        pointwise,
        source="pytorch/pytorch/issues/63314",
    ),
    bug(
        "transposed dx: stride and dilation are swapped",
        BACK,
        only("dx", swap_stride_and_dilation),
        source="huggingface/candle/pull/2337",
    ),
    bug("transposed dx: the dilation is ignored", BACK, deriving("dx", "dilation", all_one), dilated),
    bug(
        "transposed dx: what was cropped is not put back", BACK, deriving("dx", "padding", no_padding), padded
    ),
    bug(
        "transposed dx: the padding's pairs are swapped",
        BACK,
        deriving("dx", "padding", swap_pairs),
        lopsided,
    ),
    bug(
        "transposed dx: every group gets its neighbour's derivative",
        BACK,
        giving("dx", next_group),
        grouped,
    ),
    bug(
        "transposed dx: the output padding does not count",
        BACK,
        deriving("dx", "dy", without_output_padding),
        more_at_the_end,
    ),
    bug("transposed dx: the last sample is zero", BACK, giving("dx", zeroed(-1)), batched),
    bug(
        "transposed dx: strides are in reverse order of the axes",
        BACK,
        deriving("dx", "stride", reverse_axes),
        ranks=SEVERAL,
    ),
)

BY_WEIGHTS: tuple[Bug, ...] = (
    bug("transposed dw: flipped", BACK, giving("dw", flip_kernel)),
    bug(
        "transposed dw: laid out like a convolution's",
        BACK,
        giving("dw", as_of_a_convolution),
        adapter=True,
    ),
    bug("transposed dw: the first sample's only", BACK, only("dw", first_sample), batched),
    bug("transposed dw: the mean over the batch", BACK, giving("dw", lambda c, dw: dw / c["x"].shape[0])),
    bug("transposed dw: the stride is ignored", BACK, deriving("dw", "stride", all_one), strided),
    bug("transposed dw: the dilation is ignored", BACK, deriving("dw", "dilation", all_one), dilated),
    bug(
        "transposed dw: every group sees its neighbour's channels",
        BACK,
        deriving("dw", "x", next_group),
        grouped,
    ),
    bug(
        "transposed dw: the output padding does not count",
        BACK,
        deriving("dw", "dy", without_output_padding),
        more_at_the_end,
    ),
    bug("transposed dw: the last column of the map is left out", BACK, deriving("dw", "x", zeroed(..., -1))),
)

BY_BIAS: tuple[Bug, ...] = (
    bug(
        "transposed db: the first sample's only",
        BACK,
        giving("db", lambda c, db: c["dy"][:1].sum(axis=(0, *spatial(c)))),
        batched,
    ),
    bug(
        "transposed db: the mean over the places of the output",
        BACK,
        giving("db", lambda c, db: db / np.prod(c["dy"].shape[2:])),
    ),
    bug(
        "transposed db: the output padding does not count",
        BACK,
        giving("db", lambda c, db: without_output_padding(c, c["dy"]).sum(axis=(0, *spatial(c)))),
        more_at_the_end,
    ),
    bug(
        "transposed db: every group gets the first group's",
        BACK,
        giving("db", first_group_for_all),
        grouped,
    ),
    bug("transposed db: zero", BACK, giving("db", nothing)),
    bug("transposed db: filters beyond the 16th get nothing", BACK, giving("db", zeroed(beyond(16)))),
)

BUGS = BY_INPUT + BY_WEIGHTS + BY_BIAS
