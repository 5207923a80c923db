"""Checks of the notes' §1.3: layer order, and scanning distributed over the layers."""

from collections.abc import Callable, Iterable, Mapping
from itertools import product

import numpy as np
import sympy as sp

from cnn_spec.checks.check import Evidence, Reading, ambiguous, at_shapes, executed, for_all
from cnn_spec.checks.search import cases
from cnn_spec.checks.tensors import conv, integers, line, max_pool, same, seeded, symbols
from cnn_spec.definitions.receptive_field import receptive_field
from cnn_spec.definitions.scanning import (
    Layer,
    Task,
    gradient,
    identity,
    layer_by_layer,
    mlp_on_windows,
    relu,
    scan,
    undistributed,
    unit,
    window_by_window,
)
from cnn_spec.operations import Array

Order = Callable[[list[int]], Iterable[Task]]


def _drawn_order(seed: int) -> Order:
    """A random order in which each layer at a position comes after the layer below at that position."""

    def order(counts: list[int]) -> Iterable[Task]:
        draw = np.random.default_rng(seed)
        level = [0] * counts[-1]
        while open_positions := [t for t, done in enumerate(level) if done < len(counts)]:
            t = int(draw.choice(open_positions))
            yield level[t], t
            level[t] += 1

    return order


def _any_order(scanned: Callable[..., Array]) -> bool:
    layers = seeded(1, (3, 2, 1), (2, 1, 1), (2, 1, 1))
    (x,) = integers((1, 5))
    orders = (layer_by_layer, window_by_window, *map(_drawn_order, range(10)))
    return all(same(scanned(x, layers, order), mlp_on_windows(x, layers)) for order in orders)


def _on_latest_result(x: Array, layers: list[Layer], order: Order) -> Array:
    """Scanning by one network that keeps only each layer's latest outputs: right window by window only."""
    latest: dict[int, Array] = {}
    last: dict[int, Array] = {}
    for index, t in order([x.shape[1] - layers[0].K + 1] * len(layers)):
        seen = x[:, t : t + layers[0].K] if index == 0 else latest[index - 1]
        latest[index] = last[t] = unit(layers[index], seen, relu)
    return np.stack([last[t] for t in sorted(last)], axis=1)


def _barrier(order: Order, L: int = 3, T: int = 4) -> bool:
    """Whether every task of a layer comes before every task of the next."""
    done = [layer for layer, _ in order([T] * L)]
    return done == sorted(done)


def _right_by_windows(L: int, T: int) -> bool:
    layers = seeded(1, (2, 1, 1), *[(2, 1, 1)] * (L - 1))
    (x,) = integers((1, T))
    return same(scan(x, layers, window_by_window), mlp_on_windows(x, layers))


def _keeps_place(place: Callable[[int, int], int]) -> bool:
    """Whether position t of each map depends on the window at `place(t, positions)` alone."""
    layers = seeded(1, (2, 2, 2), (2, 1, 1), (1, 1, 1))
    x = integers((1, 8))[0]
    for depth in range(1, 4):
        for t in range(4):
            reached = set(np.flatnonzero(gradient(x, layers[:depth], 0, t)[0]))
            if not reached or not reached <= {2 * place(t, 4), 2 * place(t, 4) + 1}:
                return False
    return True


def _distributed(chain: Callable[..., Array]) -> bool:
    for seed, (k, s) in enumerate(product((1, 2, 3), (1, 2))):
        layers = seeded(1, (2, 2, s), (3, k, 2), seed=seed)
        (x,) = integers((1, 11), seed=seed)
        if not same(chain(x[None], *layers)[0], scan(x, layers, layer_by_layer)):
            return False
    return True


def _convolved(x: Array, first: Layer, second: Layer) -> Array:
    units = len(first.weights)
    y = relu(conv(x, first.weights.reshape(units, 1, -1), first.bias, stride=first.S))
    return relu(conv(y, second.weights.reshape(-1, units, second.K), second.bias, stride=second.S))


NETWORKS = [(2, 1, 2, 1), (2, 2, 2, 1), (1, 2, 3, 1), (3, 1, 2, 2)]


