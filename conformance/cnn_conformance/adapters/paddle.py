"""PaddlePaddle as a candidate: its functional interface, differentiated by its own autograd."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import paddle
import paddle.nn.functional as F  # noqa: N812

from cnn_conformance.adapters.common import (
    Array,
    Forward,
    Library,
    Pairs,
    Tensor,
    cropped,
    every,
    fitting,
    functions,
    require_dense,
    symmetric,
)

paddle.device.set_device("cpu")

about = {
    "name": "paddle",
    "version": paddle.__version__,
    "conventions": {
        "pool_nan": "ignore",
        "pool_start": "lowest",
        "relu_nan": "zero",
        "ceil_windows": "all",
        "no_output": "empty",
    },
}


def _of_rank(name: str, x: Tensor) -> Forward:
    of: Forward = getattr(F, f"{name}{len(x.shape) - 2}d")
    return of


def _around(x: Tensor, padding: Pairs, value: float = 0.0) -> Tensor:
    sides = [side for pair in padding for side in pair]
    return F.pad(x, [0, 0, 0, 0, *sides], value=value, pad_from_left_axis=True)


def _padded(x: Tensor, padding: Pairs) -> tuple[Tensor, list[int]]:
    """Equal sides as they are; others are put around the input first."""
    if symmetric(padding):
        return x, [before for before, _ in padding]
    return _around(x, padding), [0] * len(padding)


def _conv(x: Tensor, w: Tensor, b: Tensor | None, *, padding: Pairs, **parameters: Any) -> Tensor:
    x, sides = _padded(x, padding)
    return _of_rank("conv", x)(x, w, b, padding=sides, **parameters)


def _conv_transpose(x: Tensor, w: Tensor, b: Tensor | None, *, padding: Pairs, **parameters: Any) -> Tensor:
    transpose = getattr(F, f"conv{len(x.shape) - 2}d_transpose")
    options = _listed(parameters)
    if any(extra >= s for extra, s in zip(options["output_padding"], options["stride"], strict=True)):
        raise NotImplementedError("output padding of the stride or more")
    return cropped(partial(transpose, x, w, b, **options), padding)


def _max_pool(x: Tensor, *, padding: Pairs, dilation: Sequence[int], **parameters: Any) -> Tensor:
    require_dense(dilation)
    if not symmetric(padding):
        if parameters["ceil_mode"]:
            raise NotImplementedError("ceil_mode with padding of unequal sides")
        x, padding = _around(x, padding, -np.inf), ((0, 0),) * len(padding)
    return _of_rank("max_pool", x)(x, padding=[before for before, _ in padding], **_listed(parameters))


def _max_pool_with_indices(
    x: Tensor, *, padding: Pairs, dilation: Sequence[int], **parameters: Any
) -> tuple[Tensor, Tensor]:
    require_dense(dilation)
    if not symmetric(padding):
        raise NotImplementedError("indices with padding of unequal sides")
    sides = [before for before, _ in padding]
    y, indices = _of_rank("max_pool", x)(x, padding=sides, return_mask=True, **_listed(parameters))
    return y, indices


def _avg_pool(x: Tensor, *, padding: Pairs, count_include_pad: bool, **parameters: Any) -> Tensor:
    if not symmetric(padding):
        if parameters["ceil_mode"] or not count_include_pad:
            raise NotImplementedError("padding of unequal sides, not plainly averaged")
        x, padding = _around(x, padding), ((0, 0),) * len(padding)
    sides = [before for before, _ in padding]
    return _of_rank("avg_pool", x)(x, padding=sides, exclusive=not count_include_pad, **_listed(parameters))


def _listed(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(v) if isinstance(v, tuple) else v for name, v in parameters.items()}


def _one_factor(x: Tensor, factor: Sequence[int]) -> int:
    if len(x.shape) != 4 or len(set(factor)) > 1:
        raise NotImplementedError("pixel shuffles are for images and one factor")
    return factor[0]


def _linear(x: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
    return F.linear(x, w.t(), b)


def _tensor(a: Array) -> Tensor:
    return paddle.to_tensor(np.ascontiguousarray(a), stop_gradient=False)


def _array(y: Tensor) -> Array:
    return np.asarray(y.numpy())


def _differentiate(
    of: Forward, parameters: Mapping[str, Any], variables: tuple[Tensor, ...], dy: Tensor
) -> Sequence[Tensor]:
    y = fitting(of(*variables, **parameters), dy)
    derivatives: Sequence[Tensor] = paddle.grad([y], list(variables), [dy])
    return derivatives


globals().update(
    functions(
        Library(_tensor, _array, _differentiate),
        {
            "conv": _conv,
            "conv_transpose": _conv_transpose,
            "max_pool": _max_pool,
            "max_pool_with_indices": _max_pool_with_indices,
            "avg_pool": _avg_pool,
            "downsample": lambda x, *, factor: x[every(factor)],
            "pixel_shuffle": lambda x, *, factor: F.pixel_shuffle(x, _one_factor(x, factor)),
            "pixel_unshuffle": lambda x, *, factor: F.pixel_unshuffle(x, _one_factor(x, factor)),
            "linear": _linear,
            "relu": F.relu,
            "sigmoid": F.sigmoid,
            "tanh": F.tanh,
            "softmax": lambda x, *, axis: F.softmax(x, axis=axis),
        },
    )
)
