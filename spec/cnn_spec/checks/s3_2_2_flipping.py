"""Checks of the notes' §3.2.2: the input's derivative as a convolution by flipped filters."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy as sp

from cnn_spec.checks import gradients as sums
from cnn_spec.checks.check import Evidence, Reading, ambiguous, at_shapes, differs_first_at, executed, for_all
from cnn_spec.checks.s2_1_convolution import flipped
from cnn_spec.checks.s2_3_1_sizes import WINDOWS
from cnn_spec.checks.s3_2_2_contributions import Backward, cell_of, cells_meeting, loss_through_input
from cnn_spec.checks.search import cases
from cnn_spec.checks.tensors import (
    Shape,
    conv,
    conv_backward,
    count_windows,
    derivative,
    distinct,
    inner,
    integers,
    line,
    pad,
    same,
    sliced,
    symbols,
)
from cnn_spec.operations import Array
from cnn_spec.sizes import Pair

SMALL = cases(
    N=range(1, 5),
    K=range(1, 4),
    S=range(1, 4),
    before=range(2),
    Ci=range(1, 3),
    where=lambda N, K, S, before, Ci: N + before >= K,
)
LARGER: list[tuple[Shape, Shape, int, Pair, int]] = [
    ((1, 1, 3), (2, 1, 2), 1, (0, 0), 1),
    ((2, 2, 4), (2, 2, 2), 2, (1, 0), 1),
    ((1, 2, 5), (2, 1, 2), 3, (0, 1), 2),
    ((1, 2, 3, 4), (1, 2, 2, 3), 1, (0, 0), 1),
    ((1, 1, 4, 3), (2, 1, 2, 2), 2, (1, 1), 1),
]

LAYERS = [
    *LARGER,
    *(((1, c["Ci"], c["N"]), (3 - c["Ci"], c["Ci"], c["K"]), c["S"], (c["before"], 0), 1) for c in SMALL),
]
LAYERS_WORDS = (
    "every N <= 4, K <= 3, S <= 3 with 0 or 1 zero before, from 1 to 2 channels and from 2 to 1; and (x, w, stride, "
    f"padding, groups) = {', '.join(map(str, LARGER))}"
)

UNPADDED = cases(
    N=range(1, 5),
    K=range(1, 4),
    Ci=range(1, 3),
    Co=range(1, 3),
    where=lambda N, K, **_: N >= K,
    domain="N >= K",
)


def is_derivative(backward: Backward) -> bool:
    """Whether `backward` gives the derivatives of <dy, conv(x, w, b)> by x, w and b, for symbolic tensors."""
    for x_shape, w_shape, stride, padding, groups in LAYERS:
        options: dict[str, Any] = {"stride": stride, "padding": padding, "groups": groups}
        shape = conv(np.zeros(x_shape), np.zeros(w_shape), **options).shape
        x, w, b, dy = symbols(x_shape, w_shape, w_shape[:1], shape)
        loss = inner(dy, conv(x, w, b, **options))
        found = backward(dy, x, w, **options)
        if not all(map(same, found, (derivative(loss, tensor) for tensor in (x, w, b)))):
            return False
    return True


def _stride_blind(dy: Array, x: Array, w: Array, **options: Any) -> tuple[Array, Array, Array]:
    dx, dw, db = conv_backward(dy, x, w, **options)
    return (np.roll(dx, 1, axis=2) if options["stride"] > 1 else dx), dw, db


def _whole_filter_when(claim: Callable[..., bool]) -> bool:
    """Whether the claim tells which samples meet the whole filter, flipped."""
    return all(
        (cells_meeting(N, K, 1, at) == list(range(K))[::-1]) == claim(N, K, at)
        for N in range(1, 7)
        for K in range(1, N + 1)
        for at in range(N)
    )


def _padded_by(rule: Callable[[int, Pair], Pair]) -> bool:
    """Whether dx is dy, padded by the rule, correlated with the flipped filter. One axis, stride 1."""
    for K in range(1, 4):
        for padding in ((0, 0), (K - 1, 0), (K // 2, (K - 1) // 2)):
            x, w = integers((1, 1, 4), (1, 1, K))
            (dy,) = integers(conv(x, w, padding=padding).shape, seed=1)
            found = conv(pad(dy, rule(K, padding)), flipped(w))
            if not same(found, conv_backward(dy, x, w, padding=padding)[0]):
                return False
    return True


def _correlation_is_sum(cell: Callable[[sp.Expr, sp.Expr], sp.Expr]) -> bool:
    """Whether sum over u of G(x - (K - 1) + u) w[cell(u)] is sum over v of G(x - v) w[v], for symbolic K."""
    G, w = sp.Function("G"), sp.IndexedBase("w")
    x, u, v = sp.symbols("x u v", integer=True)
    K = sp.Symbol("K", integer=True, positive=True)
    correlation = sp.Sum(G(x - (K - 1) + u) * w[cell(K, u)], (u, 0, K - 1))
    reindexed = correlation.change_index(u, K - 1 - u, v)
    return bool(sp.simplify(reindexed - sp.Sum(G(x - v) * w[v], (v, 0, K - 1))) == 0)


def _turned(w: Array) -> Array:
    """Turned by 180 degrees, the channel axes exchanged."""
    return flipped(w).swapaxes(0, 1)


def _backward_by(bank: Callable[[Array], Array], N: int, K: int, Ci: int, Co: int) -> Array | None:
    """dx by correlating dy, padded by K - 1, with a bank of filters made from w; None if it does not fit."""
    (w,) = integers((Co, Ci, K, K))
    (dy,) = integers((1, Co, N - K + 1, N - K + 1), seed=1)
    made = bank(w)
    return conv(pad(dy, (K - 1, K - 1)), made) if made.shape[:2] == (Ci, Co) else None


def _reading(bank: Callable[[Array], Array]) -> Callable[..., Any]:
    return lambda N, K, Ci, Co: _backward_by(bank, N, K, Ci, Co)


def _stride_1_by(bank: Callable[[Array], Array]) -> bool:
    for x_shape, w_shape in (
        ((1, 2, 3), (3, 2, 2)),
        ((1, 2, 3, 3), (1, 2, 2, 2)),
        ((1, 1, 2, 3), (2, 1, 1, 3)),
    ):
        dy_shape = (1, w_shape[0], *(n - k + 1 for n, k in zip(x_shape[2:], w_shape[2:], strict=True)))
        x, w, dy = symbols(x_shape, w_shape, dy_shape)
        sides = [(0, 0), (0, 0), *((k - 1, k - 1) for k in w_shape[2:])]
        if not same(conv(np.pad(dy, sides), bank(w)), conv_backward(dy, x, w)[0]):
            return False
    return True


def _in_general_by(trailing: bool) -> bool:
    """Whether spreading dy, padding, correlating with the turned filters and cropping gives dx.

    `trailing` says whether dy is spread over the whole side of the stride-1 map, or between its elements only.
    """
    for x_shape, w_shape, stride, padding, groups in LAYERS:
        if groups > 1:
            continue
        x, w = integers(x_shape, w_shape)
        (dy,) = integers(conv(x, w, stride=stride, padding=padding).shape, seed=1)
        full = conv(x, w, padding=padding).shape[2:]
        sides = full if trailing else [stride * (n - 1) + 1 for n in dy.shape[2:]]
        spread = np.zeros((*dy.shape[:2], *sides), object)
        sliced(spread, *[slice(None, None, stride)] * len(sides))[...] = dy
        whole = conv(np.pad(spread, [(0, 0), (0, 0), *((k - 1, k - 1) for k in w_shape[2:])]), _turned(w))
        cropped = sliced(whole, *(slice(padding[0], padding[0] + n) for n in x_shape[2:]))
        if not same(cropped, conv_backward(dy, x, w, stride=stride, padding=padding)[0]):
            return False
    return True


def _by_steps(channels: Callable[[int], int]) -> bool:
    """The notes' three steps: pad, flip, and an inner product over the segment and the output channels."""
    x, w, dy = symbols((1, 2, 3), (2, 2, 2), (1, 2, 2))
    padded, turned = pad(dy, (1, 1)), flipped(w)
    found = np.zeros(x.shape, object)
    for m, at in np.ndindex(2, 3):
        used = channels(2)
        found[0, m, at] = inner(turned[:used, m], padded[0, :used, at : at + 2])
    return same(found, conv_backward(dy, x, w)[0])


