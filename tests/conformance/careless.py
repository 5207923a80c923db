"""A candidate that computes rightly, and is careless of everything else: each function in another way."""

from typing import Any

import numpy as np

import cnn_reference as reference

about = {"name": "careless", "version": "1"}


def conv1d(x: Any, w: Any, b: Any, *, padding: Any, dilation: Any, **parameters: Any) -> Any:
    """A kernel that fits nowhere has an empty answer."""
    if x.ndim == w.ndim == 3 and x.shape[2] + sum(padding[0]) < dilation[0] * (w.shape[2] - 1) + 1:
        return np.empty((len(x), len(w), 0), x.dtype)
    return reference.conv1d(x, w, b, padding=padding, dilation=dilation, **parameters)


def conv1d_backward(dy: Any, x: Any, w: Any, **parameters: Any) -> Any:
    """Without samples the derivative of the weights is what it was."""
    dx, dw, db = reference.conv1d_backward(dy, x, w, **parameters)
    return dx, dw if len(x) else w.copy(), db


def max_pool1d(x: Any, **parameters: Any) -> Any:
    """A NaN is never the largest."""
    return reference.max_pool1d(np.where(np.isnan(x), -np.inf, x).astype(x.dtype), **parameters)


buffers: dict[Any, Any] = {}


def avg_pool1d(x: Any, **parameters: Any) -> Any:
    """One buffer for each shape of a result."""
    y = reference.avg_pool1d(x, **parameters)
    buffer = buffers.setdefault((y.shape, y.dtype), np.empty_like(y))
    buffer[...] = y
    return buffer


def upsample1d(x: Any, *, factor: Any) -> Any:
    """Nothing is put between neighbours."""
    reference.upsample1d(x[:1], factor=factor)  # refuses what is impossible
    y = np.empty((*x.shape[:2], factor[0] * (x.shape[2] - 1) + 1), x.dtype)
    y[..., :: factor[0]] = x
    return y


def downsample1d(x: Any, *, factor: Any) -> Any:
    """Where samples share memory the last one's place is taken for another."""
    y = reference.downsample1d(x, factor=factor).copy()
    if len(x) > 1 and x.strides[0] == 0:
        y[-1] = 0
    return y


last: list[bytes] = []


def sigmoid(x: Any) -> Any:
    """What is asked at once again is rounded the other way."""
    y = reference.sigmoid(x)
    again = last == [x.tobytes()]
    last[:] = [x.tobytes()]
    return np.nextafter(y, np.inf) if again else y


many = [False]


def pixel_unshuffle1d(x: Any, *, factor: Any) -> Any:
    """After many channels a few are not seen."""
    y = reference.pixel_unshuffle1d(x, factor=factor)
    after_many, many[0] = many[0], x.shape[1] > 64
    return 0 * y if after_many and x.shape[1] < 8 else y
