"""The literal definition of every operation: slow on purpose, and over any ring.

Arrays may hold floats, or (dtype object) integers, fractions and symbols.
"""

from typing import Any

import numpy as np

from cnn_spec import sizes
from cnn_spec.definitions import convolution, pooling, resampling, transposed
from cnn_spec.operations import Call, Results

DEFINITIONS: dict[str, Any] = {
    "conv": convolution.conv,
    "conv_backward": convolution.conv_backward,
    "conv_transpose": transposed.conv_transpose,
    "conv_transpose_backward": transposed.conv_transpose_backward,
    "max_pool": pooling.max_pool,
    "max_pool_backward": pooling.max_pool_backward,
    "avg_pool": pooling.avg_pool,
    "avg_pool_backward": pooling.avg_pool_backward,
    "downsample": resampling.downsample,
    "downsample_backward": resampling.downsample_backward,
    "upsample": resampling.upsample,
    "upsample_backward": resampling.upsample_backward,
    "conv_output_size": sizes.conv_output_size,
    "pool_output_size": sizes.pool_output_size,
    "conv_transpose_output_size": sizes.conv_transpose_output_size,
    "same_padding": sizes.same_padding,
}


def definition(call: Call) -> Results:
    """Answer a call by the literal definition of its operation."""
    answered = DEFINITIONS[call.operation](*call.arguments.values(), **call.parameters)
    return tuple(map(np.asarray, answered)) if len(call.results) > 1 else (np.asarray(answered),)
