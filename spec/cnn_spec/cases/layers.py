"""Sizes of a layer by name, and the shapes of its arrays that follow: for drawing a case and for making it smaller."""

from math import prod
from typing import Any

from cnn_spec.operations import Call
from cnn_spec.shapes import Shape, forward_shape

Sizes = dict[str, Any]
"""`batch`, `channels` or `c_in` and `c_out` (of a group, where there are groups), `spatial`, `kernel_size` ..."""


def family(operation: str) -> str:
    """The layer that an operation is of: its forward operation."""
    return operation.removesuffix("_backward").removesuffix("_with_indices")


def shapes_of(operation: str, sizes: Sizes) -> dict[str, Shape]:
    """The shapes of x, and of the filters and the bias where there are some."""
    if "shape" in sizes:
        return {"x": tuple(sizes["shape"])}
    batch, spatial = sizes["batch"], tuple(sizes.get("spatial", ()))
    kernel = tuple(sizes.get("kernel_size", ()))
    match family(operation):
        case "conv" | "conv_transpose" as layer:
            groups, c_in, c_out = (sizes[name] for name in ("groups", "c_in", "c_out"))
            filters = (groups * c_out, c_in) if layer == "conv" else (groups * c_in, c_out)
            x, weights = (batch, groups * c_in, *spatial), {"w": (*filters, *kernel)}
            return {"x": x, **weights, "b": (groups * c_out,)}
        case "depthwise_conv":
            between = sizes["channels"] * sizes["multiplier"]
            return {"x": (batch, sizes["channels"], *spatial), "w": (between, 1, *kernel), "b": (between,)}
        case "separable_conv":
            between, c_out = sizes["channels"] * sizes["multiplier"], sizes["c_out"]
            return {
                "x": (batch, sizes["channels"], *spatial),
                "w_depthwise": (between, 1, *kernel),
                "w_pointwise": (c_out, between, *(1 for _ in kernel)),
                "b": (c_out,),
            }
        case "linear":
            c_in, c_out = sizes["c_in"], sizes["c_out"]
            return {"x": (batch, c_in), "w": (c_out, c_in), "b": (c_out,)}
        case "pixel_shuffle":
            return {"x": (batch, sizes["channels"] * prod(sizes["factor"]), *spatial)}
        case "pixel_unshuffle":
            whole = (n * f for n, f in zip(spatial, sizes["factor"], strict=True))
            return {"x": (batch, sizes["channels"], *whole)}
    return {"x": (batch, sizes["channels"], *spatial)}


def sizes_of(call: Call) -> Sizes:
    """The sizes of a call: what `shapes_of` makes its shapes of."""
    batch, *rest = call["x"].shape
    layer = family(call.operation)
    if call.rank == 0 and layer != "linear":
        return {"shape": call["x"].shape}
    channels, *spatial = rest
    sizes: Sizes = {"batch": batch}
    match layer:
        case "conv" | "conv_transpose":
            groups = call["groups"]
            c_out = forward_shape(call)[1] // groups
            sizes |= {"groups": groups, "c_in": channels // groups, "c_out": c_out}
        case "depthwise_conv":
            sizes |= {"channels": channels, "multiplier": call["w"].shape[0] // channels}
        case "separable_conv":
            between = call["w_depthwise"].shape[0]
            sizes |= {
                "channels": channels,
                "multiplier": between // channels,
                "c_out": call["w_pointwise"].shape[0],
            }
        case "linear":
            sizes |= {"c_in": channels, "c_out": call["w"].shape[0]}
        case "pixel_shuffle":
            sizes |= {"channels": channels // prod(call["factor"])}
        case "pixel_unshuffle":
            sizes |= {"channels": channels}
            spatial = [n // f for n, f in zip(spatial, call["factor"], strict=True)]
        case _:
            sizes |= {"channels": channels}
    if filters := [name for name in ("w", "w_depthwise") if name in call.arguments and call.rank]:
        sizes |= {"kernel_size": call[filters[0]].shape[2:]}
    if filters or layer == "linear":
        sizes |= {"bias": call.arguments.get("b") is not None}
    return {**sizes, "spatial": tuple(spatial)} if call.rank else sizes
