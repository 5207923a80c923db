"""Wrong derivatives of a convolution: by the input, by the weights, by the bias."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cnn_spec.bugs.conditions import (
    batched,
    changed,
    depthwise,
    dilated,
    grouped,
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
from cnn_spec.bugs.convolution import (
    SEVERAL,
    first_for_all,
    flip_kernel,
    interleave,
    last_for_all,
    next_group,
    ones,
    reverse_axes,
    swap_pairs,
)
from cnn_spec.bugs.model import Bug, Wrong, bug, fitted, giving
from cnn_spec.definitions.convolution import indices
from cnn_spec.operations import Array, Call, Implementation, Results
from cnn_spec.shapes import forward_shape


def only(name: str, change: Callable[[Call], Call]) -> Wrong:
    """One derivative is that of another call; the others are right."""

    def wrong(right: Implementation) -> Implementation:
        def answer(call: Call) -> Results:
            others = right(change(call))
            return tuple(
                fitted(other, part.shape) if result == name else part
                for result, part, other in zip(call.results, right(call), others, strict=True)
            )

        return answer

    return wrong


def taking(result: str, name: str, change: Callable[[Call, Any], Any]) -> Wrong:
    """One derivative takes an argument or parameter for another."""
    return only(result, lambda c: c.but(**{name: change(c, c[name])}))


def with_parameter(result: str, name: str, change: Callable[[Call, Any], Any]) -> Wrong:
    """One derivative takes a parameter for another, and `dy` cut or filled up to fit."""

    def differently(call: Call) -> Call:
        return refitted(call.but(**{name: change(call, call[name])}))

    return only(result, differently)


def refitted(call: Call) -> Call:
    """With `dy` cut or filled up to the shape that the other arguments ask for."""
    return call.but(dy=fitted(call["dy"], forward_shape(call)))


def swap_channels(call: Call, w: Array) -> Array:
    """Filters and channels of each group exchanged, where there are as many of them."""
    parts = np.split(w, call["groups"])
    return np.concatenate([part.swapaxes(0, 1) for part in parts])


def as_many_filters_as_channels(call: Call) -> bool:
    """Each group has as many filters as channels, and more than one."""
    return bool(call["w"].shape[0] // call["groups"] == call["w"].shape[1] > 1)


def last_writer_wins(right: Implementation) -> Implementation:
    """The input's derivative is assigned, window by window, not added."""

    def answer(call: Call) -> Results:
        found, dw, db = right(call)
        dx = np.zeros_like(found)
        plain = call.but(w=np.ones_like(call["w"]), x=call["x"][:1], dy=call["dy"][:1])
        for o in indices(*call["dy"].shape[2:]):
            here = (slice(None), slice(None), *o)
            one, some = np.zeros_like(call["dy"]), np.zeros_like(plain["dy"])
            one[here], some[here] = call["dy"][here], 1
            dx = np.where(right(plain.but(dy=some))[0] != 0, right(call.but(dy=one))[0], dx)
        return dx, dw, db

    return answer


def few_outputs(call: Call) -> bool:
    """At most 300 places in the output, so that a window-by-window bug stays fast."""
    return int(np.prod(call["dy"].shape[2:])) <= 300


def interior(call: Call, dx: Array) -> Array:
    """The border of the derivative is zero."""
    found = np.zeros_like(dx)
    inside = (slice(None), slice(None), *(slice(1, -1) for _ in range(call.rank)))
    found[inside] = dx[inside]
    return found


def filled_remainder(call: Call, dx: Array) -> Array:
    """What no window sees gets the derivative of its neighbour."""
    found = np.array(dx)
    for at in range(1, found.shape[-1]):
        if not np.any(dx[..., at]):
            found[..., at] = found[..., at - 1]
    return found


