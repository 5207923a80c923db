"""Depthwise and depthwise separable convolution (notes §1.7), over any ring."""

from typing import Any

from cnn_spec.definitions.convolution import conv
from cnn_spec.operations import Array


def depthwise_conv(x: Array, w: Array, b: Array | None, **parameters: Any) -> Array:
    """Each channel by its own filters: `w` (C multiplier, 1, *kernel), output channel `c multiplier + m`."""
    return conv(x, w, b, groups=x.shape[1], **parameters)


def separable_conv(
    x: Array, w_depthwise: Array, w_pointwise: Array, b: Array | None, **parameters: Any
) -> Array:
    """Each channel by its own filters, then weighted sums of the filtered channels, and the bias."""
    rank = x.ndim - 2
    ones, none = (1,) * rank, ((0, 0),) * rank
    between = depthwise_conv(x, w_depthwise, None, **parameters)
    return conv(between, w_pointwise, b, stride=ones, padding=none, dilation=ones, groups=1)
