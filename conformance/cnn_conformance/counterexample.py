"""A counterexample, and the same as plain data from which it can be had again, bit for bit."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnn_conformance.plain import call_with, listed, tuples
from cnn_conformance.strides import laid_out, layout_of
from cnn_conformance.tally import Failure
from cnn_spec.case import Case, Data
from cnn_spec.operations import Array, Call

Plain = Mapping[str, Any]
"""Dictionaries, lists, strings and numbers."""


@dataclass(frozen=True)
class Counterexample:
    """The smallest case in which a clause is broken."""

    law: str
    calls: tuple[Call, ...]
    """Every call that the law made, the last one last."""
    expected: Array | None
    got: Array | None
    words: str
    """What was wrong with an answer whose numbers were not looked at."""
    script: str
    case: Case
    shown_by: Failure
    """The law that, put to the case, shows that the clause is broken."""
    earlier: int | None = 0
    """So many of `calls` must come before for it to show; None if no sequence that does it was found."""

    @property
    def layout(self) -> str:
        """How the arrays lie in memory, by name."""
        return self.case.levels.get("layout", "contiguous")

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as plain data, since NumPy's pickles forget how an array lies in memory."""
        return of_plain, (to_plain(self),)


def to_plain(example: Counterexample) -> dict[str, Any]:
    """As it stands in a report."""
    case = example.case
    return {
        "law": example.law,
        "calls": [_call(call, example.layout) for call in example.calls],
        "expected": None if example.expected is None else _array(example.expected),
        "got": None if example.got is None else _array(example.got),
        "words": example.words,
        "script": example.script,
        "case": {
            "id": case.id,
            "data": case.data.value,
            "levels": dict(case.levels),
            "calls": [_call(call, example.layout) for call in case.calls],
        },
        "shown_by": {"clause": example.shown_by.law_clause, "law": example.shown_by.law},
        "earlier": example.earlier,
    }


def of_plain(plain: Plain) -> Counterexample:
    """The counterexample that a report shows. Raises KeyError, TypeError or ValueError where it shows none."""
    case, shown_by = plain["case"], plain["shown_by"]
    return Counterexample(
        plain["law"],
        _calls_of(plain["calls"]),
        None if plain["expected"] is None else _array_of(plain["expected"]),
        None if plain["got"] is None else _array_of(plain["got"]),
        plain["words"],
        plain["script"],
        Case(case["id"], _calls_of(case["calls"]), Data(case["data"]), case["levels"]),
        Failure(case["id"], shown_by["clause"], shown_by["law"]),
        plain["earlier"],
    )


def _call(call: Call, layout: str) -> dict[str, Any]:
    arrays = {name: a for name, a in call.arguments.items() if a is None or isinstance(a, np.ndarray)}
    values = {name: a for name, a in call.arguments.items() if name not in arrays}
    return {
        "function": call.function,
        "valid": call.valid,
        "parameters": {**values, **listed(call.parameters)},
        "arrays": {
            name: a if a is None else {**_array(a), "layout": layout, **layout_of(a)}
            for name, a in arrays.items()
        },
    }


def _calls_of(plain: list[Plain]) -> tuple[Call, ...]:
    return tuple(map(_call_of, plain))


def _call_of(plain: Plain) -> Call:
    arrays = {name: a if a is None else _array_of(a) for name, a in plain["arrays"].items()}
    return call_with(plain["function"], {**tuples(plain["parameters"]), **arrays}, plain["valid"])


def _array(a: Array) -> dict[str, Any]:
    numbers = [n if math.isfinite(n) else str(n) for n in a.ravel().tolist()]
    return {"dtype": str(a.dtype), "shape": list(a.shape), "data": numbers}


def _array_of(plain: Plain) -> Array:
    dtype = np.dtype(plain["dtype"])
    numbers = [float(n) if isinstance(n, str) else n for n in plain["data"]]
    return laid_out(np.array(numbers, dtype).reshape(plain["shape"]), plain)
