"""The clauses, in the order of the notes: one file for each part of them, and one for the interface."""

from collections.abc import Mapping

from cnn_spec.clause import Clause
from cnn_spec.sections import (
    interface,
    s2_1_2_padding,
    s2_1_convolution,
    s2_2_pooling,
    s2_3_striding,
    s3_2_convolution_backward,
    s3_3_pooling_backward,
    s3_4_resampling_backward,
)

CLAUSES: Mapping[str, Clause] = {
    clause.id: clause
    for section in (
        s2_1_convolution,
        s2_1_2_padding,
        s2_2_pooling,
        s2_3_striding,
        s3_2_convolution_backward,
        s3_3_pooling_backward,
        s3_4_resampling_backward,
        interface,
    )
    for clause in section.CLAUSES
}
"""Every clause by its id."""
