"""Pooling by other routes: the last of tied elements, equal shares, reciprocals, axis after axis."""

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np

from cnn_spec.operations import Array, Call, Results
from cnn_spec.shapes import Shape, forward_shape


def _ends(call: Call) -> tuple[tuple[int, int], ...]:
    """The padding, and behind it what the last window sticks out by."""
    dilation = call.parameters.get("dilation", (1,) * call.rank)
    names = (call["kernel_size"], call["stride"], dilation, call["padding"])
    axes = zip(call["x"].shape[2:], forward_shape(call)[2:], *names, strict=True)
    return tuple(
        (before, max(after, (o - 1) * s + d * (k - 1) + 1 - n - before))
        for n, o, k, s, d, (before, after) in axes
    )


def _around(a: Array, ends: tuple[tuple[int, int], ...], value: float) -> Array:
    unspatial = a.ndim - len(ends)
    return np.pad(a, [(0, 0)] * unspatial + list(ends), constant_values=value)


def _cells(call: Call) -> Iterator[tuple[Any, ...]]:
    """Where each cell of the kernel lies on the padded map, window by window; the last cell last."""
    dilation = call.parameters.get("dilation", (1,) * call.rank)
    for cell in product(*map(range, call["kernel_size"])):
        axes = zip(cell, dilation, call["stride"], forward_shape(call)[2:], strict=True)
        yield (..., *(slice(k * d, k * d + (o - 1) * s + 1, s) for k, d, s, o in axes))


def _places(spatial: Shape) -> Array:
    """The flat index of each element of a plane."""
    return np.arange(prod(spatial)).reshape(spatial)


# the largest


def _last_largest(call: Call, ignore_nan: bool = False) -> Results:
    """Each window's largest element, and the place of the last one of them."""
    ends = _ends(call)
    seen, places = _around(call["x"], ends, -np.inf), _around(_places(call["x"].shape[2:]), ends, -1)
    y = np.full(forward_shape(call), -np.inf, seen.dtype)
    indices = np.full(y.shape, -1)
    for at in _cells(call):
        better = (seen[at] >= y) | (np.isnan(seen[at]) & (not ignore_nan))
        better = (better & (places[at] >= 0)) | (indices < 0)
        y = np.where(better, np.where(np.isnan(seen[at]) & ignore_nan, -np.inf, seen[at]), y)
        indices = np.where(better, places[at], indices)
    return y.astype(seen.dtype), indices


def _credited(call: Call, at: Array) -> Array:
    """The derivative added at one place for each window, the last window first."""
    planes = call["x"].shape[0] * call["x"].shape[1]
    dx = np.zeros((planes, prod(call["x"].shape[2:])), call["x"].dtype)
    windows = prod(at.shape[2:])
    which = np.arange(planes)[:, None], at.reshape(planes, windows)[:, ::-1]
    np.add.at(dx, which, call["dy"].reshape(planes, windows)[:, ::-1])
    return dx.reshape(call["x"].shape)


def last_tie(call: Call) -> Results:
    """Max pooling in which the last of the largest elements wins."""
    y, indices = _last_largest(call)
    if call.operation == "max_pool_backward":
        return (_credited(call, indices),)
    return (y, indices) if call.operation == "max_pool_with_indices" else (y,)


def split_ties(call: Call) -> Results:
    """The derivative of max pooling, the largest elements of a window sharing it."""
    ends = _ends(call)
    seen, (y, _) = _around(call["x"], ends, -np.inf), _last_largest(call)
    tied = [seen[at] == y for at in _cells(call)]
    share = call["dy"] / sum(t.astype(y.dtype) for t in tied)
    dx = np.zeros_like(seen)
    for at, t in zip(_cells(call), tied, strict=True):
        dx[at] += np.where(t, share, 0)
    return (_inside(dx, ends, call["x"].shape[2:]),)


def ignoring_nan(call: Call) -> Results:
    """Max pooling in which a NaN never wins."""
    return _last_largest(call, ignore_nan=True)[: len(call.results)]


def _inside(a: Array, ends: tuple[tuple[int, int], ...], spatial: Shape) -> Array:
    inner: tuple[Any, ...] = tuple(
        slice(before, before + n) for n, (before, _) in zip(spatial, ends, strict=True)
    )
    return np.ascontiguousarray(a[(..., *inner)])


# means


def _counts(call: Call) -> Array:
    """By how many each window is divided, in the dtype."""
    counted = np.ones(call["x"].shape[2:], call["x"].dtype)
    ends, padding = _ends(call), call["padding"]
    if call["count_include_pad"]:
        counted = _around(counted, padding, 1)
        ends = tuple((0, end - after) for (_, end), (_, after) in zip(ends, padding, strict=True))
    counted = _around(counted, ends, 0)
    return np.asarray(sum(counted[at] for at in _cells(call)))


def by_reciprocals(call: Call) -> Results:
    """Each element, or derivative, times the reciprocal of the count, then added up from the last one on."""
    ends, reciprocals = _ends(call), 1 / _counts(call)
    cells = list(_cells(call))[::-1]
    if call.operation == "avg_pool":
        x = _around(call["x"], ends, 0)
        return (np.asarray(sum(x[at] * reciprocals for at in cells)),)
    dx = _around(np.zeros_like(call["x"]), ends, 0)
    for at in cells:
        dx[at] += call["dy"] * reciprocals
    return (_inside(dx, ends, call["x"].shape[2:]),)


def axis_by_axis(call: Call) -> Results:
    """The means of the last axis, of those the means of the axis before, and so on; backward likewise."""
    shape = call["x"].shape[2:]
    a = call["x"] if call.operation == "avg_pool" else call["dy"]
    for axis in reversed(range(call.rank)):
        one_axis = {
            name: (values[axis],) for name, values in call.parameters.items() if isinstance(values, tuple)
        }
        lines = np.moveaxis(a, 2 + axis, -1)
        x = lines if call.operation == "avg_pool" else np.empty((*lines.shape[:-1], shape[axis]), a.dtype)
        flat = Call(
            call.operation,
            1,
            {
                name: v.reshape(1, -1, v.shape[-1])
                for name, v in (("dy", lines), ("x", x))
                if name in call.arguments
            },
            {**call.parameters, **one_axis},
        )
        (found,) = _sum_then_divide(flat)
        a = np.moveaxis(found.reshape(*lines.shape[:-1], found.shape[-1]), -1, 2 + axis)
    return (a,)


def counting_all(call: Call) -> Results:
    """Over the whole window, if padding counts and the size is rounded up."""
    whole = call["ceil_mode"] and call["count_include_pad"]
    return _sum_then_divide(call, prod(call["kernel_size"]) if whole else None)


def _sum_then_divide(call: Call, by: int | None = None) -> Results:
    """Added up, then divided; backward divided, then added up."""
    ends, counts = _ends(call), by or _counts(call)
    if call.operation == "avg_pool":
        x = _around(call["x"], ends, 0)
        return (np.asarray(sum(x[at] for at in _cells(call)) / counts),)
    dx = _around(np.zeros_like(call["x"]), ends, 0)
    for at in _cells(call):
        dx[at] += call["dy"] / counts
    return (_inside(dx, ends, call["x"].shape[2:]),)
