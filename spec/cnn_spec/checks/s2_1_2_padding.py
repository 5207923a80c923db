"""Checks of the notes' §2.1.2: padding."""

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp

from cnn_spec.checks.check import Evidence, Reading, ambiguous, counted, differs_first_at, executed, for_all
from cnn_spec.checks.formula import Formula, L, N, S
from cnn_spec.checks.rounding import SPAN, STRIDE, equal, naturals, u
from cnn_spec.checks.search import cases
from cnn_spec.checks.tensors import (
    conv,
    conv_backward,
    count_windows,
    distinct,
    integers,
    line,
    max_pool,
    pad,
    same,
)
from cnn_spec.operations import Array
from cnn_spec.sizes import Pair, same_padding

(h,) = naturals("h")
i, K = sp.symbols("i K", integer=True)
FILTERS = cases(N=range(1, 5), L=range(1, 5))

USED = Formula(
    quantity="number of windows that use sample i",
    expression=sp.Min(K, i + 1, N - i, N - K + 1),
    means={N: "input side", K: "kernel side", i: "position of the sample, from 0"},
    domain=(K >= 1, N >= K, i >= 0, i < N),
    grid={N: range(1, 9), K: range(1, 9), i: range(9)},
)


def _used(how_often: Callable[..., Any]) -> bool:
    """Whether the derivative of the sum of a map of ones counts the windows of each sample."""
    for n in range(1, 9):
        for k in range(1, n + 1):
            ones = [np.full((1, 1, size), 1, object) for size in (n - k + 1, n, k)]
            dx, _, _ = conv_backward(*ones)
            if [how_often(N=n, K=k, i=at) for at in range(n)] != list(dx[0, 0]):
                return False
    return True


def _keeps_information(N: int, L: int) -> bool:
    """Whether no two padded inputs give one map, for the filter (1, 0, ..., 0) after L - 1 zeros."""
    first = line(1, *[0] * (L - 1))
    images = [conv(line(*x), first, padding=(L - 1, 0)) for x in np.eye(N, dtype=int).tolist()]
    return all(any(image.flat) for image in images)


def _sides(parity: int, sides: tuple[sp.Expr, sp.Expr], size: sp.Expr) -> bool:
    """Whether both sides are whole, and the padded size is `size`, for every L of this parity."""
    length = 2 * h + parity if parity else 2 * h + 2
    before, after = (sp.expand(side.subs(L, length)) for side in sides)
    whole = all(side.is_integer and side.is_nonnegative for side in (before, after))
    return bool(whole and sp.expand(N + before + after - size.subs(L, length)) == 0)


def _padded_map(larger: str) -> Callable[..., Array]:
    return lambda N, L: conv(line(*range(1, N + 1)), line(*range(1, L + 1)), padding=same_padding(L, larger))


def _filled(mode: str) -> Callable[..., Array]:
    def value(N: int, L: int) -> Array:
        before, after = same_padding(L)
        x = np.pad(np.arange(1, N + 1), (before, after), mode=mode)  # type: ignore[call-overload]
        return conv(line(*x.tolist()), line(*[1] * L))

    return value


def _zeros_around(padded: Callable[[Array, Pair], Array]) -> bool:
    (x,) = integers((1, 2, 2, 3))
    y = padded(x, (1, 2))
    middle = y[:, :, 1:3, 1:4]
    return y.shape == (1, 2, 5, 6) and same(middle, x) and sum(map(bool, y.flat)) == x.size


def _real_samples_only(pool: Callable[..., Array]) -> bool:
    return all(
        set(pool(line(*range(-n, 0)), k, s).flat) <= set(range(-n, 0))
        for n in range(1, 6)
        for k in range(1, n + 1)
        for s in range(1, 4)
    )


HALF = Formula(
    quantity="padding on every side",
    expression=(L - 1) / 2,
    means={L: "kernel side, odd"},
    cover=({L: 2 * h + 1},),
    domain=(L >= 1,),
    grid={L: range(1, 40, 2)},
)
PADDED = Formula(
    quantity="padded side",
    expression=N + L - 1,
    means={N: "input side", L: "kernel side"},
    domain=(N >= 1, L >= 1),
    cover=({},),
    grid={N: range(1, 13), L: range(1, 13)},
)
SAME = Formula(
    quantity="output side of the padded convolution",
    expression=sp.floor((N - 1) / S) + 1,
    means={N: "input side", S: "stride"},
    domain=(N >= 1, S >= 1),
    cover=({N: SPAN + 1, S: STRIDE},),
    neutral={S: 1},
    grid={N: range(1, 25), S: range(1, 9)},
)

