"""MLX on the CPU as a candidate: `conv_general` and the pooling layers, channels last, differentiated by `mx.vjp`."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import mlx.core as mx
import numpy as np
from mlx import nn

from cnn_conformance.adapters.common import (
    Array,
    Forward,
    Library,
    Pairs,
    Tensor,
    every,
    fitting,
    functions,
    require_dense,
    sides_of_spread,
)

mx.set_default_device(mx.cpu)

about = {
    "name": "mlx",
    "version": version("mlx"),
    "conventions": {"tie_gradient": "split", "no_output": "empty", "activation_accuracy": "one"},
}


def _last(x: Tensor) -> Tensor:
    return mx.moveaxis(x, 1, -1)


def _biased(y: Tensor, b: Tensor | None) -> Tensor:
    """With the bias, channels first again."""
    if b is not None and b.shape != y.shape[-1:]:
        raise ValueError(f"a bias of shape {b.shape} for {y.shape[-1]} channels")
    return mx.moveaxis(y if b is None else y + b, -1, 1)


def _sides(padding: Pairs) -> tuple[list[int], list[int]]:
    return [before for before, _ in padding], [after for _, after in padding]


def _require_native(groups: int, stride: Sequence[int]) -> None:
    if groups > 1 and len(stride) == 3:
        raise NotImplementedError("groups in three dimensions")


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
    _require_native(groups, stride)
    sides = _sides(padding)
    y = mx.conv_general(_last(x), _last(w), list(stride), sides, list(dilation), groups=groups)
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
    """A convolution of the input spread by the stride with the flipped kernel, its channels swapped in each group."""
    _require_native(groups, stride)
    width, *kernel = w.shape[1:]
    swapped = mx.swapaxes(w.reshape(groups, -1, width, *kernel), 1, 2).reshape(groups * width, -1, *kernel)
    sides = sides_of_spread(kernel, dilation, padding, output_padding)
    if min(map(min, sides)) < 0:
        raise NotImplementedError("padding beyond the kernel: conv_general takes no negative padding")
    y = mx.conv_general(
        _last(x),
        _last(swapped),
        1,
        _sides(sides),
        list(dilation),
        list(stride),
        groups=groups,
        flip=True,
    )
    return _biased(y, b)


def _pooled(
    layer: str, value: float, x: Tensor, padding: Pairs, kernel_size: Sequence[int], stride: Sequence[int]
) -> Tensor:
    """The layers take equal sides; others are put around the input first."""
    x = mx.pad(x, [(0, 0), (0, 0), *padding], constant_values=mx.array(value, x.dtype))
    pool = getattr(nn, f"{layer}{len(padding)}d")
    arguments = (kernel_size, stride) if len(padding) > 1 else (kernel_size[0], stride[0])
    return mx.moveaxis(pool(*arguments)(_last(x)), -1, 1)


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
    return _pooled("MaxPool", -np.inf, x, padding, kernel_size, stride)


def _avg_pool(
    x: Tensor,
    *,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Pairs,
    ceil_mode: bool,
    count_include_pad: bool,
) -> Tensor:
    if ceil_mode or not (count_include_pad or not np.any(padding)):
        raise NotImplementedError("ceil_mode, and padding that does not count")
    return _pooled("AvgPool", 0.0, x, padding, kernel_size, stride)


def _linear(x: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
    return x @ w.T if b is None else mx.addmm(b, x, w.T)


def _differentiate(
    of: Forward, parameters: Mapping[str, Any], variables: tuple[Tensor, ...], dy: Tensor
) -> Sequence[Tensor]:
    derivatives: Sequence[Tensor]
    _, derivatives = mx.vjp(lambda *given: fitting(of(*given, **parameters), dy), variables, [dy])
    return derivatives


def _tensor(a: Array) -> Tensor:
    """MLX takes float64 for float32 unless it is told; it has both on the CPU."""
    return mx.array(np.ascontiguousarray(a), getattr(mx, a.dtype.name))


def _array(y: Tensor) -> Array:
    """Here is where MLX computes, and refuses some convolutions of float64."""
    try:
        return np.array(y)
    except ValueError as error:
        if "unsupported data type" in str(error):
            raise NotImplementedError(str(error)) from error
        raise


globals().update(
    functions(
        Library(_tensor, _array, _differentiate),
        {
            "conv": _conv,
            "conv_transpose": _conv_transpose,
            "max_pool": _max_pool,
            "avg_pool": _avg_pool,
            "downsample": lambda x, *, factor: x[every(factor)],
            "linear": _linear,
            "relu": nn.relu,
            "sigmoid": mx.sigmoid,
            "tanh": mx.tanh,
            "softmax": lambda x, *, axis: mx.softmax(x, axis=axis),
        },
    )
)
