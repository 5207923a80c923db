"""Checks of the notes' §3.3: the derivatives of pooling."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import permutations
from typing import Any

import numpy as np
import sympy as sp

from cnn_spec.checks import gradients as sums
from cnn_spec.checks.check import Evidence, Reading, ambiguous, at_shapes, differs_first_at, executed, for_all
from cnn_spec.checks.s2_3_1_sizes import WINDOWS
from cnn_spec.checks.s3_2_2_contributions import covers
from cnn_spec.checks.search import cases
from cnn_spec.checks.tensors import (
    avg_pool,
    avg_pool_backward,
    conv,
    count_windows,
    derivative,
    distinct,
    inner,
    integers,
    line,
    max_pool,
    max_pool_backward,
    same,
    symbols,
)
from cnn_spec.operations import Array

Backward = Callable[[Array, Array, int, int], Array]
POOLED = [((1, 1, 4), 2, 2), ((1, 2, 5), 3, 1), ((1, 1, 3, 4), 2, 1), ((1, 1, 5, 5), 2, 3)]
POOLED_WORDS = "(x, K, S) = " + ", ".join(map(str, POOLED))


def _starts(N: int, K: int, S: int) -> range:
    return range(0, N - K + 1, S)


def _largest(pool: Callable[[Array, int, int], Array]) -> bool:
    """Whether each answer is the last of its window's samples in order."""
    return all(
        list(pool(line(*values), K, S)[0, 0])
        == [sorted(values[p : p + K])[-1] for p in _starts(len(values), K, S)]
        for values in ((3, -1, 4, -5, -2, -7), (-3, -3, -1, 0, 2, 1))
        for K in range(1, 5)
        for S in range(1, 4)
    )


def _kept_sums(backward: Backward) -> bool:
    """Whether <dx, x> = <dy, y> and the sums of dx and dy agree, ties or not."""
    for seed in range(5):
        x = integers((1, 2, 6), seed=seed)[0] // 4
        y = max_pool(x, 3, 2)
        (dy,) = integers(y.shape, seed=seed + 9)
        dx = backward(dy, x, 3, 2)
        if inner(dx, x) != inner(dy, y) or dx.sum() != dy.sum():
            return False
    return True


def _windowwise(shares: Callable[[list[Any], Any], list[Any]], assign: bool = False) -> Backward:
    """The derivative of pooling one axis, window by window, each window sharing its derivative out."""

    def backward(dy: Array, x: Array, K: int, S: int) -> Array:
        dx = np.zeros(x.shape, object)
        for n, c, o in np.ndindex(*dy.shape):
            seen = list(x[n, c, o * S : o * S + K])
            for k, share in enumerate(shares(seen, dy[n, c, o])):
                if share != 0:
                    dx[n, c, o * S + k] = share if assign else dx[n, c, o * S + k] + share
        return dx

    return backward


def _to_first(seen: list[Any], d: Any) -> list[Any]:
    return [d if k == seen.index(max(seen)) else 0 for k in range(len(seen))]


def _to_last(seen: list[Any], d: Any) -> list[Any]:
    return _to_first(seen[::-1], d)[::-1]


def _split(seen: list[Any], d: Any) -> list[Any]:
    return [Fraction(d, seen.count(max(seen))) if value == max(seen) else 0 for value in seen]


def _to_every(seen: list[Any], d: Any) -> list[Any]:
    return [d if value == max(seen) else 0 for value in seen]


def _equally(seen: list[Any], d: Any) -> list[Any]:
    return [Fraction(d, len(seen))] * len(seen)


def _flat(backward: Backward) -> Callable[[int], Array]:
    """The derivative of one window of K equal samples."""
    return lambda K: backward(line(2), line(*[0] * K), K, 1)


