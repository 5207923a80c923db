"""Checks of the notes' §2.3.2: fractional striding as upsampling."""

from collections.abc import Callable, Mapping

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
from cnn_spec.checks.formula import Formula, K, N, S
from cnn_spec.checks.rounding import equal, t, u
from cnn_spec.checks.s2_1_convolution import flipped
from cnn_spec.checks.search import cases
from cnn_spec.checks.tensors import (
    basis,
    conv,
    count_windows,
    distinct,
    down,
    inner,
    line,
    max_pool,
    repeated,
    same,
    sliced,
    symbols,
    up,
)
from cnn_spec.definitions.convolution import indices
from cnn_spec.operations import Array

SIZES = cases(n=range(1, 6), S=range(1, 5))
TRANSPOSED = [((1, 1, 1), (1, 1, 2)), ((1, 1, 3), (1, 1, 2)), ((1, 1, 2, 2), (1, 1, 2, 3))]


def _scattered(x: Array, w: Array, S: int) -> Array:
    """The transposed convolution of one channel: every sample adds its copy of the kernel, S apart."""
    y = np.zeros((1, 1, *(S * (n - 1) + k for n, k in zip(x.shape[2:], w.shape[2:], strict=True))), object)
    for i in indices(*x.shape[2:]):
        for k in indices(*w.shape[2:]):
            at = tuple(S * ii + kk for ii, kk in zip(i, k, strict=True))
            y[(0, 0, *at)] += x[(0, 0, *i)] * w[(0, 0, *k)]
    return y


def _cropped(y: Array, w: Array) -> Array:
    """Without the outputs that do not see the whole kernel: K - 1 on each side."""
    return sliced(y, *(slice(k - 1, n - k + 1) for n, k in zip(y.shape[2:], w.shape[2:], strict=True)))


def _is_transposed(fractional: Callable[[Array, Array, int], Array]) -> bool:
    for x_shape, w_shape in TRANSPOSED:
        x, w = symbols(x_shape, w_shape)
        for factor in (2, 3):
            inserted = up(x, factor)
            if all(n >= k for n, k in zip(inserted.shape[2:], w_shape[2:], strict=True)) and not same(
                fractional(x, w, factor), _cropped(_scattered(x, flipped(w), factor), w)
            ):
                return False
    return True


def _repeat(x: Array, S: int) -> Array:
    return repeated(x, S, [S * (n - 1) + 1 for n in x.shape[2:]])


def _after_every_element(n: int, S: int) -> int:
    return S * n


def _per_map(n: int, S: int) -> int:
    return n + S - 1


def _inverse(returned: Callable[[Array, int], Array]) -> bool:
    return all(
        same(down(returned(x, s), s), x) and inner(returned(x, s), returned(x, s)) == inner(x, x)
        for x in symbols((1, 1, 3), (1, 2, 2, 3))
        for s in (1, 2, 3)
    )


def _adjoint(upsampled: Callable[[Array, int], Array]) -> bool:
    """Whether <down y, x> = <y, up x> for all basis vectors of matching sizes."""
    return all(
        inner(down(y, s), x) == inner(y, upsampled(x, s))
        for n in (1, 2, 3)
        for s in (1, 2, 3)
        for x in basis((1, 1, n))
        for y in basis((1, 1, s * (n - 1) + 1))
    )


FRACTIONAL = Formula(
    quantity="output side of fractional stride 1/S",
    expression=S * (N - 1) - K + 2,
    means={N: "input side", K: "kernel side", S: "factor"},
    domain=(N >= 1, K >= 1, S >= 1, S * (N - 1) + 1 >= K),
    cover=({},),
    grid={N: range(1, 9), K: range(1, 6), S: range(1, 6)},
)

