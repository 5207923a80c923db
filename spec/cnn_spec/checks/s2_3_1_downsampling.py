"""Checks of the notes' §2.3.1: striding as downsampling."""

from collections.abc import Callable, Mapping

import numpy as np
import sympy as sp
from sympy.polys.domains import QQ
from sympy.polys.matrices import DomainMatrix

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
from cnn_spec.checks.formula import Formula, K, N, S
from cnn_spec.checks.rounding import SPAN, STRIDE, equal, q, t
from cnn_spec.checks.s2_3_1_sizes import WINDOWS, counts_complete_windows, pooled_by_notes
from cnn_spec.checks.search import Cases, cases
from cnn_spec.checks.tensors import (
    avg_pool,
    basis,
    conv,
    conv_backward,
    count_windows,
    down,
    integers,
    line,
    max_pool,
    repeated,
    same,
    sliced,
    symbols,
)
from cnn_spec.definitions.convolution import terms
from cnn_spec.definitions.resampling import downsample_backward
from cnn_spec.operations import Array

STRIDED = cases(
    N=range(1, 7),
    K=range(1, 5),
    S=range(2, 5),
    where=lambda N, K, S: N >= K,
    domain="N >= K",
)


def _same_terms(position: Callable[[sp.Expr], sp.Expr]) -> bool:
    """Whether output o of the strided convolution sums the terms of output `position(o)` of the full one.

    For symbolic kernel side, stride and position: o itself stays free.
    """
    x, w = sp.IndexedBase("x"), sp.IndexedBase("w")
    k, o, p, side, stride = sp.symbols("k o p K S", integer=True)
    full = sp.Sum(w[k] * x[p + k], (k, 0, side - 1))
    strided = sp.Sum(w[k] * x[stride * o + k], (k, 0, side - 1))
    return bool(full.subs(p, position(o).subs(S, stride)) == strided)


DECOMPOSED = [
    *(((1, 1, N), (1, 1, K)) for N in range(1, 7) for K in range(1, min(N, 3) + 1)),
    ((1, 2, 5), (2, 2, 2)),
    ((1, 1, 4, 5), (1, 1, 2, 3)),
]
DECOMPOSED_WORDS = "every N <= 6, K <= 3 on one channel, (1, 2, 5) * (2, 2, 2) and (1, 1, 4, 5) * (1, 1, 2, 3), at strides 1, 2, 3"


def _conv_then_down(downsampled: Callable[[Array, int], Array]) -> bool:
    for x_shape, w_shape in DECOMPOSED:
        x, w = symbols(x_shape, w_shape)
        for stride in (1, 2, 3):
            if not same(conv(x, w, stride=stride), downsampled(conv(x, w), stride)):
                return False
    return True


def _keep_last(x: Array, S: int) -> Array:
    return sliced(x, *[slice(S - 1, None, S)] * (x.ndim - 2))


def _full_in_the_wide_sense(N: int, K: int, S: int) -> Array:
    return down(conv(_ramp(N), _ramp(K), padding=(K - 1, K - 1)), S)


def _ramp(n: int) -> Array:
    return line(*range(1, n + 1))


def _pool_then_down(pool: Callable[..., Array]) -> bool:
    (x,) = integers((1, 2, 6, 7), seed=1)
    return all(
        same(pool(x, k, s), down(literal(x, k, 1), s))
        for literal in (avg_pool if pool is avg_pool else max_pool,)
        for k in range(1, 5)
        for s in range(1, 5)
    )


def _by_ceiling(x: Array, K: int, S: int) -> Array:
    return max_pool(x, K, S, ceil_mode=True)


def _products(N: int, K: int, S: int) -> int:
    """How many products the strided convolution of one axis takes, counted."""
    shapes = ((1, 1, N), (1, 1, K))
    return sum(1 for _ in terms(*shapes, stride=(S,), padding=((0, 0),), dilation=(1,), groups=1))


def _saves(claim: Callable[..., bool]) -> bool:
    """Whether the claim tells when fewer products are taken than at stride 1."""
    return all((_products(**case) < _products(case["N"], case["K"], 1)) == claim(**case) for case in WINDOWS)


def _loses(claim: Callable[..., bool]) -> bool:
    """Whether the claim tells when some input is invisible in the downsampled map."""
    return all(
        claim(n=n, S=s) == any(not any(down(e, s).flat) for e in basis((1, 1, n)))
        for n in range(1, 8)
        for s in range(1, 6)
    )


def _rank(rows: list[list[int]]) -> int:
    return int(DomainMatrix.from_list(rows, QQ).rank()) if rows and rows[0] else 0


def _enough(N: int, K: int, S: int, maps: int) -> bool:
    """Whether that many generic filters keep all of one N x N map."""
    (w,) = integers((maps, 1, K, K), seed=5)
    return _rank([conv(e, w, stride=S).reshape(-1).tolist() for e in basis((1, 1, N, N))]) == N * N