EVIDENCE = {
    "PAD-LOSS": Evidence(
        formula=USED,
        checks=(
            executed(
                "sample i lies in min(K, i + 1, N - i, N - K + 1) windows: the border is used less",
                _used,
                over="every N <= 8 and K <= N",
                right=USED,
                wrong=lambda N, K, i: K,
                wrong_says="every sample lies in K windows",
            ),
            differs_first_at(
                {"N": 1, "L": 2},
                claim=lambda N, L: True,
                truth=_keeps_information,
                among=FILTERS,
                claim_says="that padding prevents the loss (filter (1, 0, ..., 0), zeros before)",
            ),
        ),
    ),
    "PAD-ODD": Evidence(
        formula=HALF,
        checks=(
            for_all(
                "for L = 2h + 1 both sides are whole, and the padded side is N + L - 1",
                lambda side: _sides(1, (side, side), N + L - 1),
                right=(L - 1) / 2,
                wrong=L / 2,
                wrong_says="L/2 on both sides",
            ),
        ),
    ),
    "PAD-EVEN": ambiguous(
        FILTERS,
        Reading(name="the larger half after the input", value=_padded_map("after")),
        Reading(
            name="the larger half before the input",
            value=_padded_map("before"),
            differs_at={"N": 1, "L": 2},
            convention="same_padding_extra: before",
        ),
        also=(
            for_all(
                "for L = 2h both L/2 and L/2 - 1 are whole, and the padded side is N + L - 1",
                lambda sides: _sides(0, sides, N + L - 1),
                right=(L / 2, L / 2 - 1),
                wrong=(L / 2, L / 2),
                wrong_says="L/2 on both sides",
            ),
        ),
    ),
    "PAD-SIZE": Evidence(
        formula=PADDED,
        checks=(
            counted(
                PADDED,
                lambda N, L: pad(distinct((1, 1, N)), same_padding(L)).shape[2],
                says="the formula is the side of the padded map",
                wrong=lambda N, L: N + L,
                wrong_says="N + L",
            ),
            for_all(
                "the padded side is N + L - 1, for odd and for even L",
                lambda size: (
                    _sides(1, ((L - 1) / 2, (L - 1) / 2), size) and _sides(0, (L / 2 - 1, L / 2), size)
                ),
                right=N + L - 1,
                wrong=N + L,
                wrong_says="N + L",
            ),
            executed(
                "the input lies inside the padding, with zeros all around",
                _zeros_around,
                over="2 channels of 2x3, padding (1, 2)",
                right=pad,
                wrong=lambda x, sides: pad(x, sides[::-1]),
                wrong_says="padding before and after swapped",
            ),
        ),
    ),
    "PAD-OUT": Evidence(
        formula=SAME,
        checks=(
            counted(
                SAME,
                lambda N, S: count_windows(N + 5 - 1, 5, S),
                says="the formula counts the windows of 5 on the padded map",
                wrong=lambda N, S: N // S,
                wrong_says="floor(N/S)",
            ),
            for_all(
                "floor((N + L - 1 - L)/S) + 1 = ceiling(N/S), which is N at stride 1",
                lambda size: (
                    equal(sp.floor(SPAN / STRIDE) + 1, size.subs({N: SPAN + 1, S: STRIDE}))
                    and equal(size.subs({N: u + 1, S: 1}), u + 1)
                ),
                right=sp.ceiling(N / S),
                wrong=sp.floor(N / S),
                wrong_says="floor(N/S)",
            ),
            differs_first_at(
                {"N": 2, "L": 1, "S": 2},
                claim=lambda N, L, S: N,
                truth=lambda N, L, S: count_windows(N + L - 1, L, S),
                among=cases(N=range(1, 6), L=range(1, 5), S=range(1, 5)),
                claim_says="an output side of N at every stride",
            ),
        ),
    ),
    "PAD-VALUE": ambiguous(
        FILTERS,
        Reading(name="zeros", value=_filled("constant")),
        Reading(name="the border repeated", value=_filled("edge"), differs_at={"N": 1, "L": 2}),
        Reading(name="the input mirrored", value=_filled("symmetric"), differs_at={"N": 1, "L": 2}),
    ),
    "PAD-POOL": Evidence(
        checks=(
            executed(
                "unpadded max pooling answers with samples of the input",
                _real_samples_only,
                over="negative maps of N <= 5, every K <= N, S <= 3",
                right=max_pool,
                wrong=lambda x, K, S: max_pool(pad(x, (1, 1)), K, S),
                wrong_says="max pooling after zero padding",
            ),
            differs_first_at(
                {"N": 2, "K": 1, "S": 2},
                claim=lambda N, K, S: True,
                truth=lambda N, K, S: -((K - N) // S) * S + K <= N,
                among=cases(
                    N=range(1, 7),
                    K=range(1, 5),
                    S=range(1, 5),
                    where=lambda N, K, S: N >= K,
                    domain="N >= K",
                ),
                claim_says="that all windows of the notes' pooled size lie on the input",
            ),
        )
    ),
}
