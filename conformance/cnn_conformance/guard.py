"""Calling a candidate: what it may answer, and in which clause's words it is wrong if it does not."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from cnn_spec.operations import Array, Call, Implementation, Results
from cnn_spec.shapes import Shape, result_shapes

SIZE_CLAUSES = {
    "conv": "CONV-STRIDE-SIZE",
    "conv_transpose": "TRANSPOSE-SIZE",
    "depthwise_conv": "CONV-STRIDE-SIZE",
    "separable_conv": "CONV-STRIDE-SIZE",
    "max_pool": "POOL-SIZE",
    "max_pool_with_indices": "POOL-SIZE",
    "avg_pool": "POOL-SIZE",
    "downsample": "DOWN-SIZE",
    "upsample": "UP-ZEROS",
    "pixel_unshuffle": "SHUFFLE-SIZE",
    "pixel_shuffle": "SHUFFLE-SIZE",
}
"""The clause that says the spatial size of a forward result."""


Watch = Callable[[Call], None]


def unwatched(call: Call) -> None:
    """Nobody looks on."""


class DeclinedError(Exception):
    """The candidate raised NotImplementedError: it does not claim to answer this."""


class NotOfferedError(Exception):
    """The candidate has no such function."""


class MisconductError(Exception):
    """The candidate's answer breaks a clause before its numbers are looked at."""

    def __init__(self, clause: str, call: Call, words: str) -> None:
        super().__init__(words)
        self.clause = clause
        self.call = call


def guarded(functions: Any, watch: Watch = unwatched) -> Implementation:
    """The candidate as an implementation whose answers have the right number, dtype and shapes.

    `watch` sees every call before it is made. Raises DeclinedError, NotOfferedError or MisconductError.
    """

    def answer(call: Call) -> Results:
        function = getattr(functions, call.function, None)
        if not callable(function):
            raise NotOfferedError(call.function)
        watch(call)
        before = {n: a.tobytes() for n, a in call.arguments.items() if isinstance(a, np.ndarray)}
        try:
            answered = function(*call.arguments.values(), **call.parameters)
        except NotImplementedError as error:
            raise DeclinedError(str(error)) from error
        except Exception as error:
            said = f"{type(error).__name__}: {error}".rstrip(": ")
            raise MisconductError("VALID-CALL-ANSWERED", call, f"raised {said}") from error
        results = _results(call, answered)
        for name, as_it_was in before.items():
            if call[name].tobytes() != as_it_was:
                restored = np.frombuffer(as_it_was, call[name].dtype).reshape(call[name].shape)
                call[name][...] = restored
                raise MisconductError("INPUTS-UNCHANGED", call, f"changed its input {name}")
        return results

    return answer


def _results(call: Call, answered: Any) -> Results:
    if call.of_integers:
        return (_integers(call, answered),)
    parts = _parts(call, answered)
    dtype = next(a.dtype for a in call.arguments.values() if isinstance(a, np.ndarray))
    arrays = tuple(_array(call, name, part, dtype) for name, part in zip(call.results, parts, strict=True))
    for name, array, shape in zip(call.results, arrays, result_shapes(call), strict=True):
        if array.shape != shape:
            clause = _shape_clause(call, array.shape, shape)
            raise MisconductError(clause, call, f"{name} has shape {array.shape}, expected {shape}")
    return arrays


def _parts(call: Call, answered: Any) -> tuple[Any, ...]:
    if answered is None:
        raise MisconductError("RESULT-KIND", call, "returned None")
    if len(call.results) == 1:
        return (answered,)
    names = ", ".join(call.results)
    if not isinstance(answered, tuple | list):
        kind = type(answered).__name__
        raise MisconductError("RESULT-KIND", call, f"returned one {kind}, expected ({names})")
    if len(answered) != len(call.results):
        raise MisconductError("RESULT-KIND", call, f"returned {len(answered)} results, expected ({names})")
    return tuple(answered)


def _array(call: Call, name: str, part: Any, dtype: np.dtype[Any]) -> Array:
    """A copy, so that a later call cannot change what was judged."""
    try:
        array = np.array(part)
    except Exception:  # noqa: BLE001 - whatever an object's __array__ raises
        try:
            array = np.array(np.from_dlpack(part))
        except Exception as error:
            words = f"{name} is a {type(part).__name__}, which NumPy cannot turn into an array"
            raise MisconductError("RESULT-KIND", call, words) from error
    if array.dtype.hasobject or array.dtype.kind in "SUV":
        raise MisconductError("RESULT-KIND", call, f"{name} is {_kind(part)}, expected an array")
    if name == "indices":
        if array.dtype.kind not in "iu":
            raise MisconductError(
                "RESULT-DTYPE", call, f"{name} has dtype {array.dtype}, expected an integer one"
            )
        return array.astype(np.int64)
    if array.dtype != dtype:
        raise MisconductError("RESULT-DTYPE", call, f"{name} has dtype {array.dtype}, expected {dtype}")
    return array


def _kind(part: Any) -> str:
    return "None" if part is None else f"a {type(part).__name__}"


def _integers(call: Call, answered: Any) -> Array:
    pair = call.operation == "same_padding"
    try:
        numbers = [operator.index(n) for n in answered] if pair else operator.index(answered)
    except TypeError as error:
        expected = "a pair of integers" if pair else "an integer"
        words = f"returned {_kind(answered)}, expected {expected}"
        raise MisconductError("RESULT-KIND", call, words) from error
    array = np.array(numbers, dtype=np.int64)
    if array.shape != result_shapes(call)[0]:
        raise MisconductError("RESULT-KIND", call, f"returned {len(array)} integers, expected 2")
    return array


def _shape_clause(call: Call, got: Shape, expected: Shape) -> str:
    if call.operation.endswith("_backward"):
        return "SHAPE-SAME"
    if len(got) != len(expected) or got[:2] != expected[:2]:
        return "RESULT-SHAPE"
    return SIZE_CLAUSES.get(call.operation, "RESULT-SHAPE")
