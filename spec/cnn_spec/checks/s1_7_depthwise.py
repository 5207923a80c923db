"""Checks of the notes' §1.7: standard against depthwise separable convolution."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import sympy as sp

from cnn_spec.checks.check import (
    Evidence,
    Reading,
    ambiguous,
    at_shapes,
    counted,
    differs_first_at,
    executed,
    for_all,
)
from cnn_spec.checks.formula import Formula
from cnn_spec.checks.rounding import positive, u, v
from cnn_spec.checks.search import cases
from cnn_spec.checks.tensors import conv, distinct, integers, same, symbols
from cnn_spec.definitions.convolution import terms
from cnn_spec.definitions.separable import (
    Cost,
    equivalent_filters,
    separable_conv,
    separable_cost,
    standard_cost,
)
from cnn_spec.operations import Array

M, N, K = sp.symbols("M N K", integer=True)
MEANS = {M: "input channels", N: "output channels", K: "kernel side"}
LAYERS = cases(M=range(1, 4), N=range(1, 4), K=range(1, 4))
STANDARD, SEPARABLE = N * M * K**2, M * K**2 + N * M


def _formula(quantity: str, expression: sp.Expr) -> Formula:
    return Formula(
        quantity=quantity,
        expression=expression,
        means=MEANS,
        domain=(M >= 1, N >= 1, K >= 1),
        cover=({},),
        grid={M: range(1, 7), N: range(1, 7), K: range(1, 6)},
    )


STANDARD_WEIGHTS = _formula("weights of a standard convolution", STANDARD)
SEPARABLE_WEIGHTS = _formula("weights of a separable convolution", SEPARABLE)
SEPARABLE_PRODUCTS = _formula("products of a separable convolution for each output position", SEPARABLE)
WEIGHTS_SAVED = _formula("weights saved", STANDARD - SEPARABLE)


def _products(x: tuple[int, ...], w: tuple[int, ...], groups: int) -> int:
    return sum(1 for _ in terms(x, w, stride=(1, 1), padding=((0, 0),) * 2, dilation=(1, 1), groups=groups))


def _counted(separable: bool, M: int, N: int, K: int) -> Cost:
    """Weights, products for each output position, and planar filterings, counted on a 4x4 output."""
    x, between = (1, M, K + 3, K + 3), (1, M, 4, 4)
    if not separable:
        return Cost(N * M * K * K, _products(x, (N, M, K, K), 1) // 16, N * M)
    weights = distinct((M, 1, K, K)).size + distinct((N, M, 1, 1)).size
    products = _products(x, (M, 1, K, K), M) + _products(between, (N, M, 1, 1), 1)
    return Cost(weights, products // 16, M)


def _counts(separable: bool, part: str) -> Callable[[Callable[..., Any]], bool]:
    return lambda formula: all(
        getattr(_counted(separable, **case), part) == formula(**case) for case in LAYERS
    )


def _own_channel(between: Callable[[Array, Array], Array]) -> bool:
    x, depthwise = integers((1, 3, 3, 3), (3, 1, 2, 2))
    before = between(x, depthwise)
    x[:, 1] += 1
    changed = [c for c in range(3) if not same(before[:, c], between(x, depthwise)[:, c])]
    return before.shape[1] == 3 and changed == [1]


def _weighted_sum(filters: Callable[[Array, Array], Array]) -> bool:
    x, depthwise, pointwise = symbols((1, 2, 3, 3), (2, 1, 2, 2), (2, 2, 1, 1))
    return all(
        same(
            separable_conv(x, depthwise, pointwise, stride=s),
            conv(x, filters(depthwise, pointwise), stride=s),
        )
        for s in (1, 2)
    )


def _minors(planes: Array) -> Iterator[Any]:
    """All 2x2 minors of the planes of one input channel, as rows."""
    rows = planes.reshape(len(planes), -1)
    for i in range(len(rows)):
        for j in range(i):
            for k in range(rows.shape[1]):
                for n in range(k):
                    yield rows[i, k] * rows[j, n] - rows[i, n] * rows[j, k]


def _rank_one(filters: Callable[[Array, Array], Array]) -> bool:
    depthwise, pointwise = symbols((2, 1, 2, 2), (3, 2, 1, 1))
    made = filters(depthwise, pointwise)
    return not any(any(_minors(made[:, m])) for m in range(2))


EVIDENCE: Mapping[str, Evidence] = {
    "DW-TERM": Evidence(
        checks=(
            differs_first_at(
                {"M": 1, "N": 1, "K": 2},
                claim=lambda M, N, K: standard_cost(M, N, K).weights,
                truth=lambda M, N, K: standard_cost(M, N, 1).weights,
                among=LAYERS,
                claim_says="standard convolution, called pointwise, by its weights",
            ),
        )
    ),
    "DW-STD-SHAPE": Evidence(
        formula=STANDARD_WEIGHTS,
        checks=(
            executed(
                "the definition's products for each output position are its weights: N M K^2",
                _counts(False, "products"),
                over=LAYERS.words,
                right=STANDARD_WEIGHTS,
                wrong=lambda M, N, K: M * K * K,
                wrong_says="one filter for all output channels",
            ),
        ),
    ),
    "SEP-SHAPE": Evidence(
        formula=SEPARABLE_WEIGHTS,
        checks=(
            executed(
                "both steps' weights, counted: M K^2 + N M",
                _counts(True, "weights"),
                over=LAYERS.words,
                right=SEPARABLE_WEIGHTS,
                wrong=lambda M, N, K: M * K * K + N,
                wrong_says="one weight for each output channel",
            ),
        ),
    ),
    "SEP-INTER": Evidence(
        checks=(
            executed(
                "M maps between the steps, each from its own channel",
                _own_channel,
                over="3 channels of 3x3",
                right=lambda x, w: conv(x, w, groups=3),
                wrong=lambda x, w: conv(x, np.repeat(w, 3, axis=1)),
                wrong_says="every channel in every map",
            ),
        )
    ),
    "SEP-LIGHT": Evidence(
        formula=WEIGHTS_SAVED,
        checks=(
            counted(
                WEIGHTS_SAVED,
                lambda M, N, K: standard_cost(M, N, K).weights - separable_cost(M, N, K).weights,
                says="the formula is the difference of the two",
                wrong=lambda M, N, K: M * (N - 1) * (K * K - 1),
                wrong_says="without the - 1",
            ),
            for_all(
                "N M K^2 - M K^2 - N M = M ((N - 1)(K^2 - 1) - 1)",
                lambda factors: bool(sp.expand(STANDARD - SEPARABLE - M * (factors - 1)) == 0),
                right=(N - 1) * (K**2 - 1),
                wrong=(N - 1) * (K - 1),
                wrong_says="with K in place of K^2",
            ),
            for_all(
                "that is above 0 for N >= 2 and K >= 2",
                lambda smallest: positive(
                    sp.expand((smallest[0] + u - 1) * ((smallest[1] + v) ** 2 - 1) - 1)
                ),
                right=(2, 2),
                wrong=(1, 2),
                wrong_says="for N >= 1",
            ),
            differs_first_at(
                {"M": 1, "N": 1, "K": 1},
                claim=lambda M, N, K: True,
                truth=lambda M, N, K: separable_cost(M, N, K).weights < standard_cost(M, N, K).weights,
                among=LAYERS,
                claim_says="that separable convolution is always lighter",
            ),
        ),
    ),
    "SEP-ONCE": ambiguous(
        LAYERS,
        Reading(name="once for each input channel", value=lambda M, N, K: separable_cost(M, N, K).planes),
        Reading(name="once in all", value=lambda M, N, K: 1, differs_at={"M": 2, "N": 1, "K": 1}),
        Reading(
            name="as often as standard convolution, N times for each input channel",
            value=lambda M, N, K: standard_cost(M, N, K).planes,
            differs_at={"M": 1, "N": 2, "K": 1},
        ),
    ),
    "SEP-WSUM": Evidence(
        checks=(
            at_shapes(
                "separable = standard convolution by w[n, m] = p[n, m] d[m]",
                _weighted_sum,
                over="2 channels of 3x3, kernels 2x2, 2 output channels, strides 1 and 2",
                right=equivalent_filters,
                wrong=lambda d, p: p[::-1] * d[:, 0][None],
                wrong_says="the weights of another output channel",
            ),
        )
    ),
    "SEP-RANK": Evidence(
        checks=(
            at_shapes(
                "all 2x2 minors of one input channel's planes vanish",
                _rank_one,
                over="filters (3, 2, 2, 2)",
                right=equivalent_filters,
                wrong=lambda d, p: p + d[:, 0][None],
                wrong_says="sums in place of products",
            ),
            executed(
                "standard filters are not all like this",
                lambda planes: any(_minors(np.array(planes, object))),
                over="M = 1, N = 2, K = 2 on one axis",
                right=[[1, 0], [0, 1]],
                wrong=[[1, 2], [2, 4]],
                wrong_says="filters (1, 2) and (2, 4)",
            ),
        )
    ),
    "SEP-MACS": Evidence(
        formula=SEPARABLE_PRODUCTS,
        checks=(
            executed(
                "counted in both steps: M K^2 + N M",
                _counts(True, "products"),
                over=LAYERS.words,
                right=SEPARABLE_PRODUCTS,
                wrong=lambda M, N, K: standard_cost(M, N, K).products,
                wrong_says="as many as standard convolution",
            ),
        ),
    ),
}
