"""Where a bug shows: conditions on a call, each a word or two in the catalogue's rows."""

from math import prod

import numpy as np

from cnn_spec.bugs.model import Condition
from cnn_spec.operations import Call
from cnn_spec.shapes import forward_shape
from cnn_spec.sights import kernel_of, spans_of


def batched(call: Call) -> bool:
    """More than one sample."""
    return bool(call["x"].shape[0] > 1)


def grouped(call: Call) -> bool:
    """More than one group."""
    return bool(call["groups"] > 1)


def depthwise(call: Call) -> bool:
    """As many groups as input channels, and more than one."""
    return bool(call["groups"] == call["x"].shape[1] > 1)


def biased(call: Call) -> bool:
    """A bias is given."""
    return call["b"] is not None


def strided(call: Call) -> bool:
    """A stride above 1."""
    return bool(max(call["stride"]) > 1)


def unstrided(call: Call) -> bool:
    """A stride of 1."""
    return not strided(call)


def dilated(call: Call) -> bool:
    """A dilation above 1."""
    return bool(max(call["dilation"]) > 1)


def padded(call: Call) -> bool:
    """Padding on some side."""
    return any(map(any, call["padding"]))


def unpadded(call: Call) -> bool:
    """No padding."""
    return not padded(call)


def lopsided(call: Call) -> bool:
    """Different padding before and after."""
    return any(before != after for before, after in call["padding"])


def gapped(call: Call) -> bool:
    """A stride beyond the kernel's span."""
    return any(s > span for s, span in zip(call["stride"], spans_of(call), strict=True))


def with_remainder(call: Call) -> bool:
    """Something is left behind the last complete window."""
    axes = zip(call["x"].shape[2:], call["padding"], spans_of(call), call["stride"], strict=True)
    return any((n + sum(p) - span) % s for n, p, span, s in axes)


def pointwise(call: Call) -> bool:
    """A kernel of one cell."""
    return max(kernel_of(call)) == 1


def even(call: Call) -> bool:
    """A kernel of even size on some axis."""
    return any(k % 2 == 0 for k in kernel_of(call))


def square(call: Call) -> bool:
    """A kernel with equal last axes, above 1."""
    kernel = kernel_of(call)
    return len(kernel) > 1 and kernel[-1] == kernel[-2] > 1


def kernel_above(size: int) -> Condition:
    """Some axis of the kernel is longer."""
    return lambda call: max(kernel_of(call)) > size


def channels_above(size: int) -> Condition:
    """More input channels than so many, over all groups."""
    return lambda call: bool(call["x"].shape[1] > size)


def filters_above(size: int) -> Condition:
    """More filters than so many, over all groups."""
    return lambda call: bool(call["w"].shape[0] > size)


def outputs_above(size: int) -> Condition:
    """The last axis of the output is longer."""
    return lambda call: forward_shape(call)[-1] > size


def kind(name: str) -> Condition:
    """Arrays of this dtype."""
    return lambda call: bool(call["x"].dtype == np.dtype(name))


def on(name: str) -> Condition:
    """A switch is on."""
    return lambda call: bool(call[name])


def off(name: str) -> Condition:
    """A switch is off."""
    return lambda call: not call[name]


def not_row_major(call: Call) -> bool:
    """An input that is laid out otherwise."""
    return any(isinstance(a, np.ndarray) and not a.flags.c_contiguous for a in call.arguments.values())


def column_major(call: Call) -> bool:
    """An input in column-major order, and not in row-major order too."""
    return any(isinstance(a, np.ndarray) and a.flags.fnc for a in call.arguments.values())


def not_writeable(call: Call) -> bool:
    """A read-only input."""
    return any(isinstance(a, np.ndarray) and not a.flags.writeable for a in call.arguments.values())


def overlapping(call: Call) -> bool:
    """A stride below the kernel's span."""
    return any(s < span for s, span in zip(call["stride"], spans_of(call), strict=True))


def negative(call: Call) -> bool:
    """Nothing in the input is above zero."""
    return bool(np.all(call["x"] <= 0))


def partial(call: Call) -> bool:
    """A further window sticks out at the end."""
    return with_remainder(call) and bool(call["ceil_mode"])


def few_outputs(call: Call) -> bool:
    """At most 300 places in `dy`, so that going from place to place stays fast."""
    return bool(prod(call["dy"].shape[2:]) <= 300)


def as_many_filters_as_channels(call: Call) -> bool:
    """Each group has as many filters as channels, and more than one."""
    return bool(call["w"].shape[0] // call["groups"] == call["w"].shape[1] > 1)
