"""The shapes of an operation's results, from its arguments and parameters alone (notes §2, §3.1)."""

from collections.abc import Sequence

from cnn_spec import sizes
from cnn_spec.operations import Call

Shape = tuple[int, ...]


def _per_axis(call: Call, names: Sequence[str]) -> list[dict[str, object]]:
    """The parameters of each axis, as the size formulas take them."""
    return [dict(zip(names, values, strict=True)) for values in zip(*(call[n] for n in names), strict=True)]


def _conv(call: Call) -> Shape:
    n, _, *spatial = call["x"].shape
    c_out, _, *kernel = call["w"].shape
    with_kernel = zip(spatial, kernel, _per_axis(call, ("stride", "padding", "dilation")), strict=True)
    return (n, c_out, *(sizes.conv_output_size(i, kernel_size=k, **p) for i, k, p in with_kernel))  # type: ignore[arg-type]


def _conv_transpose(call: Call) -> Shape:
    n, _, *spatial = call["x"].shape
    _, c_out, *kernel = call["w"].shape
    per_axis = _per_axis(call, ("stride", "padding", "output_padding", "dilation"))
    axes = zip(spatial, kernel, per_axis, strict=True)
    enlarged = (sizes.conv_transpose_output_size(i, kernel_size=k, **p) for i, k, p in axes)  # type: ignore[arg-type]
    return (n, c_out * call["groups"], *enlarged)


def _pool(call: Call) -> Shape:
    names = [n for n in ("kernel_size", "stride", "padding", "dilation") if n in call.parameters]
    n, c, *spatial = call["x"].shape
    axes = zip(spatial, _per_axis(call, names), strict=True)
    return (n, c, *(sizes.pool_output_size(i, ceil_mode=call["ceil_mode"], **p) for i, p in axes))  # type: ignore[arg-type]


def _downsample(call: Call) -> Shape:
    n, c, *spatial = call["x"].shape
    return (n, c, *map(sizes.downsampled_size, spatial, call["factor"]))


def _upsample(call: Call) -> Shape:
    n, c, *spatial = call["x"].shape
    return (n, c, *map(sizes.upsampled_size, spatial, call["factor"]))


_FORWARD = {
    "conv": _conv,
    "conv_transpose": _conv_transpose,
    "max_pool": _pool,
    "avg_pool": _pool,
    "downsample": _downsample,
    "upsample": _upsample,
}


def forward_shape(call: Call) -> Shape:
    """The shape of `y`, for a forward call or for the backward call that belongs to it."""
    return _FORWARD[call.operation.removesuffix("_backward")](call)


def result_shapes(call: Call) -> tuple[Shape, ...]:
    """The shape of each result: a derivative has the shape of its variable (notes §3.1)."""
    if call.of_integers:
        return ((2,) if call.operation == "same_padding" else (),)
    if "dw" in call.results:
        return call["x"].shape, call["w"].shape, forward_shape(call)[1:2]
    if call.operation.endswith("_backward"):
        return (call["x"].shape,)
    return (forward_shape(call),)
