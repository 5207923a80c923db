"""Calling a candidate: what it may answer, and in which clause's words it is wrong if it does not."""

import operator
import re
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


LONGEST = 300
"""Characters of an exception's words."""
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
            raise DeclinedError(said(error)) from error
        except KeyboardInterrupt:  # the user's, as far as one can tell here
            raise
        except BaseException as error:
            raise MisconductError("VALID-CALL-ANSWERED", call, f"raised {said(error)}") from error
        results = checked(call, answered)
        for name, as_it_was in before.items():
            if call[name].tobytes() != as_it_was:
                restored = np.frombuffer(as_it_was, call[name].dtype).reshape(call[name].shape)
                call[name][...] = restored
                raise MisconductError("INPUTS-UNCHANGED", call, f"changed its input {name}")
        return results

    return answer


def said(error: BaseException) -> str:
    """An exception in one line: the same whenever it is raised, and whatever its words are or do."""
    try:
        words = " ".join(str(error).split())
    except Exception as failure:  # noqa: BLE001 - printing it may raise anything
        words = f"with words that raise {type(failure).__name__}"
    words = re.sub(r"\b0x[0-9a-f]+\b", "0x...", words)
    return f"{type(error).__name__}: {words[:LONGEST]}".rstrip(": ")


def checked(call: Call, answered: Any) -> Results:
    """What a candidate answered, as copies of the right number, dtype and shapes. Raises MisconductError."""
    if call.of_integers:
        return (_integers(call, answered),)
    dtype = next(a.dtype for a in call.arguments.values() if isinstance(a, np.ndarray))
    parts = zip(call.results, _parts(call, answered), result_shapes(call), strict=True)
    return tuple(_array(call, name, part, dtype, shape) for name, part, shape in parts)


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


def _array(call: Call, name: str, part: Any, dtype: np.dtype[Any], shape: Shape) -> Array:
    """A copy, so that a later call cannot change what was judged; made last, because it may be enormous."""
    try:
        array = np.asarray(part)
    except (Exception, SystemExit):  # noqa: BLE001 - whatever an object's __array__ raises
        try:
            array = np.from_dlpack(part)
        except (Exception, SystemExit) as error:
            words = f"{name} is a {type(part).__name__}, which NumPy cannot turn into an array"
            raise MisconductError("RESULT-KIND", call, words) from error
    if array.dtype.hasobject or array.dtype.kind in "SUV":
        raise MisconductError("RESULT-KIND", call, f"{name} is {_kind(part)}, expected an array")
    wanted = np.dtype(np.int64) if name == "indices" else dtype
    if array.dtype != wanted and not (name == "indices" and array.dtype.kind in "iu"):
        expected = "an integer one" if name == "indices" else dtype
        raise MisconductError("RESULT-DTYPE", call, f"{name} has dtype {array.dtype}, expected {expected}")
    if array.shape != shape:
        clause = _shape_clause(call, array.shape, shape)
        raise MisconductError(clause, call, f"{name} has shape {array.shape}, expected {shape}")
    return np.array(array, wanted)


def _kind(part: Any) -> str:
    return "None" if part is None else f"a {type(part).__name__}"


def _integers(call: Call, answered: Any) -> Array:
    pair = call.operation == "same_padding"
    try:
        numbers = [operator.index(n) for n in answered] if pair else operator.index(answered)
        array = np.array(numbers, dtype=np.int64)
    except Exception as error:
        expected = "a pair of integers" if pair else "an integer"
        words = f"returned {_kind(answered)}, expected {expected}"
        raise MisconductError("RESULT-KIND", call, words) from error
    if array.shape != result_shapes(call)[0]:
        raise MisconductError("RESULT-KIND", call, f"returned {len(array)} integers, expected 2")
    return array


def _shape_clause(call: Call, got: Shape, expected: Shape) -> str:
    if call.operation.endswith("_backward"):
        return "SHAPE-SAME"
    if len(got) != len(expected) or got[:2] != expected[:2]:
        return "RESULT-SHAPE"
    return SIZE_CLAUSES.get(call.operation, "RESULT-SHAPE")
