"""Wrong flat layers: the weights' layout, the bias, samples, and their derivatives."""

import numpy as np

from cnn_spec.bugs.changes import ALL, beyond, changed, deriving, first_sample_for_all, nothing, only, zeroed
from cnn_spec.bugs.conditions import batched, biased, kind
from cnn_spec.bugs.model import Bug, Wrong, bug, giving, taking
from cnn_spec.operations import Array, Call

FWD, BACK = "linear", "linear_backward"


def square(call: Call) -> bool:
    """As many features out as in, and more than one."""
    return bool(call["w"].shape[0] == call["w"].shape[1] > 1)


def inputs_first(call: Call, w: Array) -> Array:
    """Weights read as (in, out)."""
    return np.ascontiguousarray(w).reshape(w.shape[::-1]).T


def one_sample(which: slice) -> Wrong:
    """That sample alone."""
    return only("dw", lambda call: call.but(dy=call["dy"][which], x=call["x"][which]))


SELDOM_SQUARE = "few rows have as many features as outputs, and more than one"

FORWARD: tuple[Bug, ...] = (
    bug("linear: weights are taken for (in, out)", FWD, taking("w", inputs_first), adapter=True),
    bug("linear: weights are transposed where they are square", FWD, taking("w", lambda c, w: w.T), square),
    bug("linear: the bias is left out", FWD, taking("b", nothing)),
    bug("linear: the bias is added for each input", FWD, taking("b", lambda c, b: b * c["x"].shape[1])),
    bug(
        "linear: every output has the first one's bias", FWD, taking("b", lambda c, b: np.full_like(b, b[0]))
    ),
    bug(
        "linear: the first sample only gets the bias",
        FWD,
        giving("y", lambda c, y: changed(y, beyond(1), y[1:] - c["b"])),
        biased,
    ),
    bug("linear: the last input is left out", FWD, taking("w", zeroed(ALL, -1))),
    bug("linear: inputs beyond the 32nd are left out", FWD, taking("w", zeroed(ALL, beyond(32)))),
    bug("linear: outputs beyond the 64th are zero", FWD, giving("y", zeroed(ALL, beyond(64)))),
    bug(
        "linear: inputs behind the last multiple of 4 are left out",
        FWD,
        taking("w", lambda c, w: changed(w, (ALL, beyond(w.shape[1] // 4 * 4)))),
        lambda c: c["w"].shape[1] > 4,
    ),
    bug("linear: every sample has the first one's result", FWD, giving("y", first_sample_for_all), batched),
    bug(
        "linear: zero in float64 without a bias",
        FWD,
        giving("y", nothing),
        kind("float64"),
        lambda c: c["b"] is None,
    ),
)

BACKWARD: tuple[Bug, ...] = (
    bug(
        "linear dx: weights are transposed where they are square",
        BACK,
        deriving("dx", "w", lambda c, w: w.T),
        square,
        rare=SELDOM_SQUARE,
    ),
    bug("linear dx: the last output is left out", BACK, deriving("dx", "dy", zeroed(ALL, -1))),
    bug("linear dx: divided by the batch", BACK, giving("dx", lambda c, dx: dx / c["x"].shape[0])),
    bug("linear dx: the last sample is zero", BACK, giving("dx", zeroed(-1)), batched),
    bug(
        "linear dw: transposed where it is square",
        BACK,
        giving("dw", lambda c, dw: dw.T),
        square,
        rare=SELDOM_SQUARE,
    ),
    bug("linear dw: laid out as (in, out)", BACK, giving("dw", lambda c, dw: dw.T), adapter=True),
    bug("linear dw: the mean over the batch", BACK, giving("dw", lambda c, dw: dw / c["x"].shape[0])),
    bug("linear dw: the first sample's only", BACK, one_sample(slice(1)), batched),
    bug("linear dw: the last sample's only", BACK, one_sample(slice(-1, None)), batched),
    bug("linear dw: subtracted", BACK, giving("dw", lambda c, dw: -dw)),
    bug(
        "linear db: the first sample's only",
        BACK,
        giving("db", lambda c, db: c["dy"][0]),
        source="mlpack/mlpack/pull/3679",
    ),
    bug("linear db: the mean over the batch", BACK, giving("db", lambda c, db: db / c["x"].shape[0])),
    bug("linear db: the sum over all outputs", BACK, giving("db", lambda c, db: np.full_like(db, db.sum()))),
    bug("linear db: zero", BACK, giving("db", nothing)),
    bug("linear db: outputs beyond the 32nd get nothing", BACK, giving("db", zeroed(beyond(32)))),
)

BUGS = FORWARD + BACKWARD
