"""Wrong indices of max pooling: counted from elsewhere, in another order, of another element."""

from collections.abc import Callable
from math import prod

import numpy as np

from cnn_spec.bugs.changes import (
    SEVERAL,
    all_one,
    beyond,
    deriving,
    first_sample_for_all,
    reverse_axes,
    swap_pairs,
    zeroed,
)
from cnn_spec.bugs.conditions import batched, dilated, lopsided, outputs_above, overlapping, padded
from cnn_spec.bugs.model import Bug, Wrong, bug, giving
from cnn_spec.operations import Array, Call

OP = "max_pool_with_indices"


def counted(count: Callable[[Call, tuple[Array, ...]], Array]) -> Wrong:
    """Another number for each place, from its coordinates in the plane."""

    def change(call: Call, indices: Array) -> Array:
        place: tuple[Array, ...] = np.unravel_index(indices, call["x"].shape[2:])
        return count(call, place)

    return giving("indices", change)


def of(values: Callable[[Call, Array], Array]) -> Wrong:
    """The indices of the largest among other values."""
    return deriving("indices", "x", values)


def on_the_padded_plane(call: Call, place: tuple[Array, ...]) -> Array:
    """Flat in the padded plane."""
    axes = list(zip(place, call["x"].shape[2:], call["padding"], strict=True))
    sizes = [n + before + after for _, n, (before, after) in axes]
    return np.asarray(np.ravel_multi_index(tuple(i + before for i, _, (before, _) in axes), sizes))


def within_the_window(call: Call, place: tuple[Array, ...]) -> Array:
    """The cell of the kernel, flat."""
    cell = []
    for axis, i in enumerate(place):
        stride, (before, _), dilation = (call[n][axis] for n in ("stride", "padding", "dilation"))
        starts = np.arange(i.shape[2 + axis]) * stride - before
        cell.append((i - starts.reshape(-1, *(1,) * (call.rank - 1 - axis))) // dilation)
    return np.asarray(np.ravel_multi_index(tuple(cell), call["kernel_size"]))


def in_the_array(call: Call, indices: Array) -> Array:
    """Flat in the whole array, samples and channels counted too."""
    plane = prod(call["x"].shape[2:])
    planes = np.arange(prod(indices.shape[:2])).reshape(*indices.shape[:2], *(1,) * call.rank)
    return np.asarray(indices + planes * plane)


def in_the_sample(call: Call, indices: Array) -> Array:
    """Flat in the sample, channels counted too."""
    channels = np.arange(indices.shape[1]).reshape(-1, *(1,) * call.rank)
    return np.asarray(indices + channels * prod(call["x"].shape[2:]))


def rising(call: Call, x: Array) -> Array:
    """Values that rise along each plane: the last element of a window is the largest."""
    plane = np.arange(prod(x.shape[2:]), dtype=x.dtype).reshape(x.shape[2:])
    return np.broadcast_to(plane, x.shape).copy()


def first_channel_for_all(call: Call, indices: Array) -> Array:
    """Every channel has the first one's."""
    return np.broadcast_to(indices[:, :1], indices.shape)


BUGS: tuple[Bug, ...] = (
    bug("indices: counted on the padded plane", OP, counted(on_the_padded_plane), padded),
    bug("indices: counted within the window", OP, counted(within_the_window), source="MAX-COORD"),
    bug(
        "indices: samples and channels are counted too",
        OP,
        giving("indices", in_the_array),
        source="tensorflow/tensorflow/issues/22025",
    ),
    bug("indices: channels are counted too", OP, giving("indices", in_the_sample)),
    bug(
        "indices: counted column by column",
        OP,
        counted(lambda c, place: np.ravel_multi_index(place, c["x"].shape[2:], order="F")),
        ranks=SEVERAL,
    ),
    bug("indices: the last axis' place alone", OP, counted(lambda c, place: place[-1]), ranks=SEVERAL),
    bug("indices: counted from 1", OP, giving("indices", lambda c, indices: indices + 1)),
    bug("indices: of the smallest element", OP, of(lambda c, x: -x)),
    bug("indices: of the largest magnitude", OP, of(lambda c, x: np.abs(x))),
    bug("indices: of the window's first element", OP, of(lambda c, x: -rising(c, x))),
    bug("indices: of the window's last element", OP, of(rising)),
    bug("indices: of the largest number rounded down", OP, of(lambda c, x: np.floor(x / 4)), overlapping),
    bug("indices: every sample has the first one's", OP, giving("indices", first_sample_for_all), batched),
    bug("indices: every channel has the first one's", OP, giving("indices", first_channel_for_all)),
    bug("indices: the dilation is ignored", OP, deriving("indices", "dilation", all_one), dilated),
    bug("indices: the padding's pairs are swapped", OP, deriving("indices", "padding", swap_pairs), lopsided),
    bug(
        "indices: strides are in reverse order of the axes",
        OP,
        deriving("indices", "stride", reverse_axes),
        ranks=SEVERAL,
    ),
    bug(
        "indices: 0 beyond the 32nd column",
        OP,
        giving("indices", zeroed(..., beyond(32))),
        outputs_above(32),
    ),
)
