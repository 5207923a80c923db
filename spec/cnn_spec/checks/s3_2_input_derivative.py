"""Checks of the notes' §3.1 and §3.2.2: the derivative by the previous layer's outputs."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy as sp

from cnn_spec.checks import gradients as sums
from cnn_spec.checks.evidence import (
    Evidence,
    Reading,
    ambiguous,
    at_shapes,
    differs_first_at,
    executed,
    for_all,
)
from cnn_spec.checks.s2_1_convolution import flipped
from cnn_spec.checks.s2_3_striding import OVERLAPPING, WINDOWS
from cnn_spec.checks.search import cases
from cnn_spec.checks.tensors import (
    Shape,
    basis,
    conv,
    conv_backward,
    count_windows,
    derivative,
    distinct,
    inner,
    integers,
    line,
    pad,
    same,
    sliced,
    symbols,
)
from cnn_spec.operations import Array
from cnn_spec.sizes import Pair

Backward = Callable[..., tuple[Array, Array, Array]]

LAYERS: list[tuple[Shape, Shape, int, Pair, int]] = [
    ((1, 1, 3), (2, 1, 2), 1, (0, 0), 1),
    ((2, 2, 4), (2, 2, 2), 2, (1, 0), 1),
    ((1, 2, 5), (2, 1, 2), 3, (0, 1), 2),
    ((1, 2, 3, 4), (1, 2, 2, 3), 1, (0, 0), 1),
    ((1, 1, 4, 3), (2, 1, 2, 2), 2, (1, 1), 1),
]
LAYERS_WORDS = "(x, w, stride, padding, groups) = " + ", ".join(map(str, LAYERS))
UNPADDED = cases(
    N=range(1, 5),
    K=range(1, 4),
    Ci=range(1, 3),
    Co=range(1, 3),
    where=lambda N, K, **_: N >= K,
    domain="N >= K",
)


def is_derivative(backward: Backward) -> bool:
    """Whether `backward` gives the derivatives of <dy, conv(x, w, b)> by x, w and b, for symbolic tensors."""
    for x_shape, w_shape, stride, padding, groups in LAYERS:
        options: dict[str, Any] = {"stride": stride, "padding": padding, "groups": groups}
        shape = conv(np.zeros(x_shape), np.zeros(w_shape), **options).shape
        x, w, b, dy = symbols(x_shape, w_shape, w_shape[:1], shape)
        loss = inner(dy, conv(x, w, b, **options))
        found = backward(dy, x, w, **options)
        if not all(map(same, found, (derivative(loss, tensor) for tensor in (x, w, b)))):
            return False
    return True


def _stride_blind(dy: Array, x: Array, w: Array, **options: Any) -> tuple[Array, Array, Array]:
    dx, dw, db = conv_backward(dy, x, w, **options)
    return (np.roll(dx, 1, axis=2) if options["stride"] > 1 else dx), dw, db


def _weights_transposed(dy: Array, x: Array, w: Array, **options: Any) -> tuple[Array, Array, Array]:
    dx, dw, db = conv_backward(dy, x, w, **options)
    return dx, dw.swapaxes(0, 1), db


def _shapes_kept(backward: Backward) -> bool:
    x, w = integers((1, 2, 4, 5), (3, 2, 2, 3))
    (dy,) = integers(conv(x, w).shape)
    return [d.shape for d in backward(dy, x, w, stride=1)] == [x.shape, w.shape, (3,)]


def _cell(position: Callable[[sp.Expr, sp.Expr], sp.Expr], output: Callable[..., Any]) -> bool:
    """Whether the weight between an input and an output is the cell at `position(input, output)`, where it exists."""
    cell = [position(sums.row, sums.o), position(sums.column, sums.p)]
    expected = output(sums.w[(sums.n, sums.m0, *map(sp.expand, cell))])
    where = sums.within(sums.m0, sums.C).union(*(sums.within(index, sums.K) for index in cell))
    through = sums.x[sums.m0, sums.row, sums.column]
    found = sums.loss_derivative(through) if output is _times_g else sums.map_derivative(through)
    return sums.parts(found) == (expected, frozenset(where))


def _times_g(weight: sp.Expr) -> sp.Expr:
    return sums.g[sums.n, sums.o, sums.p] * weight


def _itself(weight: sp.Expr) -> sp.Expr:
    return weight


def _general(at: sp.Expr, output: sp.Expr) -> sp.Expr:
    return at - sums.S * output + sums.lo


def _as_printed(at: sp.Expr, output: sp.Expr) -> sp.Expr:
    return at - output


def _channel_by_channel(channels: Callable[[int], list[int]]) -> bool:
    """Whether dx is the sum over output channels of dx from that channel's dy alone."""
    x, w, dy = symbols((1, 2, 3), (3, 2, 2), (1, 3, 2))
    whole = conv_backward(dy, x, w)[0]
    parts = (
        conv_backward(dy * (np.arange(3) == n).astype(object).reshape(1, 3, 1), x, w)[0] for n in channels(3)
    )
    return same(whole, sum(parts, 0 * whole))


