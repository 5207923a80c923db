"""Standard and depthwise separable convolution (notes §1.7), and what they cost."""

from typing import NamedTuple

from cnn_spec.definitions.convolution import conv
from cnn_spec.operations import Array


def separable_conv(x: Array, depthwise: Array, pointwise: Array, *, stride: int = 1) -> Array:
    """Each channel by its own planar filter, then weighted sums of the channels.

    `x` (batch, M, height, width), `depthwise` (M, 1, K, K), `pointwise` (N, M, 1, 1); no bias, no activation between.
    """
    each = conv(
        x, depthwise, None, stride=(stride,) * 2, padding=((0, 0),) * 2, dilation=(1, 1), groups=x.shape[1]
    )
    return conv(each, pointwise, None, stride=(1, 1), padding=((0, 0),) * 2, dilation=(1, 1), groups=1)


def equivalent_filters(depthwise: Array, pointwise: Array) -> Array:
    """The standard filters (N, M, K, K) that do the same: products of a weight and a planar filter."""
    return pointwise * depthwise[:, 0][None]


class Cost(NamedTuple):
    """Weights, products for each output position, and planar filterings of one channel."""

    weights: int
    products: int
    planes: int


def standard_cost(M: int, N: int, K: int) -> Cost:
    """N filters of M planes of K x K."""
    return Cost(N * M * K * K, N * M * K * K, N * M)


def separable_cost(M: int, N: int, K: int) -> Cost:
    """M planar filters of K x K, then N vectors of M weights."""
    return Cost(M * K * K + N * M, M * K * K + N * M, M)
