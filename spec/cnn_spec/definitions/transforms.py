"""Transformed maps and augmentations (notes §1.5). Images are arrays (height, width)."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from math import cos, sin, tan

import numpy as np

from cnn_spec.operations import Array

Transform = Callable[[Array], Array]


def turn(quarters: int, mirrored: bool, image: Array) -> Array:
    """So many quarter turns, after a reflection or not."""
    return np.rot90(np.fliplr(image) if mirrored else image, quarters)


QUARTER_TURNS: tuple[Transform, ...] = tuple(partial(turn, k, False) for k in range(4))
SQUARE: tuple[Transform, ...] = (*QUARTER_TURNS, *(partial(turn, k, True) for k in range(4)))
"""All eight symmetries of a square."""


def strongest(image: Array, pattern: Array, transforms: Iterable[Transform]) -> int:
    """The best match of a pattern over the enumerated transforms of the image."""
    return max(int(np.sum(t(image) * pattern)) for t in transforms)


def closed(transforms: Iterable[Transform], image: Array) -> bool:
    """Whether any two transforms in a row are one of them, as seen on an image."""
    listed = list(transforms)
    images = [t(image).tolist() for t in listed]
    return all(second(first(image)).tolist() in images for first in listed for second in listed)


def translate(image: Array, rows: int, columns: int) -> Array:
    """The image moved by whole pixels, zeros where nothing comes in."""
    moved = np.zeros_like(image)
    for (i, j), value in np.ndenumerate(image):
        if 0 <= i + rows < image.shape[0] and 0 <= j + columns < image.shape[1]:
            moved[i + rows, j + columns] = value
    return moved


def log_uniform(largest: float, p: float) -> float:
    """The p-quantile of a factor whose logarithm is uniform between those of 1/largest and largest."""
    return float(largest ** (2 * p - 1))


AUGMENTATIONS: Mapping[str, Callable[[float], float]] = {
    "rotation": lambda p: 360 * p,
    "translation": lambda p: int(21 * p) - 10,
    "scale": partial(log_uniform, 1.6),
    "flip": lambda p: int(2 * p),
    "shear": lambda p: 40 * p - 20,
    "stretch": partial(log_uniform, 1.3),
}
"""What is drawn for each augmentation, as a function of p uniform in [0, 1): degrees, pixels, factors, yes or no."""


def shear(angle: float) -> Array:
    """The shear by an angle in radians that keeps areas."""
    return np.array([[1, tan(angle)], [0, 1]])


def rotation_like_shear(angle: float) -> Array:
    """The other matrix in use under that name: one axis is turned by the angle and keeps its length."""
    return np.array([[1, -sin(angle)], [0, cos(angle)]])