EVIDENCE: Mapping[str, Evidence] = {
    "UP-FRAC": Evidence(
        formula=FRACTIONAL,
        checks=(
            counted(
                FRACTIONAL,
                lambda N, K, S: count_windows(up(distinct((1, 1, N)), S).shape[2], K, 1),
                says="the formula counts the windows on the upsampled map",
                wrong=lambda N, K, S: S * N - K + 1,
                wrong_says="with zeros after the last element too",
            ),
            at_shapes(
                "upsampling, then convolution = transposed convolution by the flipped kernel, cropped by K - 1",
                _is_transposed,
                over=", ".join(f"{x} * {w}" for x, w in TRANSPOSED) + " at factors 2, 3",
                right=lambda x, w, s: conv(up(x, s), w),
                wrong=lambda x, w, s: conv(_repeat(x, s), w),
                wrong_says="elements repeated in place of zeros",
            ),
            differs_first_at(
                {"N": 2, "K": 2, "S": 2},
                claim=lambda N, K, S: up(conv(distinct((1, 1, N)), distinct((1, 1, K))), S),
                truth=lambda N, K, S: conv(up(distinct((1, 1, N)), S), distinct((1, 1, K))),
                among=cases(
                    N=range(1, 5), K=range(1, 4), S=range(1, 4), where=lambda N, K, S: N >= K, domain="N >= K"
                ),
                claim_says="convolving before upsampling",
            ),
        ),
    ),
    "UP-ZEROS": ambiguous(
        SIZES,
        Reading(name="S - 1 zeros between neighbours: S (n - 1) + 1", value=lambda n, S: S * (n - 1) + 1),
        Reading(
            name="S - 1 zeros after every element: S n",
            value=_after_every_element,
            differs_at={"n": 1, "S": 2},
        ),
        Reading(
            name="S - 1 zeros for the whole map, as written: n + S - 1",
            value=_per_map,
            differs_at={"n": 1, "S": 2},
        ),
        also=(
            for_all(
                "a side of S (n - 1) + 1 is n elements and S - 1 zeros in each of the n - 1 gaps",
                lambda size: bool(sp.expand(size - (N + (S - 1) * (N - 1))) == 0),
                right=S * (N - 1) + 1,
                wrong=S * N,
                wrong_says="a side of S n",
            ),
            executed(
                "the literal upsampling has that side",
                lambda size: all(
                    up(distinct((1, 1, case["n"])), case["S"]).shape[2] == size(**case) for case in SIZES
                ),
                over=SIZES.words,
                right=lambda n, S: S * (n - 1) + 1,
                wrong=_per_map,
                wrong_says="n + S - 1",
            ),
            differs_first_at(
                {"n": 3, "S": 2},
                claim=lambda n, S: True,
                truth=lambda n, S: len({S * (n - 1) + 1, _after_every_element(n, S), _per_map(n, S)}) < 3,
                among=SIZES,
                claim_says="that at least two of the three readings agree",
            ),
        ),
    ),
    "UP-DOWN": Evidence(
        checks=(
            for_all(
                "downsampling gives the size back: ceiling((S (n - 1) + 1)/S) = ceiling(S n/S) = n",
                lambda sides: all(equal(sp.ceiling(side / (t + 1)), u + 1) for side in sides),
                right=((t + 1) * u + 1, (t + 1) * (u + 1)),
                wrong=((t + 1) * (u + 1) + 1,),
                wrong_says="from a side of S n + 1",
            ),
            at_shapes(
                "downsampling takes back upsampling, and what is put in is zero",
                _inverse,
                over="(1, 1, 3) and (1, 2, 2, 3) at factors 1, 2, 3 (each output is one element or zero)",
                right=up,
                wrong=_repeat,
                wrong_says="elements repeated in place of zeros",
            ),
            at_shapes(
                "each is the transpose of the other: <down y, x> = <y, up x>",
                _adjoint,
                over="n = 1, 2, 3 at factors 1, 2, 3, on all basis vectors",
                right=up,
                wrong=_repeat,
                wrong_says="elements repeated in place of zeros",
            ),
        )
    ),
    "UP-TYPICAL": Evidence(
        checks=(
            executed(
                "what can be executed of it: max pooling right after upsampling sees max(x, 0) and little else",
                lambda rectified: all(
                    max_pool(line(x, *[0] * (s - 1)), s, s)[0, 0, 0] == rectified(x)
                    for x in range(-3, 4)
                    for s in (2, 3)
                ),
                over="x = -3..3, S = 2, 3",
                right=lambda x: max(x, 0),
                wrong=lambda x: x,
                wrong_says="that it sees x",
            ),
        )
    ),
}
