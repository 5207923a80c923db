"""Notes §3.3: max and mean pooling, forward as the notes define them there, and their derivatives."""

from math import prod

import numpy as np

from cnn_spec.bounds import Oracle, gamma, unit_roundoff
from cnn_spec.case import Case
from cnn_spec.clause import Clause, Law, Standing
from cnn_spec.comparison import Comparison, compare
from cnn_spec.definitions.pooling import shares_at_ties, split_at_ties
from cnn_spec.laws import agree, agreement, inner, middle_only
from cnn_spec.operations import Array, Implementation
from cnn_spec.roundings import windows_on_an_element
from cnn_spec.sights import (
    a_kernel_above_one,
    a_stride_above_one,
    a_window_that_sticks_out,
    complete_windows,
    counted_padding,
    exact_integers,
    overlapping_windows,
    padding,
    partial_windows,
    ties,
    uncounted_padding,
    untied,
)


def each_window_credits_one_of_its_largest(
    implementation: Implementation, case: Case, oracle: Oracle
) -> Comparison:
    """Read off dx, a sum of distinct powers of two, which element each window's derivative went to.

    Under the convention `tie_gradient: split` the largest elements of a window share it equally. The first
    and the last plane are read: windows are found literally, which is slow.
    """
    call = case.call
    dy, x, dx = (outer_planes(a) for a in (call["dy"], call["x"], implementation(call)[0]))
    if oracle.declared.convention("tie_gradient") == "split":
        expected = split_at_ties(dy.astype(np.float64), x, **call.parameters)
        # A share is divided by, or multiplied by the reciprocal of, the number of ties, then added to the others.
        steps = windows_on_an_element(call) + 1
        rounding = gamma(steps, unit_roundoff(case.dtype)) + gamma(steps, 2.0**-53)
        return compare(dx, expected, rounding * np.abs(expected))
    return compare(dx, shares_at_ties(dy, x, dx, **call.parameters))


def outer_planes(a: Array) -> Array:
    """The first channel of the first sample and the last channel of the last."""
    return a[:1, :1] if a.shape[:2] == (1, 1) else np.stack([a[0, :1], a[-1, -1:]])


def winners_are_credited_what_they_won(
    implementation: Implementation, case: Case, oracle: Oracle
) -> Comparison:
    """<dx, x> = <dy, y>: max pooling is homogeneous of degree one, with ties and overlaps too."""
    (y,) = oracle(case.call.on("max_pool"))
    (dx,) = implementation(case.call)
    return compare(np.array(inner(dx, case.call["x"])), np.array(inner(case.call["dy"], y)))


def one_window_credits_its_own_place(
    implementation: Implementation, case: Case, oracle: Oracle
) -> Comparison:
    """A single one in each channel of dy ends at the largest element of that window, wherever it lies."""
    one_hot = middle_only(np.ones_like(case.call["dy"]), *range(2, 2 + case.call.rank))
    return agree(implementation, case.call.but(dy=one_hot), case, oracle, "dx")


