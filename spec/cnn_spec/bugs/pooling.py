"""Wrong pooling: what a window takes for its largest element or its mean, which windows there are, what padding is."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cnn_spec.bugs.conditions import (
    at_place,
    batched,
    cells,
    changed,
    dilated,
    even,
    gapped,
    kernel_above,
    kind,
    lopsided,
    negative,
    off,
    on,
    outputs_above,
    overlapping,
    padded,
    strided,
    with_remainder,
)
from cnn_spec.bugs.convolution import (
    SEVERAL,
    first_for_all,
    full_then_cut,
    last_for_all,
    later,
    ones,
    reverse_axes,
    swap_pairs,
)
from cnn_spec.bugs.model import Bug, Wrong, answering, asked, bug, giving, taking
from cnn_spec.definitions.pooling import Window, windows
from cnn_spec.operations import Array, Call
from cnn_spec.shapes import forward_shape

MAX, AVG, BOTH = "max_pool", "avg_pool", ("max_pool", "avg_pool")

Rule = Callable[[Call, Window, Array], Array]
"""What a window comes to, from its elements: (N, C, elements) to (N, C)."""

Divisor = Callable[[Call, Window], int]


def elements_of(x: Array, window: Window) -> Array:
    """The elements of a window in every plane, the last axis running over them."""
    return np.stack([x[at_place(i)] for i in window.elements], axis=-1)


def windows_of(call: Call) -> list[Window]:
    """All windows of a plane."""
    parameters = {n: v for n, v in call.parameters.items() if n != "count_include_pad"}
    return list(windows(call["x"].shape[2:], **parameters))


def pooled(rule: Rule) -> Wrong:
    """Pooling by another rule."""

    def define(call: Call) -> Array:
        y = np.zeros(forward_shape(call))
        for window in windows_of(call):
            y[at_place(window.at)] = rule(call, window, elements_of(call["x"], window))
        return y

    return answering(define)


def divided(divisor: Divisor) -> Wrong:
    """A mean over another count."""
    return pooled(lambda call, window, e: np.asarray(e.sum(-1) / divisor(call, window)))


def in_zeros(call: Call) -> Call:
    """The input with zeros around it, as many as are padded, and no padding."""
    x = np.pad(call["x"], [(0, 0), (0, 0), *call["padding"]])
    return call.but(x=x, padding=((0, 0),) * call.rank)


def clipped_starts(call: Call, window: Window) -> int:
    """The elements, if the axes' clipped ends are counted from the unclipped start."""
    count = 1
    axes = zip(
        window.at, call["stride"], call["padding"], call["kernel_size"], call["x"].shape[2:], strict=True
    )
    for o, s, (before, _), k, n in axes:
        count *= max(min(o * s + k, n) - max(o * s - before, 0), 1)
    return count


def whole_kernel(call: Call, window: Window) -> int:
    """All cells of the kernel, wherever they lie."""
    return cells(call)


def elements_only(call: Call, window: Window) -> int:
    """The elements of the input."""
    return len(window.elements)


def padding_too(call: Call, window: Window) -> int:
    """The elements and the padding."""
    return window.padded_cells


def right_count(call: Call, window: Window) -> int:
    """What is right."""
    return window.padded_cells if call["count_include_pad"] else len(window.elements)


def partial(call: Call) -> bool:
    """A further window sticks out at the end."""
    return with_remainder(call) and bool(call["ceil_mode"])


def dropped(call: Call) -> bool:
    """Something remains on every axis, and no further window starts on the input."""
    floor = forward_shape(call.but(ceil_mode=False))
    return with_remainder(call) and forward_shape(call) == floor


def one_more(call: Call) -> Any:
    """The result with a further window at the end of each axis, of nothing but what is outside."""
    return np.pad(np.zeros(forward_shape(call)), [(0, 0), (0, 0), *[(0, 1)] * call.rank])


def loose(call: Call, window: Window, e: Array) -> Array:
    """The last element that is not clearly below the largest."""
    near = e >= e.max(-1, keepdims=True) - 1
    return np.asarray(
        np.take_along_axis(e, (e.shape[-1] - 1 - near[..., ::-1].argmax(-1))[..., None], -1)[..., 0]
    )