def _fewest_maps(N: int, K: int, S: int) -> int | None:
    """The least number of output maps of generic filters that keeps all of one N x N map; None if none does."""
    return next((maps for maps in range(1, N * N + 1) if _enough(N, K, S, maps)), None)


def _keeps_all(maps: Callable[[int], int]) -> bool:
    """Whether that many filters of side S at stride S, each picking one cell, lose nothing; one fewer would."""
    for s in (1, 2, 3):
        picks = np.array([e[0] for e in basis((1, 1, s, s))], object)
        for number, lossless in ((maps(s), True), (maps(s) - 1, False)):
            rows = [
                conv(e, picks[:number], stride=s).reshape(-1).tolist() for e in basis((1, 1, 2 * s, 2 * s))
            ]
            if (_rank(rows) == 4 * s * s) != lossless:
                return False
    return True


def gradient_by_steps(place: Callable[[Array, Array, int], Array]) -> bool:
    """Whether the strided derivative is the stride-1 derivative after the derivatives are put in place."""
    for x_shape, w_shape in DECOMPOSED:
        for s in (1, 2, 3):
            y_shape = conv(np.zeros(x_shape), np.zeros(w_shape), stride=s).shape
            x, w, dy = symbols(x_shape, w_shape, y_shape)
            dz = place(dy, conv(x, w), s)
            direct = conv_backward(dy, x, w, stride=s)
            if dz.shape != conv(x, w).shape or not all(map(same, direct[:2], conv_backward(dz, x, w)[:2])):
                return False
    return True


def placed(dy: Array, full: Array, S: int) -> Array:
    """The derivatives at every S-th place of the stride-1 map, zeros elsewhere."""
    return downsample_backward(dy, full, factor=(S,) * (full.ndim - 2))


def repeated_in_place(dy: Array, full: Array, S: int) -> Array:
    """Each derivative S times: wrong."""
    return repeated(dy, S, full.shape[2:])


KEPT = Formula(
    quantity="downsampled side",
    expression=sp.ceiling(N / S),
    means={N: "input side", S: "factor"},
    domain=(N >= 1, S >= 1),
    cover=({N: SPAN + 1, S: STRIDE},),
    grid={N: range(1, 25), S: range(1, 9)},
)

