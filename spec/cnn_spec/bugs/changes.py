"""What is changed in an argument, a parameter or a result: the words of which the catalogue's rows are made."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from cnn_spec.bugs.model import Change, Wrong, asked, fitted, refitted
from cnn_spec.operations import Array, Call, Implementation, Results
from cnn_spec.sights import kernel_of

SEVERAL = (2, 3)
"""The ranks with axes to mix up."""

ALL = slice(None)
"""Every sample, every channel, or every filter."""


PLACES = {"16th": 16, "32nd": 32, "64th": 64}
"""Where blocked and vectorised loops end."""


def beyond(size: int) -> slice:
    """Behind the first so many."""
    return slice(size, None)


def ones(call: Call) -> tuple[int, ...]:
    """1 for each axis."""
    return (1,) * call.rank


def spatial(call: Call) -> tuple[int, ...]:
    """All spatial axes of an array."""
    return tuple(range(2, 2 + call.rank))


def cells(call: Call) -> int:
    """How many cells the kernel has."""
    return prod(kernel_of(call))


def at_place(i: tuple[int, ...]) -> tuple[Any, ...]:
    """The index of one place in every plane."""
    return (ALL, ALL, *i)


def changed(a: Array, where: Any, to: Any = 0) -> Array:
    """A copy with some elements set."""
    found = np.array(a)
    found[where] = to
    return found


# arrays


def zeroed(*where: Any) -> Callable[[Call, Array], Array]:
    """Zero at an index."""
    return lambda call, a: changed(a, where)


def nothing(call: Call, a: Array) -> Array:
    """Zeros."""
    return 0 * a


def flip_kernel(call: Call, w: Array) -> Array:
    """The kernel in reverse on every spatial axis."""
    return np.flip(w, spatial(call))


def transpose_last(call: Call, a: Array) -> Array:
    """The last two axes exchanged."""
    return a.swapaxes(-1, -2)


def interleave(call: Call, a: Array) -> Array:
    """Channels counted group within channel, not channel within group."""
    grouped = a.reshape(a.shape[0], call["groups"], -1, *a.shape[2:])
    return np.ascontiguousarray(grouped.swapaxes(1, 2)).reshape(a.shape)


def next_group(call: Call, x: Array) -> Array:
    """Every group has its neighbour's channels."""
    return np.roll(x, x.shape[1] // call["groups"], axis=1)


def swap_channels(call: Call, w: Array) -> Array:
    """Filters and channels of each group exchanged, where there are as many of them."""
    parts = np.split(w, call["groups"])
    return np.concatenate([part.swapaxes(0, 1) for part in parts])


def first_group_for_all(call: Call, b: Array) -> Array:
    """Every group has the first group's biases."""
    return np.tile(b[: b.size // call["groups"]], call["groups"])


def later(call: Call, x: Array) -> Array:
    """Every sample one place further on, on each axis with a stride."""
    moved = x
    for axis, step in enumerate(call["stride"], start=2):
        if step > 1:
            moved = changed(np.roll(moved, -1, axis), (*(ALL,) * axis, -1))
    return moved


def first_sample_for_all(call: Call, a: Array) -> Array:
    """Every sample is the first."""
    return np.broadcast_to(a[:1], a.shape)


def moved_beyond(size: int) -> Change:
    """Columns behind the first so many are one place further on, around the end."""
    return lambda call, a: np.concatenate([a[..., :size], np.roll(a[..., size:], 1, -1)], -1)


# the axes' parameters


def all_one(call: Call, values: tuple[int, ...]) -> tuple[int, ...]:
    """1 on every axis."""
    return ones(call)


def reverse_axes(call: Call, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """In reverse order of the axes."""
    return values[::-1]


def first_for_all(call: Call, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The first axis' on every axis."""
    return (values[0],) * len(values)


def last_for_all(call: Call, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The last axis' on every axis."""
    return (values[-1],) * len(values)


def on_the_last_only(call: Call, values: tuple[int, ...]) -> tuple[int, ...]:
    """The last axis', and 1 on the others."""
    return (*ones(call)[1:], values[-1])


def swap_pairs(call: Call, padding: Any) -> Any:
    """What is meant before comes after."""
    return tuple(pair[::-1] for pair in padding)


def no_padding(call: Call, padding: Any) -> Any:
    """None on either side."""
    return ((0, 0),) * call.rank


# calls


def swap_stride_and_dilation(call: Call) -> Call:
    """Each in the other's place."""
    return call.but(stride=call["dilation"], dilation=call["stride"])


def filled(call: Call, **how: Any) -> Call:
    """The map padded before the call, with something else than zeros."""
    x = np.pad(call["x"], [(0, 0), (0, 0), *call["padding"]], **how)
    return call.but(x=x, padding=no_padding(call, call["padding"]))


def full_then_cut(right: Implementation) -> Implementation:
    """The result of stride 1, its first part."""
    return asked(lambda call: call.but(stride=ones(call)))(right)


def only_at(where: Any, wrong: Wrong) -> Wrong:
    """Wrong at an index, right elsewhere, in an operation with one result."""

    def partly(right: Implementation) -> Implementation:
        mistaken = wrong(right)
        return lambda call: (changed(right(call)[0], where, mistaken(call)[0][where]),)

    return partly


def assigned(name: str) -> Wrong:
    """The first result is assigned, place after place of one argument, where it should add up."""

    def wrong(right: Implementation) -> Implementation:
        def answer(call: Call) -> Results:
            none = np.zeros_like(call[name])
            found, *others = right(call.but(**{name: none}))
            first = {n: call[n][:1] for n in ("dy", "x") if n in call.arguments}
            without_bias = {"b": None} if "b" in call.arguments else {}
            plain = call.but(**first, **without_bias, w=np.ones_like(call["w"]))
            for o in np.ndindex(call[name].shape[2:]):
                one, some = np.zeros_like(none), np.zeros_like(plain[name])
                one[at_place(o)], some[at_place(o)] = call[name][at_place(o)], 1
                reached = right(plain.but(**{name: some}))[0] != 0
                found = np.where(reached, right(call.but(**{name: one}))[0], found)
            return (found, *right(call)[1:]) if others else (found,)

        return answer

    return wrong


# derivatives


def first_sample(call: Call) -> Call:
    """The first sample alone."""
    return call.but(dy=call["dy"][:1], x=call["x"][:1])


def only(result: str, change: Callable[[Call], Call]) -> Wrong:
    """One result is that of another call, if that is possible; the others are right."""

    def wrong(right: Implementation) -> Implementation:
        def answer(call: Call) -> Results:
            found = right(call)
            try:
                others = right(refitted(change(call)))
            except ValueError:
                return found
            return tuple(
                fitted(other, part.shape) if name == result else part
                for name, part, other in zip(call.results, found, others, strict=True)
            )

        return answer

    return wrong


def deriving(result: str, name: str, change: Change) -> Wrong:
    """One derivative takes an argument or parameter for another."""
    return only(result, lambda call: call.but(**{name: change(call, call[name])}))