def _peak(backward: Backward) -> Callable[..., Array]:
    """The derivative for a map that is largest at its second sample, all dy being 1."""

    def value(N: int, K: int, S: int) -> Array:
        x = line(*(int(at == 1) for at in range(N)))
        return backward(np.full((1, 1, count_windows(N, K, S)), 1, object), x, K, S)

    return value


def _rising(N: int, K: int, S: int) -> Array:
    return max_pool_backward(np.full((1, 1, count_windows(N, K, S)), 1, object), distinct((1, 1, N)), K, S)


def _losers_get_nothing(N: int, K: int, S: int) -> Array:
    """What is left if an element gets nothing once it is not the largest of some window (a rising map)."""
    dx = _rising(N, K, S)
    for p in _starts(N, K, S):
        dx[0, 0, p : p + K - 1] = 0
    return dx


def _nothing_from_nothing(backward: Backward) -> bool:
    (x,) = integers((1, 2, 6))
    nothing = np.zeros((1, 2, 2), object)
    unused = backward(nothing + 1, x, 2, 3)[..., [2, 5]]
    return same(backward(nothing, x, 2, 3), 0 * x) and not unused.any()


def _starting_from_ones(backward: Backward) -> Backward:
    return lambda dy, x, K, S: backward(dy, x, K, S) + 1


def _places(place: Callable[[int, int], int]) -> bool:
    """Whether the largest element's place is `place(window, S)` plus its place in the window."""
    values = [3, 1, 4, 0, 5, 9, 2, 6]
    for K in range(1, 4):
        for S in range(1, 4):
            for o, p in enumerate(_starts(8, K, S)):
                dy = np.array([int(at == o) for at in range(len(_starts(8, K, S)))], object).reshape(1, 1, -1)
                (found,) = np.flatnonzero(max_pool_backward(dy, line(*values), K, S)[0, 0])
                if found != place(o, S) + int(np.argmax(values[p : p + K])):
                    return False
    return True


def _is_convolution(weight: Callable[[int, int], Fraction]) -> bool:
    """Whether mean pooling is a convolution of each channel with this weight everywhere."""
    for shape, K, S in POOLED:
        (x,) = symbols(shape)
        w = np.full((shape[1], 1, *[K] * (len(shape) - 2)), weight(K, len(shape) - 2), object)
        if not same(avg_pool(x, K, S) * 36, conv(x, w * 36, stride=S, groups=shape[1])):
            return False
    return True


def _is_derivative(backward: Backward) -> bool:
    for shape, K, S in POOLED:
        x, dy = symbols(shape, avg_pool(np.zeros(shape), K, S).shape)
        if not same(backward(dy, x, K, S), derivative(inner(dy, avg_pool(x, K, S)), x)):
            return False
    return True


def _equal_shares(share: Callable[[sp.Expr], sp.Expr]) -> bool:
    """Whether the loss by one sample sums this share of g over the windows that the sample lies in."""
    where = sums.within(sums.row - sums.S * sums.o, sums.K) | sums.within(
        sums.column - sums.S * sums.p, sums.K
    )
    found = sums.mean_loss_derivative(sums.x[sums.row, sums.column])
    return sums.parts(found) == (share(sums.g[sums.o, sums.p]), frozenset(where))


def _transposes_the_selection(backward: Backward) -> bool:
    """Whether, whatever the order of the samples, dx adds each dy at the sample that its window selected.

    Without ties, max pooling depends on the order of the samples alone, and near each input it is linear.
    """
    for N, K, S in ((3, 2, 1), (4, 2, 1), (4, 3, 1), (4, 2, 2), (4, 1, 2)):
        (dy,) = symbols((1, 1, count_windows(N, K, S)))
        for order in permutations(range(N)):
            selected = max_pool(line(*order), K, S)[0, 0]
            by = [sum(d for d, s in zip(dy[0, 0], selected, strict=True) if s == value) for value in order]
            if list(backward(dy, line(*order), K, S)[0, 0]) != by:
                return False
    return True