BUGS: tuple[Bug, ...] = (
    # the largest element
    bug("the mean for the maximum", MAX, pooled(lambda c, w, e: e.mean(-1)), source="MAX-SELECT"),
    bug("the minimum for the maximum", MAX, pooled(lambda c, w, e: e.min(-1))),
    bug("the largest magnitude for the maximum", MAX, pooled(lambda c, w, e: np.abs(e).max(-1))),
    bug(
        "the maximum starts from 0",
        MAX,
        pooled(lambda c, w, e: np.maximum(e.max(-1), 0)),
        source="plaidml/plaidml/issues/313",
    ),
    bug(
        "the maximum starts from the smallest positive number",
        MAX,
        pooled(lambda c, w, e: np.maximum(e.max(-1), np.finfo(c["x"].dtype).tiny)),
    ),
    bug("padding counts as 0", MAX, asked(in_zeros), off("ceil_mode"), source="dmlc/nnvm/issues/486"),
    bug(
        "padding counts as 0, in 3-d only",
        MAX,
        asked(in_zeros),
        off("ceil_mode"),
        ranks=(3,),
        source="distdl/distdl/issues/195",
    ),
    bug("padding counts as 0 if there is a dilation", MAX, asked(in_zeros), off("ceil_mode"), dilated),
    bug(
        "padding counts as -1000",
        MAX,
        pooled(lambda c, w, e: np.maximum(e.max(-1), -1000 if len(w.elements) < cells(c) else e.max(-1))),
    ),
    bug(
        "the window's last cell is not looked at",
        MAX,
        pooled(lambda c, w, e: e[..., : max(e.shape[-1] - 1, 1)].max(-1)),
    ),
    bug(
        "the window's first cell is not looked at",
        MAX,
        pooled(lambda c, w, e: e[..., min(e.shape[-1] - 1, 1) :].max(-1)),
    ),
    bug("the first cell of the window", MAX, pooled(lambda c, w, e: e[..., 0])),
    bug("near maxima count as the maximum", MAX, pooled(loose), source="mni-ml/framework/pull/22"),
    bug(
        "a window of padding and input counts as 0 if nothing in it is positive",
        MAX,
        pooled(lambda c, w, e: np.where(len(w.elements) < cells(c), np.maximum(e.max(-1), 0), e.max(-1))),
    ),
    bug("all zero if the input is negative", MAX, giving("y", lambda c, y: 0 * y), negative),
    # the mean
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
        divided(clipped_starts),
        off("count_include_pad"),
        source="llvm/torch-mlir/pull/4671",
    ),
    bug(
        "the divisor is the middle window's",
        AVG,
        divided(lambda c, w: right_count(c, windows_of(c)[len(windows_of(c)) // 2])),
        lambda c: int(np.prod(forward_shape(c)[2:])) < 40,
    ),
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
        divided(
            lambda c, w: (
                len(w.elements)
                * sum(
                    -b <= w.at[-1] * c["stride"][-1] - b + k < c["x"].shape[-1] + a
                    for (b, a) in c["padding"][-1:]
                    for k in range(c["kernel_size"][-1])
                )
                // max(len({i[-1] for i in w.elements}), 1)
            )
        ),
        on("count_include_pad"),
        ranks=SEVERAL,
    ),
    bug(
        "padding repeats the edge in means",
        AVG,
        asked(
            lambda c: c.but(
                x=np.pad(c["x"], [(0, 0), (0, 0), *c["padding"]], mode="edge"), padding=((0, 0),) * c.rank
            )
        ),
        on("count_include_pad"),
        off("ceil_mode"),
    ),
    # windows
    bug(
        "ceil_mode is ignored, what is missing zero",
        BOTH,
        taking("ceil_mode", lambda c, on: False),
        source="root-project/root/pull/21776",
    ),
    bug(
        "ceil_mode gives complete windows only, in max pooling",
        MAX,
        giving("y", lambda c, y: changed(y, (..., -1), y[..., 0])),
        partial,
    ),
    bug(
        "the last window starts early enough to fit if ceil_mode",
        MAX,
        pooled(
            lambda c, w, e: e[..., :1].max(-1) if len(w.elements) < cells(c) and c["ceil_mode"] else e.max(-1)
        ),
    ),
    bug(
        "ceil_mode adds a window that starts outside",
        MAX,
        answering(one_more),
        on("ceil_mode"),
        dropped,
        source="pytorch/pytorch/issues/45357",
    ),
    bug(
        "ceil_mode adds a window that starts outside, in means",
        AVG,
        answering(one_more),
        on("ceil_mode"),
        dropped,
        source="apache/tvm/pull/18641",
    ),
    bug(
        "sizes are rounded up without ceil_mode",
        BOTH,
        answering(one_more),
        with_remainder,
        off("ceil_mode"),
        source="POOL-SIZE",
    ),
    bug("the stride is ignored in pooling, the result cut", BOTH, full_then_cut, strided),
    bug(
        "windows start one sample late in pooling if there is a stride",
        MAX,
        taking("x", later),
        strided,
        off("ceil_mode"),
    ),
    bug(
        "the stride is the kernel's size", BOTH, asked(lambda c: c.but(stride=c["kernel_size"])), overlapping
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
    bug("the padding's pairs are swapped in max pooling", MAX, taking("padding", swap_pairs), lopsided),
    bug("the padding's pairs are swapped in means", AVG, taking("padding", swap_pairs), lopsided),
    bug(
        "paddings of pooling are in reverse order of the axes",
        MAX,
        taking("padding", reverse_axes),
        ranks=SEVERAL,
    ),
    bug(
        "paddings of means are in reverse order of the axes",
        AVG,
        taking("padding", reverse_axes),
        ranks=SEVERAL,
    ),
    bug("the dilation is ignored in pooling", MAX, taking("dilation", lambda c, d: ones(c)), dilated),
    bug(
        "the dilation is ignored in pooling if there is a stride",
        MAX,
        taking("dilation", lambda c, d: ones(c)),
        dilated,
        strided,
    ),
    bug(
        "the dilation is ignored in pooling if there is padding and ceil_mode",
        MAX,
        taking("dilation", lambda c, d: ones(c)),
        dilated,
        padded,
        on("ceil_mode"),
    ),
    bug(
        "dilations of pooling are in reverse order of the axes",
        MAX,
        taking("dilation", reverse_axes),
        ranks=SEVERAL,
    ),
    bug(
        "dilation and stride of pooling are swapped",
        MAX,
        asked(lambda c: c.but(stride=c["dilation"], dilation=c["stride"])),
    ),
    bug(
        "the last cell of an even window is not looked at",
        MAX,
        pooled(lambda c, w, e: e[..., : max(e.shape[-1] - 1, 1)].max(-1)),
        even,
    ),
    bug(
        "windows of more than 3 are taken for 3",
        MAX,
        taking("kernel_size", lambda c, k: tuple(min(i, 3) for i in k)),
        kernel_above(3),
    ),
    # edges, samples, channels
    bug("the last column of the pooled map is zero", BOTH, giving("y", lambda c, y: changed(y, (..., -1)))),
    bug(
        "the last row of means is zero if a stride leaves a gap",
        AVG,
        giving("y", lambda c, y: changed(y, (slice(None), slice(None), -1))),
        gapped,
    ),
    bug(
        "pooled columns beyond the 64th are zero",
        MAX,
        giving("y", lambda c, y: changed(y, (..., slice(64, None)))),
        outputs_above(64),
    ),
    bug(
        "pooled columns beyond the 16th are shifted",
        AVG,
        giving("y", lambda c, y: np.concatenate([y[..., :16], np.roll(y[..., 16:], 1, -1)], -1)),
        outputs_above(16),
    ),
    bug(
        "only the first sample is pooled",
        MAX,
        giving("y", lambda c, y: changed(y, slice(1, None), y[:1])),
        batched,
    ),
    bug(
        "only the first sample is averaged",
        AVG,
        giving("y", lambda c, y: changed(y, slice(1, None), y[:1])),
        batched,
    ),
    bug("pooled channels are in reverse order", MAX, giving("y", lambda c, y: y[:, ::-1])),
    bug(
        "the maximum over all channels",
        MAX,
        giving("y", lambda c, y: np.broadcast_to(y.max(1, keepdims=True), y.shape)),
    ),
    bug(
        "the mean over all channels",
        AVG,
        giving("y", lambda c, y: np.broadcast_to(y.mean(1, keepdims=True), y.shape)),
        source="CNN-ARCH",
    ),
    bug(
        "channels beyond the 64th are not pooled",
        BOTH,
        giving("y", lambda c, y: changed(y, (slice(None), slice(64, None)))),
    ),
    bug(
        "the maximum starts from 0, in float64 only",
        MAX,
        pooled(lambda c, w, e: np.maximum(e.max(-1), 0)),
        kind("float64"),
    ),
    bug(
        "the maximum starts from 0 if there is a dilation and ceil_mode",
        MAX,
        pooled(lambda c, w, e: np.maximum(e.max(-1), 0)),
        dilated,
        on("ceil_mode"),
    ),
)
