"""Notes §2.3 (with §2.1.1's sizes): strides as full operations followed by downsampling."""

import numpy as np

from cnn_spec.bounds import Oracle
from cnn_spec.case import Case
from cnn_spec.cases.axis import pool_counts
from cnn_spec.clause import Clause, Law, Standing
from cnn_spec.comparison import Comparison, compare
from cnn_spec.laws import agreement, every, on_every_call, same_numbers
from cnn_spec.operations import Implementation
from cnn_spec.shapes import forward_shape
from cnn_spec.sights import (
    a_dilation_above_one,
    a_factor_above_one,
    a_kernel_above_one,
    a_remainder,
    a_stride_above_one,
    a_window_that_sticks_out,
    exact_integers,
    nothing_dropped,
    padding,
    several_channels,
    spans_of,
)


def full_then_downsampled(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """op(x, stride S) = every S-th of op(x, stride 1): the notes' "full" is stride 1, not padded."""
    call = case.call
    full = call.but(stride=(1,) * call.rank)
    (y,) = implementation(call)
    kept = implementation(full)[0][every(call["stride"])][tuple(map(slice, y.shape))]
    return same_numbers(case, oracle, kept, y, (call, 0), (full, 0))


def full_windows_on_the_input(case: Case) -> bool:
    """An element of the input in each window of stride 1 too, so that the call with it is valid."""
    call = case.call
    full = call.but(stride=(1,) * call.rank)
    names = ("kernel_size", "stride", "padding", "dilation")
    ones = (1,) * call.rank
    axes = zip(*(full.parameters.get(name, ones) for name in names), strict=True)
    sizes = zip(call["x"].shape[2:], forward_shape(full)[2:], axes, strict=True)
    return all(0 not in pool_counts(n, o, dict(zip(names, axis, strict=True))) for n, o, axis in sizes)


def shifted_input_shifted_output(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """Without its first S samples on the last axis, the input gives the output without its first element."""
    whole = case.call.but(padding=((0, 0),) * case.call.rank)
    shifted = whole.but(x=whole["x"][..., whole["stride"][-1] :])
    expected, got = implementation(whole)[0][..., 1:], implementation(shifted)[0]
    return same_numbers(case, oracle, expected, got, (whole, 0), (shifted, 0))


def room_for_a_shift(case: Case) -> bool:
    """An unpadded input with room for its windows, and one window more on the last axis."""
    sizes, spans = case.call["x"].shape[2:], spans_of(case.call)
    fits = all(n >= span for n, span in zip(sizes, spans, strict=True))
    return fits and bool(sizes[-1] >= spans[-1] + case.call["stride"][-1])


def unstrided(case: Case) -> bool:
    """Stride 1, no padding, no dilation."""
    call = case.call
    return bool(call["stride"] == call["dilation"] == 1 and call["padding"] == (0, 0))


def size_stride(case: Case) -> bool:
    """A stride above 1 that does not divide what is left behind the first window."""
    return _size_remainder(case) > 0


def _size_remainder(case: Case) -> int:
    call = case.call
    span = call["dilation"] * (call["kernel_size"] - 1) + 1
    return int((call["n"] + sum(call["padding"]) - span) % call["stride"])


def ceil_mode(case: Case) -> bool:
    """A size rounded up."""
    return bool(case.call["ceil_mode"])


def floor_mode(case: Case) -> bool:
    """A size rounded down."""
    return not ceil_mode(case)


def starts_beyond(case: Case) -> bool:
    """Rounded up, and the further window would start beyond the input and its leading padding."""
    call = case.call
    last = -(
        -(call["n"] + sum(call["padding"]) - call["dilation"] * (call["kernel_size"] - 1) - 1)
        // call["stride"]
    )
    return ceil_mode(case) and bool(last * call["stride"] >= call["n"] + call["padding"][0])


def each_map_is_a_downsampling(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """Map `c S^2 + offset` keeps every S-th element from that offset on: together the maps lose nothing."""
    x, factor = case.call["x"], case.call["factor"]
    maps = [
        x[(..., *(slice(start, None, f) for start, f in zip(offset, factor, strict=True)))]
        for offset in np.ndindex(*factor)
    ]
    expected = np.stack(maps, axis=2).reshape(x.shape[0], -1, *maps[0].shape[2:])
    return compare(implementation(case.call)[0], expected)


_SIZE = agreement("size", "size")
_WINDOWS = (a_kernel_above_one, padding, a_dilation_above_one)

CLAUSES = (
    Clause(
        id="CONV-SIZE",
        section="2.1.1",
        standing=Standing.DOMAIN,
        statement="A convolution of N samples with a kernel of K leaves N - K + 1.",
        domain="N >= K >= 1, stride 1, no padding, no dilation.",
        notes_say="The output side is N - M + 1, with no domain.",
        counterexample="N=1, K=3: the formula says -1.",
        laws=(
            Law(operation="conv_output_size", check=_SIZE, when=(unstrided,), must_see=(a_kernel_above_one,)),
        ),
    ),
    Clause(
        id="CONV-SHRINK",
        section="2.1.1",
        standing=Standing.DOMAIN,
        statement="The map is K - 1 smaller than the input.",
        domain="Smaller for K >= 2.",
        notes_say="Convolution reduces the size.",
        counterexample="N=1, K=1: nothing is lost.",
    ),
    Clause(
        id="CONV-EQUIV",
        section="2.1",
        standing=Standing.DOMAIN,
        statement="A convolution commutes with shifts by multiples of its stride, away from the border.",
        domain="Shifts by multiples of the stride.",
        notes_say="Shift-invariant, as the title of the first part has it.",
        counterexample="K=1, S=2: (1, 0, 0) gives (1, 0), shifted by one (0, 0).",
        laws=(
            Law(
                operation="conv",
                check=shifted_input_shifted_output,
                when=(exact_integers, room_for_a_shift),
                must_see=(a_kernel_above_one,),
            ),
        ),
    ),
    Clause(
        id="STRIDE-DECOMP",
        section="2.3.1",
        standing=Standing.AMBIGUOUS,
        statement="A convolution with stride S is the same convolution with stride 1, then every S-th element from the first on.",
        notes_say="A full convolution followed by downsampling; 'full' elsewhere means padded by K - 1.",
        counterexample="N=K=2, S=1: padded by K - 1 there would be 3 elements, not 1.",
        laws=(
            Law(
                operation="conv",
                check=full_then_downsampled,
                when=(exact_integers, a_stride_above_one),
                must_see=(a_kernel_above_one, a_remainder),
            ),
        ),
    ),
    Clause(
        id="CONV-STRIDE-SIZE",
        section="2.3.1",
        standing=Standing.DOMAIN,
        statement="A convolution with stride S leaves floor((N - K) / S) + 1, with N the padded size and K the dilated kernel.",
        domain="N >= K, S >= 1.",
        notes_say="floor((N - M)/S) + 1, with no domain, padding or dilation.",
        counterexample="N=1, K=2, S=2: truncated instead of floored division says 1.",
        laws=(
            Law(operation="conv_output_size", check=_SIZE, must_see=(size_stride, *_WINDOWS)),
            *on_every_call(("conv", "depthwise_conv", "separable_conv"), must_see=(a_remainder, *_WINDOWS)),
        ),
    ),
    Clause(
        id="POOL-DECOMP",
        section="2.3.1",
        standing=Standing.DOMAIN,
        statement="Pooling with stride S is pooling with stride 1, then every S-th element from the first on.",
        domain="Complete windows: sizes rounded down.",
        notes_say="Full pooling followed by downsampling, beside a pooled size by the ceiling.",
        counterexample="N=3, K=2, S=2 rounded up: 2 elements, but stride 1 and downsampling leave 1.",
        laws=tuple(
            Law(
                operation=name,
                check=full_then_downsampled,
                when=(exact_integers, a_stride_above_one, nothing_dropped, full_windows_on_the_input),
                must_see=(a_kernel_above_one, a_remainder),
            )
            for name in ("max_pool", "avg_pool")
        ),
    ),
    Clause(
        id="POOL-SIZE",
        section="2.3.1",
        standing=Standing.CORRECTED,
        statement=(
            "Pooling leaves floor((N - K) / S) + 1; in ceil mode one more if a remainder is left and a further, "
            "partial window starts on the input or its leading padding. By the convention `ceil_windows: all` it leaves "
            "ceil((N - K) / S) + 1, of which those without an element of the input are free."
        ),
        notes_say="Pooling leaves ceil((N - K) / S) + 1.",
        counterexample="N=2, K=1, S=2: 2 by the notes' formula, but only 1 window fits.",
        laws=(
            Law(
                operation="pool_output_size",
                check=_SIZE,
                must_see=(size_stride, floor_mode, ceil_mode, *_WINDOWS),
            ),
            *on_every_call(
                ("max_pool", "max_pool_with_indices", "avg_pool"),
                must_see=(a_kernel_above_one, padding, a_remainder, a_window_that_sticks_out),
            ),
        ),
    ),
    Clause(
        id="POOL-OUTSIDE",
        section="2.3.1",
        standing=Standing.CORRECTED,
        statement=(
            "No window starts beyond the input and its leading padding, unless the convention `ceil_windows` keeps them."
        ),
        notes_say="The formula with ceil counts such windows when the stride exceeds the kernel.",
        counterexample="N=2, K=1, S=2: a window at 2, where there is no sample.",
        laws=(Law(operation="pool_output_size", check=_SIZE, when=(starts_beyond,)),),
    ),
    Clause(
        id="DOWN-DROP",
        section="2.3.1",
        standing=Standing.AMBIGUOUS,
        statement="Downsampling by S keeps the first of every S rows and columns.",
        notes_say="S - 1 of every S are dropped, not saying which one stays.",
        counterexample="N=1, S=2: keeping the first leaves 1 element, keeping the last none.",
        laws=(
            Law(
                operation="downsample", check=agreement("y", "kept elements"), must_see=(a_factor_above_one,)
            ),
        ),
    ),
    Clause(
        id="DOWN-SIZE",
        section="2.3.1",
        standing=Standing.DOMAIN,
        statement="Downsampling N samples by S leaves ceil(N / S).",
        domain="N / S exactly only where S divides N.",
        notes_say="The map is downsampled by a factor of S.",
        counterexample="N=1, S=2: 1 element, not a half.",
        laws=on_every_call(("downsample",), must_see=(a_factor_above_one,)),
    ),
    Clause(
        id="STRIDE-EASE",
        section="2.3",
        standing=Standing.AMBIGUOUS,
        statement=(
            "Seen as downsampling, a stride needs no derivatives of its own: those of stride 1 and of "
            "downsampling are enough."
        ),
        notes_say="It reduces complexity: of the derivation, or of the computation.",
        counterexample="N=2, K=1, S=2: 1 product directly, 2 through the map with zeros.",
    ),
    Clause(
        id="DOWN-SAVE",
        section="2.3.1",
        standing=Standing.DOMAIN,
        statement="A stride above 1 takes fewer products, if the dropped outputs are never computed.",
        domain="S > 1 and N > K.",
        notes_say="Striding saves computation.",
        counterexample="N=1, K=1, S=2: 1 product with and without.",
    ),
    Clause(
        id="DOWN-LOSS",
        section="2.3.1",
        standing=Standing.HOLDS,
        statement="Downsampling may lose information: two maps have one image exactly when S > 1 and N > 1.",
    ),
    Clause(
        id="SHRINK-FACTOR",
        section="2.3.1",
        standing=Standing.DOMAIN,
        statement="The stride-1 map shrinks by exactly S where S divides its side.",
        domain="The map of stride 1, S divides N - K + 1.",
        notes_say="Each axis shrinks by a factor of S.",
        counterexample="N=4, K=3, S=2: from 4 samples to 1.",
    ),
    Clause(
        id="S2-MAPS",
        section="2.3.1",
        standing=Standing.CORRECTED,
        statement=(
            "Where K = S divides N, a linear layer that loses nothing needs S^2 output maps for each "
            "input map, and generic filters then lose nothing. In general at least N^2 / O^2 are needed, "
            "and that may not be enough."
        ),
        notes_say="Without S^2 times the maps, information is lost.",
        counterexample="N=K=1, S=2: 1 map is enough, not 4. N=K=2, S=1: 1 map is not enough, it takes 4.",
        laws=(
            Law(
                operation="pixel_unshuffle",
                check=each_map_is_a_downsampling,
                must_see=(a_factor_above_one, several_channels),
            ),
        ),
    ),
)
