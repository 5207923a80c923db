"""Pooling by other rules: what a window comes to, and what its elements are credited with."""

from collections.abc import Callable

import numpy as np

from cnn_spec.bugs.changes import at_place, cells
from cnn_spec.bugs.model import Wrong, answering
from cnn_spec.definitions.pooling import Window, windows
from cnn_spec.operations import Array, Call
from cnn_spec.shapes import forward_shape

Rule = Callable[[Call, Window, Array], Array]
"""What a window comes to, from its elements: (N, C, elements) to (N, C)."""

Shares = Callable[[Call, Window, Array], Array]
"""The part of a window's derivative that each of its elements gets: (N, C, elements) to the same."""

Divisor = Callable[[Call, Window], int]


def elements_of(x: Array, window: Window) -> Array:
    """The elements of a window in every plane, the last axis running over them."""
    return np.stack([x[at_place(i)] for i in window.elements], axis=-1)


def windows_of(call: Call) -> list[Window]:
    """All windows of a plane."""
    parameters = {n: v for n, v in call.parameters.items() if n != "count_include_pad"}
    return list(windows(call["x"].shape[2:], **parameters))


def pooled(rule: Rule) -> Wrong:
    """Pooling by another rule."""

    def define(call: Call) -> Array:
        y = np.zeros(forward_shape(call))
        for window in windows_of(call):
            y[at_place(window.at)] = rule(call, window, elements_of(call["x"], window))
        return y

    return answering(define)


def credited(
    shares: Shares, add: bool = True, windows: Callable[[list[Window]], list[Window]] = list
) -> Wrong:
    """Each window's derivative, shared out by another rule; assigned, not added, if so said."""

    def define(call: Call) -> Array:
        dx = np.zeros(call["x"].shape)
        for window in windows(windows_of(call)):
            share = shares(call, window, elements_of(call["x"], window))
            dy = call["dy"][at_place(window.at)]
            for e, i in enumerate(window.elements):
                at = at_place(i)
                dx[at] = (
                    dx[at] + dy * share[..., e]
                    if add
                    else np.where(share[..., e] != 0, dy * share[..., e], dx[at])
                )
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
