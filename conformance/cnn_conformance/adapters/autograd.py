"""HIPS autograd as a candidate: its NumPy and SciPy, and its derivatives of them."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import make_vjp
from autograd.scipy.signal import convolve
from autograd.scipy.special import expit

from cnn_conformance.adapters.common import (
    Forward,
    Library,
    Pairs,
    Tensor,
    convolution,
    every,
    fitting,
    functions,
    taps,
)

about = {
    "name": "autograd",
    "version": version("autograd"),
    "conventions": {"tie_gradient": "split"},
}


def _around(x: Tensor, padding: Pairs, value: float = 0.0) -> Tensor:
    return anp.pad(x, padding, "constant", constant_values=value)


def _correlate(x: Tensor, w: Tensor) -> Tensor:
    """A convolution with the flipped kernel, summed over the channels."""
    axes = [*range(2, x.ndim)]
    flipped = w[(..., *(slice(None, None, -1) for _ in axes))]
    return convolve(x, flipped, axes=(axes, axes), dot_axes=([1], [1]), mode="valid")


def _windows(x: Tensor, kernel_size: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> Tensor:
    """All positions in a window, one after the other on a first axis."""
    return anp.array([x[(..., *tap)] for tap in taps(x.shape[2:], kernel_size, stride, dilation)])


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
    return anp.max(
        _windows(_around(x, ((0, 0), (0, 0), *padding), -np.inf), kernel_size, stride, dilation), axis=0
    )


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
    ones = [1] * len(kernel_size)
    return anp.mean(_windows(_around(x, ((0, 0), (0, 0), *padding)), kernel_size, stride, ones), axis=0)


def _softmax(x: Tensor, *, axis: int) -> Tensor:
    shares = anp.exp(x - anp.max(x, axis=axis, keepdims=True))
    return shares / anp.sum(shares, axis=axis, keepdims=True)


def _linear(x: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
    y = anp.dot(x, w.T)
    return y if b is None else y + b


def _differentiate(
    of: Forward, parameters: Mapping[str, Any], variables: tuple[Tensor, ...], dy: Tensor
) -> Sequence[Tensor]:
    derivative, y = make_vjp(lambda given: of(*given, **parameters))(variables)
    fitting(y, dy)
    found: Sequence[Tensor] = derivative(dy)
    return found


globals().update(
    functions(
        Library(tensor=lambda a: a, array=lambda a: a, differentiate=_differentiate),
        {
            "conv": convolution(_correlate, _around, lambda parts: anp.concatenate(parts, axis=1)),
            "max_pool": _max_pool,
            "avg_pool": _avg_pool,
            "downsample": lambda x, *, factor: x[every(factor)],
            "linear": _linear,
            "relu": lambda x: anp.maximum(x, 0),
            "sigmoid": expit,
            "tanh": anp.tanh,
            "softmax": _softmax,
        },
    )
)
