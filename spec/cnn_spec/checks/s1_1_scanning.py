"""Checks of the notes' §1.1 and §1.2: scanning MLPs."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import pairwise, product

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
from cnn_spec.checks.rounding import SPAN, STRIDE, positive, t, u
from cnn_spec.checks.search import cases
from cnn_spec.checks.tensors import conv, count_windows, distinct, integers, same, seeded, symbols
from cnn_spec.definitions.scanning import (
    Layer,
    identity,
    mlp_on_windows,
    positions,
    relu,
    shared_matrix,
    window,
)
from cnn_spec.operations import Array

Scan = Callable[[Array, list[Layer]], Array]

WINDOWS = cases(N=range(1, 9), K=range(1, 5), S=range(1, 5), where=lambda N, K, S: N >= K, domain="N >= K")
SIZES = [(3, 2, 1, 1), (4, 2, 2, 2), (5, 3, 1, 2), (4, 1, 3, 1)]
SIZES_WORDS = "(N, K, S, units) = " + ", ".join(map(str, SIZES))


def _covered(N: int, K: int, S: int) -> bool:
    """Whether every sample lies in a window."""
    x = distinct((1, N), start=0)
    return set(range(N)) == {s for at in range(positions(N, K, S)) for s in window(x, at, K, S).flat}


def _covers_when(claim: Callable[..., bool]) -> bool:
    return all(_covered(**case) == claim(**case) for case in WINDOWS)


def _same_at_equal_windows(scanned: Scan) -> bool:
    """Whether equal windows have equal outputs, and a change outside a window leaves its output alone."""
    layers = seeded(1, (3, 2, 2), (2, 1, 1))
    (x,) = integers((1, 8))
    x[:, 4:6] = x[:, 0:2]
    before = scanned(x, layers)
    x[:, 6] += 5
    after = scanned(x, layers)
    return same(before[:, 0], before[:, 2]) and same(before[:, :3], after[:, :3])


def _weights_by_position(x: Array, layers: list[Layer]) -> Array:
    return mlp_on_windows(x, layers) * np.arange(1, 5)


def _in_order(scanned: Scan) -> bool:
    """Whether a network that answers with its window's first sample gives 0, S, 2S, ..."""
    return all(
        list(scanned(distinct((1, N), start=0), [_first_sample(K, S)])[0]) == list(range(0, N - K + 1, S))
        for N in range(1, 8)
        for K in range(1, N + 1)
        for S in range(1, 4)
    )


def _first_sample(K: int, S: int) -> Layer:
    return Layer(np.array([[1] + [0] * (K - 1)], object), np.array([0], object), K, S)


def _moved(shift: int) -> tuple[Array, Array]:
    """The outputs at stride 2 for a pattern on zeros, and for the same pattern moved by `shift` samples."""
    layers = seeded(1, (2, 3, 2), seed=3)
    x = np.zeros((1, 15), object)
    x[0, 4:8] = [3, 1, 4, 2]
    return mlp_on_windows(x, layers, identity), mlp_on_windows(np.roll(x, shift, axis=1), layers, identity)


def _moves_along(shift: int) -> bool:
    before, after = _moved(shift)
    return same(after[:, 1:], before[:, :-1])


def _does_not_change(readout: Callable[[Array], Array]) -> bool:
    return all(same(readout(before), readout(after)) for before, after in map(_moved, (2, 4)))


def _softmax(y: Array, axis: int | None) -> Array:
    """Softmax to the base 2, which is exact on integers."""
    powers = np.array([Fraction(2) ** int(value) for value in y.flat], object).reshape(y.shape)
    normalised: Array = powers / powers.sum(axis=axis, keepdims=True)
    return normalised


def _outputs(T: int, C: int) -> Array:
    return distinct((C, T))


def _commutes_with_order(normalise: Callable[[Array], Array]) -> bool:
    y = distinct((2, 3))
    return same(normalise(y[:, ::-1]), normalise(y)[:, ::-1]) and not same(
        normalise(y[:, ::-1]), normalise(y)
    )


