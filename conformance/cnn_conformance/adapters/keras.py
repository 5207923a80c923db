"""Keras as a candidate, on whichever backend it is set up for: `keras.ops`, channels last.

Its backend differentiates: JAX, torch or TensorFlow; on others there is no backward.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

os.environ.setdefault("KERAS_BACKEND", next(filter(find_spec, ("tensorflow", "torch", "jax")), "numpy"))

import keras
import numpy as np
from keras import ops

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
    require_dense,
    require_float32_in_space,
    require_groups,
    require_one_of,
)

BACKEND = keras.backend.backend()

about = {
    "name": f"keras on {BACKEND}",
    "version": keras.__version__,
    "shapes": "many" if BACKEND == "torch" else "few",
    "conventions": {
        "pool_nan": "ignore" if BACKEND == "tensorflow" else "propagate",
        "pool_start": "lowest" if BACKEND == "tensorflow" else "infinity",
        "no_output": "empty",
    },
}


def _last(x: Tensor) -> Tensor:
    return ops.moveaxis(x, 1, -1)


def _biased(y: Tensor, b: Tensor | None) -> Tensor:
    if b is not None and tuple(b.shape) != (y.shape[-1],):
        raise ValueError(f"a bias of shape {tuple(b.shape)} for {y.shape[-1]} channels")
    return ops.moveaxis(y if b is None else y + b, -1, 1)


def _kernel(w: Tensor) -> Tensor:
    """The spatial axes first, then those of the channels, the other way round."""
    return ops.transpose(w, [*range(2, len(w.shape)), 1, 0])


def _around(x: Tensor, padding: Pairs, value: float = 0.0) -> Tensor:
    return ops.pad(x, [(0, 0), (0, 0), *padding], constant_values=value)


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
    """Keras knows the number of groups from the kernel's channels."""
    require_groups(x, w, groups)
    if BACKEND == "tensorflow" and groups > 1 and len(stride) == 3:
        raise NotImplementedError("groups in three dimensions")
    require_one_of(stride, dilation)
    x = _last(_around(x, padding))
    return _biased(ops.conv(x, _kernel(w), stride, "valid", "channels_last", dilation), b)


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
    """Padding is cut off the whole result, which reaches at least as far as the windows, and no less than the strides."""
    if groups > 1:
        raise NotImplementedError("transposed convolutions in groups")
    require_groups(x, ops.swapaxes(w, 0, 1), groups)
    require_one_of(stride, dilation)
    if BACKEND == "tensorflow":
        require_dense(dilation)
    whole = ops.conv_transpose(_last(x), _kernel(w), stride, "valid", None, "channels_last", dilation)
    spans = [d * (k - 1) + 1 for k, d in zip(w.shape[2:], dilation, strict=True)]
    ends = [
        (n - 1) * s + span + more
        for n, s, span, more in zip(x.shape[2:], stride, spans, output_padding, strict=True)
    ]
    lacking = [max(0, end - size) for end, size in zip(ends, whole.shape[1:-1], strict=True)]
    whole = ops.pad(whole, [(0, 0), *((0, few) for few in lacking), (0, 0)])
    return _biased(whole[(slice(None), *cut(ends, padding))], b)


def _planes_of_filters(w: Tensor, channels: int) -> Tensor:
    """The spatial axes, the channels, and how many filters each has."""
    if w.shape[0] % channels or w.shape[1] != 1:
        raise ValueError(f"filters of shape {tuple(w.shape)} for {channels} channels")
    apart = ops.reshape(w, (channels, -1, *w.shape[2:]))
    return ops.transpose(apart, [*range(2, len(apart.shape)), 0, 1])


def _depthwise_conv(
    x: Tensor,
    w: Tensor,
    b: Tensor | None,
    *,
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
) -> Tensor:
    _require_keras_strides(stride, dilation)
    filters = _planes_of_filters(w, x.shape[1])
    x = _last(_around(x, padding))
    return _biased(ops.depthwise_conv(x, filters, stride, "valid", "channels_last", dilation), b)


def _separable_conv(
    x: Tensor,
    w: Tensor,
    w_pointwise: Tensor,
    b: Tensor | None,
    *,
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
) -> Tensor:
    _require_keras_strides(stride, dilation)
    filters = _planes_of_filters(w, x.shape[1])
    if w_pointwise.shape[1] != w.shape[0]:
        raise ValueError(f"{w.shape[0]} channels between, for filters of {w_pointwise.shape[1]}")
    x, mixing = _last(_around(x, padding)), _kernel(w_pointwise)
    return _biased(ops.separable_conv(x, filters, mixing, stride, "valid", "channels_last", dilation), b)


