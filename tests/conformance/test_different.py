"""No correct implementation is accused, however it computes: one seed at quick, and some of them as a user runs them."""

from pathlib import Path

import pytest

from accusations import Unit, concerned, judged, page, read, row, write
from cnn_conformance import check
from cnn_conformance.candidate import load
from cnn_conformance.judging import judge_case, remembering, trusted
from cnn_conformance.plan import laws_of
from cnn_conformance.report import Status
from cnn_conformance.tally import Tallies
from cnn_spec.cases.stream import FUNCTIONS, case_of
from cnn_spec.conventions import CONVENTIONS
from different import DIFFERENT


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_right_way_is_accused(function: str) -> None:
    ways = tuple(concerned(function, tuple(DIFFERENT)))
    outcomes = judged(Unit(function, 0, "quick", ways))
    assert {o.name: o.violations for o in outcomes} == dict.fromkeys(ways, ())
    assert all(o.cases for o in outcomes)


@pytest.mark.parametrize(
    "case_id",
    ["max_pool1d_backward/impossible/14/float32/exact", "avg_pool2d_backward/impossible/13/float64/rounded"],
)
def test_a_derivative_that_fits_the_windows_that_are_kept_is_no_fault(case_id: str) -> None:
    """By windows that start beyond the input a derivative is longer: what is impossible by default may be right."""
    candidate, case = (
        load(DIFFERENT["windows beyond the input kept, declared"].candidate),
        case_of(case_id, 0),
    )
    assert case is not None
    tallies: Tallies = {}
    implementation = remembering(candidate.implementation(), case.call)
    laws = [judged for judged in laws_of(case.call.function) if judged.law.situation is case.situation]
    judge_case(laws, implementation, case, trusted(candidate), tallies)
    assert not [tally for tally in tallies.values() if tally.failures]


def test_the_results_of_seeds_are_kept_and_told(tmp_path: Path) -> None:
    results, way = tmp_path / "results.csv", "relu of NaN is zero, declared"
    rows = [row("quick", seed, way, judged(Unit("relu", seed, "quick", (way,)))) for seed in (1, 0)]
    assert read(results) == []
    write(results, rows)
    assert read(results) == rows[::-1]
    cases = sum(r.cases for r in rows)
    assert f"{cases} cases judged with 2 seeds (0, 1 at commit {rows[0].commit}); **0 violations**" in page(
        rows, "it"
    )


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
