"""Conventions: what respected implementations do differently, chosen once for a candidate and then held to.

Where a convention asks for another result, it is the one that the definition and the reference give to another
call (`meant`). Pooling windows that start beyond the input have no element of it: a candidate may keep them, and then
only their number is judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from cnn_spec.case import Case
from cnn_spec.cases.validity import divisors_are_powers_of_two
from cnn_spec.operations import Array, Call, Results
from cnn_spec.shapes import Shape, forward_shape, result_shapes
from cnn_spec.sizes import extent

CONVENTIONS: Mapping[str, tuple[str, ...]] = {
    "same_padding_extra": ("after", "before"),
    "tie_gradient": ("one", "split"),
    "pool_nan": ("propagate", "ignore"),
    "pool_start": ("infinity", "lowest"),
    "ceil_windows": ("inside", "all"),
    "mean_overhang": ("excluded", "counted"),
    "no_output": ("refused", "empty"),
    "relu_nan": ("propagate", "zero"),
    "activation_accuracy": ("result", "one"),
}
"""The values by name, the default first."""


@dataclass(frozen=True)
class Declared:
    """What an implementation declares of itself, as far as it decides what is right."""

    normwise: bool = False
    growth: float = 64.0
    conventions: Mapping[str, str] = field(default_factory=dict)
    deterministic: bool = True
    """Whether a repeated call gives the same answer bit for bit."""

    def convention(self, name: str) -> str:
        """The value of a convention: the declared one, else the default."""
        return self.conventions.get(name, CONVENTIONS[name][0])


PLAIN = Declared()
"""Of who declares nothing."""


def meant(call: Call, declared: Declared) -> Call:
    """The call whose plain answer is the right one.

    `ceil_windows: all`: rounding a size up is rounding it down with a stride less one of padding more.
    `mean_overhang: counted`: the windows that hang over do so on padding. `pool_nan`, `pool_start` and `relu_nan`: the
    numbers that what is not finite counts for.
    """
    if call.operation == "relu" or call.operation.startswith("max_pool"):
        return _of_numbers(call, declared)
    if not call.parameters.get("ceil_mode"):
        return call
    if call.operation == "pool_output_size" and declared.convention("ceil_windows") == "all":
        before, after = call["padding"]
        return call.but(ceil_mode=False, padding=(before, after + call["stride"] - 1))
    if call.parameters.get("count_include_pad") and declared.convention("mean_overhang") == "counted":
        return call.but(ceil_mode=False, padding=_reaching_the_last_window(call))
    return call


def _reaching_the_last_window(call: Call) -> tuple[tuple[int, int], ...]:
    """The padding on which every window ends that starts on the input or its leading padding."""
    axes = zip(
        call["x"].shape[2:],
        forward_shape(call)[2:],
        call["kernel_size"],
        call["stride"],
        call["padding"],
        strict=True,
    )
    return tuple((b, max(a, (size - 1) * s + k - n - b)) for n, size, k, s, (b, a) in axes)


def _of_numbers(call: Call, declared: Declared) -> Call:
    """With numbers for what is not finite, where a convention has such."""
    rule = _rectified if call.operation == "relu" else _starting_low
    x = rule(call["x"], declared)
    return call if x is call["x"] else call.but(x=x)


def _rectified(x: Array, declared: Declared) -> Array:
    """What relu takes x for."""
    return np.where(np.isnan(x), 0, x) if declared.convention("relu_nan") == "zero" else x


def _starting_low(x: Array, declared: Declared) -> Array:
    """What max pooling takes x for: NaN may count for less than any number, and nothing for less than the lowest."""
    if declared.convention("pool_nan") == "ignore":
        x = np.where(np.isnan(x), -np.inf, x)
    if declared.convention("pool_start") == "lowest":
        x = np.maximum(x, np.finfo(x.dtype).min)
    return x


def kept_shape(call: Call, declared: Declared) -> Shape | None:
    """The shape of a pooling's result with windows that start beyond the input, where a convention keeps such."""
    if (
        call.of_integers
        or not call.parameters.get("ceil_mode")
        or declared.convention("ceil_windows") == "inside"
    ):
        return None
    dilation = call.parameters.get("dilation", (1,) * call.rank)
    axes = zip(
        call["x"].shape[2:], call["kernel_size"], call["stride"], call["padding"], dilation, strict=True
    )
    sizes = (-((extent(k, d) - n - sum(p)) // s) + 1 for n, k, s, p, d in axes)
    shape = (*call["x"].shape[:2], *sizes)
    return None if shape == forward_shape(call) else shape


def asked(call: Call, declared: Declared) -> Call:
    """The call as the candidate wants it: with derivatives, of one, by the windows that it keeps."""
    shape = kept_shape(call, declared)
    if shape is None or "dy" not in call.arguments:
        return call
    dy = np.ones(shape, call["dy"].dtype)
    dy[tuple(map(slice, call["dy"].shape))] = call["dy"]
    return call.but(dy=dy)


def answered_shapes(call: Call, declared: Declared) -> tuple[Shape, ...]:
    """The shapes of the candidate's results."""
    shape = kept_shape(call, declared)
    return result_shapes(call) if shape is None or "dy" in call.arguments else (shape,) * len(call.results)


def judged_part(results: Results, call: Call, declared: Declared) -> Results:
    """What is judged of a candidate's results: not what comes of windows without an element of the input."""
    if kept_shape(call, declared) is None:
        return results
    shapes = zip(results, result_shapes(call), strict=True)
    return tuple(result[tuple(map(slice, shape))] for result, shape in shapes)


def may_be_empty(call: Call, declared: Declared) -> bool:
    """Whether a forward call whose size is 0 by the formula may be answered with as little."""
    return declared.convention("no_output") == "empty" and not (call.of_integers or "dy" in call.arguments)


def tells(case: Case, declared: Declared) -> bool:
    """Whether a case's numbers are what they are drawn for: exact means may round where more is counted."""
    call = meant(case.call, declared)
    counted = call is not case.call and "count_include_pad" in call.parameters
    return not (counted and case.exact) or divisors_are_powers_of_two(call)
