"""The smallest case: greedily simpler parameters, then simpler data, as long as the clause stays broken."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cnn_spec.case import Case, Data
from cnn_spec.cases.layouts import EVERY_LAYOUT
from cnn_spec.cases.validity import describe, drawable, rebuild
from cnn_spec.operations import Array

ATTEMPTS = 600
"""How often the law is tried on a simpler case."""
ATTEMPTS_ON_FEW_SHAPES = 60
"""How often where a simpler case costs a compilation, and shapes are to be few; of fewer, so many fewer."""
ELEMENTS = 64
"""Arrays up to this size are simplified element by element."""


def smallest(case: Case, still_broken: Callable[[Case], bool], attempts: int) -> Case:
    """The simplest case reached from `case`, in which the same clause is broken."""
    left = attempts
    improved = True
    while improved:
        improved = False
        for simpler in _simpler(case):
            if left == 0:
                return case
            if not drawable(simpler):
                continue
            left -= 1
            if still_broken(simpler):
                case, improved = simpler, True
                break
    return case


def _simpler(case: Case) -> Iterator[Case]:
    """Simpler cases, the boldest first: other parameters with what fits of the data, then other data."""
    described = describe(case)
    for name, value in described.items():
        for less in _less(name, value):
            wanted = {**described, name: less}
            yield rebuild(case, wanted)
            if not case.call.of_integers:
                yield rebuild(case, wanted, keep_last=True)
            if _ordered(case, "x"):
                smaller = rebuild(case, wanted)
                yield smaller.with_call(smaller.call.but(x=_peaked(smaller.call["x"])))
    yield from _simpler_data(case)


def _ordered(case: Case, name: str) -> bool:
    """Whether an array is there for the order of its elements."""
    return "max_pool" in case.call.operation and name == "x" and case.data is not Data.TIED


def _peaked(x: Array) -> Array:
    """The ranks of a hill with its top in the middle: one element wins every window that covers it."""
    height = sum(
        -np.abs(np.arange(n) - n // 2).reshape(-1, *(1,) * (x.ndim - 1 - at)) for at, n in enumerate(x.shape)
    )
    return np.argsort(np.argsort(height, axis=None, kind="stable")).reshape(x.shape).astype(x.dtype)


def _less(name: str, value: Any) -> Iterator[Any]:
    """Simpler values of one part of a description: towards the smallest, in large steps and then small ones."""
    if isinstance(value, bool):
        if value:
            yield False
    elif isinstance(value, str):
        if value != next(iter(EVERY_LAYOUT)):
            yield next(iter(EVERY_LAYOUT))
    elif isinstance(value, int):
        floor = 0 if name in ("before", "after", "output_padding", "axis") else 1
        steps = (floor, value // 2, value * 3 // 4, value * 7 // 8, value - 1)
        yield from dict.fromkeys(v for v in steps if floor <= v < value)
    elif isinstance(value, tuple):
        inner = "before" if name == "padding" else name
        if all(isinstance(v, int) for v in value) and len(set(value)) > 1 and name != "padding":
            yield (min(value),) * len(value)
        for at, part in enumerate(value):
            for less in _less(inner, part):
                yield (*value[:at], less, *value[at + 1 :])


def _simpler_data(case: Case) -> Iterator[Case]:
    call = case.call
    layout = EVERY_LAYOUT[case.levels.get("layout", "contiguous")]
    for name, a in call.arguments.items():
        if isinstance(a, np.ndarray):
            for simpler in _simpler_array(a, ordered=_ordered(case, name)):
                yield case.with_call(call.but(**{name: layout(simpler.astype(a.dtype))}))


def _simpler_array(a: Array, ordered: bool) -> Iterator[Array]:
    if ordered:
        order = np.argsort(np.argsort(a, axis=None)).reshape(a.shape)
        for ranks in (np.arange(a.size).reshape(a.shape), order):
            if not np.array_equal(ranks, a):
                yield ranks
        return
    if np.any(a):
        yield np.zeros_like(a)
    if np.any((a != 0) & (a != 1)):
        yield (a != 0).astype(a.dtype)
    if a.size > ELEMENTS:
        return
    for at in np.argwhere(a):
        for value in (0, 1) if a[tuple(at)] != 1 else (0,):
            changed = np.array(a)
            changed[tuple(at)] = value
            yield changed
    for at in np.argwhere(np.abs(a) > 2):
        changed = np.array(a)
        changed[tuple(at)] = 2
        yield changed
