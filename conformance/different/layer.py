"""Convolutions of every kind from three sums over one geometry, so that another way to sum is said once.

A filter lies between a large image and a small one: a convolution's input and output, or a transposed
convolution's output and input. The *correlation* sums large times filter, the *spreading* small times filter,
the *pairing* small times large; each is the derivative of another.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from cnn_spec.operations import Array, Call, Results
from cnn_spec.shapes import Shape, forward_shape

Index = tuple[Any, ...]


@dataclass(frozen=True)
class Layer:
    """The geometry: all that is one number for each spatial axis, and the groups of channels."""

    groups: int
    kernel: Shape
    stride: Shape
    dilation: Shape
    padding: tuple[tuple[int, int], ...]
    large: Shape
    small: Shape

    def padded_sizes(self) -> Shape:
        """The large image's sizes with its padding."""
        return tuple(n + sum(sides) for n, sides in zip(self.large, self.padding, strict=True))

    def padded(self, image: Array) -> Array:
        """The large image with zeros around it, its groups apart: (N, groups, C // groups, *padded)."""
        return np.pad(self.grouped(image), [(0, 0), (0, 0), (0, 0), *self.padding])

    def unpadded(self, image: Array) -> Array:
        """What lies on the large image of a padded one: (N, C, *large)."""
        inner: Index = tuple(
            slice(before, before + n) for n, (before, _) in zip(self.large, self.padding, strict=True)
        )
        return image[(..., *inner)].reshape(len(image), -1, *self.large)

    def zeros(self, like: Array, channels: int) -> Array:
        """An empty padded image, its groups apart."""
        return np.zeros((len(like), self.groups, channels, *self.padded_sizes()), like.dtype)

    def grouped(self, image: Array) -> Array:
        """An image with its groups apart: (N, groups, C // groups, *spatial)."""
        return image.reshape(len(image), self.groups, -1, *image.shape[2:])

    def filters(self, w: Array) -> Array:
        """Filters with their groups apart: (groups, small C // groups, large C // groups, *kernel)."""
        return w.reshape(self.groups, -1, *w.shape[1:])

    def cells(self) -> Iterator[tuple[Index, Index]]:
        """For each cell of the kernel: where it lies in the filters, and on the padded image, window by window."""
        for cell in product(*map(range, self.kernel)):
            axes = zip(cell, self.dilation, self.stride, self.small, strict=True)
            yield (..., *cell), (..., *(slice(k * d, k * d + (o - 1) * s + 1, s) for k, d, s, o in axes))


@dataclass(frozen=True)
class Sums:
    """A way to compute the three sums; each takes two arrays as the interface lays them out, and the layer."""

    correlate: Callable[[Array, Array, Layer], Array]
    """Large (N, C, *large) and filters to small (N, F, *small)."""
    spread: Callable[[Array, Array, Layer], Array]
    """Small (N, F, *small) and filters to large (N, C, *large)."""
    pair: Callable[[Array, Array, Layer], Array]
    """Small and large to filters (F, C // groups, *kernel)."""
    total: Callable[[Array], Array] = lambda terms: np.sum(terms, axis=0, dtype=terms.dtype)
    """Terms along the first axis to their sum: for the bias."""


CONVOLUTIONS = (
    *("conv", "conv_backward", "conv_transpose", "conv_transpose_backward"),
    *("depthwise_conv", "separable_conv", "linear", "linear_backward"),
)
"""What the three sums answer; a flat layer is a convolution without spatial axes."""


def convolving(sums: Sums) -> Callable[[Call], Results]:
    """Every convolution by such sums."""

    def answer(call: Call) -> Results:
        if call.operation == "separable_conv":
            between = answer(call.on("depthwise_conv", w=call["w_depthwise"], b=None))[0]
            ones, zeros = (1,) * call.rank, ((0, 0),) * call.rank
            mixing = {"w": call["w_pointwise"], "stride": ones, "dilation": ones, "padding": zeros}
            return answer(call.on("conv", x=between, groups=1, **mixing))
        layer, transposed = layer_of(call), call.operation.startswith("conv_transpose")
        if "dy" not in call.arguments:
            y = (sums.spread if transposed else sums.correlate)(call["x"], call["w"], layer)
            return (y if call["b"] is None else y + call["b"].reshape(-1, *(1,) * call.rank),)
        dy, x, w = call["dy"], call["x"], call["w"]
        db = sums.total(np.moveaxis(dy, 1, -1).reshape(-1, dy.shape[1]))
        if transposed:
            return sums.correlate(dy, w, layer), sums.pair(x, dy, layer), db
        return sums.spread(dy, w, layer), sums.pair(dy, x, layer), db

    return answer


def layer_of(call: Call) -> Layer:
    """The geometry of a convolution, or of a flat layer."""
    ones, plain = (1,) * call.rank, {"padding": ((0, 0),) * call.rank, "groups": 1}
    parameters = {"stride": ones, "dilation": ones, **plain, **call.parameters}
    groups = call["x"].shape[1] if call.operation == "depthwise_conv" else parameters["groups"]
    x, y = call["x"].shape[2:], forward_shape(call)[2:]
    large, small = (y, x) if call.operation.startswith("conv_transpose") else (x, y)
    kernel, stride, dilation = call["w"].shape[2:], parameters["stride"], parameters["dilation"]
    return Layer(groups, kernel, stride, dilation, parameters["padding"], large, small)