def _as_one_mlp(build: Callable[[Layer, Layer], tuple[Layer, Layer]]) -> bool:
    for K1, S1, K2, S2 in NETWORKS:
        x, w1, b1, w2, b2 = symbols((1, 7), (2, K1), (2,), (2, 2 * K2), (2,))
        first, second = Layer(w1, b1, K1, S1), Layer(w2, b2, K2, S2)
        one = mlp_on_windows(x, list(build(first, second)), identity)
        if not same(scan(x, [first, second], layer_by_layer, identity), one):
            return False
    return True


def _as_one_mlp_with_relu(build: Callable[[Layer, Layer], tuple[Layer, Layer]]) -> bool:
    for seed, (K1, S1, K2, S2) in enumerate(product((1, 2, 3), (1, 2), (1, 2), (1, 2))):
        first, second = seeded(1, (2, K1, S1), (2, K2, S2), seed=seed)
        (x,) = integers((1, 9), seed=seed)
        one = mlp_on_windows(x, list(build(first, second)))
        if not same(scan(x, [first, second], layer_by_layer), one):
            return False
    return True


def _ignoring_stride(first: Layer, second: Layer) -> tuple[Layer, Layer]:
    wide, below = undistributed(first._replace(S=1), second)
    return wide._replace(S=first.S * second.S), below


def _additive(map_window: Callable[[Array], Array], K: int) -> bool:
    """Whether the map of a sum is the sum of the maps, on all inputs of -1, 0 and 1."""
    inputs = [line(*values) for values in product((-1, 0, 1), repeat=K)]
    return all(same(map_window(a + b), map_window(a) + map_window(b)) for a in inputs for b in inputs)


def _one_unit_cannot(classes: tuple[set[tuple[int, int]], set[tuple[int, int]]]) -> bool:
    """Whether no real weights separate the two classes, since their points have the same sum.

    Were w.x + b > 0 on the n points of one class and <= 0 on the n points of the other, the sums over the
    classes would be > 0 and <= 0; but they are equal.
    """
    w1, w2, b = sp.symbols("w1 w2 b", real=True)
    above, below = (sum(w1 * x1 + w2 * x2 + b for x1, x2 in points) for points in classes)
    return bool(sp.expand(above - below) == 0)


XOR = ({(0, 1), (1, 0)}, {(0, 0), (1, 1)})


def _two_layers_can(output: Callable[[int, int], int]) -> bool:
    return all(output(*at) == at_class for at_class, points in ((1, XOR[0]), (0, XOR[1])) for at in points)


def _threshold(*weighted: int, bias: int) -> int:
    return int(sum(weighted) + bias > 0)


def _same_higher_outputs(network: Callable[[Array, list[Layer]], Array]) -> bool:
    """Whether two inputs with the same first-layer outputs (both rectified to 0) have the same final ones."""
    layers = [Layer(np.array([[1], [2]], object), np.array([0, 0], object)), *seeded(2, (2, 2, 1), seed=4)]
    one, other = np.array([[-1, 3, -2]], object), np.array([[-5, 3, -4]], object)
    return same(network(one, layers), network(other, layers))


def _inside_field(field: Callable[[list[tuple[int, int]]], tuple[int, int]]) -> bool:
    """Whether every unit's derivative vanishes outside its field, and reaches both ends of it."""
    for shape in ([(2, 1), (2, 1)], [(2, 2), (2, 1)], [(3, 2), (2, 2), (2, 1)], [(1, 2), (2, 1)]):
        layers = seeded(1, *((2, K, S) for K, S in shape))
        layers = [layer._replace(weights=abs(layer.weights)) for layer in layers]
        width, jump = field(shape)
        (x,) = integers((1, 14))
        for t in (0, 1):
            reached = np.flatnonzero(gradient(x, layers, 0, t)[0])
            if (reached[0], reached[-1]) != (t * jump, t * jump + width - 1):
                return False
    return True


def _strides_forgotten(layers: list[tuple[int, int]]) -> tuple[int, int]:
    return 1 + sum(K - 1 for K, _ in layers), receptive_field(layers)[1]


