"""Checks of the notes' §2.3.1: the sizes that strides leave."""

from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp

from cnn_spec.checks.check import Evidence, counted, differs_first_at, executed, for_all
from cnn_spec.checks.formula import D, Formula, K, N, P, S
from cnn_spec.checks.rounding import (
    SPAN,
    STRIDE,
    equal,
    naturals,
    nonnegative,
    positive,
    positives,
    q,
    resolve,
    t,
)
from cnn_spec.checks.search import cases
from cnn_spec.checks.tensors import count_windows
from cnn_spec.sizes import pool_output_size

WINDOWS = cases(
    N=range(1, 8),
    K=range(1, 6),
    S=range(1, 5),
    where=lambda N, K, S: N >= K,
    domain="N >= K",
)

OVERLAPPING = cases(
    N=range(1, 8),
    K=range(1, 6),
    S=range(1, 5),
    where=lambda N, K, S: N >= K >= S,
    domain="N >= K >= S",
)

MEANS = {
    N: "input side",
    K: "kernel side",
    S: "stride",
    P: "padding on each side",
    D: "dilation, the distance of kernel cells",
}

COMPLETE = Formula(
    quantity="output side",
    expression=sp.floor((N + 2 * P - D * (K - 1) - 1) / S) + 1,
    means=MEANS,
    domain=(N >= 1, K >= 1, S >= 1, P >= 0, D >= 1, N + 2 * P >= D * (K - 1) + 1),
    cover=({N: SPAN + 1 + D * (K - 1) - 2 * P, S: STRIDE},),
    neutral={P: 0, D: 1},
    grid={N: range(1, 10), K: range(1, 6), S: range(1, 6), P: range(3), D: range(1, 4)},
)
"""How many complete windows lie on the padded input."""

a, b, c = naturals("a b c")


(r1,) = positives("r1")

STARTING_INSIDE = Formula(
    quantity="output side with partial windows",
    expression=sp.Min(sp.ceiling((N + 2 * P - K) / S) + 1, sp.ceiling((N + P) / S)),
    means={symbol: MEANS[symbol] for symbol in (N, K, S, P)},
    domain=(N >= 1, S >= 1, P >= 0, K > P, N + 2 * P >= K),
    # N + 2P - K = qS + r and K - P = aS + b + 1, with r = 0; with r > 0 and b + r < S; with r > 0 and b + r >= S.
    cover=tuple(
        {S: stride, K: P + a * stride + rest + 1, N: a * stride + rest + 1 - P + q * stride + remainder}
        for stride, rest, remainder in (
            (b + 1 + t, b, sp.Integer(0)),
            (b + 1 + r1 + t, b, r1),
            (c + b + 2 + t, c + 1 + b, 1 + t + c),
        )
    ),
    neutral={P: 0},
    grid={N: range(1, 12), K: range(1, 6), S: range(1, 7), P: range(3)},
)
"""Partial windows count if they start on the input or its leading padding."""


def complete_windows(N: int, K: int, S: int, P: int, D: int) -> int:
    """How many window positions have all K cells, D apart, on the padded input: counted, not computed."""
    padded = range(-P, N + P)
    return sum(all(at + D * k in padded for k in range(K)) for at in padded[::S])


def counts_complete_windows(size: sp.Expr) -> bool:
    """Whether, N - K being any qS + r with 0 <= r < S, the last window ends inside and one more would not."""
    last = resolve(size.subs({N: SPAN + K, S: STRIDE})) - 1
    return nonnegative(SPAN - last * STRIDE) and positive((last + 1) * STRIDE - SPAN)


def _pooled(S_divides: bool, size: sp.Expr) -> sp.Expr:
    """The size when S divides N - K, or for every positive remainder."""
    stride = t + 1 if S_divides else r1 + 1 + t
    span = q * stride if S_divides else q * stride + r1
    return resolve(size.subs({N: span + K, S: stride}, simultaneous=True))


def _one_more_than_complete(size: sp.Expr) -> bool:
    """Whether `size` counts the complete windows if S divides N - K, and one more if it does not."""
    divides, leaves = _pooled(True, size), _pooled(False, size)
    return bool(sp.expand(divides - q - 1) == 0 and sp.expand(leaves - q - 2) == 0)


