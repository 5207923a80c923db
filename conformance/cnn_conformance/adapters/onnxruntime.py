"""ONNX Runtime on the CPU as a candidate."""

from collections.abc import Sequence
from typing import Any

import onnxruntime
from onnx import ModelProto
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument
from onnxruntime.capi.onnxruntime_pybind11_state import NotImplemented as NotImplementedByIt

from cnn_conformance.adapters.common import Array
from cnn_conformance.adapters.onnx_models import onnx_functions

about = {
    "name": "onnxruntime",
    "version": onnxruntime.__version__,
    "conventions": {"pool_nan": "ignore", "no_output": "empty", "activation_accuracy": "one"},
}

UNCLAIMED = ("output_padding", "Pad should be smaller than kernel")
"""In what it says of output padding beyond the stride, and of padding beyond a kernel but not its dilation."""

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
    except (Fail, InvalidArgument) as error:
        if any(words in str(error) for words in UNCLAIMED):
            raise NotImplementedError(str(error)) from error
        raise
    return answered


globals().update(onnx_functions(_run))
