"""Checks of the notes' §2.2: pooling."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import permutations

import numpy as np

from cnn_spec.checks.check import Evidence, differs_first_at, executed
from cnn_spec.checks.search import cases
from cnn_spec.checks.tensors import avg_pool, conv, integers, line, max_pool, same
from cnn_spec.operations import Array

Pool = Callable[[Array, int, int], Array]


def _between(mean: Pool) -> bool:
    """Whether a mean lies between minimum and maximum, and is the constant of a constant map."""
    (x,) = integers((1, 2, 5, 4))
    constant = np.full((1, 1, 4, 4), 3, object)
    between = (-max_pool(-x, 2, 1) <= mean(x, 2, 1)) & (mean(x, 2, 1) <= max_pool(x, 2, 1))
    return bool(between.all()) and set(mean(constant, 2, 2).flat) == {3}


def _order_inside(pool: Pool) -> bool:
    """Whether the answer does not change with the order of a window's samples."""
    return all(
        same(pool(line(*first, 5, 9, 6), 3, 3), pool(line(1, 2, 4, 5, 9, 6), 3, 3))
        for first in permutations((1, 2, 4))
    )


def _seen(N: int, K: int, d: int) -> int:
    """How many of the K windows that see a single 1 in the middle still do when it has moved by d."""
    before, after = (max_pool(line(*(int(i == at) for i in range(N))), K, 1) for at in (N // 2, N // 2 + d))
    return int((before * after).sum())


def _stays(number: Callable[[int, int], int]) -> bool:
    return all(_seen(15, K, d) == number(K, d) for K in range(1, 5) for d in range(5))


def _one_hot(at: int) -> Array:
    return line(*(int(i == at) for i in range(4)))


A_SHIFT_BETWEEN_WINDOWS = differs_first_at(
    {"place": 1, "shift": 1},
    claim=lambda place, shift: max_pool(_one_hot(place), 2, 2),
    truth=lambda place, shift: max_pool(_one_hot(place + shift), 2, 2),
    among=cases(
        place=range(4),
        shift=range(4),
        where=lambda place, shift: place + shift < 4,
        domain="place + shift < 4",
    ),
    claim_says="the answer before the shift",
)
"""Pooling is not unchanged by every shift: one from window to window shows."""


def _additive(pool: Pool) -> bool:
    a, b = line(1, 0), line(0, 1)
    return same(pool(a + b, 2, 1), pool(a, 2, 1) + pool(b, 2, 1))


EVIDENCE: Mapping[str, Evidence] = {
    "POOL-JITTER": Evidence(
        checks=(
            executed(
                "maximum and mean do not see the order of a window's samples",
                lambda pools: all(map(_order_inside, pools)),
                over="all orders of the first of two windows of 3",
                right=(max_pool, avg_pool),
                wrong=(lambda x, K, S: conv(x, line(1, 0, 0), stride=S),),
                wrong_says="learned pooling by (1, 0, 0)",
            ),
            executed(
                "at stride 1, max(0, K - d) of the K windows that see a single 1 still do when it moves by d",
                _stays,
                over="15 samples, K of 1..4, d of 0..4",
                right=lambda K, d: max(0, K - d),
                wrong=lambda K, d: K,
                wrong_says="all K of them",
            ),
            A_SHIFT_BETWEEN_WINDOWS,
        )
    ),
    "POOL-TYPES": Evidence(
        checks=(
            executed(
                "the mean lies between minimum and maximum, and of a constant is that constant",
                _between,
                over="2 channels of 5x4, windows 2x2; a constant map",
                right=avg_pool,
                wrong=lambda x, K, S: avg_pool(x, K, S) * K * K,
                wrong_says="the sum",
            ),
            executed(
                "the mean is a convolution with equal weights, and additive; the maximum is not",
                lambda pool: (
                    _additive(pool)
                    and same(
                        pool(line(1, 4, 8), 2, 1), conv(line(1, 4, 8), line(Fraction(1, 2), Fraction(1, 2)))
                    )
                ),
                over="(1, 0) and (0, 1); (1, 4, 8)",
                right=avg_pool,
                wrong=max_pool,
                wrong_says="the maximum",
            ),
        )
    ),
}
