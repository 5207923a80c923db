"""OpenVINO on the CPU as a candidate, by way of its importer of ONNX."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import openvino
from onnx import ModelProto
from openvino import opset14

from cnn_conformance.adapters.common import Array
from cnn_conformance.adapters.onnx_models import onnx_functions

about = {
    "name": "openvino",
    "version": openvino.__version__.partition("-")[0],
    "dtypes": ("float32",),
    "shapes": "few",
    "conventions": {
        "pool_nan": "ignore",
        "pool_start": "lowest",
        "relu_nan": "zero",
        "mean_overhang": "counted",
        "no_output": "empty",
        "activation_accuracy": "one",
    },
}

_core = openvino.Core()
_EXACT = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": "1"}


def _run(model: ModelProto, x: Array) -> Sequence[Any]:
    if not len(x):
        raise NotImplementedError("a batch of none: OpenVINO imports no such model")
    answered = _compiled(model.SerializeToString())([np.ascontiguousarray(x)])
    return [np.array(answered[k]) for k in range(len(model.graph.output))]


@lru_cache(maxsize=64)
def _compiled(model: bytes) -> Any:
    read = _core.read_model(model)
    for node in read.get_ops():
        if node.get_type_name() == "MaxPool" and node.get_attributes()["rounding_type"] == "ceil":
            _keep_windows_inside(node)
    return _core.compile_model(read, "CPU", _EXACT)


def _keep_windows_inside(node: Any) -> None:
    """The importer chooses a rounding type that keeps windows which start beyond the input; OpenVINO has another."""
    names = ("strides", "dilations", "pads_begin", "pads_end", "kernel")
    parameters = (node.get_attributes()[name] for name in names)
    inside = opset14.max_pool(node.input_value(0), *parameters, rounding_type="ceil_torch")
    for at, output in enumerate(node.outputs()):
        output.replace(inside.output(at))


globals().update(onnx_functions(_run))
