"""A failing case again: alone, and after the shortest sequence of earlier calls that shows its failure."""

from pathlib import Path

import pytest

from cnn_conformance import check
from cnn_conformance.again import ATTEMPTS, shortest
from cnn_conformance.plan import LOOK_BACK, cases_before
from cnn_spec.cases.stream import DTYPES
from cnn_spec.operations import Call

CALLS = [Call("relu", 0, {"number": number}, {}) for number in range(60)]


def numbers(calls: tuple[Call, ...] | None) -> list[int] | None:
    return None if calls is None else [call["number"] for call in calls]


@pytest.mark.parametrize("needed", [[], [0], [59], [17], [3, 4], [5, 50], [1, 30, 58]])
def test_no_more_calls_than_it_takes(needed: list[int]) -> None:
    tried = []

    def fails_after(calls: tuple[Call, ...]) -> bool:
        tried.append(calls)
        return set(needed) <= set(numbers(calls) or ())

    found = numbers(shortest(CALLS, fails_after))
    assert found is not None
    assert set(needed) <= set(found)
    assert len(tried) <= ATTEMPTS + 1
    assert len(found) <= max(len(needed) + 1, 1)


def test_nothing_is_found_where_nothing_fails() -> None:
    assert shortest(CALLS, lambda calls: False) is None


def test_what_comes_before_a_case() -> None:
    case_id = "conv2d/pairs/26/float32/wide"
    earlier = cases_before(case_id, DTYPES)
    assert case_id not in earlier
    assert {int(i.split("/")[2]) for i in earlier} == set(range(26 - LOOK_BACK, 27))
    assert all(i.startswith("conv2d/pairs/") for i in earlier)


FICKLE = """
from pathlib import Path
from cnn_reference import relu as right

loads = Path(__file__).with_suffix(".loads")
number = len(loads.read_text()) if loads.exists() else 0
loads.write_text("." * (number + 1))


def relu(x):
    return right(x) + (number in {wrong})
"""
"""Right or wrong by how often it has been loaded: in the run first, then once for each time that a case is asked alone."""


@pytest.mark.parametrize(
    ("wrong", "clause"),
    [
        ("(0,)", "CALLS-INDEPENDENT"),
        ("(0, 1)", "CALLS-INDEPENDENT"),
        ("(0, 1, 3)", "RELU"),
        ("range(99)", "RELU"),
    ],
)
def test_what_fails_alone_fails_so_twice(wrong: str, clause: str, tmp_path: Path) -> None:
    mine = tmp_path / "fickle.py"
    mine.write_text(FICKLE.format(wrong=wrong), "utf-8")
    report = check(str(mine), level="quick", only="RELU,CALLS-INDEPENDENT")
    assert clause in {found.clause for found in report.violations}
    assert ("RELU" in {found.clause for found in report.violations}) == (clause == "RELU")
