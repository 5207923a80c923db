"""Wrong max pooling: what a window takes for its largest element."""

import numpy as np

from cnn_spec.bugs.changes import beyond, filled, first_sample_for_all, nothing, zeroed
from cnn_spec.bugs.conditions import batched, dilated, even, kind, negative, off, on, outputs_above, partial
from cnn_spec.bugs.model import Bug, asked, bug, giving, variants
from cnn_spec.bugs.pooling_rules import pooled, whole
from cnn_spec.definitions.pooling import Window
from cnn_spec.operations import Array, Call

MAX = "max_pool"


def from_zero(call: Call, window: Window, e: Array) -> Array:
    """The largest of the elements and 0."""
    return np.asarray(np.maximum(e.max(-1), 0))


def last_near_the_largest(call: Call, window: Window, e: Array) -> Array:
    """The last element that is not clearly below the largest."""
    near = e >= e.max(-1, keepdims=True) - 1
    last = e.shape[-1] - 1 - near[..., ::-1].argmax(-1)
    return np.asarray(np.take_along_axis(e, last[..., None], -1)[..., 0])


def all_but_the_last(call: Call, window: Window, e: Array) -> Array:
    """The largest of all cells but the last."""
    return np.asarray(e[..., : max(e.shape[-1] - 1, 1)].max(-1))


def fitting_at_the_end(call: Call, window: Window, e: Array) -> Array:
    """The first element, where the window sticks out."""
    return np.asarray(e.max(-1) if whole(call, window) else e[..., 0])


BUGS: tuple[Bug, ...] = (
    bug("the mean for the maximum", MAX, pooled(lambda c, w, e: e.mean(-1)), source="MAX-SELECT"),
    bug("the minimum for the maximum", MAX, pooled(lambda c, w, e: e.min(-1))),
    bug("the largest magnitude for the maximum", MAX, pooled(lambda c, w, e: np.abs(e).max(-1))),
    bug(
        "the maximum starts from 0",
        MAX,
        pooled(from_zero),
        source="plaidml/plaidml/issues/313",
    ),
    *variants(
        "the maximum starts from 0",
        MAX,
        pooled(from_zero),
        {
            "in float64 only": (kind("float64"),),
            "if there is a dilation and ceil_mode": (dilated, on("ceil_mode")),
        },
    ),
    bug(
        "the maximum starts from the smallest positive number",
        MAX,
        pooled(lambda c, w, e: np.maximum(e.max(-1), np.finfo(c["x"].dtype).tiny)),
    ),
    bug(
        "padding counts as 0 in max pooling",
        MAX,
        asked(filled),
        off("ceil_mode"),
        source="dmlc/nnvm/issues/486",
    ),
    bug(
        "padding counts as 0 in max pooling, in 3-d only",
        MAX,
        asked(filled),
        off("ceil_mode"),
        ranks=(3,),
        source="distdl/distdl/issues/195",
    ),
    bug("padding counts as 0 if there is a dilation", MAX, asked(filled), off("ceil_mode"), dilated),
    bug(
        "padding counts as -1000",
        MAX,
        pooled(lambda c, w, e: e.max(-1) if whole(c, w) else np.maximum(e.max(-1), -1000)),
    ),
    bug(
        "a window that sticks out is at least 0",
        MAX,
        pooled(lambda c, w, e: e.max(-1) if whole(c, w) else np.maximum(e.max(-1), 0)),
    ),
    bug("the window's last cell is not looked at", MAX, pooled(all_but_the_last)),
    bug("the last cell of an even window is not looked at", MAX, pooled(all_but_the_last), even),
    bug(
        "the window's first cell is not looked at",
        MAX,
        pooled(lambda c, w, e: e[..., min(e.shape[-1] - 1, 1) :].max(-1)),
    ),
    bug("the first cell of the window", MAX, pooled(lambda c, w, e: e[..., 0])),
    bug(
        "near maxima count as the maximum",
        MAX,
        pooled(last_near_the_largest),
        source="mni-ml/framework/pull/22",
    ),
    bug(
        "windows of a single row have no element",
        MAX,
        pooled(lambda c, w, e: np.full(e.shape[:2], np.finfo(c["x"].dtype).min)),
        lambda c: c["kernel_size"][0] == 1 < c["kernel_size"][-1],
        source="tensorflow/tensorflow/issues/31271",
    ),
    bug("all zero if the input is negative", MAX, giving("y", nothing), negative),
    bug(
        "ceil_mode gives complete windows only, the last column being the first again",
        MAX,
        giving("y", lambda c, y: np.concatenate([y[..., :-1], y[..., :1]], -1)),
        partial,
    ),
    bug(
        "a window that sticks out is its first element if ceil_mode",
        MAX,
        pooled(fitting_at_the_end),
        on("ceil_mode"),
    ),
    bug(
        "pooled columns beyond the 64th are zero",
        MAX,
        giving("y", zeroed(..., beyond(64))),
        outputs_above(64),
    ),
    bug("every pooled sample is the first one's", MAX, giving("y", first_sample_for_all), batched),
    bug("pooled channels are in reverse order", MAX, giving("y", lambda c, y: y[:, ::-1])),
    bug(
        "the maximum over all channels",
        MAX,
        giving("y", lambda c, y: np.broadcast_to(y.max(1, keepdims=True), y.shape)),
    ),
)