EVIDENCE: Mapping[str, Evidence] = {
    "YG-FLIP": ambiguous(
        UNPADDED,
        Reading(name="turned by 180 degrees, channel axes exchanged", value=_reading(_turned)),
        Reading(
            name="not flipped",
            value=_reading(lambda w: w.swapaxes(0, 1)),
            differs_at={"N": 2, "K": 2, "Ci": 1, "Co": 1},
        ),
        Reading(
            name="rows flipped",
            value=_reading(lambda w: w[:, :, ::-1].swapaxes(0, 1)),
            differs_at={"N": 2, "K": 2, "Ci": 1, "Co": 1},
        ),
        Reading(
            name="rows and columns exchanged, then both flipped",
            value=_reading(lambda w: _turned(w).swapaxes(2, 3)),
            differs_at={"N": 2, "K": 2, "Ci": 1, "Co": 1},
        ),
        Reading(
            name="rows and columns exchanged, then the rows flipped",
            value=_reading(lambda w: w.swapaxes(2, 3)[:, :, ::-1].swapaxes(0, 1)),
            differs_at={"N": 2, "K": 2, "Ci": 1, "Co": 1},
        ),
        Reading(
            name="turned by 180 degrees, channel axes as they are",
            value=_reading(flipped),
            differs_at={"N": 1, "K": 1, "Ci": 1, "Co": 2},
        ),
        also=(
            at_shapes(
                "dy, padded by K - 1, correlated with the turned filters is dx",
                _stride_1_by,
                over="three layers of one and two axes, stride 1",
                right=_turned,
                wrong=lambda w: w.swapaxes(0, 1),
                wrong_says="filters not flipped",
            ),
        ),
    ),
    "YG-BORDER": Evidence(
        checks=(
            executed(
                "a sample meets the whole filter, flipped, exactly where K - 1 <= x <= N - K",
                _whole_filter_when,
                over="N <= 6, K <= N, every sample",
                right=lambda N, K, at: K - 1 <= at <= N - K,
                wrong=lambda N, K, at: True,
                wrong_says="everywhere",
            ),
            differs_first_at(
                {"N": 2, "K": 2},
                claim=lambda N, K: K,
                truth=lambda N, K: len(cells_meeting(N, K, 1, 0)),
                among=cases(N=range(1, 6), K=range(1, 6), where=lambda N, K: N >= K, domain="N >= K"),
                claim_says="taking K for the number of cells that the first sample meets,",
            ),
        )
    ),
    "YG-PAD": Evidence(
        checks=(
            executed(
                "dy is padded by K - 1 less the forward padding on either side",
                _padded_by,
                over="4 samples, K of 1..3, no, one-sided and two-sided padding",
                right=lambda K, padding: (K - 1 - padding[0], K - 1 - padding[1]),
                wrong=lambda K, padding: (K - 1, K - 1),
                wrong_says="by K - 1 always",
            ),
            differs_first_at(
                {"N": 1, "K": 2, "before": 1},
                claim=lambda N, K, before: (N + before - K + 1) + 2 * (K - 1) - K + 1,
                truth=lambda N, K, before: N,
                among=cases(
                    N=range(1, 5),
                    K=range(1, 4),
                    before=range(3),
                    where=lambda N, K, before: before < K and N + before >= K,
                    domain="before < K <= N + before",
                ),
                claim_says="the side with K - 1 zeros at both ends",
            ),
        )
    ),
    "YG-CONV": Evidence(
        checks=(
            for_all(
                "correlating the padded dy with the flipped filter sums dy at x - v times w[v]",
                _correlation_is_sum,
                right=lambda side, u: side - 1 - u,
                wrong=lambda side, u: u,
                wrong_says="the filter not flipped",
            ),
            at_shapes(
                "that sum over the output channels is dx, at stride 1",
                _stride_1_by,
                over="three layers of one and two axes",
                right=_turned,
                wrong=lambda w: w.swapaxes(0, 1),
                wrong_says="filters not flipped",
            ),
            differs_first_at(
                {"N": 2, "K": 1, "S": 2},
                claim=lambda N, K, S: count_windows(N, K, S) + K - 1,
                truth=lambda N, K, S: N,
                among=WINDOWS,
                claim_says="the side O + K - 1",
            ),
        )
    ),
    "YG-GENERAL": Evidence(
        checks=(
            for_all(
                "the loss by one input: g times the cell at x - S x' + before, over all filters and outputs",
                loss_through_input,
                right=cell_of,
                wrong=lambda at, output: at - sums.S * output,
                wrong_says="the padding forgotten",
            ),
            at_shapes(
                "the literal derivatives by x, w and b are those of <dy, conv(x, w, b)>",
                is_derivative,
                over=LAYERS_WORDS,
                right=conv_backward,
                wrong=_stride_blind,
                wrong_says="dx one sample on at strides above 1",
            ),
            executed(
                "spread dy over the stride-1 map, pad by K - 1, correlate with the turned filters, crop",
                _in_general_by,
                over="the same layers without groups, integers",
                right=True,
                wrong=False,
                wrong_says="zeros between the elements of dy only",
            ),
        )
    ),
    "YG-DOUBLEFLIP": ambiguous(
        cases(K=range(1, 5)),
        Reading(
            name="correlated with the flipped filter",
            value=lambda K: conv(pad(line(1), (K - 1, K - 1)), flipped(distinct((1, 1, K)))),
        ),
        Reading(
            name="convolved in the mathematical sense with the flipped filter",
            value=lambda K: conv(pad(line(1), (K - 1, K - 1)), distinct((1, 1, K))),
            differs_at={"K": 2},
        ),
    ),
    "YG-ALGO": Evidence(
        checks=(
            at_shapes(
                "pad, flip, inner products over the segment and all output channels: dx",
                _by_steps,
                over="x of (1, 2, 3), w of (2, 2, 2)",
                right=lambda channels: channels,
                wrong=lambda channels: 1,
                wrong_says="the first output channel alone",
            ),
        )
    ),
}
