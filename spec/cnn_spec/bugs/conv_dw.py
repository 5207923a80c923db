"""Wrong derivatives of a convolution by its weights and its bias."""

import numpy as np

from cnn_spec.bugs.changes import (
    ALL,
    SEVERAL,
    all_one,
    beyond,
    deriving,
    filled,
    first_group_for_all,
    first_sample,
    flip_kernel,
    last_for_all,
    next_group,
    nothing,
    only,
    reverse_axes,
    spatial,
    swap_channels,
    swap_pairs,
    transpose_last,
    zeroed,
)
from cnn_spec.bugs.conditions import (
    as_many_filters_as_channels,
    dilated,
    grouped,
    kind,
    lopsided,
    outputs_above,
    padded,
    square,
    strided,
    with_remainder,
)
from cnn_spec.bugs.model import Bug, bug, giving, refusing, variants
from cnn_spec.operations import Array, Call

BACK = "conv_backward"


def windows_on_the_map_only(call: Call, dy: Array) -> Array:
    """Windows that start in the padding are not counted."""
    found = np.array(dy)
    for axis, ((before, _), step) in enumerate(zip(call["padding"], call["stride"], strict=True), start=2):
        found[(*(ALL,) * axis, slice(-(-before // step)))] = 0
    return found


def last_sample(call: Call) -> Call:
    """The last sample alone."""
    return call.but(dy=call["dy"][-1:], x=call["x"][-1:])


def bounded_by_the_kernel(call: Call, dy: Array) -> Array:
    """The sum runs over as many places of the output as the kernel has cells."""
    kept = np.zeros_like(dy)
    part = (ALL, ALL, *map(slice, call["w"].shape[2:]))
    kept[part] = dy[part]
    return kept


def several_outputs(call: Call) -> bool:
    """More than one place in the output."""
    return bool(max(call["dy"].shape[2:]) > 1)


def first_group_only(call: Call, dw: Array) -> Array:
    """Zero behind the first group's filters."""
    return zeroed(beyond(dw.shape[0] // call["groups"]))(call, dw)


def total(call: Call, dy: Array) -> Array:
    """The sum over the samples and their places."""
    return np.asarray(dy.sum(axis=(0, *spatial(call))))


WEIGHTS: tuple[Bug, ...] = (
    bug("dw: flipped", BACK, giving("dw", flip_kernel), source="WG-FORMULA"),
    bug(
        "dw: flipped on the first axis only", BACK, giving("dw", lambda c, dw: dw[:, :, ::-1]), ranks=SEVERAL
    ),
    bug("dw: flipped in 1-d only", BACK, giving("dw", flip_kernel), ranks=(1,)),
    bug("dw: transposed where the kernel is square", BACK, giving("dw", transpose_last), square),
    bug("dw: filters and channels exchanged", BACK, giving("dw", swap_channels), as_many_filters_as_channels),
    bug(
        "dw: the mean over the batch", BACK, giving("dw", lambda c, dw: dw / c["x"].shape[0]), source="WG-SUM"
    ),
    bug(
        "dw: divided by the places of the output",
        BACK,
        giving("dw", lambda c, dw: dw / np.prod(c["dy"].shape[2:])),
    ),
    bug("dw: the first sample's only", BACK, only("dw", first_sample), source="FluxML/NNlib.jl/issues/197"),
    bug("dw: the last sample's only", BACK, only("dw", last_sample), source="FluxML/NNlib.jl/issues/197"),
    *variants(
        "dw: the last sample's only",
        BACK,
        only("dw", last_sample),
        {"if there are groups": (grouped,), "if there are groups and a stride": (grouped, strided)},
    ),
    bug("dw: the stride is ignored", BACK, deriving("dw", "stride", all_one), strided, source="WG-FORMULA"),
    bug(
        "dw: the stride is ignored if there are groups",
        BACK,
        deriving("dw", "stride", all_one),
        strided,
        grouped,
        source="tracel-ai/burn/pull/1891",
    ),
    bug(
        "dw: the last axis' stride counts for all",
        BACK,
        deriving("dw", "stride", last_for_all),
        ranks=SEVERAL,
    ),
    bug("dw: the dilation is ignored", BACK, deriving("dw", "dilation", all_one), dilated),
    bug(
        "dw: dilations are in reverse order of the axes",
        BACK,
        deriving("dw", "dilation", reverse_axes),
        ranks=SEVERAL,
    ),
    bug(
        "dw: the sum runs over as many places as the kernel has",
        BACK,
        deriving("dw", "dy", bounded_by_the_kernel),
        several_outputs,
        source="WG-KBOUND",
    ),
    bug("dw: the padding's pairs are swapped", BACK, deriving("dw", "padding", swap_pairs), lopsided),
    bug("dw: the padding repeats the edge", BACK, only("dw", lambda c: filled(c, mode="edge")), padded),
    bug(
        "dw: windows that start in the padding are skipped if there is a stride",
        BACK,
        deriving("dw", "dy", windows_on_the_map_only),
        strided,
        padded,
        source="uxlfoundation/oneDNN/issues/4124",
    ),
    bug(
        "dw: windows that start in the padding are skipped",
        BACK,
        deriving("dw", "dy", windows_on_the_map_only),
        padded,
    ),
    bug(
        "dw: the last column of the output is left out",
        BACK,
        deriving("dw", "dy", zeroed(..., -1)),
        source="WG-OUTPUT",
    ),
    bug(
        "dw: columns beyond the 64th are left out",
        BACK,
        deriving("dw", "dy", zeroed(..., beyond(64))),
        outputs_above(64),
    ),
    *variants(
        "dw: every group sees its neighbour's channels",
        BACK,
        deriving("dw", "x", next_group),
        {
            "": (grouped,),
            "if there is a dilation": (grouped, dilated),
            "if there are a stride and padding": (grouped, strided, padded),
        },
    ),
    bug("dw: the first group's only", BACK, giving("dw", first_group_only), grouped),
    bug(
        "dw: wrong crop if something remains",
        BACK,
        giving("dw", lambda c, dw: np.roll(dw, 1, -1)),
        with_remainder,
        source="f-dangel/backpack/issues/30",
    ),
    bug(
        "dw: the weights less the derivative",
        BACK,
        giving("dw", lambda c, dw: c["w"] - dw),
        source="WG-NAMING",
    ),
    bug(
        "grouped derivatives are refused in 1-d",
        BACK,
        refusing,
        grouped,
        ranks=(1,),
        source="tensorflow/tensorflow/issues/50397",
    ),
    bug("dw: subtracted", BACK, giving("dw", lambda c, dw: -dw), source="EQ3-UPDATE"),
    bug("dw: zero in float64", BACK, giving("dw", nothing), kind("float64")),
)

BIAS: tuple[Bug, ...] = (
    bug(
        "db: the mean over the places of the output",
        BACK,
        giving("db", lambda c, db: db / max(np.prod(c["dy"].shape[2:]), 1)),
        source="BGRAD",
    ),
    bug(
        "db: the mean over the batch",
        BACK,
        giving("db", lambda c, db: db / c["x"].shape[0]),
        source="heyxhh/nnet-numpy/issues/1",
    ),
    bug(
        "db: the first sample's only",
        BACK,
        giving("db", lambda c, db: total(c, c["dy"][:1])),
        source="mlpack/mlpack/pull/3679",
    ),
    bug(
        "db: the first place's only",
        BACK,
        giving("db", lambda c, db: c["dy"].reshape(*c["dy"].shape[:2], -1)[..., 0].sum(0)),
    ),
    bug("db: the last column is left out", BACK, giving("db", lambda c, db: total(c, c["dy"][..., :-1]))),
    bug(
        "db: every filter gets the sum over all", BACK, giving("db", lambda c, db: np.full_like(db, db.sum()))
    ),
    bug("db: zero", BACK, giving("db", nothing)),
    bug("db: zero if there are groups", BACK, giving("db", nothing), grouped),
    bug(
        "db: every group gets the first group's",
        BACK,
        giving("db", first_group_for_all),
        grouped,
    ),
    bug(
        "db: multiplied by the kernel's cells",
        BACK,
        giving("db", lambda c, db: db * np.prod(c["w"].shape[2:])),
    ),
    bug("db: filters beyond the 64th get nothing", BACK, giving("db", zeroed(beyond(64)))),
)

BUGS = WEIGHTS + BIAS
