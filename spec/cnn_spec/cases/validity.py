"""Which calls may be drawn at all, and how one is changed without leaving the case space."""

from math import prod
from typing import Any

import numpy as np

from cnn_spec.case import Case, Data, Situation
from cnn_spec.cases.axis import pool_counts
from cnn_spec.cases.layers import shapes_of, sizes_of
from cnn_spec.cases.layouts import EVERY_LAYOUT
from cnn_spec.operations import Array, Call
from cnn_spec.shapes import Shape, forward_shape, result_shapes
from cnn_spec.sizes import conv_output_size, conv_transpose_output_size

Description = dict[str, Any]
"""A case without its numbers: its sizes and parameters by name, layout included."""


def describe(case: Case) -> Description:
    """The sizes and parameters of a case, each of which can be made smaller on its own."""
    call = case.call
    if call.of_integers:
        return {**call.arguments, **call.parameters}
    parameters = {name: value for name, value in call.parameters.items() if name != "groups"}
    sizes = sizes_of(call)
    last = {name: sizes.pop(name) for name in ("spatial",) if name in sizes}
    return {**sizes, **parameters, **last, "layout": case.levels["layout"]}


def rebuild(case: Case, wanted: Description, keep_last: bool = False) -> Case:
    """The case with other sizes and parameters.

    Of its numbers the first (or last) ones are kept, and repeated where more are needed.
    """
    call = case.call
    if call.of_integers:
        return case.with_call(call.but(**{n: wanted[n] for n in (*call.arguments, *call.parameters)}))
    shapes: dict[str, Any] = shapes_of(call.operation, wanted)
    if not wanted.get("bias"):
        shapes["b"] = None
    parameters = {n: wanted.get(n, wanted.get("groups")) for n in call.parameters}
    if "dy" in call.arguments:
        probe = {n: np.empty(shapes[n]) for n in call.arguments if n != "dy"}
        try:
            shapes["dy"] = forward_shape(Call(call.operation, call.rank, probe, parameters))
        except ZeroDivisionError:
            return case
    layout = EVERY_LAYOUT[wanted["layout"]]
    arrays = {
        name: None if a is None or shapes[name] is None else layout(_fitted(a, shapes[name], keep_last))
        for name, a in call.arguments.items()
    }
    changed = Call(call.operation, call.rank, arrays, parameters)
    levels = {**case.levels, "layout": wanted["layout"]}
    return Case(case.id, (*case.calls[:-1], changed), case.data, levels)


def _fitted(a: Array, shape: Shape, keep_last: bool) -> Array:
    if any(size < 0 for size in shape):
        return np.empty((0,) * len(shape), a.dtype)
    if all(new <= old for new, old in zip(shape, a.shape, strict=True)):
        starts = (old - new if keep_last else 0 for new, old in zip(shape, a.shape, strict=True))
        return np.array(a[tuple(slice(start, start + new) for start, new in zip(starts, shape, strict=True))])
    return np.resize(a, shape)


def drawable(case: Case) -> bool:
    """Whether the case space could hold this case: the call is valid, and its data tell right from wrong."""
    return valid(case) and (not case.call.operation.startswith("max_pool") or _order_is_clear(case))


def valid(case: Case) -> bool:
    """Whether the call of a case is one that may be drawn, whatever its numbers."""
    call = case.call
    if call.of_integers:
        return _size_call_is_valid(call)
    if "dy" in call.arguments and call["dy"].shape != forward_shape(call):
        return False
    first = 1 if case.situation is Situation.EMPTY else 0
    if any(min(shape[first:], default=1) < 1 for shape in (*result_shapes(call), forward_shape(call))):
        return False
    if "output_padding" in call.parameters and not _output_padding_is_valid(call):
        return False
    return "kernel_size" not in call.parameters or _pool_is_valid(case)


def _size_call_is_valid(call: Call) -> bool:
    if call.operation in ("same_padding", "separable_param_count"):
        return True
    if call.operation == "conv_param_count":
        return bool(call["c_in"] % call["groups"] == call["c_out"] % call["groups"] == 0)
    parameters = {n: v for n, v in call.parameters.items() if n != "ceil_mode"}
    if call.operation == "conv_transpose_output_size":
        fits = parameters["output_padding"] < max(parameters["stride"], parameters["dilation"])
        return fits and conv_transpose_output_size(call["n"], **parameters) >= 1
    return conv_output_size(call["n"], **parameters) >= 1


def _output_padding_is_valid(call: Call) -> bool:
    axes = zip(call["output_padding"], call["stride"], call["dilation"], strict=True)
    return all(more < max(stride, dilation) for more, stride, dilation in axes)


def _pool_is_valid(case: Case) -> bool:
    """Complete windows, each with an element of the input; exact means only over powers of two elements."""
    call = case.call
    ones = (1,) * call.rank
    names = ("kernel_size", "stride", "padding", "dilation")
    values = (call.parameters.get(name, ones) for name in names)
    for n, *axis in zip(call["x"].shape[2:], *values, strict=True):
        parameters = dict(zip(names, axis, strict=True))
        outputs = conv_output_size(n, **parameters)
        if outputs < 1 or 0 in pool_counts(n, outputs, parameters):
            return False
    return not (call.operation.startswith("avg_pool") and case.exact) or divisors_are_powers_of_two(call)


def divisors_are_powers_of_two(call: Call) -> bool:
    """Whether every mean is over a power of two elements, so that it is exact however it is computed."""
    counts = [c for axis in _axis_counts(call) for c in axis]
    return all(c & (c - 1) == 0 for c in counts)


def _axis_counts(call: Call) -> list[set[int]]:
    """What the windows of each axis are divided by."""
    found = []
    axes = zip(
        call["x"].shape[2:],
        forward_shape(call)[2:],
        call["kernel_size"],
        call["stride"],
        call["padding"],
        strict=True,
    )
    for n, outputs, kernel, stride, (before, after) in axes:
        starts = [o * stride - before for o in range(outputs)]
        low, high = (-before, n + after) if call["count_include_pad"] else (0, n)
        found.append({sum(low <= start + k < high for k in range(kernel)) for start in starts})
    return found


def _order_is_clear(case: Case) -> bool:
    """No two elements alike in a plane; tied data instead have powers of two, each once in a plane, as derivatives."""
    call = case.call
    if case.data is not Data.TIED:
        in_order = np.sort(call["x"].reshape(prod(call["x"].shape[:2]), -1))
        return bool(np.all(in_order[:, 1:] != in_order[:, :-1]))
    if "dy" not in call.arguments:
        return True
    planes = call["dy"].reshape(prod(call["dy"].shape[:2]), -1)
    for plane in planes:
        shown = plane[plane != 0]
        if np.unique(shown).size != shown.size or np.any(np.frexp(shown)[0] != 0.5):
            return False
    return True
