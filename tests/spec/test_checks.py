"""Every check of every clause, and its negative control."""

import pytest

from cnn_spec.checks import evidence

CHECKS = [
    pytest.param(check, id=f"{id}-{number}")
    for id, found in evidence().items()
    for number, check in enumerate(found.checks)
]


@pytest.mark.parametrize("check", CHECKS)
def test_holds_and_rejects_its_negative_control(check):
    assert check.failure() == ""
