"""Checks of clauses that the notes leave open: dilation, groups, the transposed size."""

from collections.abc import Callable, Mapping

import numpy as np
import sympy as sp

from cnn_spec.checks.check import Evidence, at_shapes, counted, for_all
from cnn_spec.checks.formula import D, Formula, K, N, P, S
from cnn_spec.checks.rounding import STRIDE, equal, q, r
from cnn_spec.checks.s2_3_1_sizes import COMPLETE, MEANS, complete_windows
from cnn_spec.checks.tensors import conv, repeated, same, symbols, up
from cnn_spec.definitions import convolution
from cnn_spec.operations import Array

A = sp.Symbol("A", integer=True)
TRANSPOSED = Formula(
    quantity="side of the transposed convolution",
    expression=(N - 1) * S - 2 * P + D * (K - 1) + A + 1,
    means={**MEANS, A: "output padding"},
    domain=(N >= 1, K >= 1, S >= 1, P >= 0, D >= 1, A >= 0),
    cover=({},),
    neutral={P: 0, A: 0},
    grid={N: range(1, 6), K: range(1, 5), S: range(1, 4), P: range(3), D: range(1, 4), A: range(2)},
)
DILATED = Formula(
    quantity="output side",
    expression=COMPLETE.expression,
    means=MEANS,
    domain=COMPLETE.domain,
    cover=COMPLETE.cover,
    neutral={P: 0},
    grid=COMPLETE.grid,
)


def _spread_kernel(spread: Callable[[Array, int], Array]) -> bool:
    for x_shape, w_shape in (((1, 1, 6), (1, 1, 3)), ((1, 2, 4, 5), (1, 2, 2, 2))):
        x, w = symbols(x_shape, w_shape)
        axes = len(x_shape) - 2
        for d in (1, 2):
            dilated = convolution.conv(
                x, w, None, stride=(1,) * axes, padding=((0, 0),) * axes, dilation=(d,) * axes, groups=1
            )
            if not same(dilated, conv(x, spread(w, d))):
                return False
    return True


def _block_diagonal(groups: Callable[[int], list[slice]]) -> bool:
    x, w = symbols((1, 4, 3), (4, 2, 2))
    whole = np.zeros((4, 4, 2), object)
    for filters, channels in zip((slice(0, 2), slice(2, 4)), groups(4), strict=True):
        whole[filters, channels] = w[filters]
    return same(conv(x, w, groups=2), conv(x, whole))


def _comes_back(side: sp.Expr) -> bool:
    """Whether a convolution of the transposed size leaves N again, for any output padding below the stride."""
    values = {N: q + 1, S: STRIDE, A: r}
    forward = COMPLETE.expression.subs({N: side})
    return equal(forward.subs(values, simultaneous=True), q + 1)


EVIDENCE: Mapping[str, Evidence] = {
    "DILATION": Evidence(
        formula=DILATED,
        checks=(
            counted(
                DILATED,
                complete_windows,
                says="the formula counts the windows that lie wholly on the padded input",
                wrong=lambda N, K, S, P, D: (N + 2 * P - D * K) // S + 1,
                wrong_says="a kernel that spans D K",
            ),
            at_shapes(
                "dilation by D = a kernel with D - 1 zeros between its cells",
                _spread_kernel,
                over="(1, 1, 6) * (1, 1, 3) and (1, 2, 4, 5) * (1, 2, 2, 2), D = 1, 2",
                right=up,
                wrong=lambda w, d: repeated(w, d, up(w, d).shape[2:]),
                wrong_says="cells repeated",
            ),
        ),
    ),
    "GROUPS": Evidence(
        checks=(
            at_shapes(
                "groups = a standard convolution with zeros between the groups",
                _block_diagonal,
                over="x of (1, 4, 3), w of (4, 2, 2), 2 groups",
                right=lambda channels: [slice(0, 2), slice(2, 4)],
                wrong=lambda channels: [slice(0, 4, 2), slice(1, 4, 2)],
                wrong_says="every second channel in a group",
            ),
        )
    ),
    "TRANSPOSE-SIZE": Evidence(
        formula=TRANSPOSED,
        checks=(
            for_all(
                "a convolution of that size leaves N, for every output padding below the stride",
                _comes_back,
                right=TRANSPOSED.expression,
                wrong=(N - 1) * S - 2 * P + K + A,
                wrong_says="without dilation",
            ),
        ),
    ),
}
