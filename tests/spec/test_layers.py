"""Each way of getting the further layers wrong breaks the clause that speaks of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import cnn_reference
from cnn_spec.bounds import Oracle
from cnn_spec.cases.stream import case_ids, case_of, rows
from cnn_spec.definitions import definition
from cnn_spec.operations import OPERATIONS, Array, Call, Implementation, Results, implementation_of
from cnn_spec.sections import CLAUSES

REFERENCE = implementation_of(cnn_reference)
Wrong = Callable[[Call], Results]


def before(**changes: Callable[[Call], Any]) -> Wrong:
    """The reference, called with something changed."""
    return lambda call: REFERENCE(call.but(**{name: change(call) for name, change in changes.items()}))


def after(result: int, change: Callable[[Call, Array], Array]) -> Wrong:
    """The reference, with one result changed."""

    def wrong(call: Call) -> Results:
        results = REFERENCE(call)
        return tuple(change(call, r) if at == result else r for at, r in enumerate(results))

    return wrong


def broken(operation: str, implementation: Implementation, rank: int, seed: int = 0) -> set[str]:
    """The clauses whose laws fail somewhere on the pairs."""
    found: set[str] = set()
    oracle = Oracle(REFERENCE)
    function = OPERATIONS[operation].function(rank)
    laws = [
        (clause.id, law) for clause in CLAUSES.values() for law in clause.laws if law.operation == operation
    ]
    for case_id in case_ids(function, "pairs", range(len(rows(function, "pairs"))), ("float32",)):
        case = case_of(case_id, seed)
        for clause, law in laws if case is not None else ():
            if clause not in found and all(when(case) for when in law.when):
                found |= set() if law.check(implementation, case, oracle).holds else {clause}
    return found


def flipped(call: Call) -> Array:
    return call["w"][..., ::-1]


def at_the_front(call: Call, y: Array) -> Array:
    """Output padding in front of the last axis instead of behind it."""
    return np.roll(y, call["output_padding"][-1], axis=-1)


WRONG: dict[str, tuple[str, Wrong, set[str]]] = {
    "kernel flipped": ("conv_transpose", before(w=flipped), {"UP-FRAC"}),
    "output padding in front": ("conv_transpose", after(0, at_the_front), {"UP-FRAC"}),
    "kernel flipped backward": (
        "conv_transpose_backward",
        before(w=flipped),
        {"UP-BWD-COMPOSE", "ADJOINT"},
    ),
    "weight derivative flipped": (
        "conv_transpose_backward",
        after(1, lambda call, dw: dw[..., ::-1]),
        {"TRANSPOSE-WEIGHTS"},
    ),
    "bias derivative averaged": (
        "conv_transpose_backward",
        after(2, lambda call, db: db / np.asarray(call["dy"].shape[0], db.dtype)),
        {"TRANSPOSE-BIAS"},
    ),
}
RANKS_OF = {name: 1 if OPERATIONS[operation].ranked else 0 for name, (operation, _, _) in WRONG.items()}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_layer_breaks_the_clause_that_speaks_of_it(name: str) -> None:
    operation, wrong, clauses = WRONG[name]
    assert clauses <= broken(operation, wrong, RANKS_OF[name])


@pytest.mark.parametrize("operation", sorted({operation for operation, _, _ in WRONG.values()}))
def test_the_definition_breaks_none(operation: str) -> None:
    def small(call: Call) -> Results:
        sizes = [np.size(a) for a in call.arguments.values()]
        return definition(call) if max(sizes) <= 60 else REFERENCE(call)

    assert broken(operation, small, 1 if OPERATIONS[operation].ranked else 0, seed=1) == set()
