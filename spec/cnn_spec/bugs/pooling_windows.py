"""Wrong pooling of either kind: which windows there are, and where."""

import numpy as np

from cnn_spec.bugs.changes import (
    ALL,
    SEVERAL,
    all_one,
    beyond,
    first_for_all,
    full_then_cut,
    last_for_all,
    later,
    reverse_axes,
    swap_pairs,
    swap_stride_and_dilation,
    zeroed,
)
from cnn_spec.bugs.conditions import (
    dilated,
    kernel_above,
    lopsided,
    off,
    on,
    overlapping,
    padded,
    strided,
)
from cnn_spec.bugs.model import Bug, Change, asked, bug, giving, taking, variants
from cnn_spec.operations import Array, Call
from cnn_spec.shapes import forward_shape
from cnn_spec.sights import spans_of

MAX, AVG, BOTH = "max_pool", "avg_pool", ("max_pool", "avg_pool")


def left_out(call: Call) -> tuple[int, ...]:
    """For each axis 1 if something remains at its end that no window begins with."""
    axes = zip(
        call["x"].shape[2:],
        forward_shape(call)[2:],
        call["padding"],
        spans_of(call),
        call["stride"],
        strict=True,
    )
    return tuple(-((span - n - sum(pair)) // stride) + 1 - size for n, size, pair, span, stride in axes)


def something_left_out(call: Call) -> bool:
    """Something remains on some axis."""
    return any(left_out(call))


def with_windows_outside(of_nothing: float) -> Change:
    """Further windows where something remains, with nothing of the input."""

    def change(call: Call, y: Array) -> Array:
        return np.pad(
            y, [(0, 0), (0, 0), *((0, more) for more in left_out(call))], constant_values=of_nothing
        )

    return change


SIZES: tuple[Bug, ...] = (
    bug(
        "ceil_mode is ignored, what is missing zero",
        BOTH,
        taking("ceil_mode", lambda c, on: False),
        source="root-project/root/pull/21776",
    ),
    bug(
        "ceil_mode adds a window that starts outside",
        MAX,
        giving("y", with_windows_outside(-np.inf)),
        on("ceil_mode"),
        something_left_out,
        source="pytorch/pytorch/issues/45357",
    ),
    bug(
        "ceil_mode adds a window that starts outside, in means",
        AVG,
        giving("y", with_windows_outside(0)),
        on("ceil_mode"),
        something_left_out,
        source="apache/tvm/pull/18641",
    ),
    bug(
        "sizes are rounded up without ceil_mode",
        BOTH,
        giving("y", with_windows_outside(0)),
        off("ceil_mode"),
        something_left_out,
        source="POOL-SIZE",
    ),
)

STEPS: tuple[Bug, ...] = (
    bug("the stride is ignored in pooling, the result cut", BOTH, full_then_cut, strided),
    bug(
        "windows start one sample late in pooling if there is a stride",
        MAX,
        taking("x", later),
        strided,
        off("ceil_mode"),
    ),
    bug(
        "the stride is the kernel's size", BOTH, taking("stride", lambda c, s: c["kernel_size"]), overlapping
    ),
    bug(
        "strides of pooling are in reverse order of the axes",
        BOTH,
        taking("stride", reverse_axes),
        ranks=SEVERAL,
        source="Samsung/ONE/pull/2727",
    ),
    bug(
        "the first axis' stride counts for all in pooling",
        MAX,
        taking("stride", first_for_all),
        ranks=SEVERAL,
        source="udacity/sdc-issue-reports/issues/342",
    ),
    bug(
        "the first axis' stride counts for all in means", AVG, taking("stride", first_for_all), ranks=SEVERAL
    ),
    *variants(
        "the dilation is ignored in pooling",
        MAX,
        taking("dilation", all_one),
        {
            "": (dilated,),
            "if there is a stride": (dilated, strided),
            "if there is padding and ceil_mode": (dilated, padded, on("ceil_mode")),
        },
    ),
    bug(
        "dilations of pooling are in reverse order of the axes",
        MAX,
        taking("dilation", reverse_axes),
        ranks=SEVERAL,
    ),
    bug("dilation and stride of pooling are swapped", MAX, asked(swap_stride_and_dilation)),
)

EXTENTS: tuple[Bug, ...] = (
    bug(
        "kernel sizes are in reverse order of the axes",
        MAX,
        taking("kernel_size", reverse_axes),
        ranks=SEVERAL,
    ),
    bug(
        "kernel sizes of means are in reverse order of the axes",
        AVG,
        taking("kernel_size", reverse_axes),
        ranks=SEVERAL,
        source="llvm/torch-mlir/pull/4144",
    ),
    bug(
        "the last axis' kernel size counts for all", BOTH, taking("kernel_size", last_for_all), ranks=SEVERAL
    ),
    bug(
        "windows of more than 3 are taken for 3",
        MAX,
        taking("kernel_size", lambda c, k: tuple(min(i, 3) for i in k)),
        kernel_above(3),
    ),
    *(
        bug(f"the padding's pairs are swapped in {words}", operation, taking("padding", swap_pairs), lopsided)
        for operation, words in ((MAX, "max pooling"), (AVG, "means"))
    ),
    *(
        bug(
            f"paddings of {words} are in reverse order of the axes",
            operation,
            taking("padding", reverse_axes),
            ranks=SEVERAL,
        )
        for operation, words in ((MAX, "pooling"), (AVG, "means"))
    ),
    bug("the last column of the pooled map is zero", BOTH, giving("y", zeroed(..., -1))),
    bug("channels beyond the 64th are not pooled", BOTH, giving("y", zeroed(ALL, beyond(64)))),
)

BUGS = SIZES + STEPS + EXTENTS
