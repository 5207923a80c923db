"""Wrong convolutions: the kernel and the bias."""

import numpy as np

from cnn_spec.bugs.changes import (
    ALL,
    SEVERAL,
    beyond,
    cells,
    changed,
    first_group_for_all,
    flip_kernel,
    nothing,
    ones,
    transpose_last,
    zeroed,
)
from cnn_spec.bugs.conditions import (
    biased,
    depthwise,
    even,
    filters_above,
    grouped,
    kernel_above,
    kind,
    padded,
    pointwise,
    square,
    strided,
)
from cnn_spec.bugs.model import Bug, bug, giving, taking, variants
from cnn_spec.operations import Array, Call, Implementation, Results

CONV = "conv"


def cells_by_channel(call: Call, w: Array) -> Array:
    """Weights read cell by cell, then channel by channel."""
    return np.ascontiguousarray(np.moveaxis(w, 1, -1)).reshape(w.shape)


def first_three(call: Call, w: Array) -> Array:
    """The kernel's cells behind the third on each axis are not used."""
    kept = np.zeros_like(w)
    part = (ALL, ALL, *(slice(3),) * call.rank)
    kept[part] = w[part]
    return kept


def first_sample_biased(call: Call, y: Array) -> Array:
    """The bias is taken off again from every sample but the first."""
    return changed(y, beyond(1), y[1:] - call["b"].reshape(-1, *ones(call)))


def only_windows_on_the_map(right: Implementation) -> Implementation:
    """Windows that lie wholly in the padding stay zero, without the bias."""

    def answer(call: Call) -> Results:
        (y,) = right(call)
        covered = call.but(
            x=np.ones_like(call["x"][:1, : call["w"].shape[1]]),
            w=np.ones_like(call["w"][:1]),
            b=None,
            groups=1,
        )
        return (np.where(right(covered)[0] == 0, 0, y).astype(y.dtype),)

    return answer


KERNEL: tuple[Bug, ...] = (
    bug(
        "the kernel is flipped on its last axis only",
        CONV,
        taking("w", lambda c, w: w[..., ::-1]),
        ranks=SEVERAL,
    ),
    bug(
        "the kernel is flipped on its first axis only",
        CONV,
        taking("w", lambda c, w: w[:, :, ::-1]),
        ranks=SEVERAL,
    ),
    *variants(
        "the kernel is flipped",
        CONV,
        taking("w", flip_kernel),
        {
            "": (),
            "if the stride is above 1": (strided,),
            "if it is even": (even,),
            "in float64 only": (kind("float64"),),
            "in float32 only": (kind("float32"),),
        },
        source="CONV-XCORR",
    ),
    *(
        bug(f"the kernel is flipped in {rank}-d only", CONV, taking("w", flip_kernel), ranks=(rank,))
        for rank in (1, 3)
    ),
    bug("the kernel is transposed where it is square", CONV, taking("w", transpose_last), square),
    bug(
        "the kernel is transposed where it is square, in 3-d only",
        CONV,
        taking("w", transpose_last),
        square,
        ranks=(3,),
    ),
    bug(
        "a fast path takes every kernel for one of 3",
        CONV,
        taking("w", first_three),
        kernel_above(3),
        source="apache/tvm/pull/4276",
    ),
    bug("the last cell of an even kernel is not used", CONV, taking("w", zeroed(..., -1)), even),
    bug(
        "the kernel's first cell counts twice",
        CONV,
        taking("w", lambda c, w: changed(w, (..., 0), 2 * w[..., 0])),
    ),
    bug(
        "the weights are read with the cells before the channels",
        CONV,
        taking("w", cells_by_channel),
        source="ravin-d-27/PyDeepFlow/pull/85",
    ),
    bug("the products are subtracted", CONV, taking("w", lambda c, w: -w), source="EQ3-UPDATE"),
    bug("the weights' magnitudes are used", CONV, taking("w", lambda c, w: np.abs(w))),
)

BIAS: tuple[Bug, ...] = (
    *variants(
        "the bias is left out",
        CONV,
        taking("b", nothing),
        {
            "if there are groups": (grouped,),
            "if there are groups and a stride": (grouped, strided),
            "in a depthwise convolution": (depthwise,),
            "for 1x1 kernels": (pointwise,),
        },
        source="CONV-AFFINE",
    ),
    bug("the bias is subtracted", CONV, taking("b", lambda c, b: -b), source="EQ3-UPDATE"),
    bug(
        "the bias is added for each input channel",
        CONV,
        taking("b", lambda c, b: b * c["w"].shape[1]),
        source="CONV-AFFINE",
    ),
    bug(
        "the bias is added to each product",
        CONV,
        taking("b", lambda c, b: b * c["w"].shape[1] * cells(c)),
        source="CONV-AFFINE",
    ),
    bug("every filter has the first one's bias", CONV, taking("b", lambda c, b: np.full_like(b, b[0]))),
    bug("the biases are in reverse order", CONV, taking("b", lambda c, b: b[::-1])),
    bug("every group has the first group's biases", CONV, taking("b", first_group_for_all), grouped),
    bug(
        "the bias is added once per sample of the batch", CONV, taking("b", lambda c, b: b * c["x"].shape[0])
    ),
    bug("the first sample only gets the bias", CONV, giving("y", first_sample_biased), biased),
    bug(
        "windows that lie wholly in the padding are left zero",
        CONV,
        only_windows_on_the_map,
        padded,
        source="sonos/tract/pull/969",
    ),
    bug(
        "the last filter has no bias if there are more than 8",
        CONV,
        taking("b", zeroed(-1)),
        filters_above(8),
    ),
)

BUGS = KERNEL + BIAS
