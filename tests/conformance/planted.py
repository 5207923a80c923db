"""A candidate with planted bugs, each of another kind, on top of the reference."""

from typing import Any

import numpy as np

import cnn_reference as reference

about = {"name": "planted", "version": "1"}


def conv2d(x: Any, w: Any, b: Any, **parameters: Any) -> Any:
    """The kernel is flipped."""
    return reference.conv2d(x, w[..., ::-1, ::-1], b, **parameters)


def max_pool1d_backward(dy: Any, x: Any, **parameters: Any) -> Any:
    """A gradient is assigned where windows overlap, not added."""
    reference.max_pool1d_backward(dy, x, **parameters)  # refuses what is impossible
    _, indices = reference.max_pool1d_with_indices(x, **parameters)
    dx = np.zeros_like(x)
    for plane in np.ndindex(x.shape[:2]):
        dx[plane][indices[plane]] = dy[plane]
    return dx


def max_pool2d(x: Any, *, stride: Any, **parameters: Any) -> Any:
    """Height and width strides are swapped."""
    return reference.max_pool2d(x, stride=stride[::-1], **parameters)


def downsample1d(x: Any, *, factor: Any) -> Any:
    """Nothing is returned."""


def downsample2d(x: Any, *, factor: Any) -> Any:
    """Every call raises."""
    raise ValueError("not today")


def upsample1d(x: Any, *, factor: Any) -> Any:
    """The input is overwritten."""
    y = reference.upsample1d(x, factor=factor)
    if x.flags.writeable:
        x[...] = 0
    return y


def upsample2d(x: Any, *, factor: Any) -> Any:
    """The dtype is not kept."""
    return reference.upsample2d(x, factor=factor).astype(np.float64)


def upsample3d(x: Any, *, factor: Any) -> Any:
    """The batch is dropped."""
    y = reference.upsample3d(x, factor=factor)
    return y[0] if len(y) else y


def avg_pool1d(x: Any, **parameters: Any) -> Any:
    """Everything is declined."""
    raise NotImplementedError


def conv1d(x: Any, w: Any, b: Any, *, groups: int, **parameters: Any) -> Any:
    """Groups are declined; the rest is right."""
    if groups > 1:
        raise NotImplementedError("groups")
    return reference.conv1d(x, w, b, groups=groups, **parameters)
