"""Convolution and its gradients, on any number of spatial axes (notes §2.1, §2.3, §3.2)."""

from collections.abc import Sequence
from functools import lru_cache

from cnn_reference.checks import (
    Array,
    Ints,
    Pairs,
    ShapeError,
    integers,
    pairs,
    per_axis,
    per_side,
    require_images,
    require_shape,
)
from cnn_reference.columns import Geometry
from cnn_reference.correlation import correlate, input_gradient, weight_gradient
from cnn_reference.ranks import of_each_rank
from cnn_reference.sizes import count_windows


def conv(
    x: Array,
    w: Array,
    b: Array | None,
    *,
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    groups: int,
) -> Array:
    """Slide each filter over its group of channels and add its bias; the kernel is not flipped (notes §2.1).

    `x` is (N, C_in, *spatial), `w` (C_out, C_in // groups, *kernel), `b` (C_out,) or None; the result is
    (N, C_out, *out). Raises `ShapeError` for shapes or parameters that do not fit.
    """
    g = conv_geometry(x, w, stride, padding, dilation, groups)
    if b is not None:
        require_shape("b", b, w.shape[:1])
    return correlate(x, w, b, g)


def conv_backward(
    dy: Array,
    x: Array,
    w: Array,
    *,
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    groups: int,
) -> tuple[Array, Array, Array]:
    """Give the gradients (dx, dw, db) of `conv`, each of the shape of its variable (notes §3.2.2, §3.2.3).

    Raises `ShapeError` for shapes or parameters that do not fit.
    """
    g = conv_geometry(x, w, stride, padding, dilation, groups)
    require_shape("dy", dy, (len(x), len(w), *g.out))
    dx = input_gradient(dy, w, x.shape[2:], g)
    return dx, weight_gradient(dy, x, g), bias_gradient(dy)


def depthwise_conv(
    x: Array,
    w: Array,
    b: Array | None,
    *,
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int],
) -> Array:
    """Give each channel filters of its own (notes §1.7): `conv` with as many groups as channels.

    `x` is (N, C, *spatial), `w` (C * multiplier, 1, *kernel), `b` (C * multiplier,) or None; output channel
    `c * multiplier + m` comes from channel `c`. Raises `ShapeError` for shapes or parameters that do not fit.
    """
    groups = x.shape[1]
    return conv(x, w, b, stride=stride, padding=padding, dilation=dilation, groups=groups)


def separable_conv(
    x: Array,
    w_depthwise: Array,
    w_pointwise: Array,
    b: Array | None,
    *,
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int],
) -> Array:
    """Weigh and sum the channels of a depthwise convolution (notes §1.7).

    `x` is (N, C, *spatial), `w_depthwise` (C * multiplier, 1, *kernel), `w_pointwise` (C_out, C *
    multiplier, 1, ...), `b` (C_out,) or None. Raises `ShapeError` for shapes or parameters that do not fit.
    """
    ones = (1,) * len(x.shape[2:])
    require_shape("w_pointwise", w_pointwise, (*w_pointwise.shape[:1], len(w_depthwise), *ones))
    y = depthwise_conv(x, w_depthwise, None, stride=stride, padding=padding, dilation=dilation)
    return conv(y, w_pointwise, b, stride=ones, padding=((0, 0),) * len(ones), dilation=ones, groups=1)


def add_bias(y: Array, b: Array | None) -> Array:
    """Add each channel's bias, in place."""
    if b is not None:
        y += b.reshape(-1, *(1,) * (y.ndim - 2))
    return y


def bias_gradient(dy: Array) -> Array:
    """Sum over images and positions (notes §3.2)."""
    db: Array = dy.sum((0, *range(2, dy.ndim)))
    return db


def conv_geometry(
    x: Array,
    w: Array,
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    groups: int,
) -> Geometry:
    """Check that the filters fit the images, and give how they move."""
    stride, dilation = integers("stride", stride), integers("dilation", dilation)
    (groups,) = integers("groups", (groups,))
    return _fit(x.shape, w.shape, stride, pairs(padding), dilation, groups)


@lru_cache(maxsize=1024)
def _fit(images: Ints, filters: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Geometry:
    rank = require_images("x", images)
    stride, dilation = per_axis("stride", stride, rank), per_axis("dilation", dilation, rank)
    padding = per_side(padding, rank)
    if not (
        groups > 0
        and len(filters) == len(images)
        and filters[0] % groups == 0
        and filters[1] * groups == images[1]
    ):
        raise ShapeError(
            f"x of shape {images} and w of shape {filters} do not make {groups} groups: w is "
            "(C_out, C_in // groups, *kernel), and groups divides both channels"
        )
    kernel = per_axis("kernel", filters[2:], rank)
    out = [
        count_windows(n, k, s, p, d, ceil_mode=False)
        for n, k, s, p, d in zip(images[2:], kernel, stride, padding, dilation, strict=True)
    ]
    return Geometry(kernel, stride, padding, dilation, tuple(out), groups)


conv1d, conv2d, conv3d = of_each_rank("conv{}d", conv)
conv1d_backward, conv2d_backward, conv3d_backward = of_each_rank("conv{}d_backward", conv_backward)
depthwise_conv1d, depthwise_conv2d, depthwise_conv3d = of_each_rank("depthwise_conv{}d", depthwise_conv)
separable_conv1d, separable_conv2d, separable_conv3d = of_each_rank("separable_conv{}d", separable_conv)
