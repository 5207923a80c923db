"""Calling a candidate: what it may answer, and in which clause's words it is wrong if it does not."""

import operator
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from cnn_conformance.legible import legible
from cnn_conformance.memory import Kept, litter, unwritten
from cnn_spec.conventions import PLAIN, Declared, answered_shapes, asked, judged_part
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


class DeclinedError(NotImplementedError):
    """The candidate raised NotImplementedError: it does not claim to answer this."""


class NotOfferedError(Exception):
    """The candidate has no such function."""


class RefusedError(Exception):
    """The candidate raised something on an impossible call, as it should."""


class MisconductError(Exception):
    """The candidate's answer breaks a clause before its numbers are looked at."""

    def __init__(self, clause: str, call: Call, words: str) -> None:
        super().__init__(legible(words))
        self.clause = clause
        self.call = call


def guarded(functions: Any, watch: Watch = unwatched, declared: Declared = PLAIN) -> Implementation:
    """The candidate as an implementation whose answers have the right number, dtype and shapes.

    `watch` sees every call before it is made. Windows that a declared convention keeps are left out of the answers.
    From one call to the next the first answer and the last are kept, and looked at again: so make a guard for each
    case. Raises DeclinedError, NotOfferedError or MisconductError; on an
    impossible call RefusedError, or else what is answered is no misconduct here, and whatever an array can be made of.
    """
    kept = Kept()

    def answer(call: Call) -> Results:
        function = getattr(functions, call.function, None)
        if not callable(function):
            raise NotOfferedError(call.function)
        watch(call)
        if not call.valid:
            return _answered_all_the_same(function, call)
        drawn, call = call, asked(call, declared)
        shapes = answered_shapes(call, declared)
        dtypes = {n: a.dtype for n, a in call.arguments.items() if isinstance(a, np.ndarray)}
        before = {n: call[n].tobytes() for n in dtypes}
        if dtypes:
            litter(call, shapes, next(iter(dtypes.values())))
        try:
            answered = function(*call.arguments.values(), **call.parameters)
        except NotImplementedError as error:
            raise DeclinedError(said(error)) from error
        except KeyboardInterrupt:  # the user's, as far as one can tell here
            raise
        except BaseException as error:
            raise MisconductError("VALID-CALL-ANSWERED", call, f"raised {said(error)}") from error
        given = taken(call, answered, shapes)
        results = copied(given)
        if dtypes:
            _check_memory(call, given, before, kept)
        return judged_part(results, drawn, declared)

    return answer


def _answered_all_the_same(function: Callable[..., Any], call: Call) -> Results:
    try:
        answered = function(*call.arguments.values(), **call.parameters)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise RefusedError(said(error)) from error
    return tuple(map(_whatever, answered if isinstance(answered, tuple | list) else (answered,)))


def said(error: BaseException) -> str:
    """An exception in one line: the same whenever it is raised, and whatever its words are or do."""
    try:
        words = " ".join(str(error).split())
    except Exception as failure:  # noqa: BLE001 - printing it may raise anything
        words = f"with words that raise {type(failure).__name__}"
    words = re.sub(r"\b0x[0-9a-f]+\b", "0x...", words)
    return f"{type(error).__name__}: {words[:LONGEST]}".rstrip(": ")


def taken(call: Call, answered: Any, shapes: tuple[Shape, ...]) -> dict[str, Array]:
    """The results of a call by name, in the candidate's own memory, with the right number, dtype and shapes.

    Raises MisconductError.
    """
    if call.of_integers:
        return {call.results[0]: _integers(call, answered)}
    return _arrays(call, answered, shapes)


def copied(given: dict[str, Array]) -> Results:
    """Results that no later call changes."""
    return tuple(a.astype(np.int64) if name == "indices" else a.copy() for name, a in given.items())


def _whatever(part: Any) -> Array:
    try:
        return np.asarray(part)
    except (Exception, SystemExit):  # noqa: BLE001 - it should have been refused; what it is does not matter
        return np.zeros(())


def _check_memory(call: Call, given: dict[str, Array], before: dict[str, bytes], kept: Kept) -> None:
    """What a call was given, what it gives, and what calls before it gave. Restores what it was given."""
    for name, as_it_was in before.items():
        if call[name].tobytes() != as_it_was:
            restored = np.frombuffer(as_it_was, call[name].dtype).reshape(call[name].shape)
            call[name][...] = restored
            raise MisconductError("INPUTS-UNCHANGED", call, f"changed its input {name}")
    for name, array in given.items():
        if unwritten(array):
            raise MisconductError("RESULT-WRITTEN", call, f"{name} shows memory that was never written")
    if lost := kept.overwritten():
        earlier, name = lost
        raise MisconductError(
            "RESULT-KEPT", earlier, f"a later call changed the result {name} of an earlier one"
        )
    kept.keep(call, given.items())


def _arrays(call: Call, answered: Any, shapes: tuple[Shape, ...]) -> dict[str, Array]:
    """The results as arrays of the right dtype and shapes, in the candidate's own memory."""
    parts = _parts(call, answered)
    dtype = next(a.dtype for a in call.arguments.values() if isinstance(a, np.ndarray))
    arrays = {name: _array(call, name, part, dtype) for name, part in zip(call.results, parts, strict=True)}
    for (name, array), shape in zip(arrays.items(), shapes, strict=True):
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
    try:
        array = _converted(part)
    except (Exception, SystemExit) as error:
        words = f"{name} is a {type(part).__name__}, which NumPy cannot turn into an array"
        raise MisconductError("RESULT-KIND", call, words) from error
    if array.dtype.hasobject or array.dtype.kind in "SUV":
        raise MisconductError("RESULT-KIND", call, f"{name} is {_kind(part)}, expected an array")
    if name == "indices":
        if array.dtype.kind not in "iu":
            raise MisconductError(
                "RESULT-DTYPE", call, f"{name} has dtype {array.dtype}, expected an integer one"
            )
        return array
    if array.dtype != dtype:
        raise MisconductError("RESULT-DTYPE", call, f"{name} has dtype {array.dtype}, expected {dtype}")
    return array


def _converted(part: Any) -> Array:
    """By what NumPy takes for an array, else by DLPack. Raises whatever an object's own conversion raises."""
    try:
        array = np.asarray(part)
    except (Exception, SystemExit):
        if not hasattr(part, "__dlpack__"):
            raise
    else:
        if array is part or not (array.dtype.hasobject and hasattr(part, "__dlpack__")):
            return array
    return np.asarray(np.from_dlpack(part))


def _kind(part: Any) -> str:
    return "None" if part is None else f"a {type(part).__name__}"


def _integers(call: Call, answered: Any) -> Array:
    pair = call.operation == "same_padding"
    try:
        numbers = [operator.index(n) for n in answered] if pair else operator.index(answered)
        array = np.array(numbers, dtype=np.int64)
    except (Exception, SystemExit) as error:
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
