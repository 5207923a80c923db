"""The reference's numbers in other clothes: how results lie in memory, what they are wrapped in, what is declined."""

from collections.abc import Callable
from typing import Any
from zlib import crc32

import numpy as np

import cnn_reference
from cnn_spec.bugs import Functions
from cnn_spec.cases.stream import FUNCTIONS
from cnn_spec.operations import Array, Call, Implementation, Results, implementation_of

reference = implementation_of(cnn_reference)


def candidate(implementation: Implementation, give: Callable[[Any], Any] | None = None, **about: Any) -> Any:
    """An object with the interface's functions, which hands each of its results over as `give` makes it."""
    found: Any = Functions("different", implementation)
    found.about = about
    if give is not None:
        for name in FUNCTIONS:
            setattr(found, name, _giving(give, getattr(found, name)))
    return found


def _giving(give: Callable[[Any], Any], function: Callable[..., Any]) -> Callable[..., Any]:
    def giving(*arguments: Any, **parameters: Any) -> Any:
        found = function(*arguments, **parameters)
        several = isinstance(found, tuple) and isinstance(found[0], np.ndarray)
        return [give(part) for part in found] if several else give(found)

    return giving


def apart(a: Array) -> Array:
    """Every other element of a larger buffer."""
    buffer = np.full((*a.shape[:-1], 2 * a.shape[-1]), 7, a.dtype)
    buffer[..., ::2] = a
    return buffer[..., ::2]


def backwards(a: Array) -> Array:
    """The last element first in memory, on every axis."""
    turned = (slice(None, None, -1),) * a.ndim
    return np.ascontiguousarray(a[turned])[turned]


def read_only(a: Array) -> Array:
    """Not to be written to."""
    a = np.array(a)
    a.flags.writeable = False
    return a


def torch_tensor(a: Array) -> Any:
    """A tensor on the CPU."""
    import torch

    return torch.from_numpy(np.array(a))


def in_turn(*changes: Callable[[Array], Any]) -> Callable[[Array], Any]:
    """One of some forms; which of them follows from the numbers."""
    return lambda a: changes[crc32(a.tobytes()) % len(changes)](a)


class Exchanged:
    """An array that shows itself by DLPack and in no other way."""

    def __init__(self, array: Array) -> None:
        self.__dlpack__ = np.array(array).__dlpack__
        self.__dlpack_device__ = array.__dlpack_device__


class Convertible:
    """An array that NumPy converts by the object's own method, and that is nothing else."""

    def __init__(self, array: Array) -> None:
        self._array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self._array, dtype)


def narrow(result: Any) -> Any:
    """Indices of 32 bits, sizes as NumPy's integers of 32 bits, pairs as lists."""
    if isinstance(result, np.ndarray):
        return result.astype(np.int32) if result.dtype == np.int64 else result
    return list(result) if isinstance(result, tuple) else np.int32(result)


def views(call: Call) -> Results:
    """The input itself, or a part of it, wherever that is the answer."""
    if call.operation == "downsample":
        return (call["x"][(..., *(slice(None, None, f) for f in call["factor"]))],)
    same = call.operation == "relu" and bool(np.all(call["x"] >= 0))
    same = same or (call.operation.endswith(("sample", "shuffle")) and set(call["factor"]) == {1})
    return (call["x"],) if same else reference(call)


def declining(refused: Callable[[Call], bool], why: str) -> Implementation:
    """The reference, which declines some calls."""

    def answer(call: Call) -> Results:
        if refused(call):
            raise NotImplementedError(why)
        return reference(call)

    return answer


def out_of_the_ordinary(call: Call) -> bool:
    """Unequal padding, rounding up, or a stride or dilation beyond 2, of a layer on images."""
    if call.rank == 0:
        return False
    unequal = any(before != after for before, after in call.parameters.get("padding", ()))
    steps = (*call.parameters.get("stride", ()), *call.parameters.get("dilation", ()))
    return unequal or bool(call.parameters.get("ceil_mode")) or any(step > 2 for step in steps)
