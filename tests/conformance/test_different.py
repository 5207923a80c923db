"""No correct implementation is accused, however it computes."""

import pytest
from different import DIFFERENT

from cnn_conformance import check


@pytest.mark.parametrize("way", DIFFERENT)
def test_a_right_way_is_not_accused(way: str) -> None:
    only, candidate = DIFFERENT[way]
    report = check(candidate, level="quick", only=only, explain=False)
    assert not report.violations
    assert report.conforms