def _jacobian(N: int, K: int) -> Array:
    """The derivatives of the outputs by the inputs, shape (O, N)."""
    return np.array([conv(e, distinct((1, 1, K)))[0, 0] for e in basis((1, 1, N))], object).T


def _influences_all(groups: int) -> bool:
    """Whether every input channel reaches every output channel, for non-zero weights."""
    (w,) = integers((4, 4 // groups, 1))
    reached = [conv(e, w, groups=groups)[0, :, 0] for e in basis((1, 4, 1))]
    return all(all(row) for row in reached)


def _every_sample_used(N: int, K: int, S: int) -> bool:
    x, w, dy = (np.full((1, 1, size), 1, object) for size in (N, K, count_windows(N, K, S)))
    return all(conv_backward(dy, x, w, stride=S)[0].flat)


def used_when(claim: Callable[..., bool]) -> bool:
    """Whether the claim tells when every sample feeds an output."""
    return all(_every_sample_used(**case) == claim(**case) for case in WINDOWS)


def covers(N: int, K: int, S: int) -> bool:
    """Where every sample lies in a window: S divides N - K, and S <= K or there is one window."""
    return (N - K) % S == 0 and (S <= K or N == K)


def _cells(N: int, K: int, S: int, at: int) -> list[int]:
    """The cells that meet sample `at`, as the filter slides: read off the derivatives of the outputs."""
    image = conv(next(e for k, e in enumerate(basis((1, 1, N))) if k == at), distinct((1, 1, K)), stride=S)
    return [int(value) - 1 for value in image.flat if value]


def _apart(step: Callable[[int], int]) -> bool:
    return all(
        list(np.diff(_cells(**case, at=at))) == [-step(case["S"])] * (len(_cells(**case, at=at)) - 1)
        for case in WINDOWS
        for at in range(case["N"])
        if _cells(**case, at=at)
    )


def _adjacent(N: int, K: int, S: int) -> bool:
    return all(set(np.diff(_cells(N, K, S, at))) <= {-1} for at in range(N))


def _whole_filter_when(claim: Callable[..., bool]) -> bool:
    """Whether the claim tells which samples meet the whole filter, flipped."""
    return all(
        (_cells(N, K, 1, at) == list(range(K))[::-1]) == claim(N, K, at)
        for N in range(1, 7)
        for K in range(1, N + 1)
        for at in range(N)
    )


def _scattered(x: Array, w: Array, b: Array, sign: int, with_bias: bool, S: int, before: int) -> Array:
    """Equation (3) as an algorithm: every input adds its products to the outputs that it reaches. One axis."""
    z = conv(x, w, stride=S, padding=(before, 0)) * 0
    if with_bias:
        z = z + b.reshape(-1, 1)
    for n, m, at in np.ndindex(w.shape[0], x.shape[1], x.shape[2]):
        for o in range(z.shape[2]):
            if 0 <= (cell := at - S * o + before) < w.shape[2]:
                z[0, n, o] += sign * x[0, m, at] * w[n, m, cell]
    return z


def _scatter_is_gather(version: tuple[int, bool]) -> bool:
    x, w, b = symbols((1, 2, 4), (2, 2, 2), (2,))
    return all(
        same(_scattered(x, w, b, *version, S=s, before=p), conv(x, w, b, stride=s, padding=(p, 0)))
        for s in (1, 2)
        for p in (0, 1)
    )


def _jacobian_by_print(N: int, K: int, S: int) -> Array:
    """dZ(x')/dY(x) = w(x - x'), zero outside the filter, with no stride in it."""
    w = [0] * N + list(range(1, K + 1)) + [0] * N
    return np.array([[w[N + at - o] for at in range(N)] for o in range(count_windows(N, K, S))], object)


def _strided_jacobian(N: int, K: int, S: int) -> Array:
    return np.array([conv(e, distinct((1, 1, K)), stride=S)[0, 0] for e in basis((1, 1, N))], object).T


def _padded_by(rule: Callable[[int, Pair], Pair]) -> bool:
    """Whether dx is dy, padded by the rule, correlated with the flipped filter. One axis, stride 1."""
    for K in range(1, 4):
        for padding in ((0, 0), (K - 1, 0), (K // 2, (K - 1) // 2)):
            x, w = integers((1, 1, 4), (1, 1, K))
            (dy,) = integers(conv(x, w, padding=padding).shape, seed=1)
            found = conv(pad(dy, rule(K, padding)), flipped(w))
            if not same(found, conv_backward(dy, x, w, padding=padding)[0]):
                return False
    return True


def _correlation_is_sum(cell: Callable[[sp.Expr, sp.Expr], sp.Expr]) -> bool:
    """Whether sum over u of G(x - (K - 1) + u) w[cell(u)] is sum over v of G(x - v) w[v], for symbolic K."""
    G, w = sp.Function("G"), sp.IndexedBase("w")
    x, u, v = sp.symbols("x u v", integer=True)
    K = sp.Symbol("K", integer=True, positive=True)
    correlation = sp.Sum(G(x - (K - 1) + u) * w[cell(K, u)], (u, 0, K - 1))
    reindexed = correlation.change_index(u, K - 1 - u, v)
    return bool(sp.simplify(reindexed - sp.Sum(G(x - v) * w[v], (v, 0, K - 1))) == 0)


def _turned(w: Array) -> Array:
    """Turned by 180 degrees, the channel axes exchanged."""
    return flipped(w).swapaxes(0, 1)


def _backward_by(bank: Callable[[Array], Array], N: int, K: int, Ci: int, Co: int) -> Array | None:
    """dx by correlating dy, padded by K - 1, with a bank of filters made from w; None if it does not fit."""
    (w,) = integers((Co, Ci, K, K))
    (dy,) = integers((1, Co, N - K + 1, N - K + 1), seed=1)
    made = bank(w)
    return conv(pad(dy, (K - 1, K - 1)), made) if made.shape[:2] == (Ci, Co) else None


def _reading(bank: Callable[[Array], Array]) -> Callable[..., Any]:
    return lambda N, K, Ci, Co: _backward_by(bank, N, K, Ci, Co)


def _stride_1_by(bank: Callable[[Array], Array]) -> bool:
    for x_shape, w_shape in (
        ((1, 2, 3), (3, 2, 2)),
        ((1, 2, 3, 3), (1, 2, 2, 2)),
        ((1, 1, 2, 3), (2, 1, 1, 3)),
    ):
        dy_shape = (1, w_shape[0], *(n - k + 1 for n, k in zip(x_shape[2:], w_shape[2:], strict=True)))
        x, w, dy = symbols(x_shape, w_shape, dy_shape)
        sides = [(0, 0), (0, 0), *((k - 1, k - 1) for k in w_shape[2:])]
        if not same(conv(np.pad(dy, sides), bank(w)), conv_backward(dy, x, w)[0]):
            return False
    return True


def _in_general_by(trailing: bool) -> bool:
    """Whether spreading dy, padding, correlating with the turned filters and cropping gives dx.

    `trailing` says whether dy is spread over the whole side of the stride-1 map, or between its elements only.
    """
    for x_shape, w_shape, stride, padding, groups in LAYERS:
        if groups > 1:
            continue
        x, w = integers(x_shape, w_shape)
        (dy,) = integers(conv(x, w, stride=stride, padding=padding).shape, seed=1)
        full = conv(x, w, padding=padding).shape[2:]
        sides = full if trailing else [stride * (n - 1) + 1 for n in dy.shape[2:]]
        spread = np.zeros((*dy.shape[:2], *sides), object)
        sliced(spread, *[slice(None, None, stride)] * len(sides))[...] = dy
        whole = conv(np.pad(spread, [(0, 0), (0, 0), *((k - 1, k - 1) for k in w_shape[2:])]), _turned(w))
        cropped = sliced(whole, *(slice(padding[0], padding[0] + n) for n in x_shape[2:]))
        if not same(cropped, conv_backward(dy, x, w, stride=stride, padding=padding)[0]):
            return False
    return True


def _by_steps(channels: Callable[[int], int]) -> bool:
    """The notes' three steps: pad, flip, and an inner product over the segment and the output channels."""
    x, w, dy = symbols((1, 2, 3), (2, 2, 2), (1, 2, 2))
    padded, turned = pad(dy, (1, 1)), flipped(w)
    found = np.zeros(x.shape, object)
    for m, at in np.ndindex(2, 3):
        used = channels(2)
        found[0, m, at] = inner(turned[:used, m], padded[0, :used, at : at + 2])
    return same(found, conv_backward(dy, x, w)[0])


EVIDENCE: Mapping[str, Evidence] = {
    "SHAPE-SAME": Evidence(
        checks=(
            executed(
                "the derivatives by x, w and b have their shapes",
                _shapes_kept,
                over="x of (1, 2, 4, 5), w of (3, 2, 2, 3)",
                right=conv_backward,
                wrong=_weights_transposed,
                wrong_says="dw with its channel axes exchanged",
            ),
            differs_first_at(
                {"outputs": 2},
                claim=lambda outputs: 1,
                truth=lambda outputs: (
                    np.array(
                        [sp.diff(k * sp.Symbol("y"), sp.Symbol("y")) for k in range(1, outputs + 1)], object
                    ).size
                ),
                among=cases(outputs=range(1, 4)),
                claim_says="the size of the derivative by one variable, for several outputs (y, 2y, ...),",
            ),
        )
    ),
    "YG-INFLUENCE": Evidence(
        checks=(
            executed(
                "every input channel reaches every output channel",
                _influences_all,
                over="4 channels, kernel 1, non-zero weights",
                right=1,
                wrong=2,
                wrong_says="with 2 groups",
            ),
        )
    ),
    "YG-EQ1": ambiguous(
        cases(N=range(1, 5), K=range(1, 4), where=lambda N, K: N >= K, domain="N >= K"),
        Reading(
            name="contracted over the outputs",
            value=lambda N, K: np.squeeze(distinct((N - K + 1,)) @ _jacobian(N, K)),
        ),
        Reading(
            name="element by element",
            value=lambda N, K: np.squeeze(distinct((N - K + 1, 1)) * _jacobian(N, K)),
            differs_at={"N": 2, "K": 1},
        ),
        also=(
            at_shapes(
                "dx is the sum over the output channels of the derivative through each",
                _channel_by_channel,
                over="x of (1, 2, 3), w of (3, 2, 2)",
                right=lambda count: list(range(count)),
                wrong=lambda count: list(range(count - 1)),
                wrong_says="the last channel left out",
            ),
        ),
    ),
    "YG-EQ2": Evidence(
        checks=(
            for_all(
                "the loss by one input sums g times the weight between, over all filters and outputs",
                lambda position: _cell(position, _times_g),
                right=_general,
                wrong=_as_printed,
                wrong_says="without stride and padding",
            ),
        )
    ),
    "YG-ONEORMORE": Evidence(
        checks=(
            executed(
                "every sample feeds an output exactly when S divides N - K, and S <= K or N = K",
                used_when,
                over=WINDOWS.words,
                right=covers,
                wrong=lambda N, K, S: S <= K,
                wrong_says="exactly when S <= K",
            ),
            differs_first_at(
                {"N": 2, "K": 1, "S": 2},
                claim=lambda N, K, S: True,
                truth=_every_sample_used,
                among=WINDOWS,
                claim_says="that each sample feeds an output",
            ),
            differs_first_at(
                {"N": 3, "K": 2, "S": 2},
                claim=lambda N, K, S: True,
                truth=_every_sample_used,
                among=OVERLAPPING,
                claim_says="that each sample feeds an output",
            ),
        )
    ),
    "YG-ADJACENT": Evidence(
        checks=(
            executed(
                "the cells that meet a sample are S apart",
                _apart,
                over=WINDOWS.words,
                right=lambda S: S,
                wrong=lambda S: 1,
                wrong_says="1 apart",
            ),
            differs_first_at(
                {"N": 5, "K": 3, "S": 2},
                claim=lambda N, K, S: True,
                truth=_adjacent,
                among=WINDOWS,
                claim_says="that they are adjacent",
            ),
        )
    ),
    "EQ3-UPDATE": Evidence(
        checks=(
            at_shapes(
                "adding each input's products to the outputs, from the bias on, is the affine map",
                _scatter_is_gather,
                over="x of (1, 2, 4), w of (2, 2, 2), strides 1 and 2, padding 0 and 1",
                right=(1, True),
                wrong=(-1, True),
                wrong_says="the products subtracted",
            ),
            at_shapes(
                "the bias has its part in it",
                _scatter_is_gather,
                over="the same",
                right=(1, True),
                wrong=(1, False),
                wrong_says="without bias",
            ),
            differs_first_at(
                {"y": 1, "w": 1, "b": 0},
                claim=lambda y, w, b: b - y * w,
                truth=lambda y, w, b: conv(line(y), line(w), np.array([b], object))[0, 0, 0],
                among=cases(y=range(3), w=range(3), b=range(3)),
                claim_says="subtracting",
            ),
            differs_first_at(
                {"y": 0, "w": 0, "b": 1},
                claim=lambda y, w, b: y * w,
                truth=lambda y, w, b: conv(line(y), line(w), np.array([b], object))[0, 0, 0],
                among=cases(y=range(3), w=range(3), b=range(3)),
                claim_says="starting from 0",
            ),
        )
    ),
    "EQ3-DERIV": Evidence(
        checks=(
            for_all(
                "an output by an input is the cell at x - S x' + before, and zero where there is none",
                lambda position: _cell(position, _itself),
                right=_general,
                wrong=_as_printed,
                wrong_says="the cell at x - x'",
            ),
            differs_first_at(
                {"N": 3, "K": 1, "S": 2}, claim=_jacobian_by_print, truth=_strided_jacobian, among=WINDOWS
            ),
        )
    ),
    "YG-FLIP": ambiguous(
        UNPADDED,
        Reading(name="turned by 180 degrees, channel axes exchanged", value=_reading(_turned)),
        Reading(
            name="not flipped",
            value=_reading(lambda w: w.swapaxes(0, 1)),
            differs_at={"N": 2, "K": 2, "Ci": 1, "Co": 1},
        ),
        Reading(
            name="rows flipped",
            value=_reading(lambda w: w[:, :, ::-1].swapaxes(0, 1)),
            differs_at={"N": 2, "K": 2, "Ci": 1, "Co": 1},
        ),
        Reading(
            name="rows and columns exchanged, then both flipped",
            value=_reading(lambda w: _turned(w).swapaxes(2, 3)),
            differs_at={"N": 2, "K": 2, "Ci": 1, "Co": 1},
        ),
        Reading(
            name="rows and columns exchanged, then the rows flipped",
            value=_reading(lambda w: w.swapaxes(2, 3)[:, :, ::-1].swapaxes(0, 1)),
            differs_at={"N": 2, "K": 2, "Ci": 1, "Co": 1},
        ),
        Reading(
            name="turned by 180 degrees, channel axes as they are",
            value=_reading(flipped),
            differs_at={"N": 1, "K": 1, "Ci": 1, "Co": 2},
        ),
        also=(
            at_shapes(
                "dy, padded by K - 1, correlated with the turned filters is dx",
                _stride_1_by,
                over="three layers of one and two axes, stride 1",
                right=_turned,
                wrong=lambda w: w.swapaxes(0, 1),
                wrong_says="filters not flipped",
            ),
        ),
    ),
    "YG-BORDER": Evidence(
        checks=(
            executed(
                "a sample meets the whole filter, flipped, exactly where K - 1 <= x <= N - K",
                _whole_filter_when,
                over="N <= 6, K <= N, every sample",
                right=lambda N, K, at: K - 1 <= at <= N - K,
                wrong=lambda N, K, at: True,
                wrong_says="everywhere",
            ),
            differs_first_at(
                {"N": 2, "K": 2},
                claim=lambda N, K: K,
                truth=lambda N, K: len(_cells(N, K, 1, 0)),
                among=cases(N=range(1, 6), K=range(1, 6), where=lambda N, K: N >= K, domain="N >= K"),
                claim_says="the number of cells that the first sample meets, as K,",
            ),
        )
    ),
    "YG-PAD": Evidence(
        checks=(
            executed(
                "dy is padded by K - 1 less the forward padding on either side",
                _padded_by,
                over="4 samples, K of 1..3, no, one-sided and two-sided padding",
                right=lambda K, padding: (K - 1 - padding[0], K - 1 - padding[1]),
                wrong=lambda K, padding: (K - 1, K - 1),
                wrong_says="by K - 1 always",
            ),
            differs_first_at(
                {"N": 1, "K": 2, "before": 1},
                claim=lambda N, K, before: (N + before - K + 1) + 2 * (K - 1) - K + 1,
                truth=lambda N, K, before: N,
                among=cases(
                    N=range(1, 5),
                    K=range(1, 4),
                    before=range(3),
                    where=lambda N, K, before: before < K and N + before >= K,
                    domain="before < K <= N + before",
                ),
                claim_says="the side of the derivative, padded by K - 1,",
            ),
        )
    ),
    "YG-CONV": Evidence(
        checks=(
            for_all(
                "correlating the padded dy with the flipped filter sums dy at x - v times w[v]",
                _correlation_is_sum,
                right=lambda side, u: side - 1 - u,
                wrong=lambda side, u: u,
                wrong_says="the filter not flipped",
            ),
            at_shapes(
                "that sum over the output channels is dx, at stride 1",
                _stride_1_by,
                over="three layers of one and two axes",
                right=_turned,
                wrong=lambda w: w.swapaxes(0, 1),
                wrong_says="filters not flipped",
            ),
            differs_first_at(
                {"N": 2, "K": 1, "S": 2},
                claim=lambda N, K, S: count_windows(N, K, S) + K - 1,
                truth=lambda N, K, S: N,
                among=WINDOWS,
                claim_says="the side of the derivative at any stride",
            ),
        )
    ),
    "YG-GENERAL": Evidence(
        checks=(
            for_all(
                "the loss by one input: g times the cell at x - S x' + before, over all filters and outputs",
                lambda position: _cell(position, _times_g),
                right=_general,
                wrong=lambda at, output: at - sums.S * output,
                wrong_says="the padding forgotten",
            ),
            at_shapes(
                "the literal derivatives by x, w and b are those of <dy, conv(x, w, b)>",
                is_derivative,
                over=LAYERS_WORDS,
                right=conv_backward,
                wrong=_stride_blind,
                wrong_says="dx one sample on at strides above 1",
            ),
            executed(
                "spread dy over the stride-1 map, pad by K - 1, correlate with the turned filters, crop",
                _in_general_by,
                over="the same layers without groups, integers",
                right=True,
                wrong=False,
                wrong_says="zeros between the elements of dy only",
            ),
        )
    ),
    "YG-DOUBLEFLIP": ambiguous(
        cases(K=range(1, 5)),
        Reading(
            name="correlated with the flipped filter",
            value=lambda K: conv(pad(line(1), (K - 1, K - 1)), flipped(distinct((1, 1, K)))),
        ),
        Reading(
            name="convolved in the mathematical sense with the flipped filter",
            value=lambda K: conv(pad(line(1), (K - 1, K - 1)), distinct((1, 1, K))),
            differs_at={"K": 2},
        ),
    ),
    "YG-ALGO": Evidence(
        checks=(
            at_shapes(
                "pad, flip, inner products over the segment and all output channels: dx",
                _by_steps,
                over="x of (1, 2, 3), w of (2, 2, 2)",
                right=lambda channels: channels,
                wrong=lambda channels: 1,
                wrong_says="the first output channel alone",
            ),
        )
    ),
}