def the_index_points_at_the_value(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """y = x.flat[index] in each plane, and y is the largest element: any one of the tied ones will do."""
    x = case.call["x"]
    _, indices = implementation(case.call)
    planes = x.reshape(*x.shape[:2], -1)
    flat = indices.reshape(*x.shape[:2], -1).astype(np.int64)
    inside = (flat >= 0) & (flat < planes.shape[-1])
    found = np.take_along_axis(planes, np.where(inside, flat, 0), axis=-1)
    got = np.where(inside, found, np.nan).reshape(indices.shape)
    return compare(got, oracle(case.call)[0])


def the_index_lies_in_its_window(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """On each axis the index is that of one of the window's cells: the nearest of them is the index itself."""
    call = case.call
    _, indices = implementation(call)
    spatial = call["x"].shape[2:]
    on_the_plane = np.clip(indices, 0, prod(spatial) - 1)
    nearest = []
    for axis, at in enumerate(np.unravel_index(on_the_plane, spatial)):
        stride, (before, _), dilation = (call[n][axis] for n in ("stride", "padding", "dilation"))
        starts = np.arange(indices.shape[2 + axis]) * stride - before
        starts = starts.reshape(-1, *(1,) * (call.rank - 1 - axis))
        cell = np.clip((at - starts) // dilation, 0, call["kernel_size"][axis] - 1)
        nearest.append(np.clip(starts + cell * dilation, 0, spatial[axis] - 1))
    return compare(indices, np.ravel_multi_index(tuple(nearest), spatial))


def several_axes_of_samples(case: Case) -> bool:
    """A plane of more than one sample on its last axis."""
    return bool(case.call["x"].shape[-1] > 1)


def nothing_in_nothing_out(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """dy = 0 gives dx = 0 everywhere: dx starts as zeros."""
    (dx,) = implementation(case.call.but(dy=np.zeros_like(case.call["dy"])))
    return compare(dx, np.zeros_like(case.call["x"]))


def the_input_does_not_matter(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """dx is the same for another input of the same shape."""
    (dx,) = implementation(case.call)
    (other,) = implementation(case.call.but(x=-3 * case.call["x"][::-1]))
    return compare(other, dx)


def every_element_gets_the_same_share(
    implementation: Implementation, case: Case, oracle: Oracle
) -> Comparison:
    """A single one in each channel of dy is shared out equally among the elements of that window."""
    one_hot = middle_only(np.full_like(case.call["dy"], 64.0), *range(2, 2 + case.call.rank))
    return agree(implementation, case.call.but(dy=one_hot), case, oracle, "dx")


CLAUSES = (
    Clause(
        id="MAX-SELECT",
        section="3.3.1",
        standing=Standing.HOLDS,
        statement="Each pooled value is the largest element of its window.",
        laws=(
            Law(
                operation="max_pool",
                check=agreement("y", "largest element"),
                must_see=(a_kernel_above_one,),
            ),
            Law(
                operation="max_pool_with_indices",
                check=agreement("y", "largest element"),
                must_see=(a_kernel_above_one,),
            ),
        ),
    ),
    Clause(
        id="MAX-INDEX",
        section="3.3.1",
        standing=Standing.AMBIGUOUS,
        statement=(
            "The index of a pooled value is the place of one of its window's largest elements, flat and row-major "
            "in the unpadded plane. At a tie the whole derivative goes to one of the largest elements, to any of them, unless the "
            "convention `tie_gradient` says that they share it equally."
        ),
        notes_say="The index of the largest element is saved, as if there were one.",
        counterexample="N=K=2, x=(0, 0): (1, 0), (0, 1) and (1/2, 1/2) are subgradients, (1, 1) is not.",
        laws=(
            Law(
                operation="max_pool_backward",
                check=each_window_credits_one_of_its_largest,
                when=(ties,),
                must_see=(a_kernel_above_one, overlapping_windows),
            ),
            Law(
                operation="max_pool_with_indices",
                check=the_index_points_at_the_value,
                must_see=(a_kernel_above_one, padding, several_axes_of_samples, ties),
            ),
            Law(
                operation="max_pool_with_indices",
                check=the_index_lies_in_its_window,
                must_see=(a_kernel_above_one, padding, ties),
            ),
        ),
    ),
    Clause(
        id="MAX-INIT",
        section="3.3.1",
        standing=Standing.HOLDS,
        statement="The derivative starts as zeros of the input's shape; elements that win nothing keep them.",
        laws=(
            Law(
                operation="max_pool_backward",
                check=nothing_in_nothing_out,
                when=(exact_integers,),
                must_see=(a_kernel_above_one,),
            ),
        ),
    ),
    Clause(
        id="MAX-ROUTE",
        section="3.3.1",
        standing=Standing.AMBIGUOUS,
        statement="Each window's derivative is added at the window's largest element.",
        notes_say="It is mapped to that element: assigned or added is not said.",
        counterexample="N=3, K=2, S=1, x=(0, 1, 0), dy=(1, 1): added (0, 2, 0), assigned (0, 1, 0).",
        laws=(
            Law(
                operation="max_pool_backward",
                check=agreement("dx", "input derivative"),
                when=(untied,),
                must_see=(overlapping_windows,),
            ),
            Law(
                operation="max_pool_backward",
                check=winners_are_credited_what_they_won,
                when=(exact_integers,),
                must_see=(overlapping_windows,),
            ),
        ),
    ),
    Clause(
        id="MAX-COORD",
        section="3.3.1",
        standing=Standing.DOMAIN,
        statement="An element's place in the input is its window's start, S times the window's place, plus its place in the window.",
        domain="The notes' window coordinates are input coordinates only at stride 1.",
        notes_say="Windows are indexed by the pixel (x, y) at which they start.",
        counterexample="N=3, K=1, S=2: output 1 belongs to input 2.",
        laws=(
            Law(
                operation="max_pool_backward",
                check=one_window_credits_its_own_place,
                when=(exact_integers, a_stride_above_one),
            ),
        ),
    ),
    Clause(
        id="MEAN-FWD",
        section="3.3.2",
        standing=Standing.DOMAIN,
        statement="Each pooled value is the sum over its window divided by the number of its elements.",
        domain="Windows that lie wholly on the map.",
        notes_say="The sum over the window divided by K^2.",
        counterexample="N=3, K=2, S=2, rounded up: the last window holds 1 element, on one axis, not K^2.",
        laws=(
            Law(
                operation="avg_pool",
                check=agreement("y", "mean"),
                when=(complete_windows,),
                must_see=(a_kernel_above_one,),
            ),
        ),
    ),
    Clause(
        id="MEAN-COUNT",
        section="3.3.2",
        standing=Standing.AMBIGUOUS,
        statement=(
            "A window that reaches beyond the map is divided by its elements on the map, or with "
            "`count_include_pad` by those on map and padding; never by what lies beyond, unless the convention "
            "`mean_overhang` says that then the whole window counts."
        ),
        notes_say="The divisor is the number of elements of a window, said to be K squared.",
        counterexample="N=3, K=2, S=2 rounded up, x=(1, 2, 4): the last mean is 4, not 2.",
        laws=(
            Law(
                operation="avg_pool",
                check=agreement("y", "mean"),
                when=(partial_windows,),
                must_see=(counted_padding, uncounted_padding, a_window_that_sticks_out),
            ),
        ),
    ),
    Clause(
        id="MEAN-EQUAL",
        section="3.3.2",
        standing=Standing.HOLDS,
        statement="Every element of a window gets the same share of its derivative.",
        laws=(
            Law(
                operation="avg_pool_backward",
                check=every_element_gets_the_same_share,
                when=(exact_integers, a_kernel_above_one),
            ),
        ),
    ),
    Clause(
        id="MEAN-ROUTE",
        section="3.3.2",
        standing=Standing.AMBIGUOUS,
        statement="The shares of the windows that cover an element are added.",
        notes_say="The share is assigned to each element: assigned or added is not said.",
        counterexample="N=3, K=2, S=1, dy=(1, 1): added (1/2, 1, 1/2), assigned (1/2, 1/2, 1/2).",
        laws=(
            Law(
                operation="avg_pool_backward",
                check=agreement("dx", "input derivative"),
                must_see=(overlapping_windows,),
            ),
        ),
    ),
    Clause(
        id="MEAN-NOIDX",
        section="3.3.2",
        standing=Standing.HOLDS,
        statement="The derivative of mean pooling does not depend on the input's values.",
        laws=(
            Law(
                operation="avg_pool_backward",
                check=the_input_does_not_matter,
                when=(exact_integers,),
                must_see=(a_kernel_above_one,),
            ),
        ),
    ),
    Clause(
        id="MAX-ZERO",
        section="3.3.1",
        standing=Standing.DOMAIN,
        statement="An element that is not its window's largest gets nothing from that window.",
        domain="Nothing at all only if windows do not overlap (S >= K).",
        notes_say="All other elements of a window have derivative zero.",
        counterexample=(
            "N=3, K=2, S=1, x=(0, 1, 2), dy=(1, 1): (0, 1, 1), although 1 is not the largest of (1, 2)."
        ),
    ),
    Clause(
        id="MAX-FWDWORD",
        section="3.3.1",
        standing=Standing.NOT_EXECUTABLE,
        statement=(
            "The derivative of the output is said to stem from the forward pass: wording. It arrives in "
            "the backward pass; the forward pass leaves the index."
        ),
    ),
    Clause(
        id="MEAN-INIT",
        section="3.3.2",
        standing=Standing.HOLDS,
        statement="The derivative starts as zeros of the input's shape; elements in no window keep them.",
    ),
    Clause(
        id="MEAN-ALLUSED",
        section="3.3.2",
        standing=Standing.DOMAIN,
        statement=(
            "Mean pooling uses every sample exactly when S divides N - K and, if there are several "
            "windows, S <= K."
        ),
        domain="S divides N - K, and S <= K or N = K.",
        notes_say="Every pixel is used.",
        counterexample="N=2, K=1, S=2: the second sample is not.",
    ),
)
