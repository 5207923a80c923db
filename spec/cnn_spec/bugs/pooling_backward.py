"""Wrong derivatives of pooling: who is credited, how much, and whether windows add up."""

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
    kind,
    lopsided,
    off,
    on,
    outputs_above,
    overlapping,
    padded,
    strided,
    with_remainder,
)
from cnn_spec.bugs.convolution import SEVERAL, ones, reverse_axes, swap_pairs
from cnn_spec.bugs.convolution_backward import refitted
from cnn_spec.bugs.model import Bug, Wrong, answering, asked, bug, giving
from cnn_spec.bugs.pooling import (
    elements_of,
    elements_only,
    padding_too,
    partial,
    right_count,
    whole_kernel,
    windows_of,
)
from cnn_spec.definitions.pooling import Window
from cnn_spec.operations import Array, Call

MAX, AVG = "max_pool_backward", "avg_pool_backward"
BOTH = (MAX, AVG)

Shares = Callable[[Call, Window, Array], Array]
"""The part of a window's derivative that each of its elements gets: (N, C, elements) to the same."""


def credited(
    shares: Shares, add: bool = True, windows: Callable[[list[Window]], list[Window]] = list
) -> Wrong:
    """Each window's derivative, shared out by another rule; assigned, not added, if so said."""

    def define(call: Call) -> Array:
        dx = np.zeros(call["x"].shape)
        for window in windows(windows_of(call)):
            share = shares(call, window, elements_of(call["x"], window))
            dy = call["dy"][at_place(window.at)]
            for e, i in enumerate(window.elements):
                at = at_place(i)
                dx[at] = (
                    dx[at] + dy * share[..., e]
                    if add
                    else np.where(share[..., e] != 0, dy * share[..., e], dx[at])
                )
        return dx

    return answering(define)


def winner(e: Array) -> Array:
    """1 for the first of the largest elements, 0 for the others."""
    return np.asarray(e.argmax(-1)[..., None] == np.arange(e.shape[-1]))


def largest(call: Call, window: Window, e: Array) -> Array:
    """All to the first of the largest elements: what is right."""
    return winner(e)


def all_tied(call: Call, window: Window, e: Array) -> Array:
    """All to each of the largest elements."""
    return np.asarray(e == e.max(-1, keepdims=True))


def split(call: Call, window: Window, e: Array) -> Array:
    """Equal shares to the largest elements."""
    tied = e == e.max(-1, keepdims=True)
    return np.asarray(tied / tied.sum(-1, keepdims=True))


def equal(call: Call, window: Window, e: Array) -> Array:
    """Equal shares to all elements."""
    return np.full(e.shape, 1 / e.shape[-1])


def over(divisor: Callable[[Call, Window], int]) -> Shares:
    """Equal shares, by another count."""
    return lambda call, window, e: np.full(e.shape, 1 / divisor(call, window))


def mean(call: Call, window: Window, e: Array) -> Array:
    """What is right for means."""
    return np.full(e.shape, 1 / right_count(call, window))


def positive_only(call: Call, window: Window, e: Array) -> Array:
    """Nothing if padding, taken for 0, would have won."""
    return np.asarray(winner(e) & ((e.max(-1, keepdims=True) > 0) | (len(window.elements) == cells(call))))


def in_padded_places(call: Call, dx: Array) -> Array:
    """Places counted on the padded map."""
    found = dx
    for axis, (before, _) in enumerate(call["padding"], start=2):
        found = np.roll(found, before, axis)
    return found


def small(call: Call) -> bool:
    """Few windows, so that a slow variant stays fast."""
    return int(np.prod(call["dy"].shape[2:])) < 60


def other(name: str, change: Callable[[Call, Any], Any]) -> Wrong:
    """A parameter is taken for another, and `dy` cut or filled up to fit."""
    return asked(lambda c: refitted(c.but(**{name: change(c, c[name])})))


