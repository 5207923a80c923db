"""The three sums by way of other sums: spectra, and Winograd's tiles. Accurate by the norm only."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from cnn_spec.operations import Array
from cnn_spec.shapes import Shape
from different.layer import Index, Layer, Sums
from different.sums import MATRICES


def _spectrum(a: Array, sizes: Shape) -> Array:
    return np.fft.rfftn(a, s=sizes, axes=tuple(range(-len(sizes), 0)))


def _image(spectrum: Array, sizes: Shape, dtype: Any) -> Array:
    return np.fft.irfftn(spectrum, s=sizes, axes=tuple(range(-len(sizes), 0))).astype(dtype)


def _upsampled(a: Array, steps: Shape, sizes: Shape) -> Array:
    """Zeros of these sizes, with the elements of `a` so many steps apart from the first place on."""
    rank = len(sizes)
    spaced = np.zeros((*a.shape[: a.ndim - rank], *sizes), a.dtype)
    spaced[_every(steps, a.shape[-rank:])] = a
    return spaced


def _every(steps: Shape, sizes: Shape) -> Index:
    """The index of so many elements on each of the last axes, so many steps apart."""
    return (..., *(slice(0, (n - 1) * s + 1, s) for n, s in zip(sizes, steps, strict=True)))


def _correlate(large: Array, w: Array, layer: Layer) -> Array:
    sizes = layer.padded_sizes()
    filters = _spectrum(_upsampled(layer.filters(w), layer.dilation, sizes), sizes)
    found = np.einsum("ngc...,gfc...->ngf...", _spectrum(layer.padded(large), sizes), filters.conj())
    y = _image(found, sizes, large.dtype)[_every(layer.stride, layer.small)]
    return np.reshape(y, (len(large), len(w), *layer.small))


def _spread(small: Array, w: Array, layer: Layer) -> Array:
    sizes = layer.padded_sizes()
    filters = _spectrum(_upsampled(layer.filters(w), layer.dilation, sizes), sizes)
    given = _spectrum(_upsampled(layer.grouped(small), layer.stride, sizes), sizes)
    return layer.unpadded(_image(np.einsum("ngf...,gfc...->ngc...", given, filters), sizes, small.dtype))


def _pair(small: Array, large: Array, layer: Layer) -> Array:
    sizes = layer.padded_sizes()
    given = _spectrum(_upsampled(layer.grouped(small), layer.stride, sizes), sizes)
    found = np.einsum("ngf...,ngc...->gfc...", given.conj(), _spectrum(layer.padded(large), sizes))
    dw = _image(found, sizes, small.dtype)[_every(layer.dilation, layer.kernel)]
    return np.reshape(dw, (small.shape[1], -1, *layer.kernel))


def _where(fits: Callable[[Layer], bool], sums: Sums) -> Sums:
    """Such sums in the layers that they fit, matrix products in the others."""

    def choose(name: str) -> Callable[[Array, Array, Layer], Array]:
        return lambda a, b, layer: getattr(sums if fits(layer) else MATRICES, name)(a, b, layer)

    return Sums(choose("correlate"), choose("spread"), choose("pair"))


FFT = _where(lambda layer: layer.kernel != (), Sums(_correlate, _spread, _pair))
"""Products of spectra over the whole padded image; a flat layer has no axes to transform."""

# Winograd's F(2, 3): two outputs of a kernel of three by four products instead of six, on every axis.
# y = A'[(G w) (B' x)], and its two derivatives are its adjoints.
_B = np.array([[1, 0, 0, 0], [0, 1, -1, 1], [-1, 1, 1, 0], [0, 0, 0, -1]])
_G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
_A = np.array([[1, 0], [1, 1], [1, -1], [0, -1]])


def _along(matrix: Array, a: Array, rank: int) -> Array:
    """A matrix applied to each of the last axes."""
    for axis in range(-rank, 0):
        a = np.moveaxis(np.moveaxis(a, axis, -1) @ matrix.T.astype(a.dtype), -1, axis)
    return a


def _tiles(layer: Layer) -> Iterator[tuple[Index, Index]]:
    """Where the outputs of each tile lie, and where the tile lies on the padded image."""
    for start in product(*(range(0, n, 2) for n in layer.small)):
        outputs, inputs = (tuple(slice(i, i + size) for i in start) for size in (2, 4))
        yield (..., *outputs), (..., *inputs)


def _whole_tiles(a: Array, sizes: Shape) -> Array:
    """Zeros at the end of the last axes, up to these sizes."""
    rank = len(sizes)
    ends = [(0, n - m) for n, m in zip(sizes, a.shape[-rank:], strict=True)]
    return np.pad(a, [(0, 0)] * (a.ndim - rank) + ends)


def _even(layer: Layer) -> Shape:
    return tuple(n + n % 2 for n in layer.small)


def _winograd_correlate(large: Array, w: Array, layer: Layer) -> Array:
    rank, even = len(layer.kernel), _even(layer)
    seen = _whole_tiles(layer.padded(large), tuple(n + 2 for n in even))
    filters = _along(_G, layer.filters(w), rank)
    y = np.zeros((len(large), *filters.shape[:2], *even), large.dtype)
    for out, at in _tiles(layer):
        products = np.einsum("ngc...,gfc...->ngf...", _along(_B.T, seen[at], rank), filters)
        y[out] = _along(_A.T, products, rank)
    inner: Index = tuple(map(slice, layer.small))
    return y[(..., *inner)].reshape(len(large), len(w), *layer.small)


def _winograd_spread(small: Array, w: Array, layer: Layer) -> Array:
    rank, even = len(layer.kernel), _even(layer)
    filters, given = _along(_G, layer.filters(w), rank), _whole_tiles(layer.grouped(small), even)
    padded = layer.zeros(small, filters.shape[2])
    found = _whole_tiles(padded, tuple(n + 2 for n in even))
    for out, at in _tiles(layer):
        outputs = _along(_A, given[out], rank)
        found[at] += _along(_B, np.einsum("ngf...,gfc...->ngc...", outputs, filters), rank)
    return layer.unpadded(found)


def _winograd_pair(small: Array, large: Array, layer: Layer) -> Array:
    rank, even = len(layer.kernel), _even(layer)
    seen = _whole_tiles(layer.padded(large), tuple(n + 2 for n in even))
    given = _whole_tiles(layer.grouped(small), even)
    found = np.zeros((*given.shape[1:3], seen.shape[2], *(4 for _ in even)), small.dtype)
    for out, at in _tiles(layer):
        outputs = _along(_A, given[out], rank)
        found += np.einsum("ngf...,ngc...->gfc...", outputs, _along(_B.T, seen[at], rank))
    return _along(_G.T, found, rank).reshape(small.shape[1], -1, *layer.kernel)


def _tiled(layer: Layer) -> bool:
    """Kernels of three at stride 1, undilated, with nothing left behind the last window."""
    ones = (1,) * len(layer.kernel)
    fits = all(m == n + 2 for m, n in zip(layer.padded_sizes(), layer.small, strict=True))
    return bool(ones) and set(layer.kernel) == {3} and layer.stride == layer.dilation == ones and fits


WINOGRAD = _where(_tiled, Sums(_winograd_correlate, _winograd_spread, _winograd_pair))
"""F(2x2, 3x3), and likewise on one and three axes."""
