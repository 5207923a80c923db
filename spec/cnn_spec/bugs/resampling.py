"""Wrong downsampling and upsampling, and their derivatives: which samples, where the zeros, what is added."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from cnn_spec.bugs.changes import (
    ALL,
    SEVERAL,
    beyond,
    first_for_all,
    first_sample_for_all,
    last_for_all,
    nothing,
    on_the_last_only,
    reverse_axes,
    zeroed,
)
from cnn_spec.bugs.conditions import batched, channels_above, kind
from cnn_spec.bugs.model import Bug, Wrong, answering, bug, fitted, giving, taking
from cnn_spec.laws import every
from cnn_spec.operations import Array, Call
from cnn_spec.shapes import result_shapes

DOWN, UP, DOWN_BACK, UP_BACK = "downsample", "upsample", "downsample_backward", "upsample_backward"


def enlarging(call: Call) -> bool:
    """A factor above 1."""
    return bool(max(call["factor"]) > 1)


def above_two(call: Call) -> bool:
    """A factor above 2."""
    return bool(max(call["factor"]) > 2)


def divided(call: Call) -> bool:
    """Every axis is divided by its factor, which is above 1 on some."""
    return enlarging(call) and all(
        n % f == 0 for n, f in zip(call["x"].shape[2:], call["factor"], strict=True)
    )


def beginning(starts: Callable[[int], int]) -> Wrong:
    """Another one of every so many samples is kept; zero where there is none."""

    def define(call: Call) -> Array:
        x = np.pad(call["x"], [(0, 0), (0, 0), *((0, f) for f in call["factor"])])
        where: tuple[Any, ...] = (..., *(slice(starts(f), None, f) for f in call["factor"]))
        return fitted(x[where], result_shapes(call)[0])

    return answering(define)


def blocks(combine: Callable[[Array, int], Array]) -> Wrong:
    """What each block of samples comes to, an axis at a time."""

    def define(call: Call) -> Array:
        a: Array = call["x"]
        for axis, f in enumerate(call["factor"], start=2):
            pad = [(0, 0)] * a.ndim
            pad[axis] = (0, -a.shape[axis] % f)
            padded = np.pad(a, pad)
            a = combine(padded.reshape(*a.shape[:axis], -1, f, *a.shape[axis + 1 :]), axis + 1)
        return a

    return answering(define)


def repeated(name: str) -> Wrong:
    """Each sample is repeated, not followed by zeros."""

    def define(call: Call) -> Array:
        a = call[name]
        for axis, f in enumerate(call["factor"], start=2):
            a = np.repeat(a, f, axis)
        return fitted(a, result_shapes(call)[0])

    return answering(define)


def summed(call: Call) -> Array:
    """The derivative of repeating: the sum over each block."""
    a: Array = call["dy"]
    for axis, (n, f) in enumerate(zip(call["x"].shape[2:], call["factor"], strict=True), start=2):
        pad = [(0, 0)] * a.ndim
        pad[axis] = (0, n * f - a.shape[axis])
        a = np.pad(a, pad).reshape(*a.shape[:axis], n, f, *a.shape[axis + 1 :]).sum(axis + 1)
    return a


def zeros_after_each(call: Call) -> Array:
    """As many zeros behind the last sample too."""
    y = np.zeros(
        (*call["x"].shape[:2], *(n * f for n, f in zip(call["x"].shape[2:], call["factor"], strict=True)))
    )
    y[every(call["factor"])] = call["x"]
    return y


def zeros_first(call: Call) -> Array:
    """The samples come last in their blocks."""
    y = zeros_after_each(call)
    for axis, f in enumerate(call["factor"], start=2):
        y = np.roll(y, f - 1, axis)
    return fitted(y, result_shapes(call)[0])


def zeros_at_the_end(call: Call) -> Array:
    """All zeros behind the map."""
    return fitted(call["x"], result_shapes(call)[0])


def floor_size(call: Call) -> Array:
    """The last sample is dropped where the factor does not divide."""
    y = call["x"][every(call["factor"])]
    sizes = (n // f for n, f in zip(call["x"].shape[2:], call["factor"], strict=True))
    return np.asarray(y[(slice(None), slice(None), *map(slice, sizes))])


def between(call: Call, y: Array) -> Array:
    """Means of the neighbours between the samples of the last axis."""
    f = call["factor"][-1]
    found = np.array(y)
    for at in range(1, f):
        found[..., at::f] = (y[..., :-1:f] + y[..., f::f])[..., : found[..., at::f].shape[-1]] / 2
    return found


def one_zero(call: Call) -> Array:
    """One zero for each sample that is kept, whatever the factor."""
    dx = np.zeros(result_shapes(call)[0])
    spaced = np.zeros((*call["dy"].shape[:2], *(2 * n for n in call["dy"].shape[2:])))
    spaced[every((2,) * call.rank)] = call["dy"]
    return fitted(spaced, dx.shape)


def cropped(call: Call) -> Array:
    """The derivative without the samples behind the last that was kept."""
    sizes = ((n - 1) * f + 1 for n, f in zip(call["dy"].shape[2:], call["factor"], strict=True))
    dx = np.zeros((*call["dy"].shape[:2], *sizes))
    dx[every(call["factor"])] = call["dy"]
    return dx


def shifted(call: Call, dx: Array) -> Array:
    """One place further on, on the last axis, around the end."""
    return np.roll(dx, 1, -1)


def skipping(call: Call) -> Array:
    """One of every factor less one."""
    steps = tuple(max(f - 1, 1) for f in call["factor"])
    return fitted(call["dy"][every(steps)], result_shapes(call)[0])


def two_at_most(call: Call, factor: tuple[int, ...]) -> tuple[int, ...]:
    """2 for every factor above it."""
    return tuple(min(f, 2) for f in factor)


def all_factors(call: Call) -> int:
    """The product of the factors."""
    return prod(call["factor"])


def first_place(call: Call, a: Array) -> Any:
    """The first place of each plane only."""
    return np.where(np.arange(a.size // max(a.shape[0] * a.shape[1], 1)).reshape(a.shape[2:]) == 0, a, 0)


DOWNSAMPLING: tuple[Bug, ...] = (
    bug("the last of every so many samples is kept", DOWN, beginning(lambda f: f - 1), source="DOWN-DROP"),
    bug(
        "the middle one of every so many samples is kept",
        DOWN,
        beginning(lambda f: f // 2),
        source="DOWN-DROP",
    ),
    bug("the mean of every so many samples", DOWN, blocks(lambda a, axis: a.mean(axis))),
    bug("the sum of every so many samples", DOWN, blocks(lambda a, axis: a.sum(axis))),
    bug("the largest of every so many samples", DOWN, blocks(lambda a, axis: a.max(axis))),
    bug(
        "the last kept sample is dropped where the factor does not divide",
        DOWN,
        answering(floor_size),
        source="DOWN-SIZE",
    ),
    bug(
        "a factor above 2 is taken for 2 in downsampling",
        DOWN,
        taking("factor", two_at_most),
    ),
    bug(
        "downsampling factors are in reverse order of the axes",
        DOWN,
        taking("factor", reverse_axes),
        ranks=SEVERAL,
    ),
    bug(
        "the first axis' downsampling factor counts for all",
        DOWN,
        taking("factor", first_for_all),
        ranks=SEVERAL,
    ),
    bug(
        "the last axis' downsampling factor counts for all",
        DOWN,
        taking("factor", last_for_all),
        ranks=SEVERAL,
    ),
    bug(
        "downsampling on the last axis only",
        DOWN,
        taking("factor", on_the_last_only),
        ranks=SEVERAL,
    ),
    bug(
        "the last column is zero in downsampling where the factor divides",
        DOWN,
        giving("y", zeroed(..., -1)),
        divided,
    ),
    bug(
        "every sample of a batch is the first in downsampling",
        DOWN,
        giving("y", first_sample_for_all),
        batched,
    ),
    bug(
        "downsampled columns beyond the 64th are zero",
        DOWN,
        giving("y", zeroed(..., beyond(64))),
    ),
    bug(
        "the last channel is zero in downsampling of many",
        DOWN,
        giving("y", zeroed(ALL, -1)),
        channels_above(32),
    ),
)

UPSAMPLING: tuple[Bug, ...] = (
    bug("samples are repeated, not followed by zeros", UP, repeated("x"), source="UP-ZEROS"),
    bug("zeros follow the last sample too", UP, answering(zeros_after_each), source="UP-ZEROS"),
    bug("zeros come before the samples", UP, answering(zeros_first), source="UP-ZEROS"),
    bug("all zeros come behind the map", UP, answering(zeros_at_the_end), source="UP-ZEROS"),
    bug("means of the neighbours instead of zeros", UP, giving("y", between), enlarging),
    bug("ones instead of zeros", UP, giving("y", lambda c, y: np.where(y == 0, 1, y))),
    bug(
        "a factor above 2 is taken for 2 in upsampling",
        UP,
        taking("factor", two_at_most),
    ),
    bug(
        "upsampling factors are in reverse order of the axes",
        UP,
        taking("factor", reverse_axes),
        ranks=SEVERAL,
    ),
    bug(
        "the first axis' upsampling factor counts for all", UP, taking("factor", first_for_all), ranks=SEVERAL
    ),
    bug(
        "upsampling on the last axis only",
        UP,
        taking("factor", on_the_last_only),
        ranks=SEVERAL,
    ),
    bug("the last column is zero in upsampling", UP, giving("y", zeroed(..., -1)), enlarging),
    bug(
        "upsampled samples are multiplied by the factor",
        UP,
        giving("y", lambda c, y: y * all_factors(c)),
    ),
    bug(
        "the last sample of a batch is zero in upsampling in 3-d",
        UP,
        giving("y", zeroed(-1)),
        batched,
        ranks=(3,),
    ),
)

DOWNSAMPLING_DX: tuple[Bug, ...] = (
    bug("derivatives are repeated over what was dropped", DOWN_BACK, repeated("dy"), source="DOWN-BWD"),
    bug(
        "one zero for each kept sample, whatever the factor",
        DOWN_BACK,
        answering(one_zero),
        source="DOWN-BWD-LIST",
    ),
    bug(
        "derivatives go to the next sample if there is a factor", DOWN_BACK, giving("dx", shifted), enlarging
    ),
    bug(
        "the derivative ends with the last kept sample", DOWN_BACK, answering(cropped), source="DOWN-BWD-LIST"
    ),
    bug(
        "derivatives of downsampling are multiplied by the factor",
        DOWN_BACK,
        giving("dx", lambda c, dx: dx * all_factors(c)),
    ),
    bug(
        "derivatives of downsampling are divided by the factor",
        DOWN_BACK,
        giving("dx", lambda c, dx: dx / all_factors(c)),
    ),
    bug("the last kept sample gets nothing", DOWN_BACK, taking("dy", zeroed(..., -1))),
    bug(
        "factors are in reverse order in downsampling's derivative",
        DOWN_BACK,
        taking("factor", reverse_axes),
        ranks=SEVERAL,
    ),
    bug(
        "the first axis' factor counts for all in downsampling's derivative",
        DOWN_BACK,
        taking("factor", first_for_all),
        ranks=SEVERAL,
    ),
    bug(
        "downsampling's derivative is zero in float64 with a factor above 2",
        DOWN_BACK,
        giving("dx", nothing),
        kind("float64"),
        above_two,
    ),
    bug(
        "every sample of a batch is the first in downsampling's derivative",
        DOWN_BACK,
        giving("dx", first_sample_for_all),
        batched,
    ),
)

UPSAMPLING_DX: tuple[Bug, ...] = (
    bug("derivatives of whole blocks are added up", UP_BACK, answering(summed), source="UP-BWD"),
    bug("one of every factor less one is taken", UP_BACK, answering(skipping), source="UP-BWD-LIST"),
    bug(
        "the neighbour's derivative is taken if there is a factor",
        UP_BACK,
        taking("dy", lambda c, dy: np.roll(dy, 1, -1)),
        enlarging,
    ),
    bug(
        "derivatives of upsampling are multiplied by the factor",
        UP_BACK,
        giving("dx", lambda c, dx: dx * all_factors(c)),
    ),
    bug("the last sample's derivative is zero", UP_BACK, giving("dx", zeroed(..., -1))),
    bug(
        "the last sample's derivative is zero with a factor above 2",
        UP_BACK,
        giving("dx", zeroed(..., -1)),
        above_two,
    ),
    bug("the first place of a plane only gets its derivative", UP_BACK, giving("dx", first_place)),
    bug(
        "every sample of a batch is the first in upsampling's derivative",
        UP_BACK,
        giving("dx", first_sample_for_all),
        batched,
    ),
    bug(
        "channels are in reverse order in upsampling's derivative",
        UP_BACK,
        giving("dx", lambda c, dx: dx[:, ::-1]),
    ),
)

BUGS = DOWNSAMPLING + UPSAMPLING + DOWNSAMPLING_DX + UPSAMPLING_DX