EVIDENCE: Mapping[str, Evidence] = {
    "STRIDE-EASE": ambiguous(
        STRIDED,
        Reading(name="simpler to derive: stride 1 and downsampling are enough", value=lambda N, K, S: True),
        Reading(
            name="fewer products: on the derivatives with zeros put in, no more than directly",
            value=lambda N, K, S: _products(N, K, S) >= K * N,
            differs_at={"N": 2, "K": 1, "S": 2},
        ),
        also=(
            at_shapes(
                "the strided derivatives are the stride-1 derivatives of the derivative map put in place",
                gradient_by_steps,
                over=DECOMPOSED_WORDS,
                right=placed,
                wrong=repeated_in_place,
                wrong_says="each derivative repeated instead of followed by zeros",
            ),
        ),
    ),
    "STRIDE-DECOMP": ambiguous(
        WINDOWS,
        Reading(
            name="full: every window on the input, stride 1",
            value=lambda N, K, S: down(conv(_ramp(N), _ramp(K)), S),
        ),
        Reading(
            name="full: every window that touches the input, side N + K - 1",
            value=_full_in_the_wide_sense,
            differs_at={"N": 2, "K": 2, "S": 1},
        ),
        also=(
            for_all(
                "output o of the strided convolution is output S o of the full one, term by term",
                _same_terms,
                right=lambda o: S * o,
                wrong=lambda o: S * o + S - 1,
                wrong_says="output S o + S - 1: the last of every S kept",
            ),
            for_all(
                "the sizes agree: ceiling((N - K + 1)/S) = floor((N - K)/S) + 1",
                counts_complete_windows,
                right=sp.ceiling((N - K + 1) / S),
                wrong=sp.ceiling((N - K) / S),
                wrong_says="ceiling((N - K)/S)",
            ),
            at_shapes(
                "strided convolution = full convolution, then downsampling",
                _conv_then_down,
                over=DECOMPOSED_WORDS,
                right=down,
                wrong=_keep_last,
                wrong_says="the last of every S kept",
            ),
        ),
    ),
    "POOL-DECOMP": Evidence(
        checks=(
            for_all(
                "stride-1 pooling leaves N - K + 1, of which ceiling((N - K + 1)/S) are kept: all complete windows",
                counts_complete_windows,
                right=sp.ceiling((N - K + 1) / S),
                wrong=sp.ceiling((N - K) / S) + 1,
                wrong_says="the notes' ceiling((N - K)/S) + 1",
            ),
            executed(
                "max and mean pooling with stride S = full pooling, then downsampling",
                lambda pools: all(map(_pool_then_down, pools)),
                over="2 channels of 6x7, K and S of 1..4, integers",
                right=(max_pool, avg_pool),
                wrong=(_by_ceiling, avg_pool),
                wrong_says="max pooling with the ceiling's partial windows",
            ),
            differs_first_at(
                {"N": 2, "K": 1, "S": 2},
                claim=pooled_by_notes,
                truth=lambda N, K, S: down(max_pool(_ramp(N), K, 1), S).shape[2],
                among=WINDOWS,
                claim_says="the notes' own pooled size",
            ),
        )
    ),
    "DOWN-DROP": ambiguous(
        cases(n=range(1, 7), S=range(1, 5)),
        Reading(name="the first of every S is kept", value=lambda n, S: down(_ramp(n), S)),
        Reading(
            name="the last of every S is kept",
            value=lambda n, S: _keep_last(_ramp(n), S),
            differs_at={"n": 1, "S": 2},
        ),
    ),
    "DOWN-SIZE": Evidence(
        formula=KEPT,
        checks=(
            counted(
                KEPT,
                lambda N, S: len([at for at in range(N) if at % S == 0]),
                says="the formula counts the multiples of S among 0, ..., N - 1",
                wrong=lambda N, S: N // S,
                wrong_says="floor(N/S)",
            ),
            for_all(
                "of N = qS + r + 1 samples q + 1 are kept: 0, S, ..., qS",
                lambda size: equal(size.subs({N: SPAN + 1, S: STRIDE}), q + 1),
                right=sp.ceiling(N / S),
                wrong=sp.floor(N / S),
                wrong_says="floor(N/S)",
            ),
            differs_first_at(
                {"n": 1, "S": 2},
                claim=lambda n, S: sp.Rational(n, S),
                truth=lambda n, S: down(_ramp(n), S).shape[2],
                among=cases(n=range(1, 7), S=range(1, 5)),
                claim_says="shrinking by exactly S",
            ),
        ),
    ),
    "DOWN-SAVE": Evidence(
        checks=(
            executed(
                "fewer products, if dropped outputs are never computed, exactly when S > 1 and N > K",
                _saves,
                over=WINDOWS.words,
                right=lambda N, K, S: S > 1 and N > K,
                wrong=lambda N, K, S: S > 1,
                wrong_says="exactly when S > 1",
            ),
            differs_first_at(
                {"N": 1, "K": 1, "S": 2},
                claim=lambda N, K, S: True,
                truth=lambda N, K, S: _products(N, K, S) < _products(N, K, 1),
                among=STRIDED,
                claim_says="that every stride above 1 saves products",
            ),
        )
    ),
    "DOWN-LOSS": Evidence(
        checks=(
            executed(
                "two maps have one image exactly when S > 1 and n > 1",
                _loses,
                over="n = 1..7, S = 1..5, every single sample",
                right=lambda n, S: S > 1 and n > 1,
                wrong=lambda n, S: S > 1,
                wrong_says="exactly when S > 1",
            ),
        )
    ),
    "SHRINK-FACTOR": Evidence(
        checks=(
            for_all(
                "a full map of side S m shrinks to exactly m",
                lambda side: equal(sp.ceiling(side / (t + 1)), q),
                right=q * (t + 1),
                wrong=q * (t + 1) + 1,
                wrong_says="a full map of side S m + 1",
            ),
            differs_first_at(
                {"N": 4, "K": 3, "S": 2},
                claim=lambda N, K, S: N // S,
                truth=count_windows,
                among=Cases(STRIDED.values, lambda N, K, S: N >= K and N % S == 0, "S divides N >= K"),
                claim_says="an output of N/S",
            ),
        )
    ),
    "S2-MAPS": Evidence(
        checks=(
            executed(
                "with K = S and S dividing N, S^2 maps can keep everything, and fewer of these filters do not",
                _keeps_all,
                over="2S x 2S maps, S = 1, 2, 3, exact rank",
                right=lambda s: s * s,
                wrong=lambda s: s * s - 1 if s > 1 else 1,
                wrong_says="S^2 - 1 maps",
            ),
            differs_first_at(
                {"N": 1, "K": 1, "S": 2},
                claim=lambda N, K, S: S * S,
                truth=_fewest_maps,
                among=cases(
                    N=range(1, 4), K=range(1, 3), S=range(1, 4), where=lambda N, K, S: N >= K, domain="N >= K"
                ),
                claim_says="the notes' number of maps",
            ),
            differs_first_at(
                {"N": 2, "K": 2, "S": 1},
                claim=lambda N, K, S: True,
                truth=lambda N, K, S: _enough(N, K, S, S * S),
                among=cases(
                    N=range(1, 4),
                    K=range(1, 4),
                    S=range(1, 4),
                    where=lambda N, K, S: N >= K >= S,
                    domain="N >= K >= S",
                ),
                claim_says="that S^2 maps are enough",
            ),
        )
    ),
}
