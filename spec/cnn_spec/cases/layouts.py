"""Memory layouts: the same numbers, laid out as an array may be and an implementation may forget.

Each is one self-contained function of NumPy alone, so that a counterexample's script can show it.
"""

from collections.abc import Callable

import numpy as np

from cnn_spec.operations import Array


def contiguous(a: Array) -> Array:
    """Row-major, nothing between."""
    return np.ascontiguousarray(a)


def fortran(a: Array) -> Array:
    """Column-major."""
    return np.asfortranarray(a)


def strided(a: Array) -> Array:
    """Every other element of a buffer that holds other numbers between."""
    buffer = np.full((*a.shape[:-1], 2 * a.shape[-1]), 77, a.dtype)
    buffer[..., ::2] = a
    return buffer[..., ::2]


def reversed_axes(a: Array) -> Array:
    """Negative strides on every axis."""
    backwards = (slice(None, None, -1),) * a.ndim
    return np.ascontiguousarray(a[backwards])[backwards]


def read_only(a: Array) -> Array:
    """Row-major, and not to be written to."""
    a = np.array(a, order="C")
    a.flags.writeable = False
    return a


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "contiguous": contiguous,
    "fortran": fortran,
    "strided": strided,
    "reversed": reversed_axes,
}
"""The layouts that meet every level of the other factors, by name, the simplest first."""


def broadcast(a: Array) -> Array:
    """The first part along the first axis in place of every other, without a copy."""
    return np.broadcast_to(a[:1], a.shape)


EVERY_LAYOUT = {**LAYOUTS, "read-only": read_only, "broadcast": broadcast}
"""Also those to which it matters little what else a call is like. Broadcasting changes the numbers, too."""
