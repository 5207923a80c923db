"""How many roundings one term of a result can meet: the `t` of the bounds, operation by operation."""

from math import ceil, gcd, prod

from cnn_spec.operations import Call
from cnn_spec.shapes import Shape, forward_shape


def roundings(call: Call) -> tuple[int, ...]:
    """The most roundings that one term of each result can meet; 0 for a result that is only selected."""
    if call.operation in ("conv", "depthwise_conv", "linear"):
        return (prod(call["w"].shape[1:]) + (call["b"] is not None),)
    if call.operation == "conv_backward":
        c_out, _, *kernel = call["w"].shape
        return c_out // call["groups"] * prod(kernel), _places(call["dy"].shape), _bias(call)
    if call.operation == "separable_conv":
        return (prod(call["w_depthwise"].shape) + 2,)
    if call.operation == "linear_backward":
        return call["w"].shape[0], call["x"].shape[0], _bias(call)
    if call.operation == "conv_transpose":
        cells = _meeting(call["w"].shape[2:], call["stride"], call["dilation"])
        products = call["w"].shape[0] // call["groups"] * cells
        return (products + (call["b"] is not None),)
    if call.operation == "conv_transpose_backward":
        return prod(call["w"].shape[1:]), _places(call["x"].shape), _bias(call)
    if call.operation == "avg_pool":
        return (prod(call["kernel_size"]) + 1,)
    if call.operation == "avg_pool_backward":
        return (max(windows_on_an_element(call) + 1, _axis_by_axis(call)),)
    if call.operation == "max_pool_backward":
        return (windows_on_an_element(call) - 1,)
    return (0,) * len(call.results)


def _axis_by_axis(call: Call) -> int:
    """For a derivative of means taken along one axis after the other, with reciprocals; those of 1 and 2 are exact."""
    axes = zip(call["kernel_size"], call["stride"], strict=True)
    return sum(ceil(k / s) - 1 + (2 if k > 2 else 0) for k, s in axes)


def _places(shape: Shape) -> int:
    """Samples times places: the terms of a weight's derivative."""
    return shape[0] * prod(shape[2:])


def _bias(call: Call) -> int:
    return max(_places(forward_shape(call)) - 1, 0)


def windows_on_an_element(call: Call) -> int:
    """How many windows of a pooling can cover one element of the input."""
    dilation = call.parameters.get("dilation", (1,) * call.rank)
    return _meeting(call["kernel_size"], call["stride"], dilation)


def _meeting(kernel: Shape, stride: Shape, dilation: Shape) -> int:
    """How many cells, stepping by the dilation, can meet one place from windows that start a stride apart.

    Cell k does where k D is the place's distance from the first window, modulo S: every S / gcd(S, D)-th cell.
    """
    axes = zip(kernel, stride, dilation, strict=True)
    return prod(ceil(k / (s // gcd(s, d))) for k, s, d in axes)
