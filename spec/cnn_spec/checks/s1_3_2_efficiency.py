"""Checks of the notes' §1.3.2 and §1.3.3: receptive fields, parameters and reuse when scanning is distributed."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import sympy as sp

from cnn_spec.checks.check import Evidence, Reading, ambiguous, counted, differs_first_at, executed, for_all
from cnn_spec.checks.formula import Formula
from cnn_spec.checks.rounding import positive, positives, t, u
from cnn_spec.checks.search import cases
from cnn_spec.checks.tensors import seeded
from cnn_spec.definitions.receptive_field import depends_on, evaluations, receptive_field
from cnn_spec.definitions.scanning import Layer, parameters, shared_matrix, undistributed

K1, K2, S1, S2, T, N1, N2, N3 = sp.symbols("K1 K2 S1 S2 T N1 N2 N3", integer=True)
R, J = positives("R J")
MEANS = {
    K1: "lower window",
    K2: "lower outputs in an upper window",
    S1: "distance of the lower windows",
    S2: "distance of the upper windows",
    T: "outputs of the upper layer",
    N1: "units of the first layer",
}
PAIRS = cases(K1=range(1, 5), K2=range(1, 5), S1=range(1, 5))


def _means(*symbols: sp.Symbol) -> dict[sp.Symbol, str]:
    return {symbol: MEANS[symbol] for symbol in symbols}


def _field(K1: int, K2: int, S1: int) -> set[int]:
    return depends_on([(K1, S1), (K2, 1)], 0)


def _span(K1: int, K2: int, S1: int) -> int:
    return max(_field(K1, K2, S1)) + 1


def _touch_or_one(span: sp.Expr) -> bool:
    """Whether the span exceeds the sum by (K2 - 1)(S1 - K1)."""
    return bool(sp.expand(span - K1 * K2 - (K2 - 1) * (S1 - K1)) == 0)


def _different_inputs(number: Callable[..., int]) -> bool:
    return all(len(_field(**case)) == number(**case) for case in PAIRS)


def _two_layers(units: int, K: int, copies: int) -> tuple[Layer, Layer]:
    """Touching windows of K and an upper window over `copies` of them."""
    first, second = seeded(1, (units, K, K), (1, copies, 1))
    return first, second


def _connections_below(number: Callable[[int, int], int]) -> bool:
    """Whether each lower unit is connected to that many of the field's samples."""
    for K, copies in product((1, 2, 3), (1, 2, 4)):
        first, _ = _two_layers(1, K, copies)
        row = shared_matrix(first, K * copies)[0]
        if np.count_nonzero(row) != number(K, copies):
            return False
    return True


def _example(N1: int) -> tuple[Layer, Layer]:
    """The notes' example: the distributed first layer, and the undistributed one over the same field of 8."""
    first, second = _two_layers(N1, 2, 4)
    wide = undistributed(first, second)[0]
    return first, wide._replace(weights=np.full(wide.weights.shape, 1, object))


def _connections(N1: int) -> Fraction:
    first, wide = _example(N1)
    unrolled = shared_matrix(first, 8)
    return Fraction(wide.weights.size, int(np.count_nonzero(unrolled)))


def _different_weights(N1: int) -> Fraction:
    first, wide = _example(N1)
    return Fraction(wide.weights.size, first.weights.size)


def _different_units(N1: int) -> Fraction:
    first, wide = _example(N1)
    return Fraction(len(wide.weights), len(first.weights))


def _unrolled_units(N1: int) -> Fraction:
    first, wide = _example(N1)
    return Fraction(len(wide.weights), len(shared_matrix(first, 8)))


DISTRIBUTED = K1 * N1 + K2 * N1 * N2 + N2 * N3
UNDISTRIBUTED = K1 * K2 * K2 * N1 + K2 * N1 * N2 + N2 * N3
SAVED = Formula(
    quantity="weights saved",
    expression=K1 * N1 * (K2**2 - 1),
    means=_means(K1, K2, N1),
    domain=(K1 >= 1, K2 >= 1, N1 >= 1),
    cover=({},),
    grid={K1: range(1, 6), K2: range(1, 6), N1: range(1, 6)},
)


def _counted(saved: Callable[..., Any]) -> bool:
    """Whether built networks of three layers, touching windows below, differ by so many weights."""
    for case in cases(K1=range(1, 4), K2=range(1, 4), N1=range(1, 4)):
        first, second, third = seeded(1, (case["N1"], case["K1"], case["K1"]), (3, case["K2"], 1), (2, 1, 1))
        wide = Layer(np.full((case["N1"] * case["K2"], case["K1"] * case["K2"]), 1, object), first.bias)
        if parameters([wide, second, third]) - parameters([first, second, third]) != saved(**case):
            return False
    return True


def _no_more(distributed: int, other: int) -> bool:
    return distributed <= other


