"""Calls that no implementation may answer, each one step beside a valid one.

A way takes a valid call to a pair: the nearest valid neighbour, and the impossible call; or to None where it
does not lead anywhere, such as unequal shares of a single group.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from cnn_spec.cases.axis import EXTENTS
from cnn_spec.operations import OPERATIONS, Array, Call
from cnn_spec.shapes import forward_shape
from cnn_spec.sights import kernel_of, spans_of
from cnn_spec.sizes import conv_transpose_output_size, extent

Pair = tuple[Call, Call]
Way = Callable[[Call], Pair | None]
Needs = Mapping[str, tuple[str, ...]]
"""Levels of some factors, one of which a row must have for a way to lead somewhere."""
LARGER_KERNEL = "a kernel larger than the padded input"
ALL_CROPPED = "padding that leaves no output"
NO_OUTPUT = (LARGER_KERNEL, ALL_CROPPED)
"""Ways to a result of size 0, as some give it."""


def _beside(call: Call, **changes: Any) -> Pair:
    return call, replace(call.but(**changes), valid=False)


def _set(value: Any, at: int, to: Any) -> Any:
    """One axis of a parameter set; the parameter itself where there is only one axis."""
    return (*value[:at], to, *value[at + 1 :]) if isinstance(value, tuple) else to


def last_axis(name: str, to: int) -> Way:
    """A parameter of the last axis below what it may be."""
    return lambda call: _beside(call, **{name: _set(call[name], -1 % np.size(call[name]), to)})


def no_kernel(call: Call) -> Pair:
    """Filters without a cell."""
    name = next(name for name in call.arguments if name.startswith("w"))
    return _beside(call, **{name: call[name][..., :0]})


def _longer(a: Array, axis: int) -> Array:
    """One element more along an axis: the first again."""
    return np.concatenate([a, a.take([0], axis)], axis)


def one_more(name: str, axis: int) -> Way:
    """An array that is one element too long along an axis, and not to be stretched to fit."""

    def way(call: Call) -> Pair | None:
        a = call[name]
        if a is None or (call.rank == 0 and a.shape[axis] == 1):
            return None
        return _beside(call, **{name: _longer(a, axis)})

    return way


def an_axis_more(name: str) -> Way:
    """An array with a further axis of one."""
    return lambda call: _beside(call, **{name: call[name][None]})


def unequal_shares(*grown: tuple[str, int]) -> Way:
    """One channel more than the groups divide, in every array that has these channels."""

    def way(call: Call) -> Pair | None:
        if call["groups"] == 1:
            return None
        changes = {name: call[name] for name, _ in grown if call.arguments.get(name) is not None}
        for name, axis in grown:
            if name in changes:
                changes[name] = _longer(changes[name], axis) if axis >= 0 else changes[name] + 1
        return _beside(call, **changes)

    return way


def more_groups_than_channels(call: Call) -> Pair:
    """A group without a channel."""
    channels = call["x"].shape[1] if "x" in call.arguments else call["c_in"]
    return _beside(call, groups=channels + 1)


def larger_kernel(call: Call) -> Pair | None:
    """An input one element shorter than the kernel spans, where the neighbour's just holds it."""
    spans = (extent(call["kernel_size"], call["dilation"]),) if call.of_integers else spans_of(call)
    at = int(np.argmax(spans))
    if spans[at] == 1:
        return None
    changes: dict[str, Any] = {"padding": _unpadded(call, at)}
    if "ceil_mode" in call.parameters:
        changes["ceil_mode"] = False
    if call.of_integers:
        return _beside(call.but(n=spans[0], **changes), n=spans[0] - 1)
    axis = 2 + at
    x = call["x"]
    fitting = np.resize(x, (*x.shape[:axis], spans[at], *x.shape[axis + 1 :])).astype(x.dtype)
    neighbour = _with_fitting_dy(call.but(x=fitting, **changes))
    return _beside(neighbour, x=fitting.take(range(spans[at] - 1), axis))


def _unpadded(call: Call, at: int) -> Any:
    return (0, 0) if call.of_integers else _set(call["padding"], at, (0, 0))


def _with_fitting_dy(call: Call) -> Call:
    return call.but(dy=np.resize(call["dy"], forward_shape(call))) if "dy" in call.arguments else call


