"""The signature of a bug model: in which cases it answers wrongly, and what.

All models of a function are held against the same cases. Two models with different sets of wrong cases are
different bugs that the cases tell apart; two with the same set and the same answers are one bug.
"""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor

import numpy as np

import cnn_reference
from cnn_conformance.guard import MisconductError, NotOfferedError, guarded
from cnn_conformance.judging import Violation, judge, remembering
from cnn_conformance.mutation import Right, cases_of, done_by, every_law, functions_of, violated
from cnn_spec.bounds import Oracle
from cnn_spec.bugs import BUGS, Functions
from cnn_spec.case import Case
from cnn_spec.operations import Call, Implementation, Results, implementation_of

Signature = Mapping[str, str]
"""The cases in which a model is wrong, by their ids, each with a digest of its answer."""


def alone(implementation: Implementation, call: Call) -> Implementation:
    """The same implementation, which offers nothing but this call: laws that need another say nothing."""

    def answer(asked: Call) -> Results:
        if asked is not call:
            raise NotOfferedError(asked.function)
        return implementation(call)

    return answer


def wrong_answer(
    function: str, functions: Functions, case: Case, truth: Results, oracle: Oracle
) -> str | None:
    """A digest of what is answered in a case if that is wrong. A misconduct is its own words."""
    implementation = remembering(guarded(functions), case.call)
    try:
        answer = implementation(case.call)
    except MisconductError as misconduct:
        return f"{misconduct.clause}: {misconduct}"
    if all(np.array_equal(part, right) for part, right in zip(answer, truth, strict=True)):
        return None
    judging = (judged for judged in every_law(function) if judged.law.applies(case))
    only_answer = alone(implementation, case.call)
    if not any(isinstance(judge(judged, only_answer, case, oracle), Violation) for judged in judging):
        return None
    content = b"".join(part.tobytes() for part in answer)
    return hashlib.blake2b(content, digest_size=12).hexdigest()


def wrong_on(function: str, names: Sequence[str], seed: int, further: bool) -> list[tuple[str, str, str]]:
    """The wrong answers of some models to a function's cases: name, case, digest.

    With `further`, laws that make calls of their own count too, and the clause stands for the answer.
    """
    right, oracle = Right(), Oracle(implementation_of(cnn_reference))
    made = {name: Functions(name, BUGS[name].over(right)) for name in names}
    found = []
    for _, case in cases_of([function], "quick", seed):
        right.turn_to(case.call)
        truth = right(case.call)
        for name, functions in made.items():
            digest = None
            if further:
                violation = violated(function, functions, case, oracle)
                digest = None if violation is None else violation.clause
            elif BUGS[name].concerns(case.call):
                digest = wrong_answer(function, functions, case, truth, oracle)
            if digest is not None:
                found.append((name, case.id, digest))
    return found


def signatures_of(
    names: Sequence[str], seed: int = 0, executor: Executor | None = None
) -> dict[str, Signature]:
    """The signature of each of these models over the cases of level quick."""
    found = _signatures(names, seed, False, executor)
    unseen = [name for name in names if not found[name]]
    return found | _signatures(unseen, seed, True, executor)


def _signatures(
    names: Sequence[str], seed: int, further: bool, executor: Executor | None
) -> dict[str, Signature]:
    tasks = [
        (function, [name for name in names if function in BUGS[name].functions], seed, further)
        for function in functions_of(names)
    ]
    found: dict[str, dict[str, str]] = {name: {} for name in names}
    for name, case_id, digest in done_by(executor, wrong_on, tasks):
        found[name][case_id] = digest
    return dict(found)


def grouped(names: Sequence[str], keys: Mapping[str, object]) -> list[list[str]]:
    """The names that share a key, in groups of two and more."""
    groups: dict[object, list[str]] = {}
    for name in names:
        groups.setdefault(keys[name], []).append(name)
    return [group for group in groups.values() if len(group) > 1]