def _mixed_difference(function: Callable[[int, int], int]) -> bool:
    """Whether f(0, 1) - f(0, 3) - f(2, 1) + f(2, 3) vanishes, as it does for relu(g + h) where it is positive."""
    return function(0, 1) - function(0, 3) - function(2, 1) + function(2, 3) == 0


LAYERS = cases(K1=range(1, 4), S1=range(1, 4), K2=range(1, 4), S2=range(1, 4))


def _fields_overlap(K1: int, S1: int, K2: int, S2: int) -> bool:
    width, jump = receptive_field([(K1, S1), (K2, S2)])
    return width > jump


def _something_reused(K1: int, S1: int, K2: int, S2: int) -> bool:
    layers = [(K1, S1), (K2, S2)]
    return evaluations(layers, 2, reuse=True) < evaluations(layers, 2, reuse=False)


def _reuse_counted(number: Callable[..., Any]) -> bool:
    return all(
        evaluations([(2, 1), (k, s)], outputs, reuse=True) == number(T=outputs, S2=s, K2=k)
        and evaluations([(2, 1), (k, s)], outputs, reuse=False) == outputs * k
        for k, s, outputs in product(range(1, 6), range(1, 6), range(1, 6))
    )


SPANNED = Formula(
    quantity="span of the receptive field",
    expression=K1 + (K2 - 1) * S1,
    means=_means(K1, K2, S1),
    domain=(K1 >= 1, K2 >= 1, S1 >= 1),
    cover=({},),
    grid={K1: range(1, 8), K2: range(1, 8), S1: range(1, 8)},
)
REUSED = Formula(
    quantity="evaluations of the lower layer",
    expression=(T - 1) * sp.Min(S2, K2) + K2,
    means=_means(T, S2, K2),
    domain=(T >= 1, S2 >= 1, K2 >= 1),
    cover=({S2: K2 + u}, {K2: S2 + u}),
    grid={T: range(1, 8), S2: range(1, 7), K2: range(1, 7)},
)

