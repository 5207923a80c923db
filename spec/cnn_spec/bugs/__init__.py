"""The catalogue of bug models: named wrong variants of the operations, by theme.

It measures the suite (which of them does a run catch?) and names the bug in a candidate (which of them
answers as it does?).
"""

from collections.abc import Mapping

from cnn_spec.bugs import (
    adapters,
    convolution,
    convolution_backward,
    memory,
    numerics,
    pooling,
    pooling_backward,
    resampling,
    sizes,
)
from cnn_spec.bugs.model import Bug, Functions

THEMES: Mapping[str, tuple[Bug, ...]] = {
    "convolution": convolution.BUGS,
    "convolution backward": convolution_backward.BUGS,
    "pooling": pooling.BUGS,
    "pooling backward": pooling_backward.BUGS,
    "resampling": resampling.BUGS,
    "sizes": sizes.BUGS,
    "numerics": numerics.BUGS,
    "state and memory": memory.BUGS,
    "adapters": adapters.BUGS,
}
"""The catalogue, theme by theme."""

BUGS: Mapping[str, Bug] = {bug.name: bug for bugs in THEMES.values() for bug in bugs}
"""Every bug model by its name."""

__all__ = ["BUGS", "THEMES", "Bug", "Functions"]
