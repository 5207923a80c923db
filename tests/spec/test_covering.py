"""The kept covering arrays: current, complete, and of what can be drawn; feasibility counted by other means."""

import json
from itertools import combinations, product

import numpy as np
import pytest

from cnn_spec.cases.axis import KERNELS, LONG, SHORT
from cnn_spec.cases.covering import _kept, feasible_count, feasible_tuples, rows_of, tuples_of
from cnn_spec.cases.space import Space, all_spaces, space_of

SPACES = {space.name: space for space in all_spaces()}


@pytest.mark.parametrize("name", SPACES)
def test_arrays_are_those_of_the_declaration(name: str) -> None:
    space = SPACES[name]
    assert json.loads(_kept(space).read_text())["declaration"] == space.digest


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("strength", [2, 3])
def test_every_feasible_tuple_is_in_some_row(name: str, strength: int) -> None:
    space = SPACES[name]
    covered = set().union(*(tuples_of(row, strength) for row in rows_of(space, strength)))
    assert covered == feasible_tuples(space, strength)
    assert len(covered) == feasible_count(space, strength)


def test_a_missing_row_would_be_noticed() -> None:
    space = SPACES["upsample-1d"]
    rows = rows_of(space, 2)
    wanted = feasible_tuples(space, 2)
    fewer = [set().union(*(tuples_of(r, 2) for r in rows[:i] + rows[i + 1 :])) for i in range(len(rows))]
    assert any(covered < wanted for covered in fewer)


def convolution_combinations(pooling: bool, dilations: tuple[int, ...]) -> set[tuple[str, ...]]:
    """Which levels of an axis go together, by arithmetic on whole arrays instead of the enumeration's loops."""
    lengths = [
        (level, o)
        for level, sizes in {**SHORT, **LONG}.items()
        for o in (sizes if level in SHORT else sizes[:1])
    ]
    found = set()
    for (kernel_level, kernels), d, (length, o) in product(KERNELS.items(), dilations, lengths):
        for k in kernels:
            span = d * (k - 1) + 1
            s, before, after, r = np.meshgrid(
                np.arange(1, span + 3),
                np.arange(span + 2),
                np.arange(span + 2),
                np.arange(span + 2),
                indexing="ij",
            )
            n = (o - 1) * s + span + r - before - after
            kept = (
                np.isin(s, [1, 2, 3, span, span + 1, span + 2])
                & (r < s)
                & ((r == 0) | (r == 1) | (r == s - 1))
                & (n >= 1)
            )
            near = np.maximum(before, after) < np.minimum(span, 3)
            far = (
                ((before == span) & (after == span))
                | ((before == span) & (after == 0))
                | ((before == 0) & (after == span))
                | ((before == span) & (after == span + 1))
            )
            kept &= near | far
            if pooling:
                kept &= np.maximum(before, after) < span
                for at in range(o + 1):
                    start = at * s - before
                    taps = sum(((start + j * d >= 0) & (start + j * d < n)).astype(int) for j in range(k))
                    kept &= (start >= n) | (taps > 0)
            further = np.where(
                r == 0, "none", np.where(o * s < n + before, "starts inside", "starts outside")
            )
            remainder = further if pooling else np.where(r == 0, "none", "some")
            padding = np.where(
                np.maximum(before, after) >= span,
                "beyond the kernel",
                np.where(before + after == 0, "none", np.where(before == after, "symmetric", "asymmetric")),
            )
            stride = np.where(s == 1, "1", np.where(s <= span, "overlapping", "gapped"))
            for levels in zip(stride[kept], padding[kept], remainder[kept], strict=True):
                level_of = dict(zip(("stride", "padding", "remainder"), map(str, levels), strict=True))
                dilation = ("1" if d == 1 else "above 1",) if len(dilations) > 1 else ()
                found.add(
                    (
                        kernel_level,
                        level_of["stride"],
                        *dilation,
                        level_of["padding"],
                        level_of["remainder"],
                        length,
                    )
                )
    return found


@pytest.mark.parametrize(
    ("operation", "pooling", "dilations"),
    [("conv", False, (1, 2, 3)), ("max_pool", True, (1, 2, 3)), ("avg_pool", True, (1,))],
)
def test_levels_that_go_together_are_those_of_the_arithmetic(
    operation: str, pooling: bool, dilations: tuple[int, ...]
) -> None:
    assert set(space_of(operation, 1).choices) == convolution_combinations(pooling, dilations)


def complete_rows(space: Space, factors: tuple[str, ...]) -> int:
    """Feasible tuples of some factors, by listing every axis and every choice of the other factors."""
    own = {f: levels for f, levels in space.factors.items() if f not in space.axis_factors}
    seen = set()
    longs = [f for f in own if set(own[f]) & set(LONG)]
    for axis in space.choices:
        of_axis = dict(zip(space.axis_factors, axis, strict=True))
        allowed = dict(own)
        if of_axis.get("length") in LONG:
            allowed |= {f: tuple(level for level in own[f] if level not in LONG) for f in longs}
        wanted = [f for f in factors if f in own]
        for chosen in product(*(allowed[f] for f in wanted)):
            if sum(level in LONG for level in chosen) > 1:
                continue
            row = {**of_axis, **dict(zip(wanted, chosen, strict=True))}
            seen.add(tuple(row[f] for f in factors))
    return len(seen)


@pytest.mark.parametrize("name", ["conv-1d", "conv-nd", "avg_pool-nd", "max_pool-1d", "downsample-nd"])
@pytest.mark.parametrize("strength", [2, 3])
def test_feasible_tuples_counted_by_listing_whole_rows(name: str, strength: int) -> None:
    space = SPACES[name]
    listed = sum(complete_rows(space, chosen) for chosen in combinations(space.factors, strength))
    assert listed == len(feasible_tuples(space, strength))
