"""The clauses, in the order of the notes: one file for each part of them, and one for the interface."""

from collections.abc import Mapping

from cnn_spec.clause import Clause
from cnn_spec.sections import (
    interface,
    interface_activations,
    interface_calls,
    interface_layers,
    interface_limits,
    interface_process,
    s1_1_scanning,
    s1_3_distribution,
    s1_4_pooling,
    s1_5_invariance,
    s1_6_heads,
    s1_7_depthwise,
    s1_8_receptive_fields,
    s2_1_2_padding,
    s2_1_convolution,
    s2_2_pooling,
    s2_3_2_upsampling,
    s2_3_striding,
    s3_1_learning,
    s3_2_convolution_backward,
    s3_3_pooling_backward,
    s3_4_resampling_backward,
    s4_references,
)

CLAUSES: Mapping[str, Clause] = {
    clause.id: clause
    for section in (
        s1_1_scanning,
        s1_3_distribution,
        s1_4_pooling,
        s1_5_invariance,
        s1_6_heads,
        s1_7_depthwise,
        s1_8_receptive_fields,
        s2_1_convolution,
        s2_1_2_padding,
        s2_2_pooling,
        s2_3_striding,
        s2_3_2_upsampling,
        s3_1_learning,
        s3_2_convolution_backward,
        s3_3_pooling_backward,
        s3_4_resampling_backward,
        s4_references,
        interface,
        interface_calls,
        interface_limits,
        interface_layers,
        interface_activations,
        interface_process,
    )
    for clause in section.CLAUSES
}
"""Every clause by its id."""
