"""SciPy as a candidate: `signal.correlate` for convolutions, `ndimage` for pooling, `special` for activations."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy
from scipy import ndimage, signal, special

from cnn_conformance.adapters.common import Array, Library, Pairs, convolution, functions, taps

about = {"name": "scipy", "version": scipy.__version__, "conventions": {"pool_nan": "ignore"}}


def _correlate(x: Array, w: Array) -> Array:
    """One pair of channels at a time."""
    sizes = [n - k + 1 for n, k in zip(x.shape[2:], w.shape[2:], strict=True)]
    y = np.zeros((len(x), len(w), *sizes), x.dtype)
    for sample, filter_, channel in np.ndindex(len(x), *w.shape[:2]):
        y[sample, filter_] += signal.correlate(x[sample, channel], w[filter_, channel], "valid", "direct")
    return y


def _max_pool(
    x: Array,
    *,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    ceil_mode: bool,
) -> Array:
    """Dilation is a footprint with gaps; a window begins half of it before its centre."""
    if ceil_mode:
        raise NotImplementedError("ceil_mode")
    x = np.pad(x, ((0, 0), (0, 0), *padding), constant_values=-np.inf)
    first = taps(x.shape[2:], kernel_size, stride, dilation)[0]
    footprint = np.zeros([d * (k - 1) + 1 for k, d in zip(kernel_size, dilation, strict=True)], bool)
    footprint[tuple(slice(None, None, d) for d in dilation)] = True
    origin = [-(span // 2) for span in footprint.shape]
    y = np.empty_like(x)
    for plane in np.ndindex(x.shape[:2]):
        ndimage.maximum_filter(x[plane], footprint=footprint, origin=origin, output=y[plane])
    index: tuple[Any, ...] = (..., *first)
    return np.asarray(y[index])


globals().update(
    functions(
        Library(tensor=lambda a: a, array=lambda a: a),
        {
            "conv": convolution(_correlate, np.pad, lambda parts: np.concatenate(parts, axis=1)),
            "max_pool": _max_pool,
            "sigmoid": special.expit,
            "softmax": lambda x, *, axis: special.softmax(x, axis=axis),
        },
    )
)
