"""Checks of the notes' §2.1 and §2.1.1: what a convolution computes, and its size."""

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp

from cnn_spec.checks.check import Evidence, Reading, ambiguous, at_shapes, differs_first_at, executed, for_all
from cnn_spec.checks.formula import Formula, K, N
from cnn_spec.checks.rounding import nonnegative, positive, positives, u
from cnn_spec.checks.search import cases
from cnn_spec.checks.tensors import basis, conv, count_windows, integers, line, same, symbols
from cnn_spec.definitions.convolution import output_sizes
from cnn_spec.operations import Array

Conv = Callable[..., Array]
SHAPES = [((1, 2, 3), (2, 2, 2)), ((1, 2, 3, 3), (2, 2, 2, 2)), ((1, 3, 2, 3), (1, 3, 2, 1))]
SHAPES_WORDS = "x and w of " + ", ".join(f"{x} and {w}" for x, w in SHAPES)


def _each_filter_its_own_map(convolve: Conv) -> bool:
    x, w, b = integers((1, 2, 4), (3, 2, 2), (3,))
    before = convolve(x, w, b)
    for n in range(3):
        changed_w, changed_b = w.copy(), b.copy()
        changed_w[n] += 1
        changed_b[n] += 100
        after = convolve(x, changed_w, changed_b)
        touched = [c for c in range(3) if not same(before[:, c], after[:, c])]
        if touched != [n]:
            return False
    return bool(before.shape[1] == 3)


def _bias_once(convolve: Conv) -> bool:
    """Whether the map with bias, less the map without, is the bias at every position."""
    for x_shape, w_shape in SHAPES:
        x, w, b = symbols(x_shape, w_shape, w_shape[:1])
        difference = convolve(x, w, b) - conv(x, w)
        if not all(same(difference[0, n], np.full(difference.shape[2:], b[n])) for n in range(len(b))):
            return False
    return True


def _bias_per_channel(x: Array, w: Array, b: Array) -> Array:
    return conv(x, w, b * w.shape[1])


def _bias_per_product(x: Array, w: Array, b: Array) -> Array:
    return conv(x, w, b * w[0].size)


def _unit_case(convolve: Conv) -> Callable[..., Any]:
    """One output of a window of K samples in C channels, all data and the bias 1."""

    def value(C: int, K: int) -> Any:
        x, w, b = np.full((1, C, K), 1, object), np.full((1, C, K), 1, object), np.array([1], object)
        return convolve(x, w, b)[0, 0, 0]

    return value


def _channels_summed(convolve: Conv) -> bool:
    for x_shape, w_shape in SHAPES:
        x, w = symbols(x_shape, w_shape)
        parts = (conv(x[:, m : m + 1], w[:, m : m + 1]) for m in range(x.shape[1]))
        if not same(convolve(x, w), sum(parts)):  # type: ignore[arg-type]
            return False
    return True


def flipped(w: Array) -> Array:
    """The kernel turned by 180 degrees: flipped along every spatial axis."""
    return np.flip(w, axis=tuple(range(2, w.ndim)))


def _kernel_read_off(convolve: Conv) -> bool:
    """Whether a single 1 at (i, j) of a window gives w[i, j]."""
    (w,) = integers((1, 1, 2, 3))
    read = np.array([convolve(x, w)[0, 0, 0, 0] for x in basis((1, 1, 2, 3))], object)
    return same(read, w.reshape(-1))


def _row(K: int, flip: bool) -> Array:
    x, w = line(*range(1, K + 1)), line(*range(1, K + 1))
    return conv(x, flipped(w) if flip else w)


def _shifts_with_input(step: int) -> bool:
    """Whether a shift of the input by `step` steps of stride 2 is a shift of the map by one."""
    (w,) = integers((1, 1, 3))
    x = line(*[0] * 4, *range(1, 6), *[0] * 6)
    return same(conv(np.roll(x, step, axis=2), w, stride=2)[..., 1:], conv(x, w, stride=2)[..., :-1])


def _size_counts_windows(size: sp.Expr) -> bool:
    """Whether the last of `size` windows ends on the input, and one more would not."""
    (k,) = positives("k")
    last = sp.expand(size.subs({N: k + u, K: k})) - 1
    return nonnegative(u - last) and positive(last + 1 - u)


def _per_axis(sizes: Callable[..., tuple[int, ...]]) -> bool:
    ones, none = (1, 1), ((0, 0), (0, 0))
    return all(
        sizes((h, w), (a, b), ones, none, ones) == (count_windows(h, a, 1), count_windows(w, b, 1))
        for h in range(3, 6)
        for w in range(3, 6)
        for a in range(1, 4)
        for b in range(1, 4)
    )


