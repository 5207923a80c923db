"""ONNX Runtime on the CPU as a candidate."""

from collections.abc import Sequence
from typing import Any

import onnxruntime
from onnx import ModelProto
from onnxruntime.capi.onnxruntime_pybind11_state import NotImplemented as NotImplementedByIt

from cnn_conformance.adapters.common import Array
from cnn_conformance.adapters.onnx_models import onnx_functions

about = {
    "name": "onnxruntime",
    "version": onnxruntime.__version__,
    "conventions": {"pool_nan": "ignore", "activation_accuracy": "one"},
}

_options = onnxruntime.SessionOptions()
_options.intra_op_num_threads = _options.inter_op_num_threads = 1
_options.log_severity_level = 4  # what it says, it also raises


def _run(model: ModelProto, x: Array) -> Sequence[Any]:
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), _options, providers=["CPUExecutionProvider"]
        )
        answered: Sequence[Any] = session.run(None, {"x": x})
    except NotImplementedByIt as error:
        raise NotImplementedError(str(error)) from error
    return answered


globals().update(onnx_functions(_run))
