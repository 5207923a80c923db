"""Checks of the notes' §3.1 and §3.2.2: what an input contributes to the affine map, equations (1) to (3)."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy as sp

from cnn_spec.checks import gradients as sums
from cnn_spec.checks.check import Evidence, Reading, ambiguous, at_shapes, differs_first_at, executed, for_all
from cnn_spec.checks.s2_3_1_sizes import OVERLAPPING, WINDOWS
from cnn_spec.checks.search import cases
from cnn_spec.checks.tensors import (
    basis,
    conv,
    conv_backward,
    count_windows,
    distinct,
    integers,
    line,
    same,
    symbols,
)
from cnn_spec.operations import Array

Backward = Callable[..., tuple[Array, Array, Array]]


def _weights_transposed(dy: Array, x: Array, w: Array, **options: Any) -> tuple[Array, Array, Array]:
    dx, dw, db = conv_backward(dy, x, w, **options)
    return dx, dw.swapaxes(0, 1), db


def _shapes_kept(backward: Backward) -> bool:
    x, w = integers((1, 2, 4, 5), (3, 2, 2, 3))
    (dy,) = integers(conv(x, w).shape)
    return [d.shape for d in backward(dy, x, w, stride=1)] == [x.shape, w.shape, (3,)]


Position = Callable[[sp.Expr, sp.Expr], sp.Expr]


def weight_between(position: Position) -> bool:
    """Whether an output depends on an input by the cell at `position(input, output)`, where there is one."""
    weight, where = _cell_at(position)
    found = sums.map_derivative(sums.x[sums.m0, sums.row, sums.column])
    return sums.parts(found) == (weight, where)


def loss_through_input(position: Position) -> bool:
    """Whether the loss by an input sums g times the cell at `position(input, output)`, where there is one."""
    weight, where = _cell_at(position)
    found = sums.loss_derivative(sums.x[sums.m0, sums.row, sums.column])
    return sums.parts(found) == (sums.g[sums.n, sums.o, sums.p] * weight, where)


def _cell_at(position: Position) -> tuple[sp.Expr, frozenset[sp.Expr]]:
    """The weight at the cell, and the conditions for it to exist."""
    cell = [sp.expand(position(sums.row, sums.o)), sp.expand(position(sums.column, sums.p))]
    where = sums.within(sums.m0, sums.C).union(*(sums.within(index, sums.K) for index in cell))
    return sums.w[(sums.n, sums.m0, *cell)], frozenset(where)


def cell_of(at: sp.Expr, output: sp.Expr) -> sp.Expr:
    """The cell of the window at `output` that lies on the input `at`, with stride and leading padding."""
    return at - sums.S * output + sums.lo


def _as_printed(at: sp.Expr, output: sp.Expr) -> sp.Expr:
    return at - output


def _channel_by_channel(channels: Callable[[int], list[int]]) -> bool:
    """Whether dx is the sum over output channels of dx from that channel's dy alone."""
    x, w, dy = symbols((1, 2, 3), (3, 2, 2), (1, 3, 2))
    whole = conv_backward(dy, x, w)[0]
    parts = (
        conv_backward(dy * (np.arange(3) == n).astype(object).reshape(1, 3, 1), x, w)[0] for n in channels(3)
    )
    return same(whole, sum(parts, 0 * whole))


def _jacobian(N: int, K: int) -> Array:
    """The derivatives of the outputs by the inputs, shape (O, N)."""
    return np.array([conv(e, distinct((1, 1, K)))[0, 0] for e in basis((1, 1, N))], object).T


