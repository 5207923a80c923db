"""TensorFlow on the CPU as a candidate: `tf.nn`, channels last, differentiated by `tf.GradientTape`."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what it says, it also raises

import numpy as np
import tensorflow as tf

from cnn_conformance.adapters.common import (
    Array,
    Forward,
    Library,
    Pairs,
    Tensor,
    cut,
    every,
    filled_or_same,
    fitting,
    functions,
    require_float32_in_space,
    require_groups,
    require_one_of,
)

about = {
    "name": "tensorflow",
    "version": tf.__version__,
    "conventions": {"pool_nan": "ignore", "pool_start": "lowest", "no_output": "empty"},
}


def _last(x: Tensor) -> Tensor:
    return tf.transpose(x, [0, *range(2, len(x.shape)), 1])


def _layout(x: Tensor) -> str:
    """The default of every function; in three dimensions TensorFlow differentiates only where it is said."""
    return ("NWC", "NHWC", "NDHWC")[len(x.shape) - 3]


def _first(y: Tensor) -> Tensor:
    return tf.transpose(y, [0, len(y.shape) - 1, *range(1, len(y.shape) - 1)])


def _kernel(w: Tensor) -> Tensor:
    """The spatial axes first, then those of the channels, the other way round."""
    return tf.transpose(w, [*range(2, len(w.shape)), 1, 0])


def _around(x: Tensor, padding: Pairs, value: float = 0.0) -> Tensor:
    return tf.pad(x, [(0, 0), (0, 0), *padding], constant_values=tf.constant(value, x.dtype))


def _biased(y: Tensor, b: Tensor | None) -> Tensor:
    return _first(y if b is None else tf.nn.bias_add(y, b))


def _conv(
    x: Tensor,
    w: Tensor,
    b: Tensor | None,
    *,
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    groups: int,
) -> Tensor:
    """TensorFlow knows the number of groups from the kernel's channels."""
    require_groups(x, w, groups)
    if groups > 1 and len(stride) == 3:
        raise NotImplementedError("groups in three dimensions")
    require_one_of(stride, dilation)
    x = _last(_around(x, padding))
    y = tf.nn.convolution(x, _kernel(w), list(stride), "VALID", _layout(x), dilations=list(dilation))
    return _biased(y, b)


def _conv_transpose(
    x: Tensor,
    w: Tensor,
    b: Tensor | None,
    *,
    stride: Sequence[int],
    padding: Pairs,
    output_padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> Tensor:
    """Padding is cut off the unpadded result; output padding is room left at its end."""
    if groups > 1:
        raise NotImplementedError("groups")
    if max(dilation) > 1:
        raise NotImplementedError("dilation")
    if min(*stride, *dilation, groups) < 1:
        raise ValueError("a stride, a dilation or groups below 1")
    sizes = [
        (n - 1) * s + d * (k - 1) + 1 + extra
        for n, k, s, d, extra in zip(x.shape[2:], w.shape[2:], stride, dilation, output_padding, strict=True)
    ]
    if any(e >= s for e, s in zip(output_padding, stride, strict=True)):
        raise NotImplementedError("output padding of the stride or more")
    y = tf.nn.conv_transpose(
        _last(x),
        _kernel(w),
        [x.shape[0], *sizes, w.shape[1]],
        list(stride),
        "VALID",
        dilations=list(dilation),
    )
    return _biased(y[(slice(None), *cut(sizes, padding))], b)


def _max_pool(
    x: Tensor,
    *,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    ceil_mode: bool,
) -> Tensor:
    if ceil_mode:
        raise NotImplementedError("ceil_mode")
    require_float32_in_space(x)
    x = _last(_around(x, padding, -np.inf))
    if max(dilation) == 1:
        y = tf.nn.max_pool(x, list(kernel_size), list(stride), "VALID", _layout(x))
    elif max(stride) == 1:
        y = tf.nn.pool(x, list(kernel_size), "MAX", [1] * len(stride), "VALID", dilations=list(dilation))
    else:
        raise NotImplementedError("stride and dilation at once")
    return _first(y)


def _avg_pool(
    x: Tensor,
    *,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Pairs,
    ceil_mode: bool,
    count_include_pad: bool,
) -> Tensor:
    if ceil_mode:
        raise NotImplementedError("ceil_mode")
    require_float32_in_space(x)
    x, rule = filled_or_same(x, _around, kernel_size, stride, padding, count_include_pad)
    return _first(tf.nn.avg_pool(_last(x), list(kernel_size), list(stride), rule.upper(), _layout(x)))


def _linear(x: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
    y = tf.linalg.matmul(x, w, transpose_b=True)
    return y if b is None else tf.nn.bias_add(y, b)


def _differentiate(
    of: Forward, parameters: Mapping[str, Any], variables: tuple[Tensor, ...], dy: Tensor
) -> Sequence[Tensor]:
    """What a result does not depend on has no derivative in TensorFlow, which stands for zeros."""
    if max(parameters.get("dilation", (1,))) > 1 or parameters.get("groups", 1) > 1:
        raise NotImplementedError("derivatives with groups or dilation on the CPU")
    with tf.GradientTape() as tape:
        tape.watch(variables)
        y = fitting(of(*variables, **parameters), dy)
    none = tf.UnconnectedGradients.ZERO
    derivatives: Sequence[Tensor] = tape.gradient(y, variables, dy, unconnected_gradients=none)
    return derivatives


def _array(y: Tensor) -> Array:
    return np.asarray(y.numpy())


globals().update(
    functions(
        Library(tf.constant, _array, _differentiate),
        {
            "conv": _conv,
            "conv_transpose": _conv_transpose,
            "max_pool": _max_pool,
            "avg_pool": _avg_pool,
            "downsample": lambda x, *, factor: x[every(factor)],
            "linear": _linear,
            "relu": tf.nn.relu,
            "sigmoid": tf.math.sigmoid,
            "tanh": tf.math.tanh,
            "softmax": lambda x, *, axis: tf.nn.softmax(x, axis=axis),
        },
    )
)
