"""Wrong answers by how inputs lie in memory, and inputs that are changed: what a call does to its arguments."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cnn_spec.bugs.conditions import column_major, not_row_major, not_writeable, on, padded
from cnn_spec.bugs.model import Bug, Wrong, asked, bug, refusing, taking
from cnn_spec.operations import OPERATIONS, Array, Call, Implementation, Results

EVERY = tuple(name for name, operation in OPERATIONS.items() if not operation.of_integers)
"""Every operation on arrays."""


def in_memory_order(call: Call, a: Array) -> Array:
    """The elements as they lie in memory from where the buffer begins."""
    if a.flags.c_contiguous:
        return a
    buffer = a.base if isinstance(a.base, np.ndarray) else a
    return np.resize(np.ravel(buffer, order="K"), a.shape)


def arrays_in_memory_order(call: Call) -> Call:
    """All arrays so."""
    return call.map_arrays(lambda a: in_memory_order(call, a))


def backwards(a: Array) -> bool:
    """Negative strides."""
    return any(step < 0 for step in a.strides)


def forwards(call: Call) -> Call:
    """Arrays with negative strides read without the sign."""
    return call.map_arrays(lambda a: np.flip(a) if backwards(a) else a)


def column_major_read_by_rows(call: Call) -> Call:
    """Arrays in column-major order read by rows."""
    return call.map_arrays(lambda a: np.reshape(np.ravel(a, order="F"), a.shape) if a.flags.fnc else a)


def spoiling(name: str, spoil: Callable[[Array], Any]) -> Wrong:
    """A right answer, after which an input is no longer what it was; refused where it cannot be written to."""

    def wrong(right: Implementation) -> Implementation:
        def answer(call: Call) -> Results:
            found = right(call)
            if call[name] is not None:
                spoil(call[name])
            return found

        return answer

    return wrong


def double(a: Array) -> None:
    """Twice as much, in place."""
    a *= 2


def clear(a: Array) -> None:
    """Zeros, in place."""
    a[...] = 0


def flip_last(a: Array) -> None:
    """In reverse on the last axis, in place."""
    a[...] = np.array(a[..., ::-1])


def clip(a: Array) -> None:
    """Nothing below 0, in place."""
    np.maximum(a, 0, out=a)


def subtract_largest(a: Array) -> None:
    """The largest becomes 0, in place."""
    a -= a.max()


def touch_first(a: Array) -> None:
    """Another first element."""
    a[(0,) * a.ndim] += 1


LAYOUTS: tuple[Bug, ...] = (
    bug(
        "memory is read as if every input were row-major",
        EVERY,
        asked(arrays_in_memory_order),
        not_row_major,
        source="ggml-org/llama.cpp/pull/28503",
    ),
    bug(
        "the weights' memory is read as if it were row-major",
        "conv",
        taking("w", in_memory_order),
        source="pytorch/pytorch/issues/1246",
    ),
    bug("the bias's memory is read as if it were row-major", "conv", taking("b", in_memory_order)),
    bug(
        "dy's memory is read as if it were row-major",
        "conv_backward",
        taking("dy", in_memory_order),
        source="pytorch/pytorch/pull/7952",
    ),
    bug(
        "the map's memory is read as if it were row-major, in max pooling's derivative",
        "max_pool_backward",
        taking("x", in_memory_order),
    ),
    bug(
        "dy's memory is read as if it were row-major, in means' derivative",
        "avg_pool_backward",
        taking("dy", in_memory_order),
    ),
    bug(
        "dy's memory is read as if it were row-major, in upsampling's derivative",
        "upsample_backward",
        taking("dy", in_memory_order),
    ),
    *(
        bug(
            f"{layer}: the weights' memory is read as if it were row-major",
            operation,
            taking("w", in_memory_order),
        )
        for layer, operation in (("transposed", "conv_transpose"), ("linear", "linear"))
    ),
    bug(
        "depthwise: the map's memory is read as if it were row-major",
        "depthwise_conv",
        taking("x", in_memory_order),
        source="pytorch/pytorch/pull/7952",
    ),
    bug("softmax: negative strides lose their sign", "softmax", asked(forwards)),
    bug("relu: column-major arrays are read by rows", "relu", asked(column_major_read_by_rows), column_major),
    bug("linear: read-only inputs are refused", "linear", refusing, not_writeable),
    bug("negative strides lose their sign", "conv", asked(forwards)),
    bug("negative strides lose their sign in max pooling", "max_pool", asked(forwards)),
    bug(
        "column-major maps are read by rows in convolutions",
        "conv",
        asked(column_major_read_by_rows),
        column_major,
    ),
    bug(
        "column-major maps are read by rows in means",
        "avg_pool",
        asked(column_major_read_by_rows),
        column_major,
    ),
    bug("read-only inputs are refused", "conv", refusing, not_writeable),
    bug(
        "read-only inputs are refused in max pooling's derivative",
        "max_pool_backward",
        refusing,
        not_writeable,
    ),
)

INPUTS: tuple[Bug, ...] = (
    bug(
        "the weights are doubled in place", "conv", spoiling("w", double), source="hpi-xnor/BMXNet/issues/30"
    ),
    bug("the weights are flipped in place", "conv", spoiling("w", flip_last)),
    bug("the first sample of the map is touched", "conv", spoiling("x", touch_first)),
    bug("the map is touched if there is padding", "conv", spoiling("x", touch_first), padded),
    bug("the bias is cleared after use", "conv", spoiling("b", clear)),
    bug("dy is cleared after use", "conv_backward", spoiling("dy", clear)),
    bug("dy is doubled in place in max pooling", "max_pool_backward", spoiling("dy", double)),
    bug("the map of max pooling is cleared after use", "max_pool", spoiling("x", clear)),
    bug(
        "dy is touched in means with a partial window",
        "avg_pool_backward",
        spoiling("dy", touch_first),
        on("ceil_mode"),
    ),
    bug("relu: computed in place", "relu", spoiling("x", clip)),
    bug("sigmoid: computed in place", "sigmoid", spoiling("x", clear)),
    bug("softmax: the largest is subtracted in place", "softmax", spoiling("x", subtract_largest)),
    bug("tanh dx: computed in place of dy", "tanh_backward", spoiling("dy", clear)),
    bug("linear: the bias is cleared after use", "linear", spoiling("b", clear)),
    bug("linear dw: x is transposed in place", "linear_backward", spoiling("x", flip_last)),
    bug("transposed: the kernel is flipped in place", "conv_transpose", spoiling("w", flip_last)),
    bug("shuffle: the first element is touched", "pixel_shuffle", spoiling("x", touch_first)),
    bug("the map of a downsampling is reversed in place", "downsample", spoiling("x", flip_last)),
)

BUGS = LAYOUTS + INPUTS
