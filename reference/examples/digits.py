"""Train on scikit-learn's digits, thrown at random places of a larger canvas, with nothing but NumPy's gradients.

    python reference/examples/digits.py [--plot digits.png]

A class head and a bounding-box head share a convolutional trunk. A plain MLP of as many parameters is trained on the
same canvases. Needs the extra `examples`.
"""

import argparse
from collections.abc import Callable

import numpy as np
from rich.progress import track

from cnn_reference.checks import Array
from cnn_reference.network import (
    Layer,
    Network,
    conv_layer,
    cross_entropy,
    descend,
    differentiate,
    flatten_layer,
    initial,
    linear_layer,
    max_pool_layer,
    predict,
    relu_layer,
    squared_error,
)

CANVAS, DIGIT = 16, 8
BATCH, EPOCHS, RATE, MOMENTUM = 32, 180, 0.02, 0.9


def digits() -> tuple[Array, Array, Array, Array]:
    """Load the digits, (images, 1, 8, 8) in 0 to 1, and split them: every fifth is for the test."""
    from sklearn.datasets import load_digits

    data = load_digits()
    images = (data.images[:, None] / 16).astype(np.float32)
    test = np.arange(len(images)) % 5 == 0
    return images[~test], data.target[~test], images[test], data.target[test]


def thrown(images: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Put each image anywhere on an empty canvas; give its box too: top, left, bottom, right, in 0 to 1."""
    canvases = np.zeros((len(images), 1, CANVAS, CANVAS), np.float32)
    corners = rng.integers(0, CANVAS - DIGIT + 1, (len(images), 2))
    for canvas, image, (top, left) in zip(canvases, images, corners, strict=True):
        canvas[:, top : top + DIGIT, left : left + DIGIT] = image
    return canvases, (np.concatenate([corners, corners + DIGIT], 1) / CANVAS).astype(np.float32)


def heads(rng: np.random.Generator, features: int) -> dict[str, list[Layer]]:
    """Make the two heads, side by side."""
    return {
        "class": [linear_layer(*initial(rng, 10, features))],
        "box": [linear_layer(*initial(rng, 4, features))],
    }


def convolutional(rng: np.random.Generator) -> Network:
    """Make a network of three convolutions, pooled twice."""
    trunk = [
        conv_layer(*initial(rng, 16, 1, 5, 5)), relu_layer(), max_pool_layer((2, 2)),
        conv_layer(*initial(rng, 32, 16, 3, 3)), relu_layer(), max_pool_layer((2, 2)),
        conv_layer(*initial(rng, 48, 32, 3, 3)), relu_layer(), max_pool_layer((2, 2)), flatten_layer(),
    ]  # fmt: skip
    return Network(trunk, heads(rng, 48 * (CANVAS // 8) ** 2))


def fully_connected(rng: np.random.Generator, parameters: int) -> Network:
    """Make an MLP with one hidden layer and about as many parameters."""
    hidden = round((parameters - 14) / (CANVAS**2 + 1 + 14))
    trunk = [flatten_layer(), linear_layer(*initial(rng, hidden, CANVAS**2)), relu_layer()]
    return Network(trunk, heads(rng, hidden))


def step(
    network: Network, velocities: list[Array], x: Array, labels: Array, boxes: Array, rate: float
) -> float:
    """Learn from one batch; give the loss."""
    losses = {"class": cross_entropy(labels), "box": squared_error(boxes, np.ones(len(x), bool))}
    values, gradients = differentiate(network, x, losses)
    descend(network.parameters(), gradients, velocities, rate, MOMENTUM)
    return sum(values.values())


def train(
    network: Network, images: Array, labels: Array, rng: np.random.Generator, epochs: int, name: str
) -> None:
    """Throw all digits anew in each epoch, with a rate that falls to zero."""
    velocities = [np.zeros_like(parameter) for parameter in network.parameters()]
    for epoch in track(range(epochs), f"{name:>14}"):
        canvases, boxes = thrown(images, rng)
        order = rng.permutation(len(images))
        rate = RATE * (1 + np.cos(np.pi * epoch / epochs)) / 2
        for first in range(0, len(order), BATCH):
            batch = order[first : first + BATCH]
            step(network, velocities, canvases[batch], labels[batch], boxes[batch], rate)


def examine(network: Network, images: Array, labels: Array, rng: np.random.Generator) -> tuple[float, float]:
    """Give the share of right classes, and the mean error of a box's side in pixels, over ten throws of each digit."""
    right, miss = [], []
    for _ in range(10):
        canvases, boxes = thrown(images, rng)
        results = predict(network, canvases)
        right.append(np.mean(results["class"].argmax(1) == labels))
        miss.append(np.mean(np.abs(results["box"] - boxes)) * CANVAS)
    return float(np.mean(right)), float(np.mean(miss))


def main(plot: str | None, epochs: int, seed: int, show: Callable[[str], None] = print) -> None:
    """Train both networks and say how well they do."""
    images, labels, test_images, test_labels = digits()
    rng = np.random.default_rng(seed)
    network = convolutional(rng)
    count = sum(parameter.size for parameter in network.parameters())
    plain = fully_connected(rng, count)
    for name, each in (("convolutional", network), ("plain MLP", plain)):
        train(each, images, labels, rng, epochs, name)
        size = sum(parameter.size for parameter in each.parameters())
        accuracy, miss = examine(each, test_images, test_labels, np.random.default_rng(seed + 1))
        show(f"{name:>14}: {size} parameters, accuracy {accuracy:.4f}, boxes off by {miss:.2f} pixels")
    if plot:
        from pictures import draw

        draw(network, thrown(test_images, rng)[0], plot)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plot", help="a file for pictures of filters and receptive fields")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    main(options.plot, options.epochs, options.seed)
