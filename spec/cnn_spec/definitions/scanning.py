"""Scanning networks, unit by unit (notes §1.1 to §1.3, §1.8), over any ordered ring.

A map is an array (channels, positions). A layer looks at windows of K positions, S apart, and applies the same
weights to each: `y[:, t] = f(weights @ x[:, t S : t S + K] + bias)`. An MLP that scans an input is a first layer with
windows and further layers with K = S = 1; scanning distributed over the layers gives windows to all of them.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from cnn_spec.definitions.convolution import zeros
from cnn_spec.operations import Array


class Layer(NamedTuple):
    """Weights (units, channels * K), row-major over (channel, position in the window), and a bias (units,)."""

    weights: Array
    bias: Array
    K: int = 1
    S: int = 1


Task = tuple[int, int]
"""The computation of one layer at one position: (layer, position)."""


def relu(z: Array) -> Array:
    """Zero in place of negative elements."""
    return np.where(z > 0, z, 0 * z)


def identity(z: Array) -> Array:
    """The activation that changes nothing."""
    return z


def positions(N: int, K: int, S: int) -> int:
    """How many windows lie wholly on N samples; 0 if none does."""
    return max(0, (N - K) // S + 1)


def window(x: Array, t: int, K: int, S: int) -> Array:
    """Window t of a map."""
    return x[:, t * S : t * S + K]


def unit(layer: Layer, seen: Array, f: Callable[[Array], Array]) -> Array:
    """All units of a layer at one position, from the window that they see."""
    return f(layer.weights @ seen.reshape(-1) + layer.bias)


def scan(
    x: Array,
    layers: Sequence[Layer],
    order: Callable[[list[int]], Iterable[Task]],
    f: Callable[[Array], Array] = relu,
) -> Array:
    """The last layer's map (units, positions), its tasks computed in the given order.

    Raises KeyError if the order asks for a task before the ones whose results it needs.
    """
    counts: list[int] = []
    n = x.shape[1]
    for layer in layers:
        n = positions(n, layer.K, layer.S)
        counts.append(n)
    done: dict[Task, Array] = {(-1, t): x[:, t] for t in range(x.shape[1])}
    for index, t in order(counts):
        layer = layers[index]
        seen = np.stack([done[index - 1, t * layer.S + i] for i in range(layer.K)], axis=1)
        done[index, t] = unit(layer, seen, f)
    return np.stack([done[len(layers) - 1, t] for t in range(counts[-1])], axis=1)


def layer_by_layer(counts: list[int]) -> Iterable[Task]:
    """A layer is finished before the next one begins."""
    return [(layer, t) for layer, count in enumerate(counts) for t in range(count)]


def window_by_window(counts: list[int]) -> Iterable[Task]:
    """Every layer at one position, then the next position; for layers that look at one position each."""
    return [(layer, t) for t in range(counts[-1]) for layer in range(len(counts))]


def mlp_on_windows(x: Array, layers: Sequence[Layer], f: Callable[[Array], Array] = relu) -> Array:
    """One MLP applied to each window as a vector, in the windows' order (notes §1.1)."""
    first = layers[0]
    outputs = []
    for t in range(positions(x.shape[1], first.K, first.S)):
        y = window(x, t, first.K, first.S)
        for layer in layers:
            y = unit(layer, y, f)
        outputs.append(y)
    return np.stack(outputs, axis=1)


def shared_matrix(layer: Layer, n: int) -> Array:
    """The layer as one matrix from n positions of one channel to all its units at all positions (notes §1.1, §1.2).

    Shape (positions * units, n): row `t H + h` holds unit h's weights at columns t S to t S + K - 1, else zeros.
    """
    H, K = layer.weights.shape
    T = positions(n, K, layer.S)
    matrix = zeros((T * H, n), layer.weights)
    for t in range(T):
        matrix[t * H : (t + 1) * H, t * layer.S : t * layer.S + K] = layer.weights
    return matrix


def undistributed(first: Layer, second: Layer) -> tuple[Layer, Layer]:
    """Two scanning layers as one MLP that scans wider windows (notes §1.3): K2 shifted copies of the first layer.

    For an input of one channel.
    """
    H, K1 = first.weights.shape
    R = K1 + (second.K - 1) * first.S
    wide = Layer(shared_matrix(first, R), np.tile(first.bias, second.K), K=R, S=first.S * second.S)
    # The second layer's weights are ordered (unit below, position), the copies (position, unit below).
    below = second.weights.reshape(-1, H, second.K).transpose(0, 2, 1).reshape(-1, H * second.K)
    return wide, Layer(below, second.bias)


def gradient(
    x: Array, layers: Sequence[Layer], h: int, t: int, f: Callable[[Array], Array] = identity
) -> Array:
    """The derivative of unit h at position t of the last layer by the input: a 1 sent back from it (notes §1.8)."""
    maps = [x]
    for index in range(len(layers)):
        maps.append(scan(x, layers[: index + 1], layer_by_layer, f))
    back = zeros(maps[-1].shape, x)
    back[h, t] = 1
    for layer, below, above in zip(reversed(layers), maps[-2::-1], maps[:0:-1], strict=True):
        if f is relu:
            back = np.where(above > 0, back, 0)
        down = zeros(below.shape, x)
        for at in range(back.shape[1]):
            seen = (layer.weights.T @ back[:, at]).reshape(below.shape[0], layer.K)
            down[:, at * layer.S : at * layer.S + layer.K] += seen
        back = down
    return back


def parameters(layers: Sequence[Layer]) -> int:
    """How many weights the layers hold; biases apart."""
    return sum(layer.weights.size for layer in layers)
