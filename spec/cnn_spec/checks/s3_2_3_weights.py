"""Checks of the notes' §3.2.3: the derivatives by the weights, and the bias that the notes leave out."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy as sp

from cnn_spec.checks import gradients as sums
from cnn_spec.checks.check import Evidence, Reading, ambiguous, at_shapes, differs_first_at, executed, for_all
from cnn_spec.checks.s2_3_1_sizes import WINDOWS
from cnn_spec.checks.s3_2_2_contributions import Backward
from cnn_spec.checks.s3_2_2_flipping import LAYERS_WORDS, is_derivative
from cnn_spec.checks.search import cases
from cnn_spec.checks.tensors import conv, conv_backward, count_windows, distinct, integers, line, same
from cnn_spec.operations import Array

SIDES = cases(N=range(1, 6), K=range(1, 4), where=lambda N, K: N >= K, domain="N >= K")


def _own_filter_only(backward: Backward) -> bool:
    x, w = integers((1, 2, 4), (3, 2, 2))
    (dy,) = integers((1, 3, 3), seed=1)
    dy[:, 1] = 0
    dw = backward(dy, x, w)[1]
    return [any(dw[n].flat) for n in range(3)] == [True, False, True]


def _meets(position: Callable[[sp.Expr, sp.Expr], sp.Expr]) -> bool:
    """Whether the loss by one weight sums g times the input at `position(output, cell)`, of the weight's filter."""
    at = [sp.expand(position(sums.o, sums.i0)), sp.expand(position(sums.p, sums.j0))]
    expected = sums.g[sums.n, sums.o, sums.p] * sums.x[(sums.m0, *at)] * sp.KroneckerDelta(sums.n, sums.n0)
    exists = sums.within(sums.m0, sums.C) | sums.within(sums.i0, sums.K) | sums.within(sums.j0, sums.K)
    found = sums.loss_derivative(sums.w[sums.n0, sums.m0, sums.i0, sums.j0])
    return sums.parts(found) == (expected, frozenset(exists))


def _by_bias(summand: Callable[[sp.Expr], sp.Expr]) -> bool:
    """Whether the loss by one bias sums this over all outputs of its map."""
    expected = summand(sums.g[sums.n, sums.o, sums.p]) * sp.KroneckerDelta(sums.n, sums.n0)
    return sums.parts(sums.loss_derivative(sums.b[sums.n0])) == (expected, frozenset())


def _flipped_weights(dy: Array, x: Array, w: Array, **options: Any) -> tuple[Array, Array, Array]:
    dx, dw, db = conv_backward(dy, x, w, **options)
    return dx, dw[..., ::-1], db