def _one_matrix(matrix: Callable[[Layer, int], Array]) -> bool:
    """Whether a scanning network of two layers is two large matrices, for symbolic weights, biases and input."""
    for n, k, s, units in SIZES:
        T = positions(n, k, s)
        x, w1, b1, w2, b2 = symbols((1, n), (units, k), (units,), (2, units), (2,))
        first, second = Layer(w1, b1, k, s), Layer(w2, b2)
        scanned = mlp_on_windows(x, [first, second], identity)
        large = matrix(first, n) @ x[0] + np.tile(b1, T)
        deeper = np.kron(np.eye(T, dtype=int), w2) @ large + np.tile(b2, T)
        if not same(scanned.T.reshape(-1), deeper):
            return False
    return True


def _as_convolutions(convolve: Callable[..., Array]) -> bool:
    for seed, (k, s) in enumerate(product(range(1, 4), range(1, 4))):
        first, second = seeded(1, (3, k, s), (2, 1, 1), seed=seed)
        (x,) = integers((1, 1, 9), seed=seed)
        y = relu(convolve(x, first.weights.reshape(3, 1, k), first.bias, stride=s))
        y = relu(convolve(y, second.weights.reshape(2, 3, 1), second.bias))
        if not same(y[0], mlp_on_windows(x[0], [first, second])):
            return False
    return True


def _copies(count: Callable[..., int]) -> bool:
    """Whether the large matrix has that many blocks, made of the same weights for every input size."""
    for case in WINDOWS:
        layer = Layer(distinct((2, case["K"])), np.zeros(2, object), case["K"], case["S"])
        matrix = shared_matrix(layer, case["N"])
        if matrix.shape[0] != 2 * count(**case) or set(matrix.flat) - {0} != set(layer.weights.flat):
            return False
    return True


def _support(N: int, K: int, S: int) -> int:
    """How many samples the first unit of the large network is connected to."""
    layer = Layer(distinct((1, K)), np.zeros(1, object), K, S)
    return int(np.count_nonzero(shared_matrix(layer, N)[0]))


def _connected_to(number: Callable[..., int]) -> bool:
    return all(_support(**case) == number(**case) for case in WINDOWS)


def _dense_share(share: Callable[..., Fraction]) -> bool:
    for case in WINDOWS:
        layer = Layer(distinct((2, case["K"])), np.zeros(2, object), case["K"], case["S"])
        matrix = shared_matrix(layer, case["N"])
        if Fraction(int(np.count_nonzero(matrix)), matrix.size) != share(**case):
            return False
    return True


SQUARES = cases(
    matrix=[(row, row[::-1]) for row in product(range(1, 4), repeat=2) if row[0] != row[1]],
)


def _has_zero(matrix: tuple[tuple[int, ...], ...]) -> bool:
    return any(value == 0 for row in matrix for value in row)


def _shares(matrix: tuple[tuple[int, ...], ...]) -> bool:
    """Whether every row has the first one's values, zeros apart."""
    return len({tuple(sorted(value for value in row if value)) for row in matrix}) == 1


def _shifted_blocks(shift: Callable[[int], int]) -> bool:
    """Whether the rows of the next window are those of this one, `shift(S)` columns to the right."""
    for n, k, s, units in SIZES:
        (w,) = symbols((units, k))
        matrix = shared_matrix(Layer(w, np.zeros(units, object), k, s), n)
        blocks = matrix.reshape(-1, units, n)
        if not all(same(np.roll(a, shift(s), axis=1), b) for a, b in pairwise(blocks)):
            return False
    return True


def _block_diagonal_when(claim: Callable[..., bool]) -> bool:
    """Whether the claim tells when no column belongs to two windows."""
    for case in WINDOWS:
        layer = Layer(np.full((1, case["K"]), 1, object), np.zeros(1, object), case["K"], case["S"])
        used = shared_matrix(layer, case["N"]).sum(axis=0)
        if (max(used) <= 1) != claim(**case):
            return False
    return True


