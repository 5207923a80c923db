"""Wrong transposed convolutions: the weights and their layout, the bias, steps, the crop, the output padding."""

import numpy as np

from cnn_spec.bugs.changes import (
    ALL,
    SEVERAL,
    all_one,
    assigned,
    beyond,
    filled,
    first_for_all,
    first_group_for_all,
    first_sample_for_all,
    flip_kernel,
    interleave,
    next_group,
    no_padding,
    nothing,
    ones,
    only_at,
    reverse_axes,
    spatial,
    swap_pairs,
    swap_stride_and_dilation,
    transpose_last,
    zeroed,
)
from cnn_spec.bugs.conditions import (
    batched,
    biased,
    dilated,
    even,
    grouped,
    kind,
    lopsided,
    outputs_above,
    overlapping,
    padded,
    square,
    strided,
)
from cnn_spec.bugs.model import Bug, asked, bug, giving, taking, variants
from cnn_spec.operations import Array, Call, Implementation, Results
from cnn_spec.shapes import forward_shape

FWD = "conv_transpose"


def few_elements(call: Call) -> bool:
    """At most 100 elements in a plane, so that going from place to place stays fast."""
    return bool(np.prod(call["x"].shape[2:]) <= 100)


def more_at_the_end(call: Call) -> bool:
    """An output padding on some axis."""
    return any(call["output_padding"])


# weights