EVIDENCE: Mapping[str, Evidence] = {
    "RF-GROW": Evidence(
        checks=(
            for_all(
                "R + (K2 - 1) J is above R for K2 >= 2",
                lambda outputs: positive(sp.expand((outputs - 1) * J)),
                right=u + 2,
                wrong=u + 1,
                wrong_says="the same for K2 >= 1",
            ),
            differs_first_at(
                {"K1": 1, "K2": 1, "S1": 1},
                claim=lambda K1, K2, S1: True,
                truth=lambda K1, K2, S1: _span(K1, K2, S1) > K1,
                among=PAIRS,
                claim_says="that aggregating always widens the field",
            ),
        )
    ),
    "RF-SUM": Evidence(
        formula=SPANNED,
        checks=(
            counted(
                SPANNED,
                _span,
                says="the formula spans the samples on which the upper unit depends, tap by tap",
                wrong=lambda K1, K2, S1: K1 * K2,
                wrong_says="the sum K1 K2",
            ),
            for_all(
                "the span exceeds the sum K1 K2 by (K2 - 1)(S1 - K1)",
                _touch_or_one,
                right=K1 + (K2 - 1) * S1,
                wrong=K1 * K2,
                wrong_says="that the span is the sum",
            ),
            executed(
                "K1 + (K2 - 1) min(S1, K1) different samples",
                _different_inputs,
                over=PAIRS.words,
                right=lambda K1, K2, S1: K1 + (K2 - 1) * min(S1, K1),
                wrong=lambda K1, K2, S1: K1 * K2,
                wrong_says="K1 K2 different samples",
            ),
            differs_first_at(
                {"K1": 1, "K2": 2, "S1": 2}, claim=lambda K1, K2, S1: K1 * K2, truth=_span, among=PAIRS
            ),
            differs_first_at(
                {"K1": 2, "K2": 2, "S1": 1}, claim=lambda K1, K2, S1: K1 * K2, truth=_span, among=PAIRS
            ),
        ),
    ),
    "RF-SHRINK": Evidence(
        checks=(
            for_all(
                "the lower window for a field of R, R - (K2 - 1) S1, gets smaller as K2 grows",
                lambda window: positive(sp.expand(window(u + 1) - window(u + 2))),
                right=lambda outputs: R - (outputs - 1) * (t + 1),
                wrong=lambda outputs: R - (outputs - 1) * t,
                wrong_says="the same with S1 >= 0",
            ),
        )
    ),
    "CONN-SUBSET": Evidence(
        checks=(
            executed(
                "a lower unit is connected to K1 of the field's samples",
                _connections_below,
                over="touching windows of 1..3, K2 of 1, 2, 4",
                right=lambda K, copies: K,
                wrong=lambda K, copies: K * copies,
                wrong_says="to all samples of the field",
            ),
            differs_first_at(
                {"K1": 1, "K2": 1, "S1": 1},
                claim=lambda K1, K2, S1: True,
                truth=lambda K1, K2, S1: _span(K1, K2, S1) > K1,
                among=PAIRS,
                claim_says="that the lower window is smaller than the field",
            ),
        )
    ),
    "RF-EX": ambiguous(
        cases(K2=range(1, 6)),
        Reading(name="windows 2 apart", value=lambda K2: _span(2, K2, 2)),
        Reading(name="windows 1 apart", value=lambda K2: _span(2, K2, 1), differs_at={"K2": 2}),
        Reading(name="windows 3 apart", value=lambda K2: _span(2, K2, 3), differs_at={"K2": 2}),
        also=(
            executed(
                "4 windows of 2 span 8 samples",
                lambda stride: receptive_field([(2, stride), (4, 1)])[0] == 8,
                over="the notes' example",
                right=2,
                wrong=1,
                wrong_says="windows 1 apart, which span 5",
            ),
        ),
    ),
    "CONN-4": ambiguous(
        cases(N1=range(1, 5)),
        Reading(name="connections over the field: 32 N1 to 8 N1", value=_connections),
        Reading(name="different weights: 32 N1 to 2 N1", value=_different_weights, differs_at={"N1": 1}),
    ),
    "NEURONS-4": ambiguous(
        cases(N1=range(1, 5)),
        Reading(name="units with weights of their own: 4 N1 to N1", value=_different_units),
        Reading(
            name="units unrolled over the field: 4 N1 to 4 N1", value=_unrolled_units, differs_at={"N1": 1}
        ),
    ),
    "PARAMS-TOTAL": Evidence(
        formula=SAVED,
        checks=(
            for_all(
                "undistributed less distributed: K1 N1 (K2^2 - 1)",
                lambda saved: bool(sp.expand(UNDISTRIBUTED - DISTRIBUTED - saved) == 0),
                right=SAVED.expression,
                wrong=K1 * N1 * (K2 - 1),
                wrong_says="K1 N1 (K2 - 1)",
            ),
            executed(
                "counted in built networks",
                _counted,
                over="K1, K2, N1 of 1..3, N2 = 3, N3 = 2",
                right=SAVED,
                wrong=lambda K1, K2, N1: K1 * N1 * (K2 - 1),
                wrong_says="K1 N1 (K2 - 1)",
            ),
            differs_first_at(
                {"K1": 1, "K2": 1, "N1": 1},
                claim=lambda K1, K2, N1: True,
                truth=lambda K1, K2, N1: SAVED(K1=K1, K2=K2, N1=N1) > 0,
                among=cases(K1=range(1, 4), K2=range(1, 4), N1=range(1, 4)),
                claim_says="that a distributed network always has fewer weights",
            ),
        ),
    ),
    "PARAMS-LEVEL": ambiguous(
        cases(N1=range(1, 5), N2=range(1, 5), N3=range(1, 5)),
        Reading(
            name="same field and same features over it: no more weights",
            value=lambda N1, N2, N3: _no_more(
                2 * N1 + 4 * N1 * N2 + N2 * N3, 32 * N1 + 4 * N1 * N2 + N2 * N3
            ),
        ),
        Reading(
            name="same number of first-layer units: no more weights",
            value=lambda N1, N2, N3: _no_more(2 * N1 + 4 * N1 * N2 + N2 * N3, 8 * N1 + N1 * N2 + N2 * N3),
            differs_at={"N1": 1, "N2": 3, "N3": 1},
        ),
        also=(
            executed(
                "not the same functions: a distributed unit relu(g(a) + h(b)) has no mixed difference, |a - b| has",
                _mixed_difference,
                over="a in {0, 2}, b in {1, 3}",
                right=lambda a, b: max(0, 3 * a + 1 + 2 * b),
                wrong=lambda a, b: abs(a - b),
                wrong_says="|a - b|, which two undistributed units compute",
            ),
        ),
    ),
    "REUSE": Evidence(
        checks=(
            executed(
                "two neighbouring outputs share lower results exactly when S2 < K2",
                lambda claim: all(_something_reused(**case) == claim(**case) for case in LAYERS),
                over=LAYERS.words,
                right=lambda K1, S1, K2, S2: S2 < K2,
                wrong=_fields_overlap,
                wrong_says="exactly when the receptive fields overlap",
            ),
            differs_first_at(
                {"K1": 2, "S1": 1, "K2": 1, "S2": 1},
                claim=_fields_overlap,
                truth=_something_reused,
                among=LAYERS,
                claim_says="that overlapping fields share results",
            ),
        )
    ),
    "REUSE-COUNT": Evidence(
        formula=REUSED,
        checks=(
            executed(
                "the lower results that the outputs need, counted once each: (T - 1) min(S2, K2) + K2",
                _reuse_counted,
                over="K2, S2 and T of 1..5",
                right=REUSED,
                wrong=lambda T, S2, K2: (T - 1) * S2 + K2,
                wrong_says="(T - 1) S2 + K2 at every stride",
            ),
        ),
    ),
}
