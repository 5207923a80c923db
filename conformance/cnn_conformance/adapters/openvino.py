"""OpenVINO on the CPU as a candidate, by way of its importer of ONNX."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import openvino
from onnx import ModelProto

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
        "ceil_windows": "all",
        "mean_overhang": "counted",
        "activation_accuracy": "one",
    },
}

_core = openvino.Core()
_EXACT = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": "1"}


def _run(model: ModelProto, x: Array) -> Sequence[Any]:
    if not len(x):
        raise NotImplementedError("a batch of none: OpenVINO imports no such model")
    compiled = _core.compile_model(_core.read_model(model.SerializeToString()), "CPU", _EXACT)
    answered = compiled([np.ascontiguousarray(x)])
    return [np.array(answered[k]) for k in range(len(model.graph.output))]


globals().update(onnx_functions(_run))
