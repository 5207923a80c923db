"""The catalogue of bug models: named wrong variants of the operations, by theme.

It measures the suite (which of them does a run catch?) and names the bug in a candidate (which of them
answers as it does?).
"""

from collections.abc import Mapping

from cnn_spec.bugs import (
    activations,
    adapters,
    conv_channels,
    conv_dw,
    conv_dx,
    conv_edges,
    conv_filters,
    conv_windows,
    counts,
    dense,
    depthwise,
    indices,
    layouts,
    max_pooling,
    max_pooling_dx,
    mean_pooling,
    mean_pooling_dx,
    numerics,
    pooling_windows,
    resampling,
    rounding_steps,
    shuffles,
    sizes,
    softmax,
    state,
    transposed,
    transposed_derivatives,
    unusual,
)
from cnn_spec.bugs.model import Bug, Functions

THEMES: Mapping[str, tuple[Bug, ...]] = {
    "convolution": conv_filters.BUGS + conv_channels.BUGS + conv_windows.BUGS + conv_edges.BUGS,
    "convolution backward": conv_dx.BUGS + conv_dw.BUGS,
    "transposed convolution": transposed.BUGS + transposed_derivatives.BUGS,
    "depthwise and separable convolution": depthwise.BUGS,
    "pooling": max_pooling.BUGS + mean_pooling.BUGS + pooling_windows.BUGS + indices.BUGS,
    "pooling backward": max_pooling_dx.BUGS + mean_pooling_dx.BUGS,
    "resampling": resampling.BUGS,
    "shuffles": shuffles.BUGS,
    "flat layers": dense.BUGS,
    "activations": activations.BUGS + softmax.BUGS,
    "sizes": sizes.BUGS,
    "counts": counts.BUGS,
    "numerics": numerics.BUGS + rounding_steps.BUGS,
    "memory and inputs": layouts.BUGS,
    "state": state.BUGS,
    "unusual calls": unusual.BUGS,
    "adapters": adapters.BUGS,
}
"""The catalogue, theme by theme."""

BUGS: Mapping[str, Bug] = {bug.name: bug for bugs in THEMES.values() for bug in bugs}
"""Every bug model by its name."""

__all__ = ["BUGS", "THEMES", "Bug", "Functions"]
