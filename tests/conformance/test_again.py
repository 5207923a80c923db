"""The shortest sequence of earlier calls that shows a failure."""

import pytest

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