def as_of_a_convolution(call: Call, w: Array) -> Array:
    """Weights read as (C_out, C_in / groups, *kernel)."""
    groups, c_out = call["groups"], w.shape[1]
    read = np.ascontiguousarray(w).reshape(groups, c_out, w.shape[0] // groups, *w.shape[2:])
    return read.swapaxes(1, 2).reshape(w.shape)


def across_the_groups(right: Implementation) -> Implementation:
    """Every group gets the sum over all channels."""

    def answer(call: Call) -> Results:
        (y,) = right(call.but(groups=1, b=None))
        y = np.concatenate([y] * call["groups"], axis=1)
        return ((y + bias_of(call)).astype(y.dtype),)

    return answer


def cells_within_a_stride(call: Call, w: Array) -> Array:
    """The kernel's cells behind the first stride are not used."""
    kept = np.zeros_like(w)
    part = (ALL, ALL, *map(slice, call["stride"]))
    kept[part] = w[part]
    return kept


def undilated(call: Call) -> bool:
    """A dilation of 1."""
    return not dilated(call)


# the bias


def bias_of(call: Call) -> Array:
    """The bias of each channel, to be broadcast over a result."""
    return np.zeros(()) if call["b"] is None else call["b"].reshape(1, -1, *ones(call))


def where_nothing_reaches(right: Implementation) -> Implementation:
    """Places that no element of the map reaches have no bias."""

    def answer(call: Call) -> Results:
        reached = right(call.map_arrays(np.ones_like).but(b=None))[0] != 0
        return (right(call)[0] * reached,)

    return answer


# sizes


def whole(right: Implementation, call: Call) -> Array:
    """The result with nothing cropped and nothing added."""
    none = (0,) * call.rank
    return right(call.but(padding=no_padding(call, ()), output_padding=none))[0]


def output_padding_before(right: Implementation) -> Implementation:
    """The output padding comes first, not last."""

    def answer(call: Call) -> Results:
        before = [(0, 0), (0, 0), *((more, 0) for more in call["output_padding"])]
        moved = np.pad(whole(right, call.but(b=None)), before)
        sizes = zip(call["padding"], forward_shape(call)[2:], strict=True)
        cut = (slice(first, first + size) for (first, _), size in sizes)
        return ((moved[(ALL, ALL, *cut)] + bias_of(call)).astype(moved.dtype),)

    return answer


def last_places(call: Call, y: Array, value: Array | float) -> Array:
    """What the output padding adds is of one value in each channel."""
    found = np.array(y)
    for axis, more in enumerate(call["output_padding"], start=2):
        if more:
            found[(*(ALL,) * axis, slice(-more, None))] = value
    return found


def repeated_at_the_end(call: Call, y: Array) -> Array:
    """What the output padding adds repeats the edge."""
    found = np.array(y)
    for axis, more in enumerate(call["output_padding"], start=2):
        if more and found.shape[axis] > more:
            found = np.moveaxis(found, axis, -1)
            found[..., -more:] = found[..., -more - 1, None]
            found = np.moveaxis(found, -1, axis)
    return found


def zeros_first(call: Call, y: Array) -> Array:
    """One place further on, on each axis with a stride, around the end."""
    axes = [axis for axis, step in zip(spatial(call), call["stride"], strict=True) if step > 1]
    return np.roll(y, 1, axes)


WEIGHTS: tuple[Bug, ...] = (
    *variants(
        "transposed: the kernel is flipped",
        FWD,
        taking("w", flip_kernel),
        {"": (), "if there is a stride": (strided,), "if it is even": (even,), "in groups": (grouped,)},
        source="UP-FRAC",
    ),
    bug(
        "transposed: the kernel is flipped on its last axis only",
        FWD,
        taking("w", lambda c, w: w[..., ::-1]),
        ranks=SEVERAL,
    ),
    bug("transposed: the kernel is transposed where it is square", FWD, taking("w", transpose_last), square),
    bug(
        "transposed: the kernel's cells beyond the stride are not used",
        FWD,
        taking("w", cells_within_a_stride),
        undilated,
    ),
    bug("transposed: windows overwrite one another", FWD, assigned("x"), overlapping, few_elements),
    bug(
        "transposed: weights are taken for those of a convolution",
        FWD,
        taking("w", as_of_a_convolution),
        adapter=True,
    ),
    bug("transposed: only the first input channel counts", FWD, taking("w", zeroed(beyond(1)))),
    bug("transposed: filters beyond the 16th are zero", FWD, giving("y", zeroed(ALL, beyond(16)))),
    bug("transposed: input channels beyond the 32nd are left out", FWD, taking("x", zeroed(ALL, beyond(32)))),
    *variants(
        "transposed: every group reads its neighbour's channels",
        FWD,
        taking("x", next_group),
        {
            "": (grouped,),
            "if there is a stride": (grouped, strided),
            "if there is an output padding": (grouped, more_at_the_end),
        },
    ),
    bug(
        "transposed: groups are ignored",
        FWD,
        across_the_groups,
        grouped,
        source="apache/tvm/pull/9465",
    ),
    bug(
        "transposed: input channels are dealt out to the groups in turn",
        FWD,
        taking("x", interleave),
        grouped,
    ),
    bug("transposed: filters are dealt out to the groups in turn", FWD, giving("y", interleave), grouped),
)

BIAS: tuple[Bug, ...] = (
    bug("transposed: the bias is left out", FWD, taking("b", nothing)),
    bug(
        "transposed: the bias is added for each input channel",
        FWD,
        taking("b", lambda c, b: b * c["w"].shape[0]),
    ),
    bug(
        "transposed: every group has the first group's biases",
        FWD,
        taking("b", first_group_for_all),
        grouped,
    ),
    bug("transposed: places that no element reaches have no bias", FWD, where_nothing_reaches, biased),
    bug(
        "transposed: the last column has the bias twice",
        FWD,
        only_at((..., -1), taking("b", lambda c, b: 2 * b)),
        biased,
    ),
)

STEPS: tuple[Bug, ...] = (
    bug("transposed: the stride is ignored, what is missing zero", FWD, taking("stride", all_one), strided),
    bug(
        "transposed: strides are in reverse order of the axes",
        FWD,
        taking("stride", reverse_axes),
        ranks=SEVERAL,
    ),
    bug(
        "transposed: the first axis' stride counts for all",
        FWD,
        taking("stride", first_for_all),
        ranks=SEVERAL,
    ),
    bug("transposed: zeros come before the elements, not between", FWD, giving("y", zeros_first), strided),
    bug("transposed: stride and dilation are swapped", FWD, asked(swap_stride_and_dilation)),
    bug("transposed: the dilation is ignored", FWD, taking("dilation", all_one), dilated),
    bug(
        "transposed: the dilation is ignored if there is a stride",
        FWD,
        taking("dilation", all_one),
        dilated,
        strided,
        source="pytorch/pytorch/issues/1565",
    ),
    bug(
        "transposed: dilations are in reverse order of the axes",
        FWD,
        taking("dilation", reverse_axes),
        ranks=SEVERAL,
    ),
)

CROP: tuple[Bug, ...] = (
    bug(
        "transposed: the map is padded, not the result cropped",
        FWD,
        asked(filled),
        padded,
        source="Samsung/TICO/issues/420",
    ),
    bug("transposed: all is cropped at the end", FWD, taking("padding", no_padding), padded),
    *variants(
        "transposed: the padding's pairs are swapped",
        FWD,
        taking("padding", swap_pairs),
        {"": (lopsided,), "if there is an output padding": (lopsided, more_at_the_end)},
    ),
    bug(
        "transposed: paddings are in reverse order of the axes",
        FWD,
        taking("padding", reverse_axes),
        ranks=SEVERAL,
        source="robertknight/rten/pull/1399",
    ),
    bug(
        "transposed: the first axis' padding counts for all",
        FWD,
        taking("padding", first_for_all),
        ranks=SEVERAL,
    ),
    bug(
        "transposed: the output padding comes first",
        FWD,
        output_padding_before,
        more_at_the_end,
        source="apache/tvm/issues/19524",
    ),
    bug(
        "transposed: the output padding is left zero",
        FWD,
        giving("y", lambda c, y: last_places(c, y, 0)),
        more_at_the_end,
        source="pytorch/xla/issues/2333",
    ),
    bug(
        "transposed: the output padding holds the bias alone",
        FWD,
        giving("y", lambda c, y: last_places(c, y, bias_of(c))),
        more_at_the_end,
    ),
    bug(
        "transposed: the output padding repeats the edge",
        FWD,
        giving("y", repeated_at_the_end),
        more_at_the_end,
    ),
    bug(
        "transposed: the output padding is left out",
        FWD,
        lambda right: lambda call: right(call.but(output_padding=(0,) * call.rank)),
        source="apache/tvm/issues/18601",
    ),
    bug(
        "transposed: output paddings are in reverse order of the axes",
        FWD,
        lambda right: lambda call: right(call.but(output_padding=call["output_padding"][::-1])),
        ranks=SEVERAL,
    ),
)

EDGES: tuple[Bug, ...] = (
    bug("transposed: the last column is zero", FWD, giving("y", zeroed(..., -1))),
    bug("transposed: the last row is zero, in 3-d only", FWD, giving("y", zeroed(ALL, ALL, -1)), ranks=(3,)),
    bug(
        "transposed: columns beyond the 64th are zero",
        FWD,
        giving("y", zeroed(..., beyond(64))),
        outputs_above(64),
    ),
    bug(
        "transposed: every sample has the first one's result", FWD, giving("y", first_sample_for_all), batched
    ),
    bug("transposed: the kernel is flipped in float64 only", FWD, taking("w", flip_kernel), kind("float64")),
)

BUGS = WEIGHTS + BIAS + STEPS + CROP + EDGES
