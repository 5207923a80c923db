"""Pooling and convolution as other conventions have it: windows beyond the input kept, or none at all."""

from math import ceil

import numpy as np

from cnn_spec.operations import Call, Results
from different.forms import reference


def _kept_sizes(call: Call) -> tuple[int, ...]:
    """The notes' size in each axis, rounded up."""
    dilation = call.parameters.get("dilation", (1,) * call.rank)
    axes = zip(
        call["x"].shape[2:], call["padding"], dilation, call["kernel_size"], call["stride"], strict=True
    )
    return tuple(ceil((n + sum(p) - d * (k - 1) - 1) / s) + 1 for n, p, d, k, s in axes)


def keeping_windows(call: Call) -> Results:
    """Rounding up, every window is kept; no number comes of those beyond the input, nor goes into them."""
    if not call.parameters.get("ceil_mode"):
        return reference(call)
    if call.of_integers:
        span = call["dilation"] * (call["kernel_size"] - 1) + 1
        reference(call)
        return (np.asarray(ceil((call["n"] + sum(call["padding"]) - span) / call["stride"]) + 1),)
    forward = call.operation.removesuffix("_backward")
    inside = tuple(map(slice, reference(call.on(forward) if forward != call.operation else call)[0].shape))
    if forward != call.operation:
        if call["dy"].shape != (*call["x"].shape[:2], *_kept_sizes(call)):
            raise ValueError("a derivative of another shape")
        return reference(call.but(dy=np.ascontiguousarray(call["dy"][inside])))
    found = []
    for right in reference(call):
        kept = np.full((*right.shape[:2], *_kept_sizes(call)), -1, right.dtype)
        kept[inside] = right
        found.append(kept)
    return tuple(found)


def starting_from_the_lowest(call: Call) -> Results:
    """Max pooling that starts from the lowest number there is."""
    y, *indices = reference(call)
    return (np.maximum(y, np.finfo(y.dtype).min), *indices)


def leaving_nothing(call: Call) -> Results:
    """A kernel larger than the input leaves an empty result."""
    try:
        return reference(call)
    except ValueError:
        if not {"x", "stride"} <= {*call.arguments, *call.parameters} or "dy" in call.arguments:
            raise
        return _nothing(call)


def _nothing(call: Call) -> Results:
    """The empty result where a complete window just does not fit; raises what the reference does otherwise."""
    grown = [(0, 0), (0, 0)]
    name = next((n for n in call.arguments if n.startswith("w")), None)
    kernel = call[name].shape[2:] if name else call["kernel_size"]
    dilation = call.parameters.get("dilation", (1,) * call.rank)
    short = []
    for n, k, d, p in zip(call["x"].shape[2:], kernel, dilation, call["padding"], strict=True):
        lacking = max(0, d * (k - 1) + 1 - n - sum(p))
        grown.append((0, lacking))
        short.append(lacking > 0)
    if not any(short) or max(after for _, after in grown) > 1:
        return reference(call)
    found = reference(call.but(x=np.pad(call["x"], grown)))
    cut = (..., *(slice(0, 0) if lacks else slice(None) for lacks in short))
    return tuple(part[cut] for part in found)
