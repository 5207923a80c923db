"""Mistakes in how a library is called, not in the library: layouts of arrays, order of parameters, shapes of answers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cnn_spec.bugs.changes import (
    SEVERAL,
    filled,
    swap_pairs,
    swap_stride_and_dilation,
)
from cnn_spec.bugs.conditions import biased
from cnn_spec.bugs.layouts import EVERY
from cnn_spec.bugs.model import Bug, Wrong, asked, bug, giving, taking
from cnn_spec.operations import OPERATIONS, Array, Call, Implementation, Results

FORWARD = ("conv", "max_pool", "avg_pool")
RANKED = tuple(name for name in EVERY if OPERATIONS[name].ranked)


def answered(change: Callable[[Call, Results], Any]) -> Wrong:
    """The whole answer is changed, in kind too if so."""

    def wrong(right: Implementation) -> Implementation:
        return lambda call: change(call, right(call))

    return wrong


def each(change: Callable[[Array], Any]) -> Wrong:
    """Every result is changed, in shape and dtype too if so."""
    return answered(lambda call, found: tuple(map(change, found)))


def reinterpreted(axes: Callable[[int], tuple[int, ...]]) -> Callable[[Call, Array], Array]:
    """An array read as if its axes lay in another order: the same elements, other places."""

    def change(call: Call, a: Array) -> Array:
        order = axes(a.ndim)
        wanted = tuple(a.shape[i] for i in order)
        return np.ascontiguousarray(a).reshape(wanted).transpose(np.argsort(order))

    return change


def channels_last(ndim: int) -> tuple[int, ...]:
    """Batch, space, channels."""
    return (0, *range(2, ndim), 1)


def kernel_first(ndim: int) -> tuple[int, ...]:
    """Space, channels in, filters."""
    return (*range(2, ndim), 1, 0)


def filters_second(ndim: int) -> tuple[int, ...]:
    """Channels in, filters, space."""
    return (1, 0, *range(2, ndim))


def adapter(name: str, operations: Any, wrong: Wrong, *when: Any, **rest: Any) -> Bug:
    """A bug of an adapter."""
    return bug(name, operations, wrong, *when, adapter=True, **rest)


def both_before(call: Call, padding: Any) -> Any:
    """The leading padding on both sides, for a library that takes one number."""
    return tuple((before, before) for before, _ in padding)


def both_after(call: Call, padding: Any) -> Any:
    """The trailing padding on both sides."""
    return tuple((after, after) for _, after in padding)


def interleaved(call: Call, padding: Any) -> Any:
    """Pairs for a library that wants all befores first and then all afters."""
    flat = [p for pair in padding for p in pair]
    half = len(flat) // 2
    return tuple(zip(flat[:half], flat[half:], strict=True))


def as_result(call: Call, part: Array) -> Array:
    """Channels last as the result is returned."""
    return np.moveaxis(part, 1, -1)


def turned(call: Call) -> Call:
    """Every parameter of an axis in the other order."""
    per_axis = {n: v[::-1] for n, v in call.parameters.items() if isinstance(v, tuple)}
    return call.but(**per_axis)


BUGS: tuple[Bug, ...] = (
    adapter("the map is taken for channels last", FORWARD, taking("x", reinterpreted(channels_last))),
    adapter("results are left channels last", FORWARD, giving("y", as_result)),
    adapter("the derivative is left channels last", "conv_backward", giving("dx", as_result)),
    adapter(
        "weights are taken for kernel, channels, filters", "conv", taking("w", reinterpreted(kernel_first))
    ),
    adapter(
        "weights are taken for channels, filters, kernel", "conv", taking("w", reinterpreted(filters_second))
    ),
    adapter(
        "dw is left as kernel, channels, filters",
        "conv_backward",
        giving("dw", lambda c, dw: np.moveaxis(dw, (0, 1), (-1, -2))),
    ),
    adapter(
        "dw is read as channels, filters, kernel",
        "conv_backward",
        giving("dw", lambda c, dw: reinterpreted(filters_second)(c, dw)),
    ),
    adapter("padding pairs are swapped", "conv", taking("padding", swap_pairs)),
    adapter("the leading padding is passed for both sides", "conv", taking("padding", both_before)),
    adapter("the trailing padding is passed for both sides", "conv", taking("padding", both_after)),
    adapter(
        "the leading padding is passed for both sides of pooling",
        ("max_pool", "avg_pool"),
        taking("padding", both_before),
    ),
    adapter(
        "padding is passed with all befores first", "conv", taking("padding", interleaved), ranks=SEVERAL
    ),
    adapter(
        "stride is not passed on to pooling, which takes the kernel's size",
        ("max_pool", "avg_pool"),
        taking("stride", lambda c, s: c["kernel_size"]),
    ),
    adapter("groups are not passed on", "conv", lambda right: lambda call: right(call.but(groups=1))),
    adapter("the bias is dropped", "conv", asked(lambda c: c.but(b=None)), biased, source="CONV-AFFINE"),
    adapter(
        "ceil_mode is not passed on",
        ("max_pool", "avg_pool"),
        lambda right: lambda call: right(call.but(ceil_mode=False)),
    ),
    adapter(
        "count_include_pad is not passed on", "avg_pool", taking("count_include_pad", lambda c, on: True)
    ),
    adapter(
        "stride and dilation are passed in the other's place",
        "conv_backward",
        asked(swap_stride_and_dilation),
    ),
    adapter(
        "dx and dw are returned in the other's place",
        "conv_backward",
        answered(lambda c, r: (r[1], r[0], r[2])),
    ),
    adapter(
        "indices have an axis too many",
        "max_pool_with_indices",
        answered(lambda c, r: (r[0], r[1][None])),
        source="pytorch/pytorch/issues/38986",
    ),
    adapter(
        "indices are floats", "max_pool_with_indices", answered(lambda c, r: (r[0], r[1].astype(r[0].dtype)))
    ),
    adapter(
        "values and indices are returned in the other's place",
        "max_pool_with_indices",
        answered(lambda c, r: r[::-1]),
    ),
    adapter("only dx is returned", "conv_backward", answered(lambda c, r: r[:1])),
    adapter(
        "nothing is returned for the bias",
        "conv_backward",
        answered(lambda c, r: (*r[:2], None)),
        source="BP-LIST-CONV",
    ),
    adapter("results are float64 whatever was asked", EVERY, each(lambda a: a.astype(np.float64))),
    adapter("results are float32 whatever was asked", EVERY, each(lambda a: a.astype(np.float32))),
    adapter("a batch of one loses its axis", FORWARD, each(lambda a: a[0] if a.shape[0] == 1 else a)),
    adapter("results keep an axis too many", "max_pool", each(lambda a: a[None])),
    adapter("a channel of one loses its axis", "conv", each(lambda a: a[:, 0] if a.shape[1] == 1 else a)),
    adapter("results are flattened", "avg_pool", each(lambda a: a.reshape(a.shape[0], -1))),
    adapter(
        "derivatives have the shape of the padded map",
        "conv_backward",
        lambda right: lambda call: right(filled(call)),
    ),
    adapter("height and width are given in the other order", RANKED, asked(turned), ranks=(2,)),
    adapter(
        "the upsampling factor is passed less 1",
        "upsample",
        taking("factor", lambda c, f: tuple(max(i - 1, 1) for i in f)),
    ),
)
