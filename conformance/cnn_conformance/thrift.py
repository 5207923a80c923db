"""For candidates that compile for each shape: laws that compare with other calls make few of further shapes."""

from collections import Counter
from collections.abc import Hashable

import numpy as np

from cnn_conformance.guard import NotOfferedError
from cnn_spec.case import Case, Situation
from cnn_spec.cases.stream import FEW_ROWS
from cnn_spec.clause import Law, LawFunction
from cnn_spec.operations import Call, Implementation, Results

FURTHER = 3
"""Once it has asked for so many shapes in a chunk beside those of its cases, a law asks for more only where a case shows what
none has shown; of fewer shapes, so many fewer."""


def granted(to_few: int, shapes: int) -> int:
    """What so many shapes are granted of what is granted to few; something always."""
    return max(1, to_few * shapes // FEW_ROWS)


class SparedError(NotOfferedError):
    """A call that is not made, since its shape is new: nothing can be said of the law in this case."""


class Thrift:
    """What a chunk has cost so far, in shapes, for a candidate that is asked for so many of a function."""

    def __init__(self, shapes: int) -> None:
        self._further = granted(FURTHER, shapes)
        self._known: set[Hashable] = set()
        self._spent = Counter[LawFunction]()

    def sparing(self, implementation: Implementation, law: Law, case: Case, seen: set[str]) -> Implementation:
        """The implementation, as far as a law may ask it in a case; `seen` is what it has seen before.

        Arithmetic on sizes compiles nothing, and each way to be impossible is met but once: these are always asked for.
        """
        free = case.call.of_integers or case.situation is Situation.IMPOSSIBLE
        owed = free or any(see.__name__ not in seen and see(case) for see in law.must_see)
        affordable = owed or self._spent[law.check] < self._further

        def answer(call: Call) -> Results:
            shape = _shape(call)
            if shape not in self._known and call is not case.call:
                if not affordable:
                    raise SparedError(law.name)
                self._spent[law.check] += 1
            self._known.add(shape)
            return implementation(call)

        return answer


def _shape(call: Call) -> Hashable:
    """What is compiled for: the function, its parameters, and each array's shape and dtype."""
    arrays = ((np.shape(a), np.asarray(a).dtype) if a is not None else None for a in call.arguments.values())
    return call.function, *arrays, *call.parameters.items()
