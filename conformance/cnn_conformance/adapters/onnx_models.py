"""The interface's operations as ONNX models of a node each, for whatever runs ONNX: forward only."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, helper, numpy_helper

from cnn_conformance.adapters.common import Array, Forward, Library, Pairs, every, functions

Run = Callable[[ModelProto, Array], Sequence[Any]]
"""Runs a model on its one input, and returns its outputs."""

OPSET, IR = 22, 10
"""Recent, and old enough for what runs them."""


def model(
    node: str, x: Array, constants: Sequence[Array | None] = (), outputs: int = 1, **attributes: Any
) -> ModelProto:
    """A model of one node with the input `x`, whose other inputs are constants; the last ones may be left out."""
    while constants and constants[-1] is None:
        constants = constants[:-1]
    names = ["" if a is None else f"constant{k}" for k, a in enumerate(constants)]
    results, unknown = ["y", "indices"][:outputs], [None] * x.ndim
    kind = helper.np_dtype_to_tensor_dtype(x.dtype)
    graph = helper.make_graph(
        [helper.make_node(node, ["x", *names], results, **attributes)],
        "model",
        [helper.make_tensor_value_info("x", kind, x.shape)],
        [
            helper.make_tensor_value_info("y", kind, unknown),
            helper.make_tensor_value_info(
                "indices", helper.np_dtype_to_tensor_dtype(np.dtype("int64")), unknown
            ),
        ][:outputs],
        [numpy_helper.from_array(a, n) for a, n in zip(constants, names, strict=True) if a is not None],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)


def windows(
    *, stride: Sequence[int], padding: Pairs, dilation: Sequence[int] | None = None, **others: Any
) -> dict[str, Any]:
    """ONNX's attributes for the interface's parameters."""
    names = {"kernel_size": "kernel_shape", "groups": "group"}
    attributes = {names.get(name, name): value for name, value in others.items()}
    attributes |= {"strides": stride, "pads": [*(p[0] for p in padding), *(p[1] for p in padding)]}
    for flag in ("ceil_mode", "count_include_pad"):
        if flag in attributes:
            attributes[flag] = int(attributes[flag])
    return attributes if dilation is None else {**attributes, "dilations": dilation}


def conv_model(x: Array, w: Array, b: Array | None, **parameters: Any) -> ModelProto:
    """A convolution."""
    return model("Conv", x, (w, b), **windows(**parameters))


def conv_transpose_model(x: Array, w: Array, b: Array | None, **parameters: Any) -> ModelProto:
    """A transposed convolution."""
    return model("ConvTranspose", x, (w, b), **windows(**parameters))


def max_pool_model(x: Array, **parameters: Any) -> ModelProto:
    """Max pooling."""
    return model("MaxPool", x, **windows(**parameters))


def avg_pool_model(x: Array, **parameters: Any) -> ModelProto:
    """Average pooling."""
    return model("AveragePool", x, **windows(**parameters))


def _downsample_model(x: Array, *, factor: Sequence[int]) -> ModelProto:
    every(factor)
    ends, axes = [np.iinfo(np.int64).max] * len(factor), range(2, 2 + len(factor))
    return model("Slice", x, [np.array(a, np.int64) for a in ([0] * len(factor), ends, axes, factor)])


def _upsample_model(x: Array, *, factor: Sequence[int]) -> ModelProto:
    """A transposed convolution with a kernel of a single one puts zeros between neighbours."""
    every(factor)
    one = np.ones((x.shape[1], 1, *(1 for _ in factor)), x.dtype)
    return model("ConvTranspose", x, (one,), strides=factor, group=x.shape[1])


def _pixel_shuffle_model(x: Array, *, factor: Sequence[int]) -> ModelProto:
    if x.ndim != 4 or len(set(factor)) > 1:
        raise NotImplementedError("DepthToSpace is for images and one factor")
    return model("DepthToSpace", x, blocksize=factor[0], mode="CRD")


def _linear_model(x: Array, w: Array, b: Array | None) -> ModelProto:
    return model("Gemm", x, (w, b), transB=1)


MODELS: Mapping[str, Callable[..., ModelProto]] = {
    "conv": conv_model,
    "conv_transpose": conv_transpose_model,
    "max_pool": max_pool_model,
    "avg_pool": avg_pool_model,
    "downsample": _downsample_model,
    "upsample": _upsample_model,
    "pixel_shuffle": _pixel_shuffle_model,
    "linear": _linear_model,
    "relu": lambda x: model("Relu", x),
    "sigmoid": lambda x: model("Sigmoid", x),
    "tanh": lambda x: model("Tanh", x),
    "softmax": lambda x, *, axis: model("Softmax", x, axis=axis),
}


def onnx_functions(run: Run, ranks: Sequence[int] = (1, 2, 3)) -> dict[str, Callable[..., Any]]:
    """The interface's functions on what runs models."""

    def forward(make: Callable[..., ModelProto]) -> Forward:
        return lambda x, *constants, **parameters: run(make(x, *constants, **parameters), x)[0]

    def max_pool_with_indices(x: Array, **parameters: Any) -> tuple[Array, Array]:
        """ONNX counts through the whole input, the interface through each plane of it."""
        y, indices = run(model("MaxPool", x, outputs=2, **windows(**parameters)), x)
        return y, np.asarray(indices) % np.prod(x.shape[2:], dtype=np.int64)

    operations = {name: forward(make) for name, make in MODELS.items()}
    operations["max_pool_with_indices"] = max_pool_with_indices
    return functions(Library(tensor=lambda a: a, array=lambda a: a), operations, ranks)
