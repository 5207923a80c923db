"""No correct implementation is accused, however it computes: one seed at quick, and some of them as a user runs them."""

import pytest

from accusations import Unit, concerned, judged
from cnn_conformance import check
from cnn_conformance.report import Status
from cnn_spec.cases.stream import FUNCTIONS
from cnn_spec.conventions import CONVENTIONS
from different import DIFFERENT


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_right_way_is_accused(function: str) -> None:
    ways = tuple(concerned(function, tuple(DIFFERENT)))
    outcomes = judged(Unit(function, 0, "quick", ways))
    assert {o.name: o.violations for o in outcomes} == dict.fromkeys(ways, ())
    assert all(o.cases for o in outcomes)


@pytest.mark.parametrize("way", ["float32 only", "2-d only", "no groups"])
def test_a_right_way_conforms(way: str) -> None:
    report = check(DIFFERENT[way].candidate, level="quick", only="conv*", explain=False)
    assert report.conforms
    if way == "2-d only":
        assert {v.operation for v in report.verdicts if v.status is Status.NOT_OFFERED} >= {
            "conv1d",
            "conv3d",
        }


def test_every_convention_is_declared_by_some_way() -> None:
    declared = {
        (name, value)
        for way in DIFFERENT.values()
        if not isinstance(way.candidate, str)
        for name, value in way.candidate.about.get("conventions", {}).items()
    }
    assert declared == {(name, other) for name, values in CONVENTIONS.items() for other in values[1:]}