def _mean_bias(dy: Array, x: Array, w: Array, **options: Any) -> tuple[Array, Array, Array]:
    dx, dw, db = conv_backward(dy, x, w, **options)
    return dx, dw, db / (dy.size // dy.shape[1])


def _ones(n: int) -> Array:
    return np.full((1, 1, n), 1, object)


def _first_weight(N: int, K: int) -> Any:
    return conv_backward(distinct((1, 1, N - K + 1)), distinct((1, 1, N)), _ones(K))[1][0, 0, 0]


def _first_term_for_each(N: int, K: int) -> Any:
    """The sum over x of a term in which x does not occur."""
    return (N - K + 1) * distinct((N - K + 1,))[0] * distinct((N,))[0]


def _placed(spacing: Callable[[int], int], N: int, K: int, S: int) -> Array:
    """dw by placing dy on the input at each cell, its elements `spacing` apart; short segments end early."""
    x, dy = distinct((N,)), distinct((count_windows(N, K, S),))
    at = [[i + spacing(S) * o for o in range(len(dy))] for i in range(K)]
    return np.array([sum(d * x[p] for d, p in zip(dy, row, strict=True) if p < N) for row in at], object)


def _weights(N: int, K: int, S: int) -> Array:
    dy = distinct((1, 1, count_windows(N, K, S)))
    dw = conv_backward(dy, distinct((1, 1, N)), _ones(K), stride=S)[1]
    return dw.reshape(-1)


EVIDENCE: Mapping[str, Evidence] = {
    "WG-LOCAL": Evidence(
        checks=(
            executed(
                "with no derivative in map 1, filter 1 has none, and the others have",
                _own_filter_only,
                over="3 filters on 2 channels",
                right=conv_backward,
                wrong=lambda dy, x, w: (None, np.roll(conv_backward(dy, x, w)[1], 1, axis=0), None),
                wrong_says="each filter's derivative at the next",
            ),
        )
    ),
    "WG-SUM": Evidence(
        checks=(
            differs_first_at(
                {"N": 2, "K": 1},
                claim=_first_term_for_each,
                truth=_first_weight,
                among=SIDES,
                claim_says="summing over x with x' = 0",
            ),
        )
    ),
    "WG-FORMULA": Evidence(
        checks=(
            for_all(
                "the loss by one weight: g times the input at S x' + i - before, over all outputs of its map",
                _meets,
                right=lambda output, cell: sums.S * output + cell - sums.lo,
                wrong=lambda output, cell: output + cell,
                wrong_says="without stride and padding",
            ),
            at_shapes(
                "the literal dw is the derivative of <dy, conv(x, w, b)>",
                is_derivative,
                over=LAYERS_WORDS,
                right=conv_backward,
                wrong=_flipped_weights,
                wrong_says="dw flipped",
            ),
            differs_first_at(
                {"N": 3, "K": 1, "S": 2},
                claim=lambda N, K, S: _placed(lambda S: 1, N, K, S),
                truth=_weights,
                among=WINDOWS,
                claim_says="the input at x' + i",
            ),
        )
    ),
    "WG-OUTPUT": ambiguous(
        SIDES,
        Reading(name="with the layer's input: how many derivatives", value=lambda N, K: N - (N - K + 1) + 1),
        Reading(
            name="with the layer's output: how many derivatives",
            value=lambda N, K: conv(_ones(N - K + 1), _ones(N - K + 1)).size,
            differs_at={"N": 2, "K": 2},
        ),
        also=(
            executed(
                "correlating the input with dy is dw",
                lambda source: same(
                    conv(source(line(2, 5, 3, 7), line(1, 4)), line(6, 1, 2)),
                    conv_backward(line(6, 1, 2), line(2, 5, 3, 7), line(1, 4))[1],
                ),
                over="4 samples, kernel 2",
                right=lambda x, w: x,
                wrong=conv,
                wrong_says="correlating the output",
            ),
        ),
    ),
    "WG-PLACE": Evidence(
        checks=(
            executed(
                "the inner product of dy, its elements S apart, with the input from cell i on is dw[i]",
                lambda spacing: all(same(_placed(spacing, **case), _weights(**case)) for case in WINDOWS),
                over=WINDOWS.words,
                right=lambda S: S,
                wrong=lambda S: 1,
                wrong_says="its elements side by side",
            ),
        )
    ),
    "WG-KBOUND": Evidence(
        checks=(
            differs_first_at(
                {"N": 2, "K": 1},
                claim=lambda N, K: K,
                truth=lambda N, K: conv(_ones(N), _ones(K)).size,
                among=SIDES,
                claim_says="taking K for the number of samples in the segment,",
            ),
        )
    ),
    "WG-NAMING": ambiguous(
        cases(w=range(4)),
        Reading(
            name="the derivative by the weight, at dy = 0",
            value=lambda w: int(conv_backward(line(0), line(1), line(w))[1][0, 0, 0]),
        ),
        Reading(name="the weight", value=lambda w: w, differs_at={"w": 1}),
    ),
    "BGRAD": Evidence(
        checks=(
            for_all(
                "the loss by one bias: g, over all outputs of its map",
                _by_bias,
                right=lambda derivative: derivative,
                wrong=lambda derivative: derivative / sums.O**2,
                wrong_says="the mean",
            ),
            at_shapes(
                "the literal db is the derivative of <dy, conv(x, w, b)>",
                is_derivative,
                over=LAYERS_WORDS,
                right=conv_backward,
                wrong=_mean_bias,
                wrong_says="the mean",
            ),
        )
    ),
}