NUMBER = Formula(
    quantity="number of windows",
    expression=sp.floor((N - K) / S) + 1,
    means={N: "samples", K: "window", S: "distance of the windows"},
    domain=(K >= 1, N >= K, S >= 1),
    cover=({N: SPAN + K, S: STRIDE},),
    grid={N: range(1, 13), K: range(1, 7), S: range(1, 7)},
)

EVIDENCE: Mapping[str, Evidence] = {
    "SCAN-WINDOWS": Evidence(
        formula=NUMBER,
        checks=(
            counted(
                NUMBER,
                count_windows,
                says="the formula counts the windows",
                wrong=lambda N, K, S: -((K - N) // S) + 1,
                wrong_says="rounded up",
            ),
            executed(
                "every sample is in a window exactly when S divides N - K, and S <= K or N = K",
                _covers_when,
                over=WINDOWS.words,
                right=lambda N, K, S: (N - K) % S == 0 and (S <= K or N == K),
                wrong=lambda N, K, S: (N - K) % S == 0,
                wrong_says="exactly when S divides N - K",
            ),
            differs_first_at(
                {"N": 2, "K": 1, "S": 2},
                claim=lambda N, K, S: True,
                truth=_covered,
                among=WINDOWS,
                claim_says="that windows cover the input",
            ),
        ),
    ),
    "SCAN-SHARED": Evidence(
        checks=(
            executed(
                "equal windows have equal outputs, and what is outside a window does not touch its output",
                _same_at_equal_windows,
                over="8 samples, windows of 2, two layers",
                right=mlp_on_windows,
                wrong=_weights_by_position,
                wrong_says="weights that depend on the position",
            ),
        )
    ),
    "SCAN-ORDER": Evidence(
        checks=(
            executed(
                "a network that answers with its window's first sample gives 0, S, 2S, ... on 0, 1, 2, ...",
                _in_order,
                over="N <= 7, K <= N, S <= 3",
                right=lambda x, layers: mlp_on_windows(x, layers, identity),
                wrong=lambda x, layers: mlp_on_windows(x, layers, identity)[:, ::-1],
                wrong_says="the outputs in reverse",
            ),
        )
    ),
    "SCAN-SHIFT": Evidence(
        checks=(
            executed(
                "a pattern moved by one stride moves the outputs by one position",
                _moves_along,
                over="a pattern of 4 on 15 samples, windows of 3, stride 2",
                right=2,
                wrong=1,
                wrong_says="a pattern moved by 1 at stride 2",
            ),
            executed(
                "a symmetric readout does not change when the pattern moves by strides",
                _does_not_change,
                over="the same pattern, moved by 2 and by 4",
                right=lambda y: np.max(y, axis=1),
                wrong=lambda y: y[:, 2],
                wrong_says="the output at a fixed position",
            ),
            differs_first_at(
                {"shift": 1, "S": 2},
                claim=lambda shift, S: 1,
                truth=lambda shift, S: max(
                    mlp_on_windows(
                        np.roll(np.array([[1, 0, 0]], object), shift, axis=1), [_first_sample(1, S)]
                    )[0]
                ),
                among=cases(shift=range(3), S=range(1, 4)),
                claim_says="finding a single 1 wherever it is",
            ),
        )
    ),
    "SCAN-SOFTMAX": ambiguous(
        cases(T=range(1, 4), C=range(1, 4)),
        Reading(name="over the positions", value=lambda T, C: _softmax(_outputs(T, C), 1)),
        Reading(
            name="over the classes, at each position",
            value=lambda T, C: _softmax(_outputs(T, C), 0),
            differs_at={"T": 1, "C": 2},
        ),
        Reading(
            name="over all outputs at once",
            value=lambda T, C: _softmax(_outputs(T, C), None),
            differs_at={"T": 1, "C": 2},
        ),
        also=(
            executed(
                "normalising over the positions moves with the input, and does change",
                _commutes_with_order,
                over="2 classes at 3 positions, reversed; softmax to the base 2, exact",
                right=lambda y: _softmax(y, 1),
                wrong=lambda y: _softmax(y * np.arange(1, 4), 1),
                wrong_says="outputs weighted by position first",
            ),
        ),
    ),
    "SCAN-GIANT": Evidence(
        checks=(
            at_shapes(
                "scanning with two layers = a block matrix, then a block diagonal one",
                _one_matrix,
                over=SIZES_WORDS,
                right=shared_matrix,
                wrong=lambda layer, n: np.roll(shared_matrix(layer, n), 1, axis=1),
                wrong_says="every block one column to the right",
            ),
        )
    ),
    "SCAN-CONV-EQ": Evidence(
        checks=(
            executed(
                "scanning with an MLP = a convolution with its first layer, then kernels of 1",
                _as_convolutions,
                over="9 samples, K and S of 1..3, integers, relu",
                right=conv,
                wrong=lambda x, w, b, stride=1: conv(x, w[..., ::-1], b, stride=stride),
                wrong_says="kernels flipped",
            ),
        )
    ),
    "SUBNET-PER-WINDOW": Evidence(
        checks=(
            executed(
                "one block for each window, always of the same weights",
                _copies,
                over=WINDOWS.words,
                right=positions,
                wrong=lambda N, K, S: N,
                wrong_says="one block for each sample",
            ),
        )
    ),
    "SCAN-LOCAL": Evidence(
        checks=(
            executed(
                "a first-layer unit is connected to K samples",
                _connected_to,
                over=WINDOWS.words,
                right=lambda N, K, S: K,
                wrong=lambda N, K, S: N,
                wrong_says="to all N samples",
            ),
            differs_first_at(
                {"N": 1, "K": 1, "S": 1},
                claim=lambda N, K, S: True,
                truth=lambda N, K, S: _support(N, K, S) < N,
                among=WINDOWS,
                claim_says="that a unit sees less than the whole input",
            ),
        )
    ),
    "SCAN-SPARSE": Evidence(
        checks=(
            executed(
                "the share K/N of the large matrix is not zero",
                _dense_share,
                over=WINDOWS.words,
                right=lambda N, K, S: Fraction(K, N),
                wrong=lambda N, K, S: Fraction(1, positions(N, K, S)),
                wrong_says="the share 1/T",
            ),
            for_all(
                "with T >= 2 windows, N - K >= (T - 1) S, so K/N is below 1",
                lambda windows: positive((windows - 1) * (t + 1) + u),
                right=t + 2,
                wrong=t + 1,
                wrong_says="the same for T >= 1",
            ),
            differs_first_at(
                {"N": 1, "K": 1, "S": 1},
                claim=lambda N, K, S: True,
                truth=lambda N, K, S: _support(N, K, S) < N,
                among=WINDOWS,
                claim_says="that the matrix is sparse",
            ),
        )
    ),
    "SPARSE-CAUSE": Evidence(
        checks=(
            differs_first_at(
                {"matrix": ((1, 2), (2, 1))},
                claim=_shares,
                truth=_has_zero,
                among=SQUARES,
                claim_says="that shared weights make zeros",
            ),
            executed(
                "zeros without sharing: a locally connected layer",
                lambda matrix: _has_zero(matrix) and not _shares(matrix),
                over="the matrix ((1, 2, 0), (0, 3, 4))",
                right=((1, 2, 0), (0, 3, 4)),
                wrong=((1, 2, 0), (0, 1, 2)),
                wrong_says="a scanning layer, ((1, 2, 0), (0, 1, 2))",
            ),
        )
    ),
    "SCAN-BLOCKS": Evidence(
        checks=(
            at_shapes(
                "the next window's rows are this one's, S columns to the right",
                _shifted_blocks,
                over=SIZES_WORDS,
                right=lambda s: s,
                wrong=lambda s: 1,
                wrong_says="one column to the right, at every stride",
            ),
            executed(
                "block diagonal exactly when S >= K, or there is one window",
                _block_diagonal_when,
                over=WINDOWS.words,
                right=lambda N, K, S: S >= K or N - K < S,
                wrong=lambda N, K, S: S >= K,
                wrong_says="exactly when S >= K",
            ),
        )
    ),
}
