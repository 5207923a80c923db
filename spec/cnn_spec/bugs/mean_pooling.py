"""Wrong mean pooling: what a window's sum is divided by."""

import numpy as np

from cnn_spec.bugs.changes import ALL, SEVERAL, filled, first_sample_for_all, moved_beyond, zeroed
from cnn_spec.bugs.conditions import batched, gapped, off, on, outputs_above, padded, partial
from cnn_spec.bugs.model import Bug, asked, bug, giving, taking
from cnn_spec.bugs.pooling_rules import (
    divided,
    elements_only,
    padding_too,
    pooled,
    right_count,
    whole_kernel,
    windows_of,
)
from cnn_spec.definitions.pooling import Window
from cnn_spec.operations import Call

AVG = "avg_pool"


def from_clipped_starts(call: Call, window: Window) -> int:
    """The elements, if the axes' clipped ends are counted from the unclipped start."""
    count = 1
    axes = zip(
        window.at, call["stride"], call["padding"], call["kernel_size"], call["x"].shape[2:], strict=True
    )
    for o, s, (before, _), k, n in axes:
        count *= max(min(o * s + k, n) - max(o * s - before, 0), 1)
    return count


def padded_on_the_last_axis(call: Call, window: Window) -> int:
    """The elements, and on the last axis the padding too."""
    start = window.at[-1] * call["stride"][-1] - call["padding"][-1][0]
    end = call["x"].shape[-1] + call["padding"][-1][1]
    columns = min(start + call["kernel_size"][-1], end) - start
    return int(len(window.elements) * columns) // max(len({i[-1] for i in window.elements}), 1)


def middle_windows(call: Call, window: Window) -> int:
    """The count of the window in the middle."""
    every = windows_of(call)
    return right_count(call, every[len(every) // 2].window)


BUGS: tuple[Bug, ...] = (
    bug("the maximum for the mean", AVG, pooled(lambda c, w, e: e.max(-1)), source="MEAN-FWD"),
    bug("the sum for the mean", AVG, pooled(lambda c, w, e: e.sum(-1)), source="MEAN-FWD"),
    bug(
        "the divisor is the kernel's size squared in 1-d",
        AVG,
        divided(lambda c, w: right_count(c, w) ** 2),
        ranks=(1,),
        source="MEAN-ROUTE",
    ),
    bug(
        "the divisor is the kernel's length on its last axis",
        AVG,
        divided(lambda c, w: int(c["kernel_size"][-1])),
        ranks=SEVERAL,
    ),
    bug("the divisor is always the whole kernel", AVG, divided(whole_kernel), source="MEAN-COUNT"),
    bug("the divisor is always the elements", AVG, divided(elements_only), source="Tencent/ncnn/issues/924"),
    bug(
        "the divisor always counts padding", AVG, divided(padding_too), source="VeriSilicon/TIM-VX/issues/423"
    ),
    bug("count_include_pad means the contrary", AVG, taking("count_include_pad", lambda c, on: not on)),
    bug(
        "a partial window is divided by the whole kernel",
        AVG,
        divided(whole_kernel),
        partial,
        off("count_include_pad"),
        source="apple/coremltools/pull/2844",
    ),
    bug(
        "a partial window is divided by the whole kernel if padding counts",
        AVG,
        divided(whole_kernel),
        partial,
        on("count_include_pad"),
        source="sonos/tract/pull/2851",
    ),
    bug(
        "a partial window is divided by its elements though padding counts",
        AVG,
        divided(elements_only),
        partial,
        on("count_include_pad"),
        padded,
    ),
    bug(
        "the divisor counts from the clipped start to the kernel's end",
        AVG,
        divided(from_clipped_starts),
        off("count_include_pad"),
        source="llvm/torch-mlir/pull/4671",
    ),
    bug("the divisor is the middle window's", AVG, divided(middle_windows)),
    bug(
        "the divisor rounds to a power of two",
        AVG,
        divided(lambda c, w: 1 << (right_count(c, w).bit_length() - 1)),
    ),
    bug(
        "a mean over a single element is left zero",
        AVG,
        pooled(lambda c, w, e: e.sum(-1) / right_count(c, w) * (e.shape[-1] > 1)),
    ),
    bug(
        "padding counts on the last axis only",
        AVG,
        divided(padded_on_the_last_axis),
        on("count_include_pad"),
        ranks=SEVERAL,
    ),
    bug(
        "padding repeats the edge in means",
        AVG,
        asked(lambda c: filled(c, mode="edge")),
        on("count_include_pad"),
        off("ceil_mode"),
    ),
    bug(
        "the last row of means is zero if a stride leaves a gap",
        AVG,
        giving("y", zeroed(ALL, ALL, -1)),
        gapped,
    ),
    bug(
        "averaged columns beyond the 16th are shifted", AVG, giving("y", moved_beyond(16)), outputs_above(16)
    ),
    bug("every averaged sample is the first one's", AVG, giving("y", first_sample_for_all), batched),
    bug(
        "the mean over all channels",
        AVG,
        giving("y", lambda c, y: np.broadcast_to(y.mean(1, keepdims=True), y.shape)),
        source="CNN-ARCH",
    ),
)
