"""Wrong convolutions: input channels, filters and groups."""

import numpy as np

from cnn_spec.bugs.changes import ALL, PLACES, beyond, interleave, next_group, nothing, zeroed
from cnn_spec.bugs.conditions import biased, depthwise, dilated, filters_above, grouped, padded, strided
from cnn_spec.bugs.model import Bug, asked, bug, giving, taking, variants
from cnn_spec.operations import Array, Call

CONV = "conv"


def ungrouped(call: Call) -> Call:
    """Filters of all channels: each group's weights repeated for every group, on equal terms."""
    return call.but(w=np.concatenate([call["w"]] * call["groups"], axis=1), groups=1)


def behind_multiples_of_four(call: Call, w: Array) -> Array:
    """The channels behind the last multiple of 4 are not used."""
    return zeroed(ALL, beyond(w.shape[1] // 4 * 4))(call, w)


def second_half_of_every_group(call: Call, y: Array) -> Array:
    """The last filters of the last group, half a group of them, are zero."""
    half = y.shape[1] // call["groups"] // 2
    return zeroed(ALL, slice(-half or None, None))(call, y)


def several_filters(call: Call) -> bool:
    """A group has more than one filter."""
    return bool(call["w"].shape[0] // call["groups"] > 1)


CHANNELS: tuple[Bug, ...] = (
    bug("only the first input channel counts", CONV, taking("w", zeroed(ALL, beyond(1))), source="CONV-CHAN"),
    bug(
        "the last input channel is left out beyond 8",
        CONV,
        taking("w", zeroed(ALL, -1)),
        lambda c: c["w"].shape[1] > 8,
    ),
    *(
        bug(f"input channels beyond the {nth} are left out", CONV, taking("w", zeroed(ALL, beyond(n))))
        for nth, n in PLACES.items()
    ),
    bug(
        "input channels behind the last multiple of 4 are left out",
        CONV,
        taking("w", behind_multiples_of_four),
        lambda c: c["w"].shape[1] > 4,
    ),
    bug("the last filter is zero", CONV, giving("y", zeroed(ALL, -1))),
    *(
        bug(f"filters beyond the {nth} are zero", CONV, giving("y", zeroed(ALL, beyond(n))), filters_above(n))
        for nth, n in PLACES.items()
    ),
    bug("the filters are in reverse order", CONV, giving("y", lambda c, y: y[:, ::-1])),
    bug(
        "a single input channel is taken for each filter's own",
        CONV,
        taking("w", lambda c, w: np.roll(w, 1, 0)),
        lambda c: c["w"].shape[1] == 1,
        source="pytorch/pytorch/issues/82060",
    ),
)

GROUPS: tuple[Bug, ...] = (
    bug("groups are ignored", CONV, asked(ungrouped), grouped),
    *variants(
        "every group reads its neighbour's channels",
        CONV,
        taking("x", next_group),
        {
            "": (grouped,),
            "if there is a stride": (grouped, strided),
            "if there is a dilation": (grouped, dilated),
            "if there is padding": (grouped, padded),
            "if there are a stride and a dilation": (grouped, strided, dilated),
            "if there are a stride and padding": (grouped, strided, padded),
            "if there are a stride, a dilation and a bias": (grouped, strided, dilated, biased),
        },
    ),
    bug("input channels are dealt out to the groups in turn", CONV, taking("x", interleave), grouped),
    bug(
        "filters are dealt out to the groups in turn",
        CONV,
        giving("y", interleave),
        grouped,
        source="pytorch/pytorch/pull/18463",
    ),
    bug(
        "filters are dealt out in turn, only in a depthwise convolution with a multiplier",
        CONV,
        giving("y", interleave),
        depthwise,
    ),
    bug(
        "the second half of the filters of every group but the first is zero",
        CONV,
        giving("y", second_half_of_every_group),
        grouped,
        several_filters,
        source="pytorch/pytorch/pull/18463",
    ),
    bug(
        "a depthwise convolution with a dilation is left zero",
        CONV,
        giving("y", nothing),
        depthwise,
        dilated,
        source="Tencent/ncnn/issues/315",
    ),
)

BUGS = CHANNELS + GROUPS
