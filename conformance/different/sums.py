"""The three sums in the dtype itself: one product after the other, and as matrix products."""

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

import numpy as np

from cnn_spec.operations import Array
from different.layer import Layer, Sums

Order = Callable[[Iterable[Any]], list[Any]]


def backwards(terms: Iterable[Any]) -> list[Any]:
    """The last first."""
    return list(terms)[::-1]


def shuffled(terms: Iterable[Any]) -> list[Any]:
    """In another order at each call."""
    listed = list(terms)
    return [listed[i] for i in np.random.default_rng().permutation(len(listed))]


def one_by_one(order: Order) -> Sums:
    """Each product rounded, then added to the sum so far, in such an order."""

    def aside(a: Array, layer: Layer) -> Array:
        return a.reshape(*a.shape, *(1,) * len(layer.kernel))

    def correlate(large: Array, w: Array, layer: Layer) -> Array:
        seen, filters = layer.padded(large), layer.filters(w)
        y = np.zeros((len(large), *filters.shape[:2], *layer.small), large.dtype)
        for (cell, at), c in order(product(layer.cells(), range(filters.shape[2]))):
            y += aside(filters[cell][:, :, c], layer) * seen[at][:, :, c, None]
        return np.reshape(y, (len(large), -1, *layer.small))

    def spread(small: Array, w: Array, layer: Layer) -> Array:
        filters, given = layer.filters(w), layer.grouped(small)
        found = layer.zeros(small, filters.shape[2])
        for (cell, at), f in order(product(layer.cells(), range(filters.shape[1]))):
            found[at] += aside(filters[cell][:, f], layer) * given[:, :, f, None]
        return layer.unpadded(found)

    def pair(small: Array, large: Array, layer: Layer) -> Array:
        seen, given = layer.padded(large), layer.grouped(small)
        dw = np.zeros((*given.shape[1:3], seen.shape[2], *layer.kernel), small.dtype)
        for cell, at in layer.cells():
            products = given[:, :, :, None] * seen[at][:, :, None]
            terms = np.moveaxis(products, (1, 2, 3), (-3, -2, -1)).reshape(-1, *dw.shape[:3])
            dw[cell] = total(terms)
        return dw.reshape(-1, *dw.shape[2:])

    def total(terms: Array) -> Array:
        ordered = terms[order(range(len(terms)))]
        return np.asarray(np.cumsum(ordered, axis=0, dtype=terms.dtype)[-1])

    return Sums(correlate, spread, pair, total)


def _columns(large: Array, layer: Layer) -> Array:
    """What each cell of the kernel sees: (groups, C // groups x cells, N x places)."""
    padded = layer.padded(large)
    seen = np.stack([padded[at] for _, at in layer.cells()], axis=3)
    n, groups, channels, cells, *_ = seen.shape
    return np.moveaxis(seen.reshape(n, groups, channels * cells, -1), 0, 2).reshape(
        groups, channels * cells, -1
    )


def _rows(small: Array, layer: Layer) -> Array:
    """The small image as (groups, F // groups, N x places)."""
    given = layer.grouped(small)
    return np.moveaxis(given, 0, 2).reshape(layer.groups, given.shape[2], -1)


def _correlate(large: Array, w: Array, layer: Layer) -> Array:
    filters = layer.filters(w)
    y = filters.reshape(*filters.shape[:2], -1) @ _columns(large, layer)
    split = y.reshape(*y.shape[:2], len(large), *layer.small)
    return np.moveaxis(split, 2, 0).reshape(len(large), len(w), *layer.small)


def _spread(small: Array, w: Array, layer: Layer) -> Array:
    filters, found = layer.filters(w), layer.zeros(small, w.shape[1])
    shares = filters.reshape(*filters.shape[:2], -1).swapaxes(1, 2) @ _rows(small, layer)
    split = shares.reshape(layer.groups, w.shape[1], -1, len(small), *layer.small)
    for number, (_, at) in enumerate(layer.cells()):
        found[at] += np.moveaxis(split[:, :, number], 2, 0)
    return layer.unpadded(found)


def _pair(small: Array, large: Array, layer: Layer) -> Array:
    dw = _rows(small, layer) @ _columns(large, layer).swapaxes(1, 2)
    return dw.reshape(small.shape[1], -1, *layer.kernel)


MATRICES = Sums(_correlate, _spread, _pair)
"""Windows as columns, one matrix product for each group."""
