"""Wrong derivatives of mean pooling: what each element gets, and whether windows add up."""

import numpy as np

from cnn_spec.bugs.changes import ALL, SEVERAL, all_one, beyond, reverse_axes, swap_pairs, zeroed
from cnn_spec.bugs.conditions import (
    batched,
    gapped,
    lopsided,
    off,
    on,
    outputs_above,
    overlapping,
    padded,
    partial,
    strided,
)
from cnn_spec.bugs.model import Bug, bug, giving, taking
from cnn_spec.bugs.pooling_rules import (
    credited,
    elements_only,
    over,
    padding_too,
    right_count,
    to_the_first,
    to_the_largest,
    whole,
    whole_kernel,
)

AVG = "avg_pool_backward"

RIGHT = over(right_count)


CREDIT: tuple[Bug, ...] = (
    bug("windows overwrite one another in means", AVG, credited(RIGHT, add=False), source="MEAN-ROUTE"),
    bug(
        "windows overwrite one another in means, if they overlap with a stride",
        AVG,
        credited(RIGHT, add=False),
        overlapping,
        strided,
    ),
    bug(
        "windows overwrite one another in means, in 3-d only",
        AVG,
        credited(RIGHT, add=False),
        ranks=(3,),
    ),
    bug(
        "the derivative of a mean is not divided",
        AVG,
        credited(over(lambda c, w: 1)),
        source="MEAN-ROUTE",
    ),
    bug(
        "the derivative of a mean is divided by the squared size in 1-d",
        AVG,
        credited(over(lambda c, w: right_count(c, w) ** 2)),
        ranks=(1,),
        source="MEAN-ROUTE",
    ),
    bug("the derivative of a mean is divided by the whole kernel", AVG, credited(over(whole_kernel))),
    bug("the derivative of a mean is divided by the elements", AVG, credited(over(elements_only))),
    bug("the derivative of a mean counts padding always", AVG, credited(over(padding_too))),
    bug(
        "the derivative of a partial mean is divided by the whole kernel",
        AVG,
        credited(over(whole_kernel)),
        partial,
    ),
    bug(
        "the derivative of a partial mean is divided by the whole kernel if padding counts",
        AVG,
        credited(over(whole_kernel)),
        partial,
        padded,
        on("count_include_pad"),
    ),
    bug(
        "partial windows are not credited in means",
        AVG,
        credited(lambda c, w, e: whole(c, w) * RIGHT(c, w, e)),
        off("count_include_pad"),
    ),
    bug("the largest element is credited in means", AVG, credited(to_the_largest)),
    bug("only the first window is credited in means", AVG, credited(RIGHT, order=lambda w: w[:1])),
    bug(
        "only the first element of a window is credited in means",
        AVG,
        credited(lambda c, w, e: to_the_first(c, w, e) * RIGHT(c, w, e)),
    ),
)

PLACES: tuple[Bug, ...] = (
    bug(
        "the derivative of means depends on the input",
        AVG,
        giving("dx", lambda c, dx: dx * (c["x"] > 0)),
        source="MEAN-NOIDX",
    ),
    bug(
        "the derivative of means misses the last row",
        AVG,
        giving("dx", zeroed(ALL, ALL, -1)),
        source="mlpack/mlpack/pull/2865",
    ),
    bug("the last sample of means gets nothing", AVG, giving("dx", zeroed(-1)), batched),
    bug(
        "the derivative of means beyond the 32nd column is zero",
        AVG,
        giving("dx", zeroed(..., beyond(32))),
        outputs_above(32),
    ),
    bug(
        "the derivative of means is spread over the gaps",
        AVG,
        giving("dx", lambda c, dx: np.where(dx == 0, np.roll(dx, 1, -1), dx)),
        gapped,
    ),
)

PARAMETERS: tuple[Bug, ...] = (
    bug(
        "count_include_pad means the contrary in the derivative",
        AVG,
        taking("count_include_pad", lambda c, on: not on),
    ),
    bug(
        "the stride is ignored in means' derivative",
        AVG,
        taking("stride", all_one),
        strided,
        off("ceil_mode"),
    ),
    bug(
        "the stride is the kernel's size in means' derivative",
        AVG,
        taking("stride", lambda c, s: c["kernel_size"]),
        overlapping,
    ),
    bug(
        "strides are in reverse order in means' derivative",
        AVG,
        taking("stride", reverse_axes),
        ranks=SEVERAL,
    ),
    bug(
        "kernel sizes are in reverse order in means' derivative",
        AVG,
        taking("kernel_size", reverse_axes),
        ranks=SEVERAL,
    ),
    bug("the padding's pairs are swapped in means' derivative", AVG, taking("padding", swap_pairs), lopsided),
    bug(
        "ceil_mode is ignored in means' derivative",
        AVG,
        taking("ceil_mode", lambda c, on: False),
        on("ceil_mode"),
    ),
)

BUGS = CREDIT + PLACES + PARAMETERS
