"""How many roundings one term of a result can meet: the `t` of the bounds, operation by operation."""

from math import ceil, gcd, prod

from cnn_spec.operations import Call
from cnn_spec.shapes import forward_shape


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
        products = call["w"].shape[0] // call["groups"] * _cells_on_an_element(call, call["w"].shape[2:])
        return (products + (call["b"] is not None),)
    if call.operation == "conv_transpose_backward":
        return prod(call["w"].shape[1:]), _places(call["x"].shape), _bias(call)
    if call.operation == "avg_pool":
        return (prod(call["kernel_size"]) + 1,)
    if call.operation in ("avg_pool_backward", "max_pool_backward"):
        return (_cells_on_an_element(call, call["kernel_size"]) + 1,)
    return (0,) * len(call.results)


def _places(shape: tuple[int, ...]) -> int:
    """Samples times places: the terms of a weight's derivative."""
    return shape[0] * prod(shape[2:])


def _bias(call: Call) -> int:
    return max(_places(forward_shape(call)) - 1, 0)


def _cells_on_an_element(call: Call, kernel: tuple[int, ...]) -> int:
    """How many cells of a kernel can lie on one element, as windows slide by: every S-th place has one."""
    dilation = call.parameters.get("dilation", (1,) * len(kernel))
    axes = zip(kernel, call["stride"], dilation, strict=True)
    return prod(ceil(k / (s // gcd(s, d))) for k, s, d in axes)