EVIDENCE = {
    "CONV-FILTER": Evidence(
        checks=(
            executed(
                "one map for each filter; filter n and its bias touch map n alone",
                _each_filter_its_own_map,
                over="3 filters on 2 channels",
                right=conv,
                wrong=lambda x, w, b: np.roll(conv(x, w, b), 1, axis=1),
                wrong_says="filter n makes map n + 1",
            ),
        )
    ),
    "CONV-AFFINE": ambiguous(
        cases(C=range(1, 4), K=range(1, 4)),
        Reading(name="bias once, after the sum over the window and the channels", value=_unit_case(conv)),
        Reading(
            name="bias once for every input channel",
            value=_unit_case(_bias_per_channel),
            differs_at={"C": 2, "K": 1},
        ),
        Reading(
            name="bias with every product", value=_unit_case(_bias_per_product), differs_at={"C": 1, "K": 2}
        ),
        also=(
            at_shapes(
                "the bias is added once to each element of its map",
                _bias_once,
                over=SHAPES_WORDS,
                right=conv,
                wrong=_bias_per_channel,
                wrong_says="bias once for every input channel",
            ),
        ),
    ),
    "CONV-CHAN": Evidence(
        checks=(
            at_shapes(
                "the map is the sum of one-channel convolutions, one for each plane of the filter",
                _channels_summed,
                over=SHAPES_WORDS,
                right=conv,
                wrong=lambda x, w: conv(x[:, :1], w[:, :1]),
                wrong_says="the first input channel alone",
            ),
        )
    ),
    "CONV-XCORR": ambiguous(
        cases(K=range(1, 5)),
        Reading(name="cross-correlation: the kernel as it is", value=lambda K: _row(K, flip=False)),
        Reading(
            name="convolution in the mathematical sense: the kernel flipped",
            value=lambda K: _row(K, flip=True),
            differs_at={"K": 2},
        ),
        also=(
            executed(
                "a single 1 under cell (i, j) of the window gives w[i, j]",
                _kernel_read_off,
                over="every cell of a 2x3 window",
                right=conv,
                wrong=lambda x, w: conv(x, flipped(w)),
                wrong_says="the kernel flipped",
            ),
        ),
    ),
    "CONV-EQUIV": Evidence(
        checks=(
            executed(
                "away from the border, a shift of the input by the stride shifts the map by one",
                _shifts_with_input,
                over="15 samples with zero margins, kernel 3, stride 2",
                right=2,
                wrong=1,
                wrong_says="a shift by 1 at stride 2",
            ),
            differs_first_at(
                {"shift": 1, "S": 2},
                claim=lambda shift, S: np.roll(conv(line(1, 0, 0), line(1), stride=S), shift // S, axis=2),
                truth=lambda shift, S: conv(np.roll(line(1, 0, 0), shift, axis=2), line(1), stride=S),
                among=cases(
                    shift=range(3), S=range(1, 4), where=lambda shift, S: shift // S + 1 < 3 // S + 1
                ),
                claim_says="shifting the map by the whole strides in the shift",
            ),
        )
    ),
    "CONV-SIZE": Evidence(
        formula=Formula(
            quantity="output side",
            expression=N - K + 1,
            means={N: "input side", K: "kernel side"},
            domain=(K >= 1, N >= K),
            cover=({N: K + u},),
            grid={N: range(1, 13), K: range(1, 13)},
        ),
        checks=(
            for_all(
                "of N - K + 1 windows the last ends on the input, and one more would not",
                _size_counts_windows,
                right=N - K + 1,
                wrong=N - K,
                wrong_says="N - K",
            ),
            differs_first_at(
                {"N": 1, "K": 3},
                claim=lambda N, K: N - K + 1,
                truth=lambda N, K: count_windows(N, K, 1),
                among=cases(N=range(1, 8), K=range(1, 8)),
                claim_says="outside its domain the formula",
            ),
        ),
    ),
    "CONV-SHRINK": Evidence(
        checks=(
            for_all(
                "the map is smaller than the input by K - 1, which is above 0 for K >= 2",
                lambda kernel: positive(sp.expand(N - (N - kernel + 1))),
                right=u + 2,
                wrong=u + 1,
                wrong_says="the same for K >= 1",
            ),
            differs_first_at(
                {"N": 1, "K": 1},
                claim=lambda N, K: True,
                truth=lambda N, K: count_windows(N, K, 1) < N,
                among=cases(N=range(1, 6), K=range(1, 6), where=lambda N, K: N >= K, domain="N >= K"),
                claim_says="that the map is always smaller",
            ),
        )
    ),
    "RECT": Evidence(
        checks=(
            executed(
                "each axis has its own size, by its own input and kernel",
                _per_axis,
                over="inputs of 3..5 by 3..5, kernels of 1..3 by 1..3, windows counted",
                right=output_sizes,
                wrong=lambda n, k, *rest: output_sizes(n, k[::-1], *rest),
                wrong_says="kernel height and width swapped",
            ),
        )
    ),
}
