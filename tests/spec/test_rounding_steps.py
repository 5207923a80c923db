"""The table of rounding steps: complete, and wrong by the rounding alone."""

import pytest

import cnn_reference
from cnn_conformance.guard import guarded
from cnn_conformance.mutation import cases_of, violated
from cnn_spec.bounds import Oracle
from cnn_spec.bugs import Functions
from cnn_spec.bugs.rounding_steps import BUGS, FORMATS, RESULTS, steps_of
from cnn_spec.conventions import Declared
from cnn_spec.operations import OPERATIONS, implementation_of

EVERYTHING = 60
"""Bits that keep every number as it is."""

reference = implementation_of(cnn_reference)
oracle = Oracle(reference)


def test_every_result_that_is_a_number_is_rounded_somewhere() -> None:
    numbers = {
        (name, result)
        for name, operation in OPERATIONS.items()
        for result in operation.results
        if not operation.of_integers and result != "indices"
    }
    assert numbers == set(RESULTS)


def test_every_step_is_rounded_to_every_format() -> None:
    steps = sum(len(list(steps_of(*result))) for result in RESULTS)
    assert len(BUGS) == steps * len(FORMATS)


@pytest.mark.parametrize(("operation", "result"), RESULTS)
def test_without_rounding_the_steps_are_right(operation: str, result: str) -> None:
    rank = 1 if OPERATIONS[operation].ranked else 0
    function = OPERATIONS[operation].function(rank)
    steps = {
        words: (guarded(Functions(words, wrong(EVERYTHING)(reference))), where)
        for words, wrong, where in steps_of(operation, result)
    }
    judged = dict.fromkeys(steps, 0)
    for number, (_, case) in enumerate(cases_of([function], "quick", 0)):
        for words, (implementation, where) in steps.items():
            if number % 7 == 0 and all(met(case.call) for met in where):
                assert violated(function, implementation, case, oracle) is None, (words, case.id)
                judged[words] += 1
    assert all(judged.values())


@pytest.mark.parametrize(
    "operation", [name for name in dict.fromkeys(bug.operations[0] for bug in BUGS) if "conv" in name]
)
def test_every_step_is_seen_under_the_bounds_by_the_norm_too(operation: str) -> None:
    by_norm = Oracle(reference, Declared(normwise=True))
    alive = {
        bug.name: Functions(bug.name, bug.over(reference)) for bug in BUGS if operation in bug.operations
    }
    for function, case in cases_of([OPERATIONS[operation].function(1)], "quick", 0):
        alive = {
            name: mistaken
            for name, mistaken in alive.items()
            if not violated(function, mistaken, case, by_norm)
        }
        if not alive:
            break
    assert not alive
