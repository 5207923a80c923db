"""Transposed convolution and its gradients, on any number of spatial axes (notes §2.3.2, §3.4.2).

It is the adjoint of `conv` with the same filters: its forward pass is that one's gradient to the input, and
its gradient to the input is that one's forward pass.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

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
from cnn_reference.convolution import add_bias, bias_gradient
from cnn_reference.correlation import (
    correlate,
    input_gradient,
    weight_gradient,
    weight_gradient_inside,
)
from cnn_reference.ranks import of_each_rank
from cnn_reference.sizes import conv_transpose_output_size


def conv_transpose(
    x: Array,
    w: Array,
    b: Array | None,
    *,
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    output_padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> Array:
    """Add each input element, times the filter, to the outputs around it: a convolution of fractional stride.

    `x` is (N, C_in, *spatial), `w` (C_in, C_out // groups, *kernel), `b` (C_out,) or None; the result is
    (N, C_out, *out). Notes §2.3.2. Raises `ShapeError` for shapes or parameters that do not fit.
    """
    g, sizes = _geometry(x, w, stride, padding, output_padding, dilation, groups)
    if b is not None:
        require_shape("b", b, (w.shape[1] * groups,))
    return add_bias(input_gradient(x, w, sizes, g), b)


def conv_transpose_backward(
    dy: Array,
    x: Array,
    w: Array,
    *,
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    output_padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> tuple[Array, Array, Array]:
    """Give the gradients (dx, dw, db) of `conv_transpose`, each of the shape of its variable (notes §3.4.2).

    Raises `ShapeError` for shapes or parameters that do not fit.
    """
    g, sizes = _geometry(x, w, stride, padding, output_padding, dilation, groups)
    require_shape("dy", dy, (len(x), w.shape[1] * groups, *sizes))
    # Here x is what the padding's zeros would be multiplied by, and 0 times infinity is not 0.
    gradient = weight_gradient if np.isfinite(x).all() else weight_gradient_inside
    return correlate(dy, w, None, g), gradient(x, dy, g), bias_gradient(dy)


def _geometry(
    x: Array,
    w: Array,
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    output_padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> tuple[Geometry, Ints]:
    """Check that the filters fit the images; give how they move over the output, and the output's sizes."""
    stride, dilation = integers("stride", stride), integers("dilation", dilation)
    output_padding, (groups,) = integers("output padding", output_padding), integers("groups", (groups,))
    return _fit(x.shape, w.shape, stride, pairs(padding), output_padding, dilation, groups)


@lru_cache(maxsize=1024)
def _fit(
    images: Ints,
    filters: Ints,
    stride: Ints,
    padding: Pairs,
    output_padding: Ints,
    dilation: Ints,
    groups: int,
) -> tuple[Geometry, Ints]:
    rank = require_images("x", images)
    stride, dilation = per_axis("stride", stride, rank), per_axis("dilation", dilation, rank)
    output_padding = per_axis("output padding", output_padding, rank, least=0)
    padding = per_side(padding, rank)
    if not (
        groups > 0 and len(filters) == len(images) and filters[0] == images[1] and filters[0] % groups == 0
    ):
        raise ShapeError(
            f"x of shape {images} and w of shape {filters} do not make {groups} groups: w is "
            "(C_in, C_out // groups, *kernel), and groups divides both channels"
        )
    axes = zip(images[2:], filters[2:], stride, padding, output_padding, dilation, strict=True)
    sizes = [
        conv_transpose_output_size(n, kernel_size=k, stride=s, padding=p, output_padding=o, dilation=d)
        for n, k, s, p, o, d in axes
    ]
    return Geometry(filters[2:], stride, padding, dilation, images[2:], groups), tuple(sizes)


conv_transpose1d, conv_transpose2d, conv_transpose3d = of_each_rank("conv_transpose{}d", conv_transpose)
conv_transpose1d_backward, conv_transpose2d_backward, conv_transpose3d_backward = of_each_rank(
    "conv_transpose{}d_backward", conv_transpose_backward
)