def outer_padding_windows_skipped(call: Call) -> Call:
    """Windows that start in the padding are not counted."""
    dy = np.array(call["dy"])
    for axis, ((before, _), step) in enumerate(zip(call["padding"], call["stride"], strict=True), start=2):
        dy[(*(slice(None),) * axis, slice(-(-before // step)))] = 0
    return call.but(dy=dy)


def edge_filled(call: Call) -> Call:
    """The weights' derivative sees the edge repeated in the padding."""
    x = np.pad(call["x"], [(0, 0), (0, 0), *call["padding"]], mode="edge")
    return call.but(x=x, padding=((0, 0),) * call.rank)


def spread_within(call: Call, dy: Array) -> Array:
    """Derivatives one place further on: the zeros of the spread come first."""
    moved = np.zeros_like(dy)
    moved[..., 1:] = dy[..., :-1]
    return moved


def first_sample(call: Call) -> Call:
    """The first sample alone."""
    return call.but(dy=call["dy"][:1], x=call["x"][:1])


def last_sample(call: Call) -> Call:
    """The last sample alone."""
    return call.but(dy=call["dy"][-1:], x=call["x"][-1:])


def bounded_by_the_kernel(call: Call) -> Call:
    """The sum runs over as many places of the output as the kernel has cells."""
    kept = np.zeros_like(call["dy"])
    part = (slice(None), slice(None), *map(slice, call["w"].shape[2:]))
    kept[part] = call["dy"][part]
    return call.but(dy=kept)


def beyond(call: Call) -> bool:
    """More than one place in the output."""
    return bool(max(call["dy"].shape[2:]) > 1)


def total(dy: Array, *axes: int) -> Array:
    """The sum over the remaining axes."""
    return np.asarray(dy.sum(axis=axes))


BACK = "conv_backward"

BUGS: tuple[Bug, ...] = (
    # by the input
    bug("dx: the kernel is not flipped", BACK, taking("dx", "w", flip_kernel), source="YG-FLIP"),
    bug(
        "dx: the kernel is flipped on one axis only",
        BACK,
        taking("dx", "w", lambda c, w: w[..., ::-1]),
        ranks=SEVERAL,
        source="YG-DOUBLEFLIP",
    ),
    bug(
        "dx: the kernel is transposed where it is square",
        BACK,
        taking("dx", "w", lambda c, w: w.swapaxes(-1, -2)),
        square,
    ),
    bug(
        "dx: filters and channels are not exchanged",
        BACK,
        taking("dx", "w", swap_channels),
        as_many_filters_as_channels,
        source="YG-GENERAL",
    ),
    bug(
        "dx: filters and channels are not exchanged if there are groups",
        BACK,
        taking("dx", "w", swap_channels),
        as_many_filters_as_channels,
        grouped,
    ),
    bug("dx: the kernel is not flipped if there is a stride", BACK, taking("dx", "w", flip_kernel), strided),
    bug(
        "dx: the kernel is not flipped if there are groups and a dilation",
        BACK,
        taking("dx", "w", flip_kernel),
        grouped,
        dilated,
    ),
    bug("dx: windows overwrite one another", BACK, last_writer_wins, few_outputs, source="EQ3-UPDATE"),
    bug(
        "dx: the stride is ignored",
        BACK,
        with_parameter("dx", "stride", lambda c, s: ones(c)),
        strided,
        source="enggen/Deep-Learning-Coursera/issues/7",
    ),
    bug(
        "dx: the stride is ignored for 1x1 kernels",
        BACK,
        with_parameter("dx", "stride", lambda c, s: ones(c)),
        strided,
        pointwise,
        source="pytorch/pytorch/issues/63314",
    ),
    bug(
        "dx: the stride is ignored if there are groups",
        BACK,
        with_parameter("dx", "stride", lambda c, s: ones(c)),
        strided,
        grouped,
        source="ml-explore/mlx/pull/3800",
    ),
    bug(
        "dx: strides are in reverse order of the axes",
        BACK,
        with_parameter("dx", "stride", reverse_axes),
        ranks=SEVERAL,
    ),
    bug(
        "dx: the first axis' stride counts for all",
        BACK,
        with_parameter("dx", "stride", first_for_all),
        ranks=SEVERAL,
    ),
    bug("dx: one place late if there is a stride", BACK, taking("dx", "dy", spread_within), strided),
    bug(
        "dx: stride and dilation are swapped",
        BACK,
        only("dx", lambda c: refitted(c.but(stride=c["dilation"], dilation=c["stride"]))),
        source="huggingface/candle/pull/2337",
    ),
    bug("dx: the dilation is ignored", BACK, with_parameter("dx", "dilation", lambda c, d: ones(c)), dilated),
    bug(
        "dx: the dilation is ignored if there is a stride",
        BACK,
        with_parameter("dx", "dilation", lambda c, d: ones(c)),
        dilated,
        strided,
    ),
    bug(
        "dx: the dilation is ignored in a depthwise convolution",
        BACK,
        with_parameter("dx", "dilation", lambda c, d: ones(c)),
        dilated,
        depthwise,
    ),
    bug(
        "dx: the padding's pairs are swapped",
        BACK,
        with_parameter("dx", "padding", swap_pairs),
        lopsided,
        source="nntrainer/nntrainer/pull/1570",
    ),
    bug(
        "dx: the padding's pairs are swapped if there is a stride",
        BACK,
        with_parameter("dx", "padding", swap_pairs),
        lopsided,
        strided,
    ),
    bug(
        "dx: paddings are in reverse order of the axes",
        BACK,
        with_parameter("dx", "padding", reverse_axes),
        ranks=SEVERAL,
    ),
    bug(
        "dx: the padding is not cut off",
        BACK,
        with_parameter("dx", "padding", lambda c, p: ((0, 0),) * c.rank),
        padded,
    ),
    bug(
        "dx: the border stays zero",
        BACK,
        giving("dx", interior),
        lambda c: min(c["x"].shape[2:]) > 2,
        source="YG-BORDER",
    ),
    bug("dx: the last sample is zero", BACK, giving("dx", lambda c, dx: changed(dx, -1)), batched),
    bug("dx: divided by the batch", BACK, giving("dx", lambda c, dx: dx / c["x"].shape[0])),
    bug(
        "dx: what no window sees gets its neighbour's derivative",
        BACK,
        giving("dx", filled_remainder),
        with_remainder,
    ),
    bug(
        "dx: every group gets its neighbour's derivative",
        BACK,
        giving("dx", next_group),
        grouped,
        source="apache/tvm/pull/9465",
    ),
    bug(
        "dx: every group gets its neighbour's derivative if there is a stride",
        BACK,
        giving("dx", next_group),
        grouped,
        strided,
        source="ml-explore/mlx/pull/3800",
    ),
    bug(
        "dx: every group gets its neighbour's derivative if there are a stride and padding",
        BACK,
        giving("dx", next_group),
        grouped,
        strided,
        padded,
    ),
    bug(
        "dx: every group gets its neighbour's derivative if there are a stride and a dilation",
        BACK,
        giving("dx", next_group),
        grouped,
        strided,
        dilated,
    ),
    bug("dx: channels are dealt out to the groups in turn", BACK, giving("dx", interleave), grouped),
    bug(
        "dx: channels beyond the 16th are zero if there is a stride and few columns",
        BACK,
        giving("dx", lambda c, dx: changed(dx, (slice(None), slice(16, None)))),
        strided,
        lambda c: c["x"].shape[1] > 16 and c["x"].shape[-1] < 17,
        source="fujitsu/oneDNN/issues/43",
    ),
    bug(
        "dx: filters beyond the 32nd do not count",
        BACK,
        taking("dx", "w", lambda c, w: changed(w, slice(32, None))),
    ),
    bug(
        "dx: the last column is zero if there is a stride",
        BACK,
        giving("dx", lambda c, dx: changed(dx, (..., -1))),
        strided,
    ),
    bug("dx: zero in 3-d with groups", BACK, giving("dx", lambda c, dx: 0 * dx), grouped, ranks=(3,)),
    # by the weights
    bug("dw: flipped", BACK, giving("dw", flip_kernel), source="WG-FORMULA"),
    bug(
        "dw: flipped on the first axis only", BACK, giving("dw", lambda c, dw: dw[:, :, ::-1]), ranks=SEVERAL
    ),
    bug("dw: flipped in 1-d only", BACK, giving("dw", flip_kernel), ranks=(1,)),
    bug(
        "dw: transposed where the kernel is square",
        BACK,
        giving("dw", lambda c, dw: dw.swapaxes(-1, -2)),
        square,
    ),
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
    bug("dw: the last sample's only if there are groups", BACK, only("dw", last_sample), grouped),
    bug(
        "dw: the last sample's only if there are groups and a stride",
        BACK,
        only("dw", last_sample),
        grouped,
        strided,
    ),
    bug(
        "dw: the stride is ignored",
        BACK,
        with_parameter("dw", "stride", lambda c, s: ones(c)),
        strided,
        source="WG-FORMULA",
    ),
    bug(
        "dw: the stride is ignored if there are groups",
        BACK,
        with_parameter("dw", "stride", lambda c, s: ones(c)),
        strided,
        grouped,
        source="tracel-ai/burn/pull/1891",
    ),
    bug(
        "dw: the last axis' stride counts for all",
        BACK,
        with_parameter("dw", "stride", last_for_all),
        ranks=SEVERAL,
    ),
    bug("dw: the dilation is ignored", BACK, with_parameter("dw", "dilation", lambda c, d: ones(c)), dilated),
    bug(
        "dw: dilations are in reverse order of the axes",
        BACK,
        with_parameter("dw", "dilation", reverse_axes),
        ranks=SEVERAL,
    ),
    bug(
        "dw: the sum runs over as many places as the kernel has",
        BACK,
        only("dw", bounded_by_the_kernel),
        beyond,
        source="WG-KBOUND",
    ),
    bug("dw: the padding's pairs are swapped", BACK, with_parameter("dw", "padding", swap_pairs), lopsided),
    bug("dw: the padding repeats the edge", BACK, only("dw", edge_filled), padded),
    bug(
        "dw: windows that start in the padding are skipped if there is a stride",
        BACK,
        only("dw", outer_padding_windows_skipped),
        strided,
        padded,
        source="uxlfoundation/oneDNN/issues/4124",
    ),
    bug(
        "dw: windows that start in the padding are skipped",
        BACK,
        only("dw", outer_padding_windows_skipped),
        padded,
    ),
    bug(
        "dw: the last column of the output is left out",
        BACK,
        taking("dw", "dy", lambda c, dy: changed(dy, (..., -1))),
        source="WG-OUTPUT",
    ),
    bug(
        "dw: columns beyond the 64th are left out",
        BACK,
        taking("dw", "dy", lambda c, dy: changed(dy, (..., slice(64, None)))),
        outputs_above(64),
    ),
    bug("dw: every group sees its neighbour's channels", BACK, taking("dw", "x", next_group), grouped),
    bug(
        "dw: every group sees its neighbour's channels if there is a dilation",
        BACK,
        taking("dw", "x", next_group),
        grouped,
        dilated,
    ),
    bug(
        "dw: every group sees its neighbour's channels if there are a stride and padding",
        BACK,
        taking("dw", "x", next_group),
        grouped,
        strided,
        padded,
    ),
    bug(
        "dw: the first group's only",
        BACK,
        giving("dw", lambda c, dw: changed(dw, slice(dw.shape[0] // c["groups"], None))),
        grouped,
    ),
    bug(
        "dw: wrong crop if something remains",
        BACK,
        giving("dw", lambda c, dw: np.roll(dw, 1, -1)),
        with_remainder,
        source="f-dangel/backpack/issues/30",
    ),
    bug("dw: subtracted", BACK, giving("dw", lambda c, dw: -dw), source="EQ3-UPDATE"),
    bug("dw: zero in float64", BACK, giving("dw", lambda c, dw: 0 * dw), kind("float64")),
    # by the bias
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
        giving("db", lambda c, db: total(c["dy"][:1], 0, *spatial(c))),
        source="mlpack/mlpack/pull/3679",
    ),
    bug(
        "db: the first place's only",
        BACK,
        giving("db", lambda c, db: total(c["dy"].reshape(*c["dy"].shape[:2], -1)[..., 0], 0)),
    ),
    bug(
        "db: the last column is left out",
        BACK,
        giving("db", lambda c, db: total(c["dy"][..., :-1], 0, *spatial(c))),
    ),
    bug(
        "db: every filter gets the sum over all", BACK, giving("db", lambda c, db: np.full_like(db, db.sum()))
    ),
    bug("db: zero", BACK, giving("db", lambda c, db: 0 * db)),
    bug("db: zero if there are groups", BACK, giving("db", lambda c, db: 0 * db), grouped),
    bug(
        "db: every group gets the first group's",
        BACK,
        giving("db", lambda c, db: np.tile(db[: db.size // c["groups"]], c["groups"])),
        grouped,
    ),
    bug(
        "db: multiplied by the kernel's cells",
        BACK,
        giving("db", lambda c, db: db * np.prod(c["w"].shape[2:])),
    ),
    bug(
        "db: filters beyond the 64th get nothing",
        BACK,
        giving("db", lambda c, db: changed(db, slice(64, None))),
    ),
)