def cropped_away(call: Call) -> Pair:
    """Padding that takes off a transposed convolution's last output, where the neighbour keeps one."""
    sizes = call["n"] if call.of_integers else call["x"].shape[-1]
    kernel = call["kernel_size"] if call.of_integers else kernel_of(call)[-1]
    names = ("stride", "dilation", "output_padding")
    axis = {name: call[name] if call.of_integers else call[name][-1] for name in names}
    whole = conv_transpose_output_size(sizes, kernel_size=kernel, padding=(0, 0), **axis)

    def padding(total: int) -> Any:
        pair = (total // 2, total - total // 2)
        return pair if call.of_integers else (*call["padding"][:-1], pair)

    return _beside(_with_fitting_dy(call.but(padding=padding(whole - 1))), padding=padding(whole))


def no_such_axis(call: Call) -> Pair:
    """One axis behind the last."""
    return _beside(call, axis=call["x"].ndim)


def not_divisible(call: Call) -> Pair | None:
    """One channel, or one element of the last axis with a factor, more than the factor divides."""
    if prod(call["factor"]) == 1:
        return None
    axis = 1 if call.operation == "pixel_shuffle" else 2 + int(np.argmax(call["factor"]))
    return _beside(call, x=_longer(call["x"], axis))


SEVERAL = tuple(EXTENTS)[1:]
"""Levels of an extent above 1."""
_SEVERAL_GROUPS = {"groups": ("several",)}
_WIDE_KERNEL = {"kernel": ("odd", "even")}
_WIDE_FACTOR = {"factor": ("2", "above 2")}
_FILTERS = {"conv", "conv_backward", "conv_transpose", "conv_transpose_backward"}
_DEPTHWISE = {"depthwise_conv", "separable_conv"}
_POOLS = {"max_pool", "max_pool_with_indices", "max_pool_backward", "avg_pool", "avg_pool_backward"}
_SIZES = {"conv_output_size", "pool_output_size", "conv_transpose_output_size"}
_TRANSPOSED = {"conv_transpose", "conv_transpose_backward", "conv_transpose_output_size"}
_RANKED = {name for name, operation in OPERATIONS.items() if operation.ranked}


def _taking(name: str) -> set[str]:
    return {o for o, declared in OPERATIONS.items() if name in (*declared.arrays, *declared.parameters)}


_TABLE: tuple[tuple[str, set[str], Way, Needs], ...] = (
    ("a stride of 0", _taking("stride"), last_axis("stride", 0), {}),
    ("a stride of -1", _taking("stride"), last_axis("stride", -1), {}),
    ("a dilation of 0", _taking("dilation"), last_axis("dilation", 0), {}),
    ("a factor of 0", _taking("factor"), last_axis("factor", 0), {}),
    ("a factor of -1", _taking("factor"), last_axis("factor", -1), {}),
    ("a kernel of 0", _taking("kernel_size"), last_axis("kernel_size", 0), {}),
    ("a kernel of 0", _FILTERS | _DEPTHWISE, no_kernel, {}),
    (
        LARGER_KERNEL,
        (_FILTERS - _TRANSPOSED) | _DEPTHWISE | _POOLS | (_SIZES - _TRANSPOSED),
        larger_kernel,
        _WIDE_KERNEL,
    ),
    (ALL_CROPPED, _TRANSPOSED, cropped_away, {}),
    ("more groups than channels", _taking("groups"), more_groups_than_channels, {}),
    (
        "channels that the groups do not divide",
        {"conv", "conv_backward"},
        unequal_shares(("x", 1)),
        _SEVERAL_GROUPS,
    ),
    (
        "channels that the groups do not divide",
        {"conv_transpose", "conv_transpose_backward"},
        unequal_shares(("x", 1), ("w", 0)),
        _SEVERAL_GROUPS,
    ),
    (
        "channels that the groups do not divide",
        {"conv_param_count"},
        unequal_shares(("c_in", -1)),
        _SEVERAL_GROUPS,
    ),
    (
        "filters that the groups do not divide",
        {"conv"},
        unequal_shares(("w", 0), ("b", 0)),
        _SEVERAL_GROUPS,
    ),
    (
        "filters that the groups do not divide",
        {"conv_backward"},
        unequal_shares(("w", 0), ("dy", 1)),
        _SEVERAL_GROUPS,
    ),
    (
        "filters that the groups do not divide",
        {"conv_param_count"},
        unequal_shares(("c_out", -1)),
        _SEVERAL_GROUPS,
    ),
    ("an image with an axis too many", _RANKED, an_axis_more("x"), {}),
    ("filters with an axis too many", _taking("w") & _RANKED, an_axis_more("w"), {}),
    ("filters for a channel more", _taking("w") - _TRANSPOSED, one_more("w", 1), {"features in": SEVERAL}),
    ("filters for a channel more", _taking("w") & _TRANSPOSED, one_more("w", 0), {}),
    ("filters for a channel more", {"separable_conv"}, one_more("w_pointwise", 1), {}),
    (
        "a bias for a channel more",
        _taking("b"),
        one_more("b", 0),
        {"bias": ("given",), "features out": SEVERAL},
    ),
    ("a derivative that is longer", _taking("dy"), one_more("dy", -1), {"features out": SEVERAL}),
    ("a derivative of a sample more", _taking("dy"), one_more("dy", 0), {}),
    ("an axis that does not exist", _taking("axis"), no_such_axis, {}),
    ("what the factor does not divide", {"pixel_shuffle", "pixel_unshuffle"}, not_divisible, _WIDE_FACTOR),
)
"""The way in words, the operations that it is for, the way, and what it needs."""


def ways_of(operation: str) -> dict[str, tuple[Way, Needs]]:
    """The ways to make a call of an operation impossible, by their words, each with the levels that it needs."""
    return {words: (way, needs) for words, concerned, way, needs in _TABLE if operation in concerned}
