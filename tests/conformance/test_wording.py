"""What a smallest case says: numbers that differ look different, and its script accepts what is right."""

from types import SimpleNamespace

import numpy as np
import pytest

import cnn_reference
from cnn_conformance import check
from cnn_conformance.counterexample import Counterexample
from cnn_conformance.script import script_of
from cnn_conformance.wording import Part, parts_of
from cnn_spec.bugs import Functions
from cnn_spec.operations import Call, Results, implementation_of

RIGHT = implementation_of(cnn_reference)


def smallest(wrong: object, function: str, clause: str) -> Counterexample:
    report = check(wrong, "quick", only=function)
    (broken,) = (verdict for verdict in report.violations if verdict.clause == clause)
    assert broken.counterexample is not None
    return broken.counterexample


def test_numbers_that_differ_look_different() -> None:
    def off(call: Call) -> Results:
        (y,) = RIGHT(call)
        return (y * (1 + 2**-40) if y.dtype == np.float64 else y,)

    said = dict(parts_of(smallest(Functions("off", off), "sigmoid", "SIGMOID")))
    assert said[Part.EXPECTED].removeprefix("expected ") != said[Part.GOT].removeprefix("got      ")


def test_a_script_with_a_nan_accepts_what_is_right() -> None:
    x = np.array([[np.nan, 1.0]])
    call, bound = Call("sigmoid", 0, {"x": x}, {}), x * 2.0**-50
    script = script_of("A NaN.", "", "contiguous", "NON-FINITE", [(call, RIGHT(call), (bound,))])
    exec(script, {"candidate": cnn_reference})
    with pytest.raises(AssertionError):
        exec(script, {"candidate": SimpleNamespace(sigmoid=lambda x: x)})
