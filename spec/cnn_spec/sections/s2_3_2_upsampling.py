"""Notes §2.3.2: upsampling, and convolution with a fractional stride."""

from typing import Any

import numpy as np

from cnn_spec.bounds import Oracle
from cnn_spec.case import Case
from cnn_spec.clause import Clause, Law, Standing
from cnn_spec.comparison import Comparison, compare
from cnn_spec.laws import agreement, every, on_every_call, same_numbers, spread
from cnn_spec.operations import Array, Call, Implementation
from cnn_spec.shapes import forward_shape
from cnn_spec.sights import (
    a_factor_above_one,
    a_kernel_above_one,
    a_stride_above_one,
    an_output_padding,
    exact_integers,
    spans_of,
)
from cnn_spec.sizes import upsampled_size


def kept_elements_come_back(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """Every S-th element of the upsampled map is the map."""
    return compare(implementation(case.call)[0][every(case.call["factor"])], case.call["x"])


def upsampled_first(call: Call) -> tuple[Call, tuple[Any, ...]]:
    """The transposed convolution with stride 1 of the upsampled map, and which part of the outputs it has.

    Output padding is taken from the padding behind; what is left of it lies beyond the reach of any filter.
    """
    ones = (1,) * call.rank
    sizes = tuple(map(upsampled_size, call["x"].shape[2:], call["stride"]))
    padding = tuple(
        (before, max(after - more, 0))
        for (before, after), more in zip(call["padding"], call["output_padding"], strict=True)
    )
    unreached = (
        max(more - after, 0) for (_, after), more in zip(call["padding"], call["output_padding"], strict=True)
    )
    first = call.but(
        x=spread(call["x"], call["stride"], sizes),
        stride=ones,
        output_padding=(0,) * call.rank,
        padding=padding,
    )
    return first, (..., *(slice(None, -n or None) for n in unreached))


def a_reached_output(case: Case) -> bool:
    """Outputs that some filter reaches, so that there is something left without what no filter does."""
    return min(forward_shape(upsampled_first(case.call)[0])) >= 1


def upsampled_then_stride_one(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """conv_transpose(x, stride S) = conv_transpose(x upsampled by S, stride 1), as far as any filter reaches."""
    call = case.call
    first, reached = upsampled_first(call)
    expected, got = implementation(first)[0], implementation(call)[0][reached]
    return same_numbers(case, oracle, expected, got, (first, 0), (call, 0))


def flipped_and_exchanged(w: Array, groups: int) -> Array:
    """The filters turned by 180 degrees, with input and output channels exchanged within each group."""
    split = w.reshape(groups, -1, *w.shape[1:]).swapaxes(1, 2)
    turned = np.flip(split, axis=tuple(range(3, split.ndim)))
    return np.ascontiguousarray(turned.reshape(-1, *turned.shape[2:]))


def upsampled_then_fully_convolved(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """conv_transpose(x, w) = crop(conv(x upsampled by S, w flipped and exchanged, padded by all but one cell)).

    The convolution is the oracle's: another function's bug is not this one's.
    """
    call = case.call
    sizes = tuple(map(upsampled_size, call["x"].shape[2:], call["stride"]))
    full = call.on(
        "conv",
        x=spread(call["x"], call["stride"], sizes),
        w=flipped_and_exchanged(call["w"], call["groups"]),
        stride=(1,) * call.rank,
        padding=tuple(
            (span - 1, span - 1 + more)
            for span, more in zip(spans_of(call), call["output_padding"], strict=True)
        ),
    )
    cropped: tuple[Any, ...] = tuple(slice(before, -after or None) for before, after in call["padding"])
    expected = oracle(full)[0][(..., *cropped)]
    return same_numbers(case, oracle, expected, implementation(call)[0], (full, 0), (call, 0))


CLAUSES = (
    Clause(
        id="UP-ZEROS",
        section="2.3.2",
        standing=Standing.AMBIGUOUS,
        statement="Upsampling by S puts S - 1 zeros between neighbours, so N become S (N - 1) + 1.",
        notes_say="S - 1 rows and columns of zeros are added for every map: in all, between, or after each?",
        counterexample="N=3, S=2: 4 in all, 5 between neighbours, 6 after each.",
        laws=(
            Law(operation="upsample", check=agreement("y", "upsampled map"), must_see=(a_factor_above_one,)),
            *on_every_call(("upsample",), must_see=(a_factor_above_one,)),
        ),
    ),
    Clause(
        id="UP-DOWN",
        section="2.3.2",
        standing=Standing.HOLDS,
        statement="Downsampling undoes upsampling by the same factor.",
        laws=(Law(operation="upsample", check=kept_elements_come_back, must_see=(a_factor_above_one,)),),
    ),
    Clause(
        id="UP-FRAC",
        section="2.3.2",
        standing=Standing.HOLDS,
        statement=(
            "A convolution with stride 1/S is upsampling by S, then a convolution with stride 1: a "
            "transposed convolution by the flipped kernel, without the K - 1 outputs at each end that see "
            "only a part of it."
        ),
        laws=(
            Law(
                operation="conv_transpose",
                check=agreement("y", "enlarged map"),
                must_see=(a_kernel_above_one, a_stride_above_one, an_output_padding),
            ),
            Law(
                operation="conv_transpose",
                check=upsampled_then_stride_one,
                when=(exact_integers, a_stride_above_one, a_reached_output),
            ),
            Law(
                operation="conv_transpose",
                check=upsampled_then_fully_convolved,
                when=(exact_integers,),
                must_see=(a_kernel_above_one, a_stride_above_one),
            ),
        ),
    ),
    Clause(
        id="UP-TYPICAL",
        section="2.3.2",
        standing=Standing.NOT_EXECUTABLE,
        statement=(
            "Upsampling does not usually come before pooling or the last convolution: a statement about "
            "practice. What can be executed of it is why: a maximum over a sample and the zeros put in "
            "beside it is max(x, 0)."
        ),
    ),
)