EVIDENCE: Mapping[str, Evidence] = {
    "ORDER-EQUIV": Evidence(
        checks=(
            executed(
                "layer by layer, window by window, and mixed orders give the same outputs",
                _any_order,
                over="3 layers at 4 positions, 10 drawn orders, integers, relu",
                right=scan,
                wrong=_on_latest_result,
                wrong_says="a network that keeps only its latest outputs",
            ),
        )
    ),
    "ORDER-IF": ambiguous(
        cases(L=range(1, 4), T=range(1, 4)),
        Reading(name="enough: other orders may be right too", value=_right_by_windows),
        Reading(
            name="necessary: an order is right if it finishes each layer first",
            value=lambda L, T: _barrier(window_by_window, L, T),
            differs_at={"L": 2, "T": 2},
        ),
    ),
    "ORDER-BARRIER": Evidence(
        checks=(
            executed(
                "all of a layer comes before any of the next",
                _barrier,
                over="3 layers at 4 positions",
                right=layer_by_layer,
                wrong=window_by_window,
                wrong_says="window by window",
            ),
        )
    ),
    "ORDER-SPATIAL": Evidence(
        checks=(
            executed(
                "position t of every layer's map depends on window t alone",
                _keeps_place,
                over="3 layers on 8 samples, windows of 2, each derivative",
                right=lambda t, count: t,
                wrong=lambda t, count: count - 1 - t,
                wrong_says="on window T - 1 - t",
            ),
        )
    ),
    "DIST-SCAN": Evidence(
        checks=(
            executed(
                "windows in the second layer too = a chain of two convolutions",
                _distributed,
                over="11 samples, second windows of 1..3 with stride 2, integers, relu",
                right=_convolved,
                wrong=lambda x, first, second: _convolved(x, first, second._replace(S=1)),
                wrong_says="the second layer's stride forgotten",
            ),
        )
    ),
    "DIST-EQUIV": Evidence(
        checks=(
            at_shapes(
                "two affine scanning layers = one MLP that scans wider windows",
                _as_one_mlp,
                over="7 samples, 2 units each, (K1, S1, K2, S2) = " + ", ".join(map(str, NETWORKS)),
                right=undistributed,
                wrong=_ignoring_stride,
                wrong_says="copies of the first layer 1 apart and not S1",
            ),
            executed(
                "the same with relu",
                _as_one_mlp_with_relu,
                over="9 samples, K1 of 1..3, S1, K2, S2 of 1..2, integers",
                right=undistributed,
                wrong=_ignoring_stride,
                wrong_says="copies of the first layer 1 apart and not S1",
            ),
        )
    ),
    "CONV-DEF": ambiguous(
        cases(K=range(1, 4)),
        Reading(
            name="an affine map of each window: additive without bias",
            value=lambda K: _additive(lambda x: conv(x, line(*range(1, K + 1))), K),
        ),
        Reading(
            name="any function of each window, such as the maximum",
            value=lambda K: _additive(lambda x: max_pool(x, K, 1), K),
            differs_at={"K": 2},
        ),
    ),
    "HALFSPACE": Evidence(
        checks=(
            for_all(
                "no weights and bias of one threshold unit compute exclusive or",
                _one_unit_cannot,
                right=XOR,
                wrong=({(1, 1), (1, 0)}, {(0, 0), (0, 1)}),
                wrong_says="that none compute the first input",
            ),
            executed(
                "two layers do: (a or b) and not (a and b)",
                _two_layers_can,
                over="all 4 inputs",
                right=lambda a, b: _threshold(_threshold(a, b, bias=0), -_threshold(a, b, bias=-1), bias=0),
                wrong=lambda a, b: _threshold(a, b, bias=0),
                wrong_says="one unit, a or b",
            ),
        )
    ),
    "HIER-COMBO": Evidence(
        checks=(
            executed(
                "inputs with equal lower outputs have equal higher ones",
                _same_higher_outputs,
                over="(-1, 3, -2) and (-5, 3, -4), rectified alike",
                right=lambda x, layers: scan(x, layers, layer_by_layer),
                wrong=lambda x, layers: scan(x, layers, layer_by_layer) + x[:, :1],
                wrong_says="a network with a connection past the lower layer",
            ),
        )
    ),
    "HIER-LOCAL": Evidence(
        checks=(
            executed(
                "a unit's derivative spans its receptive field and vanishes outside",
                _inside_field,
                over="4 networks of 2 or 3 layers on 14 samples, positive weights",
                right=receptive_field,
                wrong=_strides_forgotten,
                wrong_says="a field that forgets the strides",
            ),
        )
    ),
}
