"""What a case shows: the predicates that say where a law applies, and what it must have seen to mean something."""

from typing import Any

import numpy as np

from cnn_spec.case import Case, Data
from cnn_spec.operations import Call
from cnn_spec.sizes import extent


def kernel_of(call: Call) -> tuple[int, ...]:
    """The kernel's size on each axis, of a convolution or a pooling."""
    filters = next((a for name, a in call.arguments.items() if name.startswith("w")), None)
    return call["kernel_size"] if filters is None else tuple(filters.shape[2:])


def spans_of(call: Call) -> tuple[int, ...]:
    """How many samples the kernel spans on each axis."""
    kernel = kernel_of(call)
    dilation = call.parameters.get("dilation", (1,) * len(kernel))
    return tuple(map(extent, kernel, dilation))


def _leftovers(call: Call) -> list[int]:
    """What is left of each axis behind the last complete window."""
    axes = zip(call["x"].shape[2:], call["padding"], spans_of(call), call["stride"], strict=True)
    return [(n + sum(padding) - span) % stride for n, padding, span, stride in axes]


def exact_integers(case: Case) -> bool:
    """Small integers."""
    return case.data is Data.EXACT


def untied(case: Case) -> bool:
    """No window with several largest elements."""
    return case.data is not Data.TIED


def ties(case: Case) -> bool:
    """Windows with several largest elements."""
    return case.data is Data.TIED


def several_samples(case: Case) -> bool:
    """A batch of more than one."""
    return bool(case.call["x"].shape[0] > 1)


def several_input_channels(case: Case) -> bool:
    """More than one channel of the input in a group."""
    return bool(case.call["w"].shape[1] > 1)


def several_filters(case: Case) -> bool:
    """More than one filter in a group."""
    return bool(case.call["w"].shape[0] > case.call["groups"])


def several_channels(case: Case) -> bool:
    """More than one channel of the input."""
    return bool(case.call["x"].shape[1] > 1)


def a_multiplier_above_one(case: Case) -> bool:
    """More than one filter for each channel, and more than one channel."""
    call = case.call
    filters = call["w_depthwise" if "w_depthwise" in call.arguments else "w"]
    return several_channels(case) and bool(filters.shape[0] > call["x"].shape[1])


def several_groups(case: Case) -> bool:
    """More than one group."""
    return bool(case.call["groups"] > 1)


def a_bias(case: Case) -> bool:
    """A bias that is not zero."""
    return case.call["b"] is not None and bool(np.any(case.call["b"]))


def a_kernel_above_one(case: Case) -> bool:
    """A kernel of more than one cell."""
    return max(kernel_of(case.call)) > 1


def a_stride_above_one(case: Case) -> bool:
    """A stride above 1."""
    return bool(max(case.call["stride"]) > 1)


def a_factor_above_one(case: Case) -> bool:
    """A factor above 1."""
    return bool(max(case.call["factor"]) > 1)


def a_dilation_above_one(case: Case) -> bool:
    """A dilation above 1 of a kernel above 1."""
    return any(k > 1 and d > 1 for k, d in zip(kernel_of(case.call), case.call["dilation"], strict=True))


def values_above_zero(case: Case) -> bool:
    """Elements of the input above 0."""
    return bool(np.any(case.call["x"] > 0))


def values_below_zero(case: Case) -> bool:
    """Elements of the input below 0."""
    return bool(np.any(case.call["x"] < 0))


def padding(case: Case) -> bool:
    """Padding on some side."""
    return any(map(any, case.call["padding"]))


def an_output_padding(case: Case) -> bool:
    """Output padding on some axis."""
    return any(case.call["output_padding"])


def a_remainder(case: Case) -> bool:
    """A size that the stride does not divide, so that something is left behind the last window."""
    return any(_leftovers(case.call))


def overlapping_windows(case: Case) -> bool:
    """Windows that share elements: a stride below the kernel, and more than one output."""
    axes = zip(spans_of(case.call), case.call["stride"], case.call["dy"].shape[2:], strict=True)
    return any(span > stride and outputs > 1 for span, stride, outputs in axes)


def unequal_axes(case: Case) -> bool:
    """Axes with different sizes or parameters."""
    per_axis: list[Any] = [case.call["x"].shape[2:], kernel_of(case.call), case.call["stride"]]
    return any(len(set(values)) > 1 for values in (*per_axis, case.call["padding"]))


def complete_windows(case: Case) -> bool:
    """Windows that lie wholly on the input: no padding and none that sticks out."""
    return not padding(case) and not (case.call["ceil_mode"] and a_remainder(case))


def partial_windows(case: Case) -> bool:
    """Windows that reach beyond the input, into padding or behind the end."""
    return not complete_windows(case)


def nothing_dropped(case: Case) -> bool:
    """Floor mode, or a size that the stride divides."""
    return not case.call["ceil_mode"] or not a_remainder(case)


def a_nan(case: Case) -> bool:
    """A NaN in the input."""
    return bool(np.any(np.isnan(case.call["x"])))


def an_infinity(case: Case) -> bool:
    """An infinity in the input."""
    return bool(np.any(np.isinf(case.call["x"])))
