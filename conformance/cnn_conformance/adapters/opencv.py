"""OpenCV's dnn module as a candidate, by way of its importer of ONNX."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from onnx import ModelProto

from cnn_conformance.adapters.common import Array
from cnn_conformance.adapters.onnx_models import onnx_functions

about = {
    "name": "opencv dnn",
    "version": cv2.__version__,
    "dtypes": ("float32",),
    "accuracy": "normwise",
    "conventions": {
        "pool_nan": "ignore",
        "pool_start": "lowest",
        "ceil_windows": "all",
        "mean_overhang": "counted",
        "activation_accuracy": "one",
    },
}

cv2.setNumThreads(1)
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # what it says, it also raises


def _run(model: ModelProto, x: Array) -> Sequence[Any]:
    try:
        net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
        net.setInput(np.ascontiguousarray(x))
        y = net.forward()
    except cv2.error as error:
        if error.code == cv2.Error.StsNotImplemented:
            raise NotImplementedError(str(error)) from error
        raise
    if y is None:
        raise NotImplementedError("OpenCV has no arrays without elements")
    return [y]


for _name, _function in onnx_functions(_run).items():
    if not _name.endswith("with_indices"):  # only one output of a model is asked for
        globals()[_name] = _function
