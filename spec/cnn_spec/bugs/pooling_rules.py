"""Pooling by other rules: what a window comes to, and what its elements are credited with."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from cnn_spec.bugs.changes import cells
from cnn_spec.bugs.model import Wrong, answering
from cnn_spec.definitions.pooling import Window, windows
from cnn_spec.operations import Array, Call
from cnn_spec.shapes import Shape, forward_shape

Rule = Callable[[Call, Window, Array], Array]
"""What a window comes to, from its elements: (N, C, elements) to (N, C)."""

Shares = Callable[[Call, Window, Array], Array]
"""The part of a window's derivative that each of its elements gets: (N, C, elements) to the same."""

Divisor = Callable[[Call, Window], int]


class Placed(NamedTuple):
    """A window with the places of its elements, and its own, in flat planes."""

    window: Window
    elements: Array
    at: int


def windows_of(call: Call) -> tuple[Placed, ...]:
    """All windows of a plane."""
    parameters = ((n, v) for n, v in call.parameters.items() if n != "count_include_pad")
    return _windows(call["x"].shape[2:], tuple(parameters))


@lru_cache(maxsize=8)
def _windows(spatial: Shape, parameters: tuple[tuple[str, Any], ...]) -> tuple[Placed, ...]:
    found = windows(spatial, **dict(parameters))
    return tuple(
        Placed(window, np.ravel_multi_index(np.array(window.elements).T, spatial), at)
        for at, window in enumerate(found)
    )


def planes(a: Array) -> Array:
    """Each plane flat: (N, C, elements)."""
    return a.reshape(*a.shape[:2], -1)


def pooled(rule: Rule) -> Wrong:
    """Pooling by another rule."""

    def define(call: Call) -> Array:
        x, y = planes(call["x"]), np.zeros(forward_shape(call))
        flat = planes(y)
        for window, elements, at in windows_of(call):
            flat[..., at] = rule(call, window, x[..., elements])
        return y

    return answering(define)


def credited(
    shares: Shares, add: bool = True, order: Callable[[tuple[Placed, ...]], tuple[Placed, ...]] = tuple
) -> Wrong:
    """Each window's derivative, shared out by another rule; assigned, not added, if so said."""

    def define(call: Call) -> Array:
        x, dy, dx = planes(call["x"]), planes(call["dy"]), np.zeros(call["x"].shape)
        flat = planes(dx)
        for window, elements, at in order(windows_of(call)):
            share = shares(call, window, x[..., elements])
            parts, before = dy[..., at, None] * share, flat[..., elements]
            flat[..., elements] = before + parts if add else np.where(share != 0, parts, before)
        return dx

    return answering(define)


# what a mean is divided by


def divided(divisor: Divisor) -> Wrong:
    """A mean over another count."""
    return pooled(lambda call, window, e: np.asarray(e.sum(-1) / divisor(call, window)))


def whole_kernel(call: Call, window: Window) -> int:
    """All cells of the kernel, wherever they lie."""
    return cells(call)


def elements_only(call: Call, window: Window) -> int:
    """The elements of the input."""
    return len(window.elements)


def padding_too(call: Call, window: Window) -> int:
    """The elements and the padding."""
    return window.padded_cells


def right_count(call: Call, window: Window) -> int:
    """What is right."""
    return window.padded_cells if call["count_include_pad"] else len(window.elements)


# shares


def winner(e: Array) -> Array:
    """1 for the first of the largest elements, 0 for the others."""
    return np.asarray(e.argmax(-1)[..., None] == np.arange(e.shape[-1]))


def to_the_largest(call: Call, window: Window, e: Array) -> Array:
    """All to the first of the largest elements: what is right."""
    return winner(e)


def to_the_first(call: Call, window: Window, e: Array) -> Array:
    """All to the first element."""
    return np.broadcast_to(np.arange(e.shape[-1]) == 0, e.shape)


def over(divisor: Divisor) -> Shares:
    """Equal shares, by a count."""
    return lambda call, window, e: np.full(e.shape, 1 / divisor(call, window))


def whole(call: Call, window: Window) -> bool:
    """A window that lies on the input with every cell."""
    return len(window.elements) == cells(call)
