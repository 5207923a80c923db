"""Transformed copies of images: a bank that enumerates them, and random augmentations (notes §1.5)."""

from math import cos, log, pi, sin, tan
from typing import NamedTuple

import numpy as np

from cnn_reference.checks import Array, require

ROTATION = (0.0, 360.0)
TRANSLATION = (-10.0, 10.0)
RESCALING = (1 / 1.6, 1.6)
SHEAR = (-20.0, 20.0)
STRETCH = (1 / 1.3, 1.3)


class Augmentation(NamedTuple):
    """One draw of the six augmentations: degrees, pixels (down, right), factors, and whether to flip."""

    rotation: float = 0.0
    translation: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    flip: bool = False
    shear: float = 0.0
    stretch: float = 1.0


def draw(rng: np.random.Generator) -> Augmentation:
    """Draw each of the six: angles and shifts uniformly, factors log-uniformly, a flip by a fair coin (notes §1.5).

    A full turn is no turn, so the rotation stays below 360.
    """

    def log_uniform(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(log(low), log(high))))

    return Augmentation(
        float(rng.uniform(*ROTATION)),
        (float(rng.uniform(*TRANSLATION)), float(rng.uniform(*TRANSLATION))),
        log_uniform(*RESCALING),
        bool(rng.integers(2)),
        float(rng.uniform(*SHEAR)),
        log_uniform(*STRETCH),
    )


def matrix(a: Augmentation) -> Array:
    """Give the linear part, on (row, column): stretch the rows, shear them, flip, scale, then rotate."""
    angle, shear = a.rotation * pi / 180, tan(a.shear * pi / 180)
    rotation = np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])
    flip = np.diag([1.0, -1.0 if a.flip else 1.0])
    linear: Array = (
        a.scale * rotation @ flip @ np.array([[1.0, 0.0], [shear, 1.0]]) @ np.diag([a.stretch, 1.0])
    )
    return linear


def augment(images: Array, a: Augmentation) -> Array:
    """Transform images, (N, C, H, W), about their middle; what comes from outside is zero."""
    return resample(images, matrix(a), a.translation)


def resample(images: Array, linear: Array, shift: tuple[float, float] = (0.0, 0.0)) -> Array:
    """Move what is at `p` to `linear p + shift`, both from the middle, interpolating between the four nearest."""
    require(images.ndim == 4, "images have shape {}, where (N, C, H, W) is needed", images.shape)
    sizes = np.array(images.shape[2:])
    middle = ((sizes - 1) / 2)[:, None]
    places = np.indices(images.shape[2:]).reshape(2, -1)
    source = np.linalg.solve(linear, places - middle - np.array(shift)[:, None]) + middle
    source = np.where(np.abs(source - np.round(source)) < 1e-9, np.round(source), source)
    corner = np.floor(source).astype(int)
    fraction = source - corner
    result = np.zeros((*images.shape[:2], places.shape[1]), images.dtype)
    for step in np.ndindex(2, 2):
        at = corner + np.array(step)[:, None]
        weight = np.prod(np.where(np.array(step)[:, None] == 1, fraction, 1 - fraction), 0)
        weight = np.where(np.all((at >= 0) & (at < sizes[:, None]), 0), weight, 0).astype(images.dtype)
        row, column = np.clip(at, 0, sizes[:, None] - 1)
        result += images[:, :, row, column] * weight
    return result.reshape(images.shape)


def symmetries(images: Array) -> Array:
    """Give the eight exact copies: four quarter turns, and those of the mirror image: (8, N, C, n, n) (notes §1.5).

    They are all that a square grid has, a group; so what is largest over them does not change with any of them.
    """
    require(
        images.ndim == 4 and images.shape[2] == images.shape[3],
        "images of shape {} are not square",
        images.shape,
    )
    mirrored = (images, images[..., ::-1])
    return np.stack([np.rot90(each, turns, (2, 3)) for each in mirrored for turns in range(4)])


def bank(images: Array, rotations: int, scales: tuple[float, ...], *, reflect: bool) -> Array:
    """Give a copy for each rotation, scale and reflection: (copies, N, C, H, W), reflections outermost (notes §1.5).

    There are `rotations` equal steps of a full turn, which the first is not counted twice in.
    """
    copies = [
        augment(images, Augmentation(rotation=360 * turn / rotations, scale=scale, flip=flip))
        for flip in ((False, True) if reflect else (False,))
        for scale in scales
        for turn in range(rotations)
    ]
    return np.stack(copies)