BUGS: tuple[Bug, ...] = (
    bug(
        "windows overwrite one another in max pooling's derivative",
        MAX,
        credited(largest, add=False),
        source="FluxML/NNlib.jl/issues/205",
    ),
    bug(
        "windows overwrite one another in max pooling's derivative, in 3-d only",
        MAX,
        credited(largest, add=False),
        ranks=(3,),
        source="FluxML/NNlib.jl/issues/205",
    ),
    bug(
        "windows overwrite one another if there are a dilation and a stride",
        MAX,
        credited(largest, add=False),
        dilated,
        strided,
    ),
    bug(
        "the first window to credit an element keeps it",
        MAX,
        credited(largest, add=False, windows=lambda w: w[::-1]),
        source="MAX-ROUTE",
    ),
    bug(
        "only the first window is credited",
        MAX,
        credited(largest, windows=lambda w: w[:1]),
        source="riccardoandreoni0/CNN-from-scratch/issues/1",
    ),
    bug(
        "each of the tied elements gets all",
        MAX,
        credited(all_tied),
        source="tensorflow/tensorflow/issues/4886",
    ),
    bug(
        "tied elements get equal shares, undeclared", MAX, credited(split), source="ahrefs/ocannl/issues/512"
    ),
    bug("tied elements get equal shares, undeclared, if windows overlap", MAX, credited(split), overlapping),
    bug(
        "elements near the largest get all too",
        MAX,
        credited(lambda c, w, e: e >= e.max(-1, keepdims=True) - 1),
        source="mni-ml/framework/pull/22",
    ),
    bug("the smallest element is credited", MAX, credited(lambda c, w, e: winner(-e))),
    bug(
        "the window's first cell is credited",
        MAX,
        credited(lambda c, w, e: np.broadcast_to(np.arange(e.shape[-1]) == 0, e.shape)),
    ),
    bug("all elements are credited in equal shares in max pooling", MAX, credited(equal)),
    bug("the largest magnitude is credited", MAX, credited(lambda c, w, e: winner(np.abs(e)))),
    bug("nothing is credited where padding as 0 would have won", MAX, credited(positive_only), padded),
    bug(
        "places are counted on the padded map",
        MAX,
        giving("dx", in_padded_places),
        padded,
        source="FluxML/NNlib.jl/issues/133",
    ),
    bug(
        "derivatives of max pooling are averaged over the windows that an element won",
        MAX,
        credited(
            lambda c, w, e: (
                winner(e) / np.prod([-(-k // s) for k, s in zip(c["kernel_size"], c["stride"], strict=True)])
            )
        ),
        overlapping,
    ),
    bug(
        "partial windows are not credited in max pooling",
        MAX,
        credited(lambda c, w, e: winner(e) & (len(w.elements) == cells(c))),
        partial,
        source="MAX-ZERO",
    ),
    bug(
        "the dilation is ignored in max pooling's derivative",
        MAX,
        other("dilation", lambda c, d: ones(c)),
        dilated,
    ),
    bug(
        "the dilation is ignored in max pooling's derivative if there is padding",
        MAX,
        other("dilation", lambda c, d: ones(c)),
        dilated,
        lambda c: padded(c) and bool(np.all(np.array(c["padding"]) < 2)),
    ),
    bug(
        "the winner's channel is the sample's first",
        MAX,
        giving(
            "dx",
            lambda c, dx: np.where(
                np.arange(dx.shape[1]).reshape(-1, *ones(c)) == 0, dx.sum(1, keepdims=True), 0
            ),
        ),
    ),
    bug(
        "the last sample of max pooling gets nothing",
        MAX,
        giving("dx", lambda c, dx: changed(dx, -1)),
        batched,
    ),
    bug(
        "all samples' derivatives go to the first",
        MAX,
        giving("dx", lambda c, dx: changed(0 * dx, 0, dx.sum(0))),
        batched,
    ),
    bug(
        "max pooling's derivative is zero in float64",
        MAX,
        giving("dx", lambda c, dx: 0 * dx),
        kind("float64"),
    ),
    bug(
        "the last column gets nothing in max pooling",
        MAX,
        giving("dx", lambda c, dx: changed(dx, (..., -1))),
        with_remainder,
    ),
    bug(
        "even windows credit their last cell",
        MAX,
        credited(lambda c, w, e: np.broadcast_to(np.arange(e.shape[-1]) == e.shape[-1] - 1, e.shape)),
        even,
    ),
    # means
    bug("windows overwrite one another in means", AVG, credited(mean, add=False), source="MEAN-ROUTE"),
    bug(
        "windows overwrite one another in means, if they overlap with a stride",
        AVG,
        credited(mean, add=False),
        lambda c: overlapping(c) and strided(c),
    ),
    bug(
        "the derivative of a mean is not divided",
        AVG,
        credited(lambda c, w, e: np.ones(e.shape)),
        source="MEAN-ROUTE",
    ),
    bug(
        "the derivative of a mean is divided by the squared size in 1-d",
        AVG,
        credited(over(lambda c, w: right_count(c, w) ** 2)),
        ranks=(1,),
        source="MEAN-ROUTE",
    ),
    bug("the derivative of a mean is divided by the whole kernel", AVG, credited(over(whole_kernel))),
    bug("the derivative of a mean is divided by the elements", AVG, credited(over(elements_only))),
    bug("the derivative of a mean counts padding always", AVG, credited(over(padding_too))),
    bug(
        "count_include_pad means the contrary in the derivative",
        AVG,
        other("count_include_pad", lambda c, on: not on),
    ),
    bug(
        "the derivative of a partial mean is divided by the whole kernel",
        AVG,
        credited(over(whole_kernel)),
        partial,
    ),
    bug(
        "the derivative of a partial mean is divided by the whole kernel if padding counts",
        AVG,
        credited(over(whole_kernel)),
        partial,
        padded,
        on("count_include_pad"),
    ),
    bug(
        "partial windows are not credited in means",
        AVG,
        credited(lambda c, w, e: np.full(e.shape, (len(w.elements) == cells(c)) / right_count(c, w))),
        off("count_include_pad"),
    ),
    bug("the largest element is credited in means", AVG, credited(largest)),
    bug("only the first window is credited in means", AVG, credited(mean, windows=lambda w: w[:1])),
    bug(
        "only the first element of a window is credited in means",
        AVG,
        credited(lambda c, w, e: np.broadcast_to((np.arange(e.shape[-1]) == 0) / right_count(c, w), e.shape)),
    ),
    bug(
        "the derivative of means depends on the input",
        AVG,
        giving("dx", lambda c, dx: dx * (c["x"] > 0)),
        source="MEAN-NOIDX",
    ),
    bug(
        "the derivative of means misses the last row",
        AVG,
        giving("dx", lambda c, dx: changed(dx, (slice(None), slice(None), -1))),
        source="mlpack/mlpack/pull/2865",
    ),
    bug("the last sample of means gets nothing", AVG, giving("dx", lambda c, dx: changed(dx, -1)), batched),
    bug(
        "the derivative of means beyond the 32nd column is zero",
        AVG,
        giving("dx", lambda c, dx: changed(dx, (..., slice(32, None)))),
        outputs_above(32),
    ),
    bug(
        "the derivative of means is spread over the gaps",
        AVG,
        giving("dx", lambda c, dx: np.where(dx == 0, np.roll(dx, 1, -1), dx)),
        gapped,
    ),
    bug(
        "windows overwrite one another in means, in 3-d only",
        AVG,
        credited(mean, add=False),
        small,
        ranks=(3,),
    ),
    # both
    bug(
        "the stride is ignored in pooling's derivative",
        BOTH,
        other("stride", lambda c, s: ones(c)),
        strided,
        off("ceil_mode"),
        source="enggen/Deep-Learning-Coursera/issues/7",
    ),
    bug(
        "the stride is the kernel's size in max pooling's derivative",
        MAX,
        other("stride", lambda c, s: c["kernel_size"]),
        overlapping,
        source="devitocodes/joey/pull/5",
    ),
    bug(
        "the stride is the kernel's size in means' derivative",
        AVG,
        other("stride", lambda c, s: c["kernel_size"]),
        overlapping,
    ),
    bug(
        "strides are in reverse order in max pooling's derivative",
        MAX,
        other("stride", reverse_axes),
        ranks=SEVERAL,
    ),
    bug(
        "strides are in reverse order in means' derivative", AVG, other("stride", reverse_axes), ranks=SEVERAL
    ),
    bug(
        "the padding's pairs are swapped in max pooling's derivative",
        MAX,
        other("padding", swap_pairs),
        lopsided,
    ),
    bug("the padding's pairs are swapped in means' derivative", AVG, other("padding", swap_pairs), lopsided),
    bug(
        "ceil_mode is ignored in max pooling's derivative",
        MAX,
        other("ceil_mode", lambda c, on: False),
        on("ceil_mode"),
    ),
    bug(
        "ceil_mode is ignored in means' derivative",
        AVG,
        other("ceil_mode", lambda c, on: False),
        on("ceil_mode"),
    ),
    bug(
        "kernel sizes are in reverse order in means' derivative",
        AVG,
        other("kernel_size", reverse_axes),
        ranks=SEVERAL,
    ),
)
