"""JAX as a candidate: `lax.conv_general_dilated` and `lax.reduce_window`, differentiated by `jax.vjp`."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from cnn_conformance.adapters.common import (
    Array,
    Forward,
    Library,
    Pairs,
    Tensor,
    every,
    functions,
    sides_of_spread,
    whole_windows,
)

jax.config.update("jax_enable_x64", True)

about = {
    "name": "jax",
    "version": jax.__version__,
    "shapes": "few",
    "conventions": {"no_output": "empty"},
}

EXACT = lax.Precision.HIGHEST


def _biased(y: Tensor, b: Tensor | None) -> Tensor:
    if b is not None and b.shape != y.shape[1:2]:
        raise ValueError(f"a bias of shape {b.shape} for {y.shape[1]} channels")
    return y if b is None else y + b.reshape((1, -1, *(1 for _ in y.shape[2:])))


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
    y = lax.conv_general_dilated(
        x, w, stride, padding, rhs_dilation=dilation, feature_group_count=groups, precision=EXACT
    )
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
    width, *kernel = w.shape[1:]
    spatial = range(3, 3 + len(kernel))
    apart = jnp.flip(w.reshape((groups, -1, width, *kernel)), spatial)
    swapped = jnp.swapaxes(apart, 1, 2).reshape((groups * width, -1, *kernel))
    sides = sides_of_spread(kernel, dilation, padding, output_padding)
    y = lax.conv_general_dilated(
        x,
        swapped,
        (1,) * len(kernel),
        sides,
        lhs_dilation=stride,
        rhs_dilation=dilation,
        feature_group_count=groups,
        precision=EXACT,
    )
    return _biased(y, b)


def _windows(
    x: Tensor, start: float, combine: Callable[..., Tensor], sides: Pairs, **parameters: Sequence[int]
) -> Tensor:
    kernel, stride = parameters["kernel_size"], parameters["stride"]
    dilation = parameters.get("dilation", (1,) * len(kernel))
    return lax.reduce_window(
        x,
        x.dtype.type(start),
        combine,
        (1, 1, *kernel),
        (1, 1, *stride),
        ((0, 0), (0, 0), *sides),
        window_dilation=(1, 1, *dilation),
    )


def _max_pool(x: Tensor, *, padding: Pairs, ceil_mode: bool, **parameters: Sequence[int]) -> Tensor:
    sides = whole_windows(x, padding=padding, ceil_mode=ceil_mode, **parameters)
    return _windows(x, -np.inf, lax.max, sides, **parameters)


def _avg_pool(
    x: Tensor, *, padding: Pairs, ceil_mode: bool, count_include_pad: bool, **parameters: Sequence[int]
) -> Tensor:
    """The sum of each window, divided by the sum of what counts in it."""
    sides = whole_windows(x, padding=padding, ceil_mode=ceil_mode, **parameters)
    total = _windows(x, 0, lax.add, sides, **parameters)
    counted = jnp.ones((1, 1, *x.shape[2:]), x.dtype)
    if count_include_pad:
        counted = jnp.pad(counted, ((0, 0), (0, 0), *padding), constant_values=1)
        sides = [(0, s[1] - p[1]) for s, p in zip(sides, padding, strict=True)]
    return total / _windows(counted, 0, lax.add, sides, **parameters)


def _upsample(x: Tensor, *, factor: Sequence[int]) -> Tensor:
    """Interior padding."""
    return lax.pad(x, x.dtype.type(0), [(0, 0, 0), (0, 0, 0), *((0, 0, f - 1) for f in factor)])


def _linear(x: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
    y = jnp.matmul(x, w.T, precision=EXACT)
    return y if b is None else y + b


@partial(jax.jit, static_argnums=(0, 1))
def _compiled(of: Forward, parameters: tuple[tuple[str, Any], ...], *variables: Tensor) -> Tensor:
    return of(*variables, **dict(parameters))


def _forward(of: Forward) -> Forward:
    """Compiled as a whole, once for each shape and each value of its parameters."""
    return lambda *variables, **parameters: _compiled(of, tuple(parameters.items()), *variables)


@partial(jax.jit, static_argnums=(0, 1))
def _derivatives(
    of: Forward, parameters: tuple[tuple[str, Any], ...], variables: tuple[Tensor, ...], dy: Tensor
) -> Sequence[Tensor]:
    _, derivative = jax.vjp(partial(of, **dict(parameters)), *variables)
    found: Sequence[Tensor] = derivative(dy)
    return found


def _differentiate(
    of: Forward, parameters: Mapping[str, Any], variables: tuple[Tensor, ...], dy: Tensor
) -> Sequence[Tensor]:
    found: Sequence[Tensor] = _derivatives(of, tuple(parameters.items()), variables, dy)
    return found


def _array(y: Tensor) -> Array:
    return np.asarray(y)


_OPERATIONS: dict[str, Forward] = {
    "conv": _conv,
    "conv_transpose": _conv_transpose,
    "max_pool": _max_pool,
    "avg_pool": _avg_pool,
    "downsample": lambda x, *, factor: x[every(factor)],
    "upsample": _upsample,
    "linear": _linear,
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "softmax": lambda x, *, axis: jax.nn.softmax(x, axis=axis),
}
globals().update(functions(Library(jnp.asarray, _array, _differentiate), _OPERATIONS))
globals().update(functions(Library(jnp.asarray, _array), {n: _forward(of) for n, of in _OPERATIONS.items()}))
