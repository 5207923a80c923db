"""What stands behind each clause, keyed by its id; the files mirror `cnn_spec.sections`.

Only these files import SymPy, and only when `evidence` is called.
"""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnn_spec.checks.check import Evidence

PARTS = (
    "s1_1_scanning",
    "s1_3_distribution",
    "s1_3_2_efficiency",
    "s1_4_pooling",
    "s1_5_invariance",
    "s1_6_heads",
    "s1_7_depthwise",
    "s1_8_receptive_fields",
    "s2_1_convolution",
    "s2_1_2_padding",
    "s2_2_pooling",
    "s2_3_1_sizes",
    "s2_3_1_downsampling",
    "s2_3_2_upsampling",
    "s3_1_learning",
    "s3_2_2_contributions",
    "s3_2_2_flipping",
    "s3_2_3_weights",
    "s3_3_pooling_backward",
    "s3_4_resampling_backward",
    "s4_references",
    "interface",
)


@cache
def evidence() -> dict[str, "Evidence"]:
    """The evidence of every clause, in the notes' order.

    Raises ValueError if two files speak for one clause.
    """
    found: dict[str, Evidence] = {}
    for name in PARTS:
        here: dict[str, Evidence] = import_module(f"{__name__}.{name}").EVIDENCE
        if twice := found.keys() & here.keys():
            raise ValueError(f"evidence given twice for {', '.join(sorted(twice))}")
        found |= here
    return found