def _influences_all(groups: int) -> bool:
    """Whether every input channel reaches every output channel, for non-zero weights."""
    (w,) = integers((4, 4 // groups, 1))
    reached = [conv(e, w, groups=groups)[0, :, 0] for e in basis((1, 4, 1))]
    return all(all(row) for row in reached)


def _every_sample_used(N: int, K: int, S: int) -> bool:
    x, w, dy = (np.full((1, 1, size), 1, object) for size in (N, K, count_windows(N, K, S)))
    return all(conv_backward(dy, x, w, stride=S)[0].flat)


def used_when(claim: Callable[..., bool]) -> bool:
    """Whether the claim tells when every sample feeds an output."""
    return all(_every_sample_used(**case) == claim(**case) for case in WINDOWS)


def covers(N: int, K: int, S: int) -> bool:
    """Where every sample lies in a window: S divides N - K, and S <= K or there is one window."""
    return (N - K) % S == 0 and (S <= K or N == K)


def cells_meeting(N: int, K: int, S: int, at: int) -> list[int]:
    """The cells that meet sample `at`, as the filter slides: read off the derivatives of the outputs."""
    image = conv(next(e for k, e in enumerate(basis((1, 1, N))) if k == at), distinct((1, 1, K)), stride=S)
    return [int(value) - 1 for value in image.flat if value]


def _apart(step: Callable[[int], int]) -> bool:
    return all(
        list(np.diff(cells_meeting(**case, at=at)))
        == [-step(case["S"])] * (len(cells_meeting(**case, at=at)) - 1)
        for case in WINDOWS
        for at in range(case["N"])
        if cells_meeting(**case, at=at)
    )


def _adjacent(N: int, K: int, S: int) -> bool:
    return all(set(np.diff(cells_meeting(N, K, S, at))) <= {-1} for at in range(N))


def _scattered(x: Array, w: Array, b: Array, sign: int, with_bias: bool, S: int, before: int) -> Array:
    """Equation (3) as an algorithm: every input adds its products to the outputs that it reaches. One axis."""
    z = conv(x, w, stride=S, padding=(before, 0)) * 0
    if with_bias:
        z = z + b.reshape(-1, 1)
    for n, m, at in np.ndindex(w.shape[0], x.shape[1], x.shape[2]):
        for o in range(z.shape[2]):
            if 0 <= (cell := at - S * o + before) < w.shape[2]:
                z[0, n, o] += sign * x[0, m, at] * w[n, m, cell]
    return z


def _scatter_is_gather(version: tuple[int, bool]) -> bool:
    x, w, b = symbols((1, 2, 4), (2, 2, 2), (2,))
    return all(
        same(_scattered(x, w, b, *version, S=s, before=p), conv(x, w, b, stride=s, padding=(p, 0)))
        for s in (1, 2)
        for p in (0, 1)
    )


def _jacobian_by_print(N: int, K: int, S: int) -> Array:
    """dZ(x')/dY(x) = w(x - x'), zero outside the filter, with no stride in it."""
    w = [0] * N + list(range(1, K + 1)) + [0] * N
    return np.array([[w[N + at - o] for at in range(N)] for o in range(count_windows(N, K, S))], object)


def _strided_jacobian(N: int, K: int, S: int) -> Array:
    return np.array([conv(e, distinct((1, 1, K)), stride=S)[0, 0] for e in basis((1, 1, N))], object).T


EVIDENCE: Mapping[str, Evidence] = {
    "SHAPE-SAME": Evidence(
        checks=(
            executed(
                "the derivatives by x, w and b have their shapes",
                _shapes_kept,
                over="x of (1, 2, 4, 5), w of (3, 2, 2, 3)",
                right=conv_backward,
                wrong=_weights_transposed,
                wrong_says="dw with its channel axes exchanged",
            ),
            differs_first_at(
                {"outputs": 2},
                claim=lambda outputs: 1,
                truth=lambda outputs: (
                    np.array(
                        [sp.diff(k * sp.Symbol("y"), sp.Symbol("y")) for k in range(1, outputs + 1)], object
                    ).size
                ),
                among=cases(outputs=range(1, 4)),
                claim_says="the size of the variable, for the outputs y, 2y, ...,",
            ),
        )
    ),
    "YG-INFLUENCE": Evidence(
        checks=(
            executed(
                "every input channel reaches every output channel",
                _influences_all,
                over="4 channels, kernel 1, non-zero weights",
                right=1,
                wrong=2,
                wrong_says="with 2 groups",
            ),
        )
    ),
    "YG-EQ1": ambiguous(
        cases(N=range(1, 5), K=range(1, 4), where=lambda N, K: N >= K, domain="N >= K"),
        Reading(
            name="contracted over the outputs",
            value=lambda N, K: np.squeeze(distinct((N - K + 1,)) @ _jacobian(N, K)),
        ),
        Reading(
            name="element by element",
            value=lambda N, K: np.squeeze(distinct((N - K + 1, 1)) * _jacobian(N, K)),
            differs_at={"N": 2, "K": 1},
        ),
        also=(
            at_shapes(
                "dx is the sum over the output channels of the derivative through each",
                _channel_by_channel,
                over="x of (1, 2, 3), w of (3, 2, 2)",
                right=lambda count: list(range(count)),
                wrong=lambda count: list(range(count - 1)),
                wrong_says="the last channel left out",
            ),
        ),
    ),
    "YG-EQ2": Evidence(
        checks=(
            for_all(
                "the loss by one input sums g times the weight between, over all filters and outputs",
                loss_through_input,
                right=cell_of,
                wrong=_as_printed,
                wrong_says="without stride and padding",
            ),
        )
    ),
    "YG-ONEORMORE": Evidence(
        checks=(
            executed(
                "every sample feeds an output exactly when S divides N - K, and S <= K or N = K",
                used_when,
                over=WINDOWS.words,
                right=covers,
                wrong=lambda N, K, S: S <= K,
                wrong_says="exactly when S <= K",
            ),
            differs_first_at(
                {"N": 2, "K": 1, "S": 2},
                claim=lambda N, K, S: True,
                truth=_every_sample_used,
                among=WINDOWS,
                claim_says="that each sample feeds an output",
            ),
            differs_first_at(
                {"N": 3, "K": 2, "S": 2},
                claim=lambda N, K, S: True,
                truth=_every_sample_used,
                among=OVERLAPPING,
                claim_says="that each sample feeds an output",
            ),
        )
    ),
    "YG-ADJACENT": Evidence(
        checks=(
            executed(
                "the cells that meet a sample are S apart",
                _apart,
                over=WINDOWS.words,
                right=lambda S: S,
                wrong=lambda S: 1,
                wrong_says="1 apart",
            ),
            differs_first_at(
                {"N": 5, "K": 3, "S": 2},
                claim=lambda N, K, S: True,
                truth=_adjacent,
                among=WINDOWS,
                claim_says="that they are adjacent",
            ),
        )
    ),
    "EQ3-UPDATE": Evidence(
        checks=(
            at_shapes(
                "adding each input's products to the outputs, from the bias on, is the affine map",
                _scatter_is_gather,
                over="x of (1, 2, 4), w of (2, 2, 2), strides 1 and 2, padding 0 and 1",
                right=(1, True),
                wrong=(-1, True),
                wrong_says="the products subtracted",
            ),
            at_shapes(
                "the bias has its part in it",
                _scatter_is_gather,
                over="the same",
                right=(1, True),
                wrong=(1, False),
                wrong_says="without bias",
            ),
            differs_first_at(
                {"y": 1, "w": 1, "b": 0},
                claim=lambda y, w, b: b - y * w,
                truth=lambda y, w, b: conv(line(y), line(w), np.array([b], object))[0, 0, 0],
                among=cases(y=range(3), w=range(3), b=range(3)),
                claim_says="subtracting",
            ),
            differs_first_at(
                {"y": 0, "w": 0, "b": 1},
                claim=lambda y, w, b: y * w,
                truth=lambda y, w, b: conv(line(y), line(w), np.array([b], object))[0, 0, 0],
                among=cases(y=range(3), w=range(3), b=range(3)),
                claim_says="starting from 0",
            ),
        )
    ),
    "EQ3-DERIV": Evidence(
        checks=(
            for_all(
                "an output by an input is the cell at x - S x' + before, and zero where there is none",
                weight_between,
                right=cell_of,
                wrong=_as_printed,
                wrong_says="the cell at x - x'",
            ),
            differs_first_at(
                {"N": 3, "K": 1, "S": 2}, claim=_jacobian_by_print, truth=_strided_jacobian, among=WINDOWS
            ),
        )
    ),
}
