"""Wrong answers to unusual calls: an empty batch, NaN and infinity, and what should have been refused."""

import numpy as np

from cnn_spec.bugs.model import Bug, asked, bug, refusing, taking
from cnn_spec.operations import Array, Call, Implementation, Results

CONV = "conv"


def without_nan(call: Call, x: Array) -> Array:
    """NaN taken for zero."""
    return np.nan_to_num(x, nan=0.0, posinf=np.inf, neginf=-np.inf)


def answers_impossible(right: Implementation) -> Implementation:
    """A call that is refused is answered with nothing instead."""

    def answer(call: Call) -> Results:
        try:
            return right(call)
        except Exception:  # noqa: BLE001 - whatever the right one refuses with
            return tuple(np.zeros((0,) * 2) for _ in call.results)

    return answer


def empty_batch(call: Call) -> bool:
    """No sample."""
    return bool(call["x"].shape[0] == 0)


def uninitialised(right: Implementation) -> Implementation:
    """Results are never written to."""

    def answer(call: Call) -> Results:
        return tuple(np.full_like(part, 1e30) for part in right(call))

    return answer


BUGS: tuple[Bug, ...] = (
    bug("a NaN in the map is taken for zero", CONV, taking("x", without_nan)),
    bug(
        "zero weights hide a NaN",
        CONV,
        asked(lambda c: c.but(x=np.where(np.isnan(c["x"]), 0, c["x"]))),
        lambda c: bool(np.any(c["w"] == 0)),
    ),
    bug(
        "a NaN in a pooling window is overlooked, undeclared",
        "max_pool",
        taking("x", lambda c, x: np.where(np.isnan(x), -np.inf, x)),
        source="tracel-ai/burn/pull/5662",
    ),
    bug(
        "a NaN in a pooling window is overlooked in 3-d, undeclared",
        "max_pool",
        taking("x", lambda c, x: np.where(np.isnan(x), -np.inf, x)),
        ranks=(3,),
        source="pytorch/pytorch/issues/39846",
    ),
    bug(
        "an infinity is taken for the largest number",
        ("conv", "max_pool", "avg_pool"),
        taking("x", lambda c, x: np.clip(x, np.finfo(x.dtype).min, np.finfo(x.dtype).max)),
    ),
    bug("a NaN in a mean is left out", "avg_pool", taking("x", without_nan)),
    bug(
        "an empty batch is refused",
        ("conv", "conv_backward"),
        refusing,
        empty_batch,
        source="meta-pytorch/opacus/pull/530",
    ),
    bug(
        "an empty batch leaves dw as memory was",
        "conv_backward",
        uninitialised,
        empty_batch,
        source="FluxML/NNlib.jl/pull/763",
    ),
    bug(
        "a kernel larger than the padded map is answered",
        "conv",
        answers_impossible,
        source="keras-team/keras/pull/21796",
    ),
    bug(
        "a stride of 0 is answered",
        "max_pool",
        answers_impossible,
        source="pytorch/pytorch/issues/27598",
    ),
)
