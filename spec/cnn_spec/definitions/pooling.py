"""Max and mean pooling and their derivatives, window by window (notes §2.2, §3.3), over any ordered field."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from cnn_spec.definitions.convolution import Index, indices, inside, position, zeros
from cnn_spec.operations import Array
from cnn_spec.sizes import Pair, pool_output_size


class Window(NamedTuple):
    """One pooling window: its place in the output, the input elements in it, and how many cells count."""

    at: Index
    elements: list[Index]
    padded_cells: int
    """Cells on the input or its padding, for `count_include_pad`; a partial window's other cells never count."""


def sizes(
    spatial: Index,
    kernel_size: Index,
    stride: Index,
    padding: Sequence[Pair],
    dilation: Index,
    ceil_mode: bool,
) -> Index:
    """The pooled size on each axis."""
    return tuple(
        pool_output_size(n, kernel_size=k, stride=s, padding=p, dilation=d, ceil_mode=ceil_mode)
        for n, k, s, p, d in zip(spatial, kernel_size, stride, padding, dilation, strict=True)
    )


def windows(
    spatial: Index,
    *,
    kernel_size: Index,
    stride: Index,
    padding: Sequence[Pair],
    dilation: Index | None = None,
    ceil_mode: bool,
    places: Iterable[Index] | None = None,
) -> Iterator[Window]:
    """Every window of one plane, in row-major order, its elements too; or those at some places only."""
    dilation = dilation or (1,) * len(spatial)
    every_place = indices(*sizes(spatial, kernel_size, stride, padding, dilation, ceil_mode))
    for o in every_place if places is None else places:
        cells = [position(o, k, stride, padding, dilation) for k in indices(*kernel_size)]
        padded = [
            i
            for i in cells
            if all(at < n + after for at, n, (_, after) in zip(i, spatial, padding, strict=True))
        ]
        yield Window(o, [i for i in padded if inside(i, spatial)], len(padded))


def _planes(x: Array, **parameters: Any) -> Iterator[tuple[Index, list[Index], int]]:
    """Every window of every plane: its place in y, its elements in x, its padded cells."""
    found = list(windows(x.shape[2:], **parameters))
    for plane in indices(*x.shape[:2]):
        for at, elements, cells in found:
            yield (*plane, *at), [(*plane, *i) for i in elements], cells


def _pooled_shape(x: Array, parameters: dict[str, Any]) -> Index:
    ones = (1,) * (x.ndim - 2)
    return (
        *x.shape[:2],
        *sizes(
            x.shape[2:],
            parameters["kernel_size"],
            parameters["stride"],
            parameters["padding"],
            parameters.get("dilation", ones),
            parameters["ceil_mode"],
        ),
    )


def first_largest(x: Array, elements: list[Index]) -> Index:
    """The first of the largest elements in a window; a NaN counts as largest."""
    best = elements[0]
    for i in elements[1:]:
        if x[best] == x[best] and not x[i] <= x[best]:
            best = i
    return best


def max_pool(x: Array, **parameters: Any) -> Array:
    """The largest element of each window; padding never wins (notes §3.3.1). `x` (N, C, *spatial)."""
    y = zeros(_pooled_shape(x, parameters), x)
    for at, elements, _ in _planes(x, **parameters):
        y[at] = x[first_largest(x, elements)]
    return y


def max_pool_with_indices(x: Array, **parameters: Any) -> tuple[Array, Array]:
    """The largest element of each window, and where it lies: its flat, row-major place in the plane."""
    y, at_largest = max_pool(x, **parameters), np.zeros(_pooled_shape(x, parameters), np.int64)
    for at, elements, _ in _planes(x, **parameters):
        at_largest[at] = np.ravel_multi_index(first_largest(x, elements)[2:], x.shape[2:])
    return y, at_largest


def max_pool_backward(dy: Array, x: Array, **parameters: Any) -> Array:
    """Each window's derivative is added at its (first) largest element (notes §3.3.1, corrected: added)."""
    dx = zeros(x.shape, dy)
    for at, elements, _ in _planes(x, **parameters):
        dx[first_largest(x, elements)] += dy[at]
    return dx


def _divisor(elements: list[Index], cells: int, count_include_pad: bool) -> int:
    return cells if count_include_pad else len(elements)


def _share(value: Any, divisor: int) -> Any:
    """`value / divisor` in the value's own field: integers become fractions."""
    return Fraction(value, divisor) if isinstance(value, int) else value / divisor


def avg_pool(x: Array, *, count_include_pad: bool, **parameters: Any) -> Array:
    """The mean over each window (notes §3.3.2): over its elements, or with its padding, which is zero."""
    y = zeros(_pooled_shape(x, parameters), x)
    for at, elements, cells in _planes(x, **parameters):
        total = sum(x[i] for i in elements)
        y[at] = _share(total, _divisor(elements, cells, count_include_pad))
    return y


def avg_pool_backward(dy: Array, x: Array, *, count_include_pad: bool, **parameters: Any) -> Array:
    """Each window's derivative is added to its elements in equal shares (notes §3.3.2)."""
    dx = zeros(x.shape, dy)
    for at, elements, cells in _planes(x, **parameters):
        for i in elements:
            dx[i] += _share(dy[at], _divisor(elements, cells, count_include_pad))
    return dx


def _tied_windows(dy: Array, x: Array, **parameters: Any) -> Iterator[tuple[Index, list[Index]]]:
    """The windows that have a derivative: their places in y, and all their largest elements in x."""
    places = [tuple(map(int, o)) for o in np.argwhere(np.any(dy != 0, axis=(0, 1)))]
    for at, elements, _ in _planes(x, places=places, **parameters):
        if dy[at]:
            largest = x[first_largest(x, elements)]
            yield at, [i for i in elements if x[i] == largest]


def split_at_ties(dy: Array, x: Array, **parameters: Any) -> Array:
    """The derivative of max pooling under the convention that tied elements share it equally."""
    dx = zeros(x.shape, dy)
    for at, tied in _tied_windows(dy, x, **parameters):
        for i in tied:
            dx[i] += _share(dy[at], len(tied))
    return dx


def shares_at_ties(dy: Array, x: Array, dx: Array, **parameters: Any) -> Array:
    """The valid derivative of max pooling that is nearest to `dx`, at ties to any one element.

    `dy` holds zeros and, in each plane, distinct powers of two, so an element of `dx` shows which
    windows credited it: a window's power goes to the tied element that shows it, else to the first.
    """
    nearest = zeros(x.shape, dy)
    for at, tied in _tied_windows(dy, x, **parameters):
        shown = [i for i in tied if dx[i] // dy[at] % 2 == 1]
        nearest[(shown or tied)[0]] += dy[at]
    return nearest
