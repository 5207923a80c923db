"""Wrong derivatives of max pooling: who is credited, and whether windows add up."""

from math import prod

import numpy as np

from cnn_spec.bugs.changes import SEVERAL, all_one, nothing, ones, reverse_axes, swap_pairs, zeroed
from cnn_spec.bugs.conditions import (
    batched,
    dilated,
    even,
    kind,
    lopsided,
    off,
    on,
    overlapping,
    padded,
    partial,
    strided,
    with_remainder,
)
from cnn_spec.bugs.model import Bug, bug, giving, taking, variants
from cnn_spec.bugs.pooling_rules import credited, over, to_the_first, to_the_largest, whole, winner
from cnn_spec.definitions.pooling import Window
from cnn_spec.operations import Array, Call

MAX = "max_pool_backward"


def to_all_tied(call: Call, window: Window, e: Array) -> Array:
    """All to each of the largest elements."""
    return np.asarray(e == e.max(-1, keepdims=True))


def split(call: Call, window: Window, e: Array) -> Array:
    """Equal shares to the largest elements."""
    tied = e == e.max(-1, keepdims=True)
    return np.asarray(tied / tied.sum(-1, keepdims=True))


def if_positive(call: Call, window: Window, e: Array) -> Array:
    """Nothing if padding, taken for 0, would have won."""
    return np.asarray(winner(e) & ((e.max(-1, keepdims=True) > 0) | whole(call, window)))


def averaged_over_wins(call: Call, window: Window, e: Array) -> Array:
    """A share for each of the windows that an element may win."""
    wins = prod(-(-k // s) for k, s in zip(call["kernel_size"], call["stride"], strict=True))
    return np.asarray(winner(e) / wins)


def in_padded_places(call: Call, dx: Array) -> Array:
    """Places counted on the padded map."""
    found = dx
    for axis, (before, _) in enumerate(call["padding"], start=2):
        found = np.roll(found, before, axis)
    return found


def in_the_first_channel(call: Call, dx: Array) -> Array:
    """All that a sample is credited, in its first channel."""
    first = np.arange(dx.shape[1]).reshape(-1, *ones(call)) == 0
    return np.where(first, dx.sum(1, keepdims=True), 0)


def in_the_first_sample(call: Call, dx: Array) -> Array:
    """All that the batch is credited, in its first sample."""
    found = np.zeros_like(dx)
    found[0] = dx.sum(0)
    return found


CREDIT: tuple[Bug, ...] = (
    bug(
        "windows overwrite one another in max pooling's derivative",
        MAX,
        credited(to_the_largest, add=False),
        source="FluxML/NNlib.jl/issues/205",
    ),
    bug(
        "windows overwrite one another in max pooling's derivative, in 3-d only",
        MAX,
        credited(to_the_largest, add=False),
        ranks=(3,),
        source="FluxML/NNlib.jl/issues/205",
    ),
    bug(
        "windows overwrite one another if there are a dilation and a stride",
        MAX,
        credited(to_the_largest, add=False),
        dilated,
        strided,
    ),
    bug(
        "the first window to credit an element keeps it",
        MAX,
        credited(to_the_largest, add=False, order=lambda w: w[::-1]),
        source="MAX-ROUTE",
    ),
    bug(
        "only the first window is credited",
        MAX,
        credited(to_the_largest, order=lambda w: w[:1]),
        source="riccardoandreoni0/CNN-from-scratch/issues/1",
    ),
    bug(
        "each of the tied elements gets all",
        MAX,
        credited(to_all_tied),
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
    bug("the window's first cell is credited", MAX, credited(to_the_first)),
    bug(
        "all elements are credited in equal shares in max pooling",
        MAX,
        credited(over(lambda c, w: len(w.elements))),
    ),
    bug("the largest magnitude is credited", MAX, credited(lambda c, w, e: winner(np.abs(e)))),
    bug("nothing is credited where padding as 0 would have won", MAX, credited(if_positive), padded),
    bug(
        "derivatives of max pooling are averaged over the windows that an element won",
        MAX,
        credited(averaged_over_wins),
        overlapping,
    ),
    bug(
        "partial windows are not credited in max pooling",
        MAX,
        credited(lambda c, w, e: winner(e) & whole(c, w)),
        partial,
        source="MAX-ZERO",
    ),
    bug(
        "even windows credit their last cell",
        MAX,
        credited(lambda c, w, e: np.broadcast_to(np.arange(e.shape[-1]) == e.shape[-1] - 1, e.shape)),
        even,
    ),
)

PLACES: tuple[Bug, ...] = (
    bug(
        "places are counted on the padded map",
        MAX,
        giving("dx", in_padded_places),
        padded,
        source="FluxML/NNlib.jl/issues/133",
    ),
    bug("the winner's channel is the sample's first", MAX, giving("dx", in_the_first_channel)),
    bug("the last sample of max pooling gets nothing", MAX, giving("dx", zeroed(-1)), batched),
    bug("all samples' derivatives go to the first", MAX, giving("dx", in_the_first_sample), batched),
    bug("max pooling's derivative is zero in float64", MAX, giving("dx", nothing), kind("float64")),
    bug(
        "the last column gets nothing in max pooling if something remains",
        MAX,
        giving("dx", zeroed(..., -1)),
        with_remainder,
    ),
)

PARAMETERS: tuple[Bug, ...] = (
    *variants(
        "the dilation is ignored in max pooling's derivative",
        MAX,
        taking("dilation", all_one),
        {"": (dilated,), "if there is padding": (dilated, padded)},
    ),
    bug(
        "the stride is ignored in max pooling's derivative",
        MAX,
        taking("stride", all_one),
        strided,
        off("ceil_mode"),
        source="enggen/Deep-Learning-Coursera/issues/7",
    ),
    bug(
        "the stride is the kernel's size in max pooling's derivative",
        MAX,
        taking("stride", lambda c, s: c["kernel_size"]),
        overlapping,
        source="devitocodes/joey/pull/5",
    ),
    bug(
        "strides are in reverse order in max pooling's derivative",
        MAX,
        taking("stride", reverse_axes),
        ranks=SEVERAL,
    ),
    bug(
        "the padding's pairs are swapped in max pooling's derivative",
        MAX,
        taking("padding", swap_pairs),
        lopsided,
    ),
    bug(
        "ceil_mode is ignored in max pooling's derivative",
        MAX,
        taking("ceil_mode", lambda c, on: False),
        on("ceil_mode"),
    ),
)

BUGS = CREDIT + PLACES + PARAMETERS
