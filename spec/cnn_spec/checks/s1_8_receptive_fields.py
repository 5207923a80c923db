"""Checks of the notes' §1.8: receptive fields."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import product

import numpy as np
import sympy as sp

from cnn_spec.checks.check import Evidence, Reading, ambiguous, at_shapes, differs_first_at, executed, for_all
from cnn_spec.checks.search import cases
from cnn_spec.checks.tensors import distinct, same, symbols
from cnn_spec.definitions.receptive_field import depends_on, receptive_field
from cnn_spec.definitions.scanning import Layer, gradient, identity, relu
from cnn_spec.operations import Array

Window = tuple[int, int]
NETWORKS: list[list[Window]] = [
    [(k1, s1), (k2, s2), (2, 1)] for k1, s1, k2, s2 in product((1, 2, 3), (1, 2), (1, 2), (1, 2))
]


def _layer(weights: Array, K: int, S: int) -> Layer:
    return Layer(weights, np.zeros(len(weights), object), K, S)


def _pattern_is_filter(placed: Callable[[Array], Array]) -> bool:
    for k, s in ((1, 1), (2, 1), (2, 2), (3, 2)):
        x, w = symbols((1, 8), (2, k))
        for t in (0, 1):
            expected = 0 * x
            expected[0, t * s : t * s + k] = placed(w[1])
            if not same(gradient(x, [_layer(w, k, s)], 1, t), expected):
                return False
    return True


def _derivative(x: int, w: int, f: Callable[[Array], Array]) -> int:
    layer = _layer(np.array([[w]], object), 1, 1)
    return int(gradient(np.array([[x]], object), [layer], 0, 0, f)[0, 0])


def _reaches_field(network: list[Window], weight: int = 1) -> bool:
    """Whether the derivative of a unit with these weights is non-zero at every tap of its field, and nowhere else."""
    layers = [_layer(np.full((1, K), 1, object), K, S) for K, S in network]
    layers[0].weights[0, 0] = weight
    x = distinct((1, 40))
    return all(set(np.flatnonzero(gradient(x, layers, 0, t)[0])) == depends_on(network, t) for t in (0, 1))


def _is_interval(network: list[Window]) -> bool:
    """Whether a unit's field has no gaps."""
    width, _ = receptive_field(network)
    return depends_on(network, 0) == set(range(width))


def _recurrence(total: Callable[[list[Window]], sp.Expr]) -> bool:
    """Whether a closed form agrees with the recurrence, for symbolic sides and strides of up to 5 layers."""
    for depth in range(6):
        layers = [(sp.Symbol(f"K{i}"), sp.Symbol(f"S{i}")) for i in range(1, depth + 1)]
        if sp.expand(total(layers) - receptive_field(layers)[0]) != 0:
            return False
    return True


def _closed_form(layers: list[Window]) -> sp.Expr:
    return 1 + sum((K - 1) * sp.prod([S for _, S in layers[:i]]) for i, (K, _) in enumerate(layers))


def _including_own_stride(layers: list[Window]) -> sp.Expr:
    return 1 + sum((K - 1) * sp.prod([S for _, S in layers[: i + 1]]) for i, (K, _) in enumerate(layers))


def _spans(field: Callable[[list[Window]], tuple[int, int]]) -> bool:
    for network in NETWORKS:
        width, jump = field(network)
        first, second = depends_on(network, 0), depends_on(network, 1)
        if (max(first) + 1, min(second)) != (width, jump):
            return False
    return True


EVIDENCE: Mapping[str, Evidence] = {
    "RF-DEF": ambiguous(
        cases(K=range(1, 4)),
        Reading(name="the input positions that matter", value=lambda K: sorted(depends_on([(K, 1)], 0))),
        Reading(
            name="the pattern of weights on them",
            value=lambda K: gradient(distinct((1, K)), [_layer(distinct((1, K)), K, 1)], 0, 0)[0],
            differs_at={"K": 1},
        ),
    ),
    "RF-L1": Evidence(
        checks=(
            at_shapes(
                "a first-layer unit's derivative is its filter at its window, before the activation",
                _pattern_is_filter,
                over="8 samples, (K, S) = (1, 1), (2, 1), (2, 2), (3, 2)",
                right=lambda w: w,
                wrong=lambda w: w[::-1],
                wrong_says="the filter flipped",
            ),
            differs_first_at(
                {"x": -1, "w": 1},
                claim=lambda x, w: w,
                truth=lambda x, w: _derivative(x, w, relu),
                among=cases(x=[-2, -1, 1, 2], w=range(1, 4)),
                claim_says="after relu the weight",
            ),
        )
    ),
    "RF-BACKPROP": ambiguous(
        cases(w=range(1, 4)),
        Reading(name="the derivative of the unit", value=lambda w: _derivative(1, w, identity)),
        Reading(
            name="the least input that makes the unit 1",
            value=lambda w: Fraction(1, _derivative(1, w, identity)),
            differs_at={"w": 2},
        ),
        also=(
            executed(
                "a 1 sent back reaches exactly the input positions on which the unit depends",
                lambda weight: all(_reaches_field(network, weight) for network in NETWORKS),
                over=f"{len(NETWORKS)} networks of 3 layers, all weights 1",
                right=1,
                wrong=0,
                wrong_says="with a weight of 0",
            ),
            executed(
                "the field has no gaps if each stride is at most the kernel below which it steps",
                _is_interval,
                over="two layers",
                right=[(2, 2), (2, 1)],
                wrong=[(1, 2), (2, 1)],
                wrong_says="a first layer with K = 1 and S = 2",
            ),
        ),
    ),
    "RF-SIZE": Evidence(
        checks=(
            for_all(
                "1 + sum of (K - 1) times the strides below = the recurrence, for up to 5 layers",
                _recurrence,
                right=_closed_form,
                wrong=_including_own_stride,
                wrong_says="each layer's own stride counted in",
            ),
            executed(
                "the recurrence gives the span of the taps and the distance of neighbouring fields",
                _spans,
                over=f"{len(NETWORKS)} networks of 3 layers, tap by tap",
                right=receptive_field,
                wrong=lambda layers: receptive_field(layers[::-1]),
                wrong_says="the layers in reverse",
            ),
        )
    ),
}
