"""Wrong convolutions: the kernel, the bias, channels and groups, stride, padding and dilation, axes, edges."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cnn_spec.bugs.conditions import (
    batched,
    biased,
    cells,
    changed,
    channels_above,
    depthwise,
    dilated,
    even,
    filters_above,
    gapped,
    grouped,
    kernel_above,
    kind,
    lopsided,
    outputs_above,
    padded,
    pointwise,
    spatial,
    square,
    strided,
    with_remainder,
)
from cnn_spec.bugs.model import Bug, Wrong, asked, bug, giving, taking
from cnn_spec.operations import Array, Call, Implementation, Results
from cnn_spec.sights import spans_of

LAST, FIRST = (..., -1), (..., 0)
SEVERAL = (2, 3)
"""The ranks with axes to mix up."""


def ones(call: Call) -> tuple[int, ...]:
    """1 for each axis."""
    return (1,) * call.rank


def flip_kernel(call: Call, w: Array) -> Array:
    """The kernel in reverse on every spatial axis."""
    return np.flip(w, spatial(call))


def reverse_axes(call: Call, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The axes' parameters in reverse order."""
    return values[::-1]


def first_for_all(call: Call, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The first axis' parameter on every axis."""
    return (values[0],) * len(values)


def last_for_all(call: Call, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The last axis' parameter on every axis."""
    return (values[-1],) * len(values)


def swap_pairs(call: Call, padding: Any) -> Any:
    """What is meant before comes after."""
    return tuple(pair[::-1] for pair in padding)


def filled(mode: Callable[[Array, list[tuple[int, int]]], Array]) -> Wrong:
    """Padding with something else than zeros."""

    def change(call: Call) -> Call:
        x = mode(call["x"], [(0, 0), (0, 0), *call["padding"]])
        return call.but(x=x, padding=((0, 0),) * call.rank)

    return asked(change)


def later(call: Call, x: Array) -> Array:
    """Every sample one place further on, on each axis with a stride."""
    moved = x
    for axis, step in enumerate(call["stride"], start=2):
        if step > 1:
            moved = np.roll(moved, -1, axis)
            moved = changed(moved, (*(slice(None),) * axis, -1))
    return moved


def ungrouped(call: Call, w: Array) -> Array:
    """Filters of all channels: each group's weights repeated for every group, on equal terms."""
    return np.concatenate([w] * call["groups"], axis=1)


def interleave(call: Call, a: Array) -> Array:
    """Channels counted group within channel, not channel within group."""
    grouped_ = a.reshape(a.shape[0], call["groups"], -1, *a.shape[2:])
    return np.ascontiguousarray(grouped_.swapaxes(1, 2)).reshape(a.shape)


def per_group_bias(call: Call, b: Array) -> Array:
    """Every group takes the first group's biases."""
    return np.tile(b[: b.size // call["groups"]], call["groups"])


def next_group(call: Call, x: Array) -> Array:
    """Every group reads its neighbour's channels."""
    return np.roll(x, x.shape[1] // call["groups"], axis=1)


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


def full_then_cut(right: Implementation) -> Implementation:
    """The result of stride 1, its first part."""
    return asked(lambda call: call.but(stride=ones(call)))(right)


def tail_cells(size: int) -> Callable[[Call, Array], Array]:
    """The kernel's cells behind the first so many on each axis are not used."""

    def change(call: Call, w: Array) -> Array:
        kept = np.zeros_like(w)
        part = (slice(None), slice(None), *(slice(size),) * call.rank)
        kept[part] = w[part]
        return kept

    return change


def filters_by_cell_first(call: Call, w: Array) -> Array:
    """Weights read cell by cell, then channel by channel."""
    moved = np.moveaxis(w, 1, -1)
    return np.ascontiguousarray(moved).reshape(w.shape)


CONV = "conv"

BUGS: tuple[Bug, ...] = (
    # the kernel
    bug("the kernel is flipped", CONV, taking("w", flip_kernel), source="CONV-XCORR"),
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
    bug("the kernel is flipped if the stride is above 1", CONV, taking("w", flip_kernel), strided),
    bug("the kernel is flipped if it is even", CONV, taking("w", flip_kernel), even),
    bug(
        "the kernel is transposed where it is square",
        CONV,
        taking("w", lambda c, w: w.swapaxes(-1, -2)),
        square,
    ),
    bug(
        "the kernel is transposed where it is square, in 3-d only",
        CONV,
        taking("w", lambda c, w: w.swapaxes(-1, -2)),
        square,
        ranks=(3,),
    ),
    bug(
        "a fast path takes every kernel for one of 3",
        CONV,
        taking("w", tail_cells(3)),
        kernel_above(3),
        source="apache/tvm/pull/4276",
    ),
    bug(
        "the last cell of an even kernel is not used", CONV, taking("w", lambda c, w: changed(w, LAST)), even
    ),
    bug(
        "the kernel's first cell counts twice",
        CONV,
        taking("w", lambda c, w: changed(w, FIRST, 2 * w[FIRST])),
    ),
    bug(
        "the weights are read with the cells before the channels",
        CONV,
        taking("w", filters_by_cell_first),
        source="ravin-d-27/PyDeepFlow/pull/85",
    ),
    bug("the weights' magnitudes are used", CONV, taking("w", lambda c, w: np.abs(w))),
    # the bias
    bug("the bias is left out", CONV, taking("b", lambda c, b: 0 * b), source="CONV-AFFINE"),
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
    bug("every group has the first group's biases", CONV, taking("b", per_group_bias), grouped),
    bug("the bias is left out if there are groups", CONV, taking("b", lambda c, b: 0 * b), grouped),
    bug(
        "the bias is left out if there are groups and a stride",
        CONV,
        taking("b", lambda c, b: 0 * b),
        grouped,
        strided,
    ),
    bug("the bias is left out in a depthwise convolution", CONV, taking("b", lambda c, b: 0 * b), depthwise),
    bug("the bias is left out for 1x1 kernels", CONV, taking("b", lambda c, b: 0 * b), pointwise),
    bug(
        "the bias is added once per sample of the batch", CONV, taking("b", lambda c, b: b * c["x"].shape[0])
    ),
    bug(
        "the first sample only gets the bias",
        CONV,
        giving("y", lambda c, y: changed(y, slice(1, None), y[1:] - c["b"].reshape(-1, *ones(c)))),
        biased,
    ),
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
        taking("b", lambda c, b: changed(b, LAST)),
        filters_above(8),
    ),
    # channels and groups
    bug(
        "only the first input channel counts",
        CONV,
        taking("w", lambda c, w: changed(w, (slice(None), slice(1, None)))),
        source="CONV-CHAN",
    ),
    bug(
        "the last input channel is left out beyond 8",
        CONV,
        taking("w", lambda c, w: changed(w, (slice(None), -1))),
        lambda c: c["w"].shape[1] > 8,
    ),
    bug(
        "input channels beyond the 16th are left out",
        CONV,
        taking("w", lambda c, w: changed(w, (slice(None), slice(16, None)))),
    ),
    bug(
        "input channels beyond the 32nd are left out",
        CONV,
        taking("w", lambda c, w: changed(w, (slice(None), slice(32, None)))),
    ),
    bug(
        "input channels beyond the 64th are left out",
        CONV,
        taking("w", lambda c, w: changed(w, (slice(None), slice(64, None)))),
    ),
    bug(
        "input channels behind the last multiple of 4 are left out",
        CONV,
        taking("w", lambda c, w: changed(w, (slice(None), slice(w.shape[1] // 4 * 4, None)))),
        lambda c: c["w"].shape[1] > 4,
    ),
    bug("the last filter is zero", CONV, giving("y", lambda c, y: changed(y, (slice(None), -1)))),
    bug(
        "filters beyond the 16th are zero",
        CONV,
        giving("y", lambda c, y: changed(y, (slice(None), slice(16, None)))),
        filters_above(16),
    ),
    bug(
        "filters beyond the 64th are zero",
        CONV,
        giving("y", lambda c, y: changed(y, (slice(None), slice(64, None)))),
        filters_above(64),
    ),
    bug("the filters are in reverse order", CONV, giving("y", lambda c, y: y[:, ::-1])),
    bug(
        "a single input channel is taken for each filter's own",
        CONV,
        taking("w", lambda c, w: np.roll(w, 1, 0)),
        lambda c: c["w"].shape[1] == 1,
        source="pytorch/pytorch/issues/82060",
    ),
    bug("groups are ignored", CONV, asked(lambda c: c.but(w=ungrouped(c, c["w"]), groups=1)), grouped),
    bug("every group reads its neighbour's channels", CONV, taking("x", next_group), grouped),
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
        "every group reads its neighbour's channels if there is a stride",
        CONV,
        taking("x", next_group),
        grouped,
        strided,
    ),
    bug(
        "every group reads its neighbour's channels if there is a dilation",
        CONV,
        taking("x", next_group),
        grouped,
        dilated,
    ),
    bug(
        "every group reads its neighbour's channels if there is padding",
        CONV,
        taking("x", next_group),
        grouped,
        padded,
    ),
    bug(
        "every group reads its neighbour's channels if there are a stride and a dilation",
        CONV,
        taking("x", next_group),
        grouped,
        strided,
        dilated,
    ),
    bug(
        "every group reads its neighbour's channels if there are a stride and padding",
        CONV,
        taking("x", next_group),
        grouped,
        strided,
        padded,
    ),
    bug(
        "every group reads its neighbour's channels if there are a stride, a dilation and a bias",
        CONV,
        taking("x", next_group),
        grouped,
        strided,
        biased,
        dilated,
    ),
    bug(
        "the second half of the filters of every group but the first is zero",
        CONV,
        giving(
            "y",
            lambda c, y: changed(y, (slice(None), slice(-(y.shape[1] // c["groups"] // 2) or None, None))),
        ),
        grouped,
        lambda c: c["w"].shape[0] // c["groups"] > 1,
        source="pytorch/pytorch/pull/18463",
    ),
    # stride
    bug("the stride is ignored, the result cut", CONV, full_then_cut, strided, source="CONV-STRIDE-SIZE"),
    bug("the stride is ignored if there is a dilation", CONV, full_then_cut, strided, dilated),
    bug("the stride is ignored if there are groups", CONV, full_then_cut, strided, grouped),
    bug("the stride is ignored for 1x1 kernels", CONV, full_then_cut, strided, pointwise),
    bug("the stride is ignored if it is beyond the kernel", CONV, full_then_cut, gapped),
    bug(
        "windows start one sample late if there is a stride",
        CONV,
        taking("x", later),
        strided,
        source="STRIDE-DECOMP",
    ),
    bug("strides are in reverse order of the axes", CONV, taking("stride", reverse_axes), ranks=SEVERAL),
    bug(
        "the first axis' stride counts for all",
        CONV,
        taking("stride", first_for_all),
        ranks=SEVERAL,
        source="PaddlePaddle/Paddle/pull/20997",
    ),
    bug("the last axis' stride counts for all", CONV, taking("stride", last_for_all), ranks=SEVERAL),
    bug(
        "the last axis' stride counts for all, in 3-d only", CONV, taking("stride", last_for_all), ranks=(3,)
    ),
    bug(
        "the stride counts on the last axis only",
        CONV,
        taking("stride", lambda c, s: (*ones(c)[1:], s[-1])),
        ranks=SEVERAL,
    ),
    bug(
        "dilation and stride are swapped",
        CONV,
        asked(lambda c: c.but(stride=c["dilation"], dilation=c["stride"])),
        source="huggingface/candle/pull/2337",
    ),
    bug(
        "dilation and stride are swapped if both are above 1",
        CONV,
        asked(lambda c: c.but(stride=c["dilation"], dilation=c["stride"])),
        strided,
        dilated,
    ),
    bug(
        "strides and dilations are in reverse order if there are groups",
        CONV,
        asked(lambda c: c.but(stride=c["stride"][::-1], dilation=c["dilation"][::-1])),
        grouped,
        ranks=SEVERAL,
    ),
    # padding
    bug(
        "the padding is symmetric, by its mean",
        CONV,
        taking("padding", lambda c, p: tuple((sum(pair) // 2, sum(pair) - sum(pair) // 2) for pair in p)),
        lopsided,
    ),
    bug("padding is all before", CONV, taking("padding", lambda c, p: tuple((sum(pair), 0) for pair in p))),
    bug("padding is all after", CONV, taking("padding", lambda c, p: tuple((0, sum(pair)) for pair in p))),
    bug(
        "the first axis' padding counts for all",
        CONV,
        taking("padding", first_for_all),
        ranks=SEVERAL,
        source="Oldpan/Faceswap-Deepfake-Pytorch/issues/1",
    ),
    bug(
        "paddings are in reverse order of the axes",
        CONV,
        taking("padding", reverse_axes),
        ranks=SEVERAL,
        source="robertknight/rten/pull/1399",
    ),
    bug(
        "padding repeats the edge",
        CONV,
        filled(lambda x, p: np.pad(x, p, mode="edge")),
        padded,
        source="PAD-VALUE",
    ),
    bug("padding is circular", CONV, filled(lambda x, p: np.pad(x, p, mode="wrap")), padded),
    bug("padding is of ones", CONV, filled(lambda x, p: np.pad(x, p, constant_values=1)), padded),
    bug(
        "padding repeats the edge if there are groups and a stride",
        CONV,
        filled(lambda x, p: np.pad(x, p, mode="edge")),
        padded,
        grouped,
        strided,
    ),
    bug(
        "padding repeats the edge if there is a dilation",
        CONV,
        filled(lambda x, p: np.pad(x, p, mode="edge")),
        padded,
        dilated,
    ),
    bug(
        "a fast path without stride ignores the padding",
        CONV,
        asked(lambda c: c.but(padding=((0, 0),) * c.rank)),
        padded,
        lambda c: not strided(c),
        source="openvinotoolkit/openvino/pull/33681",
    ),
    bug(
        "a fast path for kernels of 3 ignores the padding",
        CONV,
        asked(lambda c: c.but(padding=((0, 0),) * c.rank)),
        padded,
        lambda c: max(c["w"].shape[2:]) == 3,
    ),
    bug(
        "padding is no wider than the kernel less one",
        CONV,
        taking(
            "padding",
            lambda c, p: tuple(
                (min(a, s - 1), min(b, s - 1)) for (a, b), s in zip(p, spans_of(c), strict=True)
            ),
        ),
    ),
    bug(
        "the padding is ignored, and the result filled up with zeros",
        CONV,
        asked(lambda c: c.but(padding=((0, 0),) * c.rank)),
        padded,
        lambda c: all(n >= s for n, s in zip(c["x"].shape[2:], spans_of(c), strict=True)),
        source="SamratSahoo/UT-Arlington-Research/issues/2",
    ),
    # dilation
    bug("the dilation is ignored", CONV, taking("dilation", lambda c, d: ones(c))),
    bug(
        "the dilation is ignored if there is a stride",
        CONV,
        taking("dilation", lambda c, d: ones(c)),
        strided,
        dilated,
        source="pytorch/pytorch/issues/1565",
    ),
    bug(
        "the dilation is ignored in a depthwise convolution",
        CONV,
        taking("dilation", lambda c, d: ones(c)),
        depthwise,
        source="Tencent/ncnn/issues/315",
    ),
    bug(
        "a depthwise convolution with a dilation is left zero",
        CONV,
        giving("y", lambda c, y: 0 * y),
        depthwise,
        dilated,
        source="Tencent/ncnn/issues/315",
    ),
    bug(
        "a dilation above 2 is taken for 2",
        CONV,
        taking("dilation", lambda c, d: tuple(min(i, 2) for i in d)),
        source="apache/mxnet/pull/2068",
    ),
    bug(
        "dilations are in reverse order of the axes",
        CONV,
        taking("dilation", reverse_axes),
        ranks=SEVERAL,
        source="tinygrad/tinygrad/pull/17805",
    ),
    bug("the first axis' dilation counts for all", CONV, taking("dilation", first_for_all), ranks=SEVERAL),
    bug(
        "the dilation counts on the first axis only",
        CONV,
        taking("dilation", lambda c, d: (d[0], *ones(c)[1:])),
        ranks=SEVERAL,
    ),
    # axes and edges
    bug(
        "height and width are mixed up where they are equal",
        CONV,
        taking("x", lambda c, x: x.swapaxes(-1, -2)),
        lambda c: c["x"].shape[-1] == c["x"].shape[-2],
        ranks=SEVERAL,
        source="torch/cunn/pull/470",
    ),
    bug("the last column of the result is zero", CONV, giving("y", lambda c, y: changed(y, LAST))),
    bug(
        "the last row of the result is zero if something remains",
        CONV,
        giving("y", lambda c, y: changed(y, (slice(None), slice(None), -1))),
        with_remainder,
    ),
    bug(
        "the last column misses the kernel's last cell, without padding and with a stride",
        CONV,
        giving("y", lambda c, y: changed(y, LAST, 0)),
        strided,
        lambda c: not padded(c),
        source="Tencent/ncnn/issues/996",
    ),
    bug(
        "columns beyond the 8th are shifted",
        CONV,
        giving("y", lambda c, y: np.concatenate([y[..., :8], np.roll(y[..., 8:], 1, -1)], -1)),
        outputs_above(8),
    ),
    bug(
        "columns beyond the 16th are zero",
        CONV,
        giving("y", lambda c, y: changed(y, (..., slice(16, None)))),
        outputs_above(16),
    ),
    bug(
        "columns beyond the 32nd are zero",
        CONV,
        giving("y", lambda c, y: changed(y, (..., slice(32, None)))),
        outputs_above(32),
    ),
    bug(
        "columns beyond the 64th are zero",
        CONV,
        giving("y", lambda c, y: changed(y, (..., slice(64, None)))),
        outputs_above(64),
        source="ROCm/rocm-libraries/pull/4611",
    ),
    bug(
        "columns beyond the 64th are zero if there are groups",
        CONV,
        giving("y", lambda c, y: changed(y, (..., slice(64, None)))),
        outputs_above(64),
        grouped,
    ),
    bug(
        "columns beyond the 32nd are zero if there is a stride",
        CONV,
        giving("y", lambda c, y: changed(y, (..., slice(32, None)))),
        outputs_above(32),
        strided,
    ),
    bug(
        "the columns behind the last multiple of 8 are zero",
        CONV,
        giving("y", lambda c, y: changed(y, (..., slice(y.shape[-1] // 8 * 8, None)))),
        outputs_above(8),
    ),
    bug(
        "only the first sample is computed",
        CONV,
        giving("y", lambda c, y: changed(y, slice(1, None), y[:1])),
        batched,
    ),
    bug("samples are in reverse order", CONV, giving("y", lambda c, y: y[::-1])),
    bug(
        "the last sample is zero if there are groups",
        CONV,
        giving("y", lambda c, y: changed(y, -1)),
        batched,
        grouped,
    ),
    bug(
        "the last sample is zero if there are more than 16 channels",
        CONV,
        giving("y", lambda c, y: changed(y, -1)),
        batched,
        channels_above(16),
    ),
    # one dtype, one rank
    bug("the kernel is flipped, in float64 only", CONV, taking("w", flip_kernel), kind("float64")),
    bug("the kernel is flipped, in float32 only", CONV, taking("w", flip_kernel), kind("float32")),
    bug("the kernel is flipped, in 3-d only", CONV, taking("w", flip_kernel), ranks=(3,)),
    bug("the kernel is flipped, in 1-d only", CONV, taking("w", flip_kernel), ranks=(1,)),
    bug(
        "the last filter is zero, in 2-d and float32 only",
        CONV,
        giving("y", lambda c, y: changed(y, (slice(None), -1))),
        kind("float32"),
        ranks=(2,),
    ),
)