def _require_keras_strides(stride: Sequence[int], dilation: Sequence[int]) -> None:
    """Of depthwise convolutions Keras has those on one or two axes, and TensorFlow those of one stride."""
    if len(stride) == 3:
        raise NotImplementedError("depthwise convolutions on three axes")
    if BACKEND == "tensorflow" and len(set(stride)) > 1:
        raise NotImplementedError("depthwise convolutions with unequal strides")
    require_one_of(stride, dilation)


def _require_one_factor(x: Tensor, factor: Sequence[int]) -> None:
    if len(x.shape) != 4 or len(set(factor)) > 1 or factor[0] == 1:
        raise NotImplementedError("shuffles are for images and one factor above one")


def _pixel_shuffle(x: Tensor, *, factor: Sequence[int]) -> Tensor:
    """Keras has the offsets before the channels."""
    _require_one_factor(x, factor)
    n, c, *spatial = x.shape
    apart = ops.reshape(x, (n, c // factor[0] ** 2, factor[0] ** 2, *spatial))
    x = ops.reshape(ops.swapaxes(apart, 1, 2), (n, c, *spatial))
    return ops.moveaxis(ops.depth_to_space(_last(x), factor[0], "channels_last"), -1, 1)


def _pixel_unshuffle(x: Tensor, *, factor: Sequence[int]) -> Tensor:
    """Keras has the offsets before the channels."""
    _require_one_factor(x, factor)
    y = ops.moveaxis(ops.space_to_depth(_last(x), factor[0], "channels_last"), -1, 1)
    apart = ops.reshape(y, (y.shape[0], factor[0] ** 2, x.shape[1], *y.shape[2:]))
    return ops.reshape(ops.swapaxes(apart, 1, 2), y.shape)


def _require_pooling_in(x: Tensor) -> None:
    if BACKEND == "tensorflow":
        require_float32_in_space(x)


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
    require_dense(dilation)
    _require_pooling_in(x)
    x = _last(_around(x, padding, -np.inf))
    return ops.moveaxis(ops.max_pool(x, kernel_size, stride, "valid", "channels_last"), -1, 1)


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
    _require_pooling_in(x)
    x, rule = filled_or_same(x, _around, kernel_size, stride, padding, count_include_pad)
    return ops.moveaxis(ops.average_pool(_last(x), kernel_size, stride, rule, "channels_last"), -1, 1)


def _linear(x: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
    y = ops.matmul(x, ops.transpose(w))
    return y if b is None else y + b


def _by_jax(f: Callable[..., Tensor], variables: tuple[Tensor, ...], dy: Tensor) -> Sequence[Tensor]:
    import jax

    _, derivative = jax.vjp(f, *variables)
    found: Sequence[Tensor] = derivative(dy)
    return found


def _by_torch(f: Callable[..., Tensor], variables: tuple[Tensor, ...], dy: Tensor) -> Sequence[Tensor]:
    import torch

    watched = [v.detach().requires_grad_() for v in variables]
    found: Sequence[Tensor] = torch.autograd.grad(f(*watched), watched, dy)
    return found


def _by_tensorflow(f: Callable[..., Tensor], variables: tuple[Tensor, ...], dy: Tensor) -> Sequence[Tensor]:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(variables)
        y = f(*variables)
    found: Sequence[Tensor] = tape.gradient(y, variables, dy)
    return found


_BY = {"jax": _by_jax, "torch": _by_torch, "tensorflow": _by_tensorflow}


def _differentiate(
    of: Forward, parameters: Mapping[str, Any], variables: tuple[Tensor, ...], dy: Tensor
) -> Sequence[Tensor]:
    if BACKEND == "tensorflow" and (
        max(parameters.get("dilation", (1,))) > 1 or parameters.get("groups", 1) > 1
    ):
        raise NotImplementedError("derivatives with groups or dilation on the CPU")
    return _BY[BACKEND](lambda *given: fitting(of(*given, **parameters), dy), variables, dy)


def _tensor(a: Array) -> Tensor:
    return ops.convert_to_tensor(np.ascontiguousarray(a), dtype=str(a.dtype))


def _array(y: Tensor) -> Array:
    return np.asarray(ops.convert_to_numpy(y))


if BACKEND == "jax":
    import jax

    jax.config.update("jax_enable_x64", True)

globals().update(
    functions(
        Library(_tensor, _array, _differentiate if BACKEND in _BY else None),
        {
            "conv": _conv,
            "conv_transpose": _conv_transpose,
            "depthwise_conv": _depthwise_conv,
            "separable_conv": _separable_conv,
            "pixel_shuffle": _pixel_shuffle,
            "pixel_unshuffle": _pixel_unshuffle,
            "max_pool": _max_pool,
            "avg_pool": _avg_pool,
            "downsample": lambda x, *, factor: x[every(factor)],
            "linear": _linear,
            "relu": ops.relu,
            "sigmoid": ops.sigmoid,
            "tanh": ops.tanh,
            "softmax": lambda x, *, axis: ops.softmax(x, axis=axis),
        },
    )
)