def _ignores_values(backward: Backward) -> bool:
    x, other, dy = integers((1, 2, 5), (1, 2, 5), (1, 2, 4))
    return same(backward(dy, x, 2, 1), backward(dy, other, 2, 1))


def _all_used(N: int, K: int, S: int) -> bool:
    dy = np.full((1, 1, count_windows(N, K, S)), 1, object)
    return all(avg_pool_backward(dy, distinct((1, 1, N)), K, S).flat)


def _last_partial_mean(by_elements: bool) -> Callable[..., Fraction]:
    def value(N: int, K: int, S: int) -> Fraction:
        pooled = avg_pool(distinct((1, 1, N)), K, S, ceil_mode=True)[0, 0]
        covered = list(range(N))[(len(pooled) - 1) * S :][:K]
        return Fraction(pooled[-1]) if by_elements else pooled[-1] * Fraction(len(covered), K)

    return value


EVIDENCE: Mapping[str, Evidence] = {
    "MAX-SELECT": Evidence(
        checks=(
            executed(
                "each answer is the largest sample of its window",
                _largest,
                over="two lines of 6 integers, K of 1..4, S of 1..3",
                right=max_pool,
                wrong=lambda x, K, S: max_pool(np.maximum(x, 0), K, S),
                wrong_says="0 where all samples are negative",
            ),
        )
    ),
    "MAX-INDEX": ambiguous(
        cases(K=range(1, 4)),
        Reading(name="the first of the largest", value=_flat(max_pool_backward)),
        Reading(
            name="the last of the largest",
            value=_flat(_windowwise(_to_last)),
            differs_at={"K": 2},
            convention="tie_gradient: one",
        ),
        Reading(
            name="equal shares",
            value=_flat(_windowwise(_split)),
            differs_at={"K": 2},
            convention="tie_gradient: split",
        ),
        also=(
            executed(
                "whichever it is, <dx, x> = <dy, y> and nothing is lost or added",
                lambda ways: all(map(_kept_sums, ways)),
                over="5 lines with ties, overlapping windows",
                right=(max_pool_backward, *map(_windowwise, (_to_first, _to_last, _split))),
                wrong=(_windowwise(_to_every),),
                wrong_says="the whole to each of the largest",
            ),
        ),
    ),
    "MAX-ZERO": Evidence(
        checks=(
            executed(
                "with S >= K, every element that is not its window's largest has derivative zero",
                lambda where: all(
                    same(_losers_get_nothing(**case), _rising(**case)) for case in WINDOWS if where(**case)
                ),
                over=WINDOWS.words,
                right=lambda N, K, S: S >= K,
                wrong=lambda N, K, S: True,
                wrong_says="with every stride",
            ),
            differs_first_at(
                {"N": 3, "K": 2, "S": 1}, claim=_losers_get_nothing, truth=_rising, among=WINDOWS
            ),
        )
    ),
    "MAX-INIT": Evidence(
        checks=(
            executed(
                "nothing comes of dy = 0, and samples in no window get nothing",
                _nothing_from_nothing,
                over="2 channels of 6, windows of 2 at stride 3",
                right=max_pool_backward,
                wrong=_starting_from_ones(max_pool_backward),
                wrong_says="starting from ones",
            ),
        )
    ),
    "MAX-ROUTE": ambiguous(
        WINDOWS,
        Reading(name="added", value=_peak(max_pool_backward)),
        Reading(
            name="assigned",
            value=_peak(_windowwise(_to_first, assign=True)),
            differs_at={"N": 3, "K": 2, "S": 1},
        ),
        also=(
            at_shapes(
                "without ties, each derivative is added at the sample that its window selected",
                _transposes_the_selection,
                over="(N, K, S) = (3, 2, 1), (4, 2, 1), (4, 3, 1), (4, 2, 2), (4, 1, 2), in all orders of the samples",
                right=max_pool_backward,
                wrong=_windowwise(_to_first, assign=True),
                wrong_says="assigned in place of added",
            ),
        ),
    ),
    "MAX-COORD": Evidence(
        checks=(
            executed(
                "the place in the input is S times the window's, plus the place in the window",
                _places,
                over="8 samples, K and S of 1..3, every window",
                right=lambda window, S: window * S,
                wrong=lambda window, S: window,
                wrong_says="without S",
            ),
            differs_first_at(
                {"N": 3, "K": 1, "S": 2},
                claim=lambda N, K, S: count_windows(N, K, S) - 1 + K - 1,
                truth=lambda N, K, S: int(np.flatnonzero(_rising(N, K, S))[-1]),
                among=WINDOWS,
                claim_says="the place of the last window's largest, without S,",
            ),
        )
    ),
    "MEAN-FWD": Evidence(
        checks=(
            at_shapes(
                "mean pooling is a convolution of each channel with 1 over the number of cells",
                _is_convolution,
                over=POOLED_WORDS,
                right=lambda K, axes: Fraction(1, K**axes),
                wrong=lambda K, axes: Fraction(1, K),
                wrong_says="1/K on every number of axes",
            ),
        )
    ),
    "MEAN-COUNT": ambiguous(
        WINDOWS,
        Reading(name="by the samples that it covers", value=_last_partial_mean(by_elements=True)),
        Reading(
            name="by the cells of the window",
            value=_last_partial_mean(by_elements=False),
            differs_at={"N": 3, "K": 2, "S": 2},
        ),
    ),
    "MEAN-EQUAL": Evidence(
        checks=(
            for_all(
                "the loss by one sample: g/K^2, over all windows that it lies in",
                _equal_shares,
                right=lambda derivative: derivative / sums.K**2,
                wrong=lambda derivative: derivative / sums.K,
                wrong_says="g/K",
            ),
            at_shapes(
                "equal shares, added, are the derivative of <dy, mean pooling>",
                _is_derivative,
                over=POOLED_WORDS,
                right=avg_pool_backward,
                wrong=lambda dy, x, K, S: avg_pool_backward(dy, x, K, S) * K,
                wrong_says="shares K times too large",
            ),
        )
    ),
    "MEAN-ROUTE": ambiguous(
        WINDOWS,
        Reading(name="added", value=_peak(avg_pool_backward)),
        Reading(
            name="assigned",
            value=_peak(_windowwise(_equally, assign=True)),
            differs_at={"N": 3, "K": 2, "S": 1},
        ),
    ),
    "MEAN-INIT": Evidence(
        checks=(
            executed(
                "nothing comes of dy = 0, and samples in no window get nothing",
                _nothing_from_nothing,
                over="2 channels of 6, windows of 2 at stride 3",
                right=avg_pool_backward,
                wrong=_starting_from_ones(avg_pool_backward),
                wrong_says="starting from ones",
            ),
        )
    ),
    "MEAN-NOIDX": Evidence(
        checks=(
            executed(
                "two inputs of one shape have the same derivative",
                _ignores_values,
                over="2 channels of 5, windows of 2",
                right=avg_pool_backward,
                wrong=max_pool_backward,
                wrong_says="for max pooling",
            ),
        )
    ),
    "MEAN-ALLUSED": Evidence(
        checks=(
            executed(
                "every sample has a derivative exactly when S divides N - K, and S <= K or N = K",
                lambda claim: all(_all_used(**case) == claim(**case) for case in WINDOWS),
                over=WINDOWS.words,
                right=covers,
                wrong=lambda N, K, S: (N - K) % S == 0,
                wrong_says="exactly when S divides N - K",
            ),
            differs_first_at(
                {"N": 2, "K": 1, "S": 2},
                claim=lambda N, K, S: True,
                truth=_all_used,
                among=WINDOWS,
                claim_says="that every sample is used",
            ),
        )
    ),
}