def pooled_by_notes(N: int, K: int, S: int) -> int:
    """The notes' ceiling((N - K)/S) + 1."""
    return -((K - N) // S) + 1


def _starts_outside(claim: Callable[..., bool]) -> bool:
    """Whether the claim tells when the last window of the ceiling formula starts beyond the input."""
    return all(claim(**case) == ((pooled_by_notes(**case) - 1) * case["S"] >= case["N"]) for case in WINDOWS)


def _counts_starting_inside(size: Callable[..., Any]) -> bool:
    """Whether `size` counts the windows up to the first that reaches the end, none starting outside."""
    for point in STARTING_INSIDE.points():
        n, k, s, p = (point[name] for name in "NKSP")
        starts = [at for at in range(0, n + p, s) if at == 0 or at - s + k < n + 2 * p]
        if size(**point) != len(starts):
            return False
    return True


def _interface_size(N: int, K: int, S: int, P: int) -> int:
    return pool_output_size(N, kernel_size=K, stride=S, padding=(P, P), ceil_mode=True)


COUNTED = counted(
    COMPLETE,
    complete_windows,
    says="the formula counts the windows that lie wholly on the padded input",
    wrong=lambda N, K, S, P, D: (N + 2 * P - K) // S + 1,
    wrong_says="dilation forgotten",
)

EVIDENCE: Mapping[str, Evidence] = {
    "CONV-STRIDE-SIZE": Evidence(
        formula=COMPLETE,
        checks=(
            for_all(
                "the last of floor((N - K)/S) + 1 windows ends on the input, and one more would not",
                counts_complete_windows,
                right=sp.floor((N - K) / S) + 1,
                wrong=sp.ceiling((N - K) / S) + 1,
                wrong_says="ceiling((N - K)/S) + 1",
            ),
            for_all(
                "padding and dilation: N + 2P samples and a kernel that spans D (K - 1) + 1",
                lambda size: equal(size.subs({N: SPAN + 1 + D * (K - 1) - 2 * P, S: STRIDE}), q + 1),
                right=COMPLETE.expression,
                wrong=sp.floor((N + 2 * P - K) / S) + 1,
                wrong_says="dilation forgotten",
            ),
            COUNTED,
            differs_first_at(
                {"N": 1, "K": 2, "S": 2},
                claim=lambda N, K, S: int((N - K) / S) + 1,
                truth=count_windows,
                among=cases(N=range(1, 7), K=range(1, 7), S=range(1, 5)),
                claim_says="rounding towards zero, where N < K,",
            ),
        ),
    ),
    "POOL-SIZE": Evidence(
        formula=COMPLETE,
        checks=(
            COUNTED,
            for_all(
                "complete windows: the last of floor((N - K)/S) + 1 ends on the map, and one more would not",
                counts_complete_windows,
                right=sp.floor((N - K) / S) + 1,
                wrong=sp.ceiling((N - K) / S) + 1,
                wrong_says="the notes' ceiling((N - K)/S) + 1",
            ),
            for_all(
                "the notes' ceiling gives the same if S divides N - K, and one more for every other remainder",
                _one_more_than_complete,
                right=sp.ceiling((N - K) / S) + 1,
                wrong=sp.floor((N - K) / S) + 1,
                wrong_says="floor((N - K)/S) + 1",
            ),
            differs_first_at(
                {"N": 2, "K": 1, "S": 2},
                claim=pooled_by_notes,
                truth=count_windows,
                among=WINDOWS,
            ),
            differs_first_at(
                {"N": 3, "K": 2, "S": 2},
                claim=pooled_by_notes,
                truth=count_windows,
                among=OVERLAPPING,
            ),
        ),
    ),
    "POOL-OUTSIDE": Evidence(
        formula=STARTING_INSIDE,
        checks=(
            for_all(
                "with 0 < r <= S - K, r the remainder of N - K, the ceiling's last window starts at or past N",
                lambda beyond: nonnegative(sp.expand((q + 1) * (r1 + K + t) - beyond)),
                right=q * (r1 + K + t) + r1 + K,
                wrong=q * (r1 + K + t) + r1 + K + t + 1,
                wrong_says="that it starts one further, for every S",
            ),
            executed(
                "the ceiling's last window starts beyond the input exactly when 0 < r <= S - K",
                _starts_outside,
                over=WINDOWS.words,
                right=lambda N, K, S: 0 < (N - K) % S <= S - K,
                wrong=lambda N, K, S: (N - K) % S > 0,
                wrong_says="exactly when r > 0",
            ),
            executed(
                "partial windows that start inside: min(ceiling((N + 2P - K)/S) + 1, ceiling((N + P)/S))",
                lambda sizes: all(map(_counts_starting_inside, sizes)),
                over="every N <= 11, K <= 5, S <= 6, P <= 2 in the domain",
                right=(STARTING_INSIDE, _interface_size),
                wrong=(lambda N, K, S, P: pooled_by_notes(N + 2 * P, K, S),),
                wrong_says="windows that start outside counted too",
            ),
            differs_first_at(
                {"N": 2, "K": 1, "S": 2},
                claim=pooled_by_notes,
                truth=lambda N, K, S: int(STARTING_INSIDE(N=N, K=K, S=S)),
                among=WINDOWS,
            ),
        ),
    ),
}
