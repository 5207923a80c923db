"""Layers, networks with several heads, losses and a plain optimiser (notes §1.6, §3).

A layer is a pair of functions and the parameters that both take. Nothing else is kept but each layer's input, since
every gradient follows from that.
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from cnn_reference.activations import relu, relu_backward, softmax
from cnn_reference.checks import Array, Ints
from cnn_reference.convolution import conv, conv_backward
from cnn_reference.dense import linear, linear_backward
from cnn_reference.pooling import max_pool, max_pool_backward
from cnn_reference.sizes import same_padding

Gradients = list[tuple[Array, ...]]


class Layer(NamedTuple):
    """`forward(x, *parameters)` gives y, and `backward(dy, x, *parameters)` gives dx and the parameters' gradients."""

    forward: Callable[..., Array]
    backward: Callable[..., tuple[Array, ...]]
    parameters: tuple[Array, ...] = ()


def conv_layer(w: Array, b: Array) -> Layer:
    """Convolve at stride 1 and keep the size (notes §2.1.2)."""
    ones = (1,) * (w.ndim - 2)
    moves: dict[str, Any] = {"stride": ones, "dilation": ones, "groups": 1}
    moves["padding"] = tuple(map(same_padding, w.shape[2:]))
    return Layer(
        lambda x, w, b: conv(x, w, b, **moves), lambda dy, x, w, b: conv_backward(dy, x, w, **moves), (w, b)
    )


def max_pool_layer(kernel: Ints) -> Layer:
    """Take the maxima of windows that touch and do not overlap."""
    ones = (1,) * len(kernel)
    moves: dict[str, Any] = {"kernel_size": kernel, "stride": kernel, "dilation": ones, "ceil_mode": False}
    moves["padding"] = ((0, 0),) * len(kernel)
    return Layer(lambda x: max_pool(x, **moves), lambda dy, x: (max_pool_backward(dy, x, **moves),))


def relu_layer() -> Layer:
    """Apply relu."""
    return Layer(relu, lambda dy, x: (relu_backward(dy, x),))


def flatten_layer() -> Layer:
    """Make a vector, (N, C * prod(spatial)), of each image's maps (notes §1.6)."""
    return Layer(lambda x: x.reshape(len(x), prod(x.shape[1:])), lambda dy, x: (dy.reshape(x.shape),))


def linear_layer(w: Array, b: Array) -> Layer:
    """Connect fully."""
    return Layer(linear, lambda dy, x, w, b: linear_backward(dy, x, w), (w, b))


def initial(rng: np.random.Generator, c_out: int, c_in: int, *kernel: int) -> tuple[Array, Array]:
    """Draw weights whose results are about as large as their inputs behind a relu, and zero biases."""
    w = rng.standard_normal((c_out, c_in, *kernel)) * np.sqrt(2 / (c_in * prod(kernel)))
    return w.astype(np.float32), np.zeros(c_out, np.float32)


def run(layers: Sequence[Layer], x: Array) -> list[Array]:
    """Give the input of each layer, and the output of the last."""
    maps = [x]
    for layer in layers:
        maps.append(layer.forward(maps[-1], *layer.parameters))
    return maps


def run_backward(layers: Sequence[Layer], maps: Sequence[Array], dy: Array) -> tuple[Array, Gradients]:
    """Give the gradient of the first layer's input, and of every layer's parameters (notes §3)."""
    gradients: Gradients = []
    for layer, x in zip(reversed(layers), reversed(maps[:-1]), strict=True):
        dy, *of_parameters = layer.backward(dy, x, *layer.parameters)
        gradients.append(tuple(of_parameters))
    return dy, gradients[::-1]


class Network(NamedTuple):
    """A trunk, and heads side by side on its result (notes §1.6)."""

    trunk: list[Layer]
    heads: dict[str, list[Layer]]

    def parameters(self) -> list[Array]:
        """All parameters: the trunk's, then each head's."""
        layers = [*self.trunk, *[layer for head in self.heads.values() for layer in head]]
        return [parameter for layer in layers for parameter in layer.parameters]


def predict(network: Network, x: Array) -> dict[str, Array]:
    """Give each head's result."""
    features = run(network.trunk, x)[-1]
    return {name: run(head, features)[-1] for name, head in network.heads.items()}


def differentiate(
    network: Network, x: Array, losses: Mapping[str, Callable[[Array], tuple[float, Array]]]
) -> tuple[dict[str, float], list[Array]]:
    """Give each head's loss, and the gradients of their sum by `network.parameters()`.

    A loss maps a head's result to its value and its gradient. The trunk's gradient is the sum over the heads.
    """
    maps = run(network.trunk, x)
    dy = np.zeros_like(maps[-1])
    values, of_heads = {}, []
    for name, head in network.heads.items():
        results = run(head, maps[-1])
        values[name], of_result = losses[name](results[-1])
        share, gradients = run_backward(head, results, of_result)
        dy += share
        of_heads += gradients
    _, of_trunk = run_backward(network.trunk, maps, dy)
    return values, [gradient for layer in (*of_trunk, *of_heads) for gradient in layer]


def cross_entropy(labels: Array) -> Callable[[Array], tuple[float, Array]]:
    """Make the loss `-log softmax(logits)[label]`, the mean over the images."""

    def loss(logits: Array) -> tuple[float, Array]:
        rows = np.arange(len(labels))
        shifted = logits - logits.max(1, keepdims=True)
        value = float(np.mean(np.log(np.exp(shifted).sum(1)) - shifted[rows, labels]))
        gradient = softmax(logits, axis=1)
        gradient[rows, labels] -= 1
        gradient /= len(labels)
        return value, gradient

    return loss


def squared_error(
    targets: Array, labelled: Array, weight: float = 1.0
) -> Callable[[Array], tuple[float, Array]]:
    """Make the loss `weight / 2 |y - target|²`, the mean over the images; those not `labelled` add nothing."""

    def loss(y: Array) -> tuple[float, Array]:
        miss = np.where(labelled[:, None], y - targets, 0).astype(y.dtype)
        scale = weight / len(y)
        return float(scale / 2 * (miss**2).sum()), miss * y.dtype.type(scale)

    return loss


def descend(
    parameters: Sequence[Array],
    gradients: Sequence[Array],
    velocities: Sequence[Array],
    rate: float,
    momentum: float,
) -> None:
    """Step down the gradients, with momentum, in place: `v = momentum v + g`, `p = p - rate v`."""
    for parameter, gradient, velocity in zip(parameters, gradients, velocities, strict=True):
        velocity *= momentum
        velocity += gradient
        parameter -= rate * velocity
