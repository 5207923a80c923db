"""ONNX as a candidate: its reference evaluator, and its shape inference for the sizes.

`onnx:some.module` is whatever offers ONNX's backend interface, `onnx.backend.base.Backend`, under that name.
"""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, shape_inference
from onnx.reference import ReferenceEvaluator

from cnn_conformance.adapters.common import Array
from cnn_conformance.adapters.onnx_models import (
    conv_model,
    conv_transpose_model,
    max_pool_model,
    onnx_functions,
)
from cnn_spec.cases.stream import FUNCTIONS

about = {
    "name": "onnx.reference",
    "version": onnx.__version__,
    "conventions": {"pool_nan": "ignore", "no_output": "empty"},
}

globals().update(onnx_functions(lambda model, x: ReferenceEvaluator(model).run(None, {"x": x})))


def _inferred(model: ModelProto) -> int:
    inferred = shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    return int(inferred.graph.output[0].type.tensor_type.shape.dim[2].dim_value)


def _signal(n: int) -> Array:
    return np.zeros((1, 1, n), np.float32)


def _of_axis(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: value if name == "ceil_mode" else (value,) for name, value in parameters.items()}


def conv_output_size(n: int, *, kernel_size: int, **parameters: Any) -> int:
    """The size that shape inference gives a convolution of one axis."""
    return _inferred(conv_model(_signal(n), _signal(kernel_size), None, **_of_axis(parameters), groups=1))


def conv_transpose_output_size(n: int, *, kernel_size: int, **parameters: Any) -> int:
    """The size that shape inference gives a transposed convolution of one axis."""
    made = conv_transpose_model(_signal(n), _signal(kernel_size), None, **_of_axis(parameters), groups=1)
    return _inferred(made)


def pool_output_size(n: int, **parameters: Any) -> int:
    """The size that shape inference gives max pooling of one axis."""
    return _inferred(max_pool_model(_signal(n), **_of_axis(parameters)))


def __getattr__(name: str) -> Any:
    """The candidate that a backend is."""
    if name in FUNCTIONS or name.startswith("_"):  # the interface's functions that are not offered
        raise AttributeError(name)
    try:
        backend = import_module(name)
    except ModuleNotFoundError as error:
        raise AttributeError(str(error)) from error
    if not callable(getattr(backend, "prepare", None)):
        raise AttributeError(f"{name} has no `prepare`, and is no ONNX backend")
    offered = onnx_functions(lambda model, x: backend.prepare(model, "CPU").run([x]))
    return SimpleNamespace(about={"name": name, "version": getattr(backend, "__version__", "")}, **offered)
