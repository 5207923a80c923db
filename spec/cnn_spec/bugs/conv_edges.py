"""Wrong convolutions: axes mixed up, and columns, rows and samples that are not computed."""

import numpy as np

from cnn_spec.bugs.changes import (
    ALL,
    PLACES,
    SEVERAL,
    beyond,
    changed,
    first_sample_for_all,
    moved_beyond,
    only_at,
    transpose_last,
    zeroed,
)
from cnn_spec.bugs.conditions import (
    batched,
    channels_above,
    grouped,
    kind,
    outputs_above,
    strided,
    unpadded,
    with_remainder,
)
from cnn_spec.bugs.model import Bug, bug, giving, taking
from cnn_spec.operations import Array, Call

CONV = "conv"


def as_wide_as_high(call: Call) -> bool:
    """A map whose last two axes are equal."""
    return bool(call["x"].shape[-1] == call["x"].shape[-2])


def whole_eights(call: Call, y: Array) -> Array:
    """The columns behind the last multiple of 8 are zero."""
    return changed(y, (..., beyond(y.shape[-1] // 8 * 8)))


BUGS: tuple[Bug, ...] = (
    bug(
        "height and width are mixed up where they are equal",
        CONV,
        taking("x", transpose_last),
        as_wide_as_high,
        ranks=SEVERAL,
        source="torch/cunn/pull/470",
    ),
    bug("the last column of the result is zero", CONV, giving("y", zeroed(..., -1))),
    bug(
        "the last row of the result is zero if something remains",
        CONV,
        giving("y", zeroed(ALL, ALL, -1)),
        with_remainder,
    ),
    bug(
        "the last column misses the kernel's last cell, without padding and with a stride",
        CONV,
        only_at((..., -1), taking("w", zeroed(..., -1))),
        strided,
        unpadded,
        source="Tencent/ncnn/issues/996",
    ),
    bug("columns beyond the 8th are shifted", CONV, giving("y", moved_beyond(8)), outputs_above(8)),
    *(
        bug(f"columns beyond the {nth} are zero", CONV, giving("y", zeroed(..., beyond(n))), outputs_above(n))
        for nth, n in PLACES.items()
    ),
    bug(
        "columns are counted modulo 64 in 3-d",
        CONV,
        giving("y", lambda c, y: y[..., np.arange(y.shape[-1]) % 64]),
        ranks=(3,),
        source="ml-explore/mlx/pull/3143",
    ),
    bug(
        "columns beyond the 64th are zero if there are groups",
        CONV,
        giving("y", zeroed(..., beyond(64))),
        outputs_above(64),
        grouped,
        source="ROCm/rocm-libraries/pull/4611",
    ),
    bug(
        "columns beyond the 32nd are zero if there is a stride",
        CONV,
        giving("y", zeroed(..., beyond(32))),
        outputs_above(32),
        strided,
    ),
    bug(
        "the columns behind the last multiple of 8 are zero",
        CONV,
        giving("y", whole_eights),
        outputs_above(8),
    ),
    bug(
        "every sample has the first one's result",
        CONV,
        giving("y", first_sample_for_all),
        batched,
    ),
    bug("samples are in reverse order", CONV, giving("y", lambda c, y: y[::-1])),
    bug("the last sample is zero if there are groups", CONV, giving("y", zeroed(-1)), batched, grouped),
    bug(
        "the last sample is zero if there are more than 16 channels",
        CONV,
        giving("y", zeroed(-1)),
        batched,
        channels_above(16),
    ),
    bug(
        "the last filter is zero, in 2-d and float32 only",
        CONV,
        giving("y", zeroed(ALL, -1)),
        kind("float32"),
        ranks=(2,),
    ),
)
