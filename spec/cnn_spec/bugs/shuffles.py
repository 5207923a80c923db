"""Wrong pixel shuffles: the order of channels and offsets, and where they go."""

from math import prod

import numpy as np

from cnn_spec.bugs.changes import ALL, SEVERAL, beyond, first_sample_for_all, reverse_axes, zeroed
from cnn_spec.bugs.conditions import batched
from cnn_spec.bugs.model import Bug, answering, bug, giving, taking
from cnn_spec.bugs.resampling import enlarging
from cnn_spec.operations import Array, Call
from cnn_spec.shapes import result_shapes

SHUFFLE, UNSHUFFLE = "pixel_shuffle", "pixel_unshuffle"

# The side with many channels: channel `c prod(factor) + offset`, offsets row by row.


def counted_by_offset(call: Call, y: Array) -> Array:
    """Channel `offset C + c`: the order that is called DCR."""
    by_channel = y.reshape(y.shape[0], -1, prod(call["factor"]), *y.shape[2:])
    return by_channel.swapaxes(1, 2).reshape(y.shape)


def read_by_offset(call: Call, x: Array) -> Array:
    """Channels so counted, taken for `c prod(factor) + offset`."""
    by_offset = x.reshape(x.shape[0], prod(call["factor"]), -1, *x.shape[2:])
    return by_offset.swapaxes(1, 2).reshape(x.shape)


def offsets_by_column(call: Call, y: Array) -> Array:
    """Offsets counted column by column."""
    factor = call["factor"]
    by_axis = y.reshape(y.shape[0], -1, *factor, *y.shape[2:])
    reverse = (0, 1, *range(1 + len(factor), 1, -1), *range(2 + len(factor), by_axis.ndim))
    return by_axis.transpose(reverse).reshape(y.shape)


def read_by_column(call: Call, x: Array) -> Array:
    """Offsets so counted, taken for row by row."""
    return offsets_by_column(call.but(factor=call["factor"][::-1]), x)


def offsets_backwards(call: Call, a: Array) -> Array:
    """The last offset first."""
    return a.reshape(a.shape[0], -1, prod(call["factor"]), *a.shape[2:])[:, :, ::-1].reshape(a.shape)


def first_offset_for_all(call: Call, a: Array) -> Array:
    """Every offset is the first."""
    return np.repeat(a[:, :: prod(call["factor"])], prod(call["factor"]), axis=1)


def as_they_lie(call: Call) -> Array:
    """The elements in the order in which they lie, in the new shape."""
    return np.asarray(call["x"].reshape(result_shapes(call)[0]))


def tiles(call: Call) -> Array:
    """The planes of a block's offsets side by side, not interleaved."""
    x, rank = call["x"], call.rank
    by_axis = x.reshape(x.shape[0], -1, *call["factor"], *x.shape[2:])
    paired = (axis for i in range(rank) for axis in (2 + i, 2 + rank + i))
    return np.asarray(by_axis.transpose((0, 1, *paired)).reshape(result_shapes(call)[0]))


def untiled(call: Call) -> Array:
    """Each part of the plane a channel, in place of each offset."""
    x, rank = call["x"], call.rank
    parts = zip(call["factor"], x.shape[2:], strict=True)
    by_axis = x.reshape(*x.shape[:2], *(size for f, n in parts for size in (f, n // f)))
    order = (0, 1, *range(2, 2 + 2 * rank, 2), *range(3, 3 + 2 * rank, 2))
    return np.asarray(by_axis.transpose(order).reshape(result_shapes(call)[0]))


SHUFFLING: tuple[Bug, ...] = (
    bug(
        "shuffle: channels are read offset by offset",
        SHUFFLE,
        taking("x", read_by_offset),
        source="onnx/onnx/pull/2163",
    ),
    bug("shuffle: offsets are read column by column", SHUFFLE, taking("x", read_by_column), ranks=SEVERAL),
    bug("shuffle: offsets are read from the last on", SHUFFLE, taking("x", offsets_backwards)),
    bug("shuffle: every offset is the first", SHUFFLE, taking("x", first_offset_for_all)),
    bug("shuffle: elements stay as they lie", SHUFFLE, answering(as_they_lie)),
    bug("shuffle: planes come to lie side by side", SHUFFLE, answering(tiles)),
    bug(
        "shuffle: factors are in reverse order of the axes",
        SHUFFLE,
        taking("factor", reverse_axes),
        ranks=SEVERAL,
    ),
    bug("shuffle: the last column is zero", SHUFFLE, giving("y", zeroed(..., -1)), enlarging),
    bug("shuffle: columns beyond the 64th are zero", SHUFFLE, giving("y", zeroed(..., beyond(64)))),
    bug(
        "shuffle: every sample has the first one's result",
        SHUFFLE,
        giving("y", first_sample_for_all),
        batched,
    ),
    bug(
        "shuffle: zero in 3-d with more than one channel",
        SHUFFLE,
        giving("y", zeroed(ALL, beyond(1))),
        ranks=(3,),
    ),
)

UNSHUFFLING: tuple[Bug, ...] = (
    bug(
        "unshuffle: channels are counted offset by offset",
        UNSHUFFLE,
        giving("y", counted_by_offset),
        source="microsoft/onnxscript/issues/2891",
    ),
    bug(
        "unshuffle: offsets are counted column by column",
        UNSHUFFLE,
        giving("y", offsets_by_column),
        ranks=SEVERAL,
    ),
    bug("unshuffle: offsets are counted from the last on", UNSHUFFLE, giving("y", offsets_backwards)),
    bug("unshuffle: every offset is the first", UNSHUFFLE, giving("y", first_offset_for_all)),
    bug("unshuffle: elements stay as they lie", UNSHUFFLE, answering(as_they_lie)),
    bug("unshuffle: parts of the plane become channels", UNSHUFFLE, answering(untiled)),
    bug(
        "unshuffle: the last offset is zero where the factor is above 2",
        UNSHUFFLE,
        giving("y", zeroed(ALL, -1)),
        lambda c: max(c["factor"]) > 2,
    ),
    bug("unshuffle: channels beyond the 16th are zero", UNSHUFFLE, giving("y", zeroed(ALL, beyond(16)))),
    bug(
        "unshuffle: every sample has the first one's result",
        UNSHUFFLE,
        giving("y", first_sample_for_all),
        batched,
    ),
)

BUGS = SHUFFLING + UNSHUFFLING
