"""Judging a failing case again: alone, and if it holds there, after the fewest earlier calls that make it fail."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from cnn_conformance.candidate import Candidate, Subject, afresh
from cnn_conformance.guard import Watch, unwatched
from cnn_conformance.judging import Violation, judge
from cnn_conformance.plan import Judged, cases_before, laws_of
from cnn_conformance.tally import Failure
from cnn_spec.bounds import Oracle
from cnn_spec.case import Case
from cnn_spec.cases.layouts import EVERY_LAYOUT
from cnn_spec.cases.stream import case_of
from cnn_spec.operations import Call

ATTEMPTS = 40
"""How many sequences of earlier calls are tried."""
Calls = tuple[Call, ...]


@dataclass(frozen=True)
class Broken:
    """A clause broken on a function, and where. Picklable."""

    clause: str
    function: str
    failures: tuple[Failure, ...]
    seed: int


def law_of(failure: Failure) -> Judged:
    """The law that showed a failure."""
    function = failure.case_id.partition("/")[0]
    return next(
        judged
        for judged in laws_of(function)
        if judged.clause == failure.law_clause and judged.law.check.__name__ == failure.law
    )


def shown(
    broken: Broken,
    judged: Judged,
    candidate: Candidate,
    case: Case,
    oracle: Oracle,
    watch: Watch = unwatched,
) -> Violation | None:
    """The violation of this very clause that a law shows in a case, if it does; `watch` sees the calls."""
    outcome = judge(judged, candidate.implementation(watch), case, oracle)
    if not isinstance(outcome, Violation):
        return None
    return outcome if (outcome.clause, outcome.function) == (broken.clause, broken.function) else None


def after(calls: Sequence[Call], subject: Subject) -> Candidate:
    """The candidate, afresh where it can be loaded so, once it has been asked these calls."""
    candidate = afresh(subject)
    implementation = candidate.implementation()
    for call in calls:
        with suppress(Exception):  # how it is answered is judged elsewhere
            implementation(call)
    return candidate


def shortest_sequence(
    subject: Subject, broken: Broken, judged: Judged, case: Case, oracle: Oracle
) -> Calls | None:
    """The fewest calls found of cases before this one, after which it fails; None if it never does."""
    lay_out = EVERY_LAYOUT[case.levels.get("layout", "contiguous")]

    def fails_after(calls: Calls) -> bool:
        candidate = after(calls, subject)
        return shown(broken, judged, candidate, case, oracle) is not None

    ids = cases_before(case.id, afresh(subject).about.dtypes)
    earlier = (case_of(case_id, broken.seed) for case_id in ids)
    return shortest([c.call.map_arrays(lay_out) for c in earlier if c is not None], fails_after)


def shortest(calls: Sequence[Call], fails_after: Callable[[Calls], bool]) -> Calls | None:
    """The fewest of some calls that will do, by leaving out one half or the other, then ever smaller parts."""
    found, left = tuple(calls), ATTEMPTS
    if not fails_after(found):
        return None
    size = len(found) // 2
    while size and left > 0:
        for fewer in _without(found, size):
            left -= 1
            if fails_after(fewer):
                found = fewer
                break
            if not left:
                break
        else:
            size //= 2
        size = min(size, len(found) // 2)
    return found


def _without(calls: Calls, size: int) -> Iterator[Calls]:
    """What is left where so many calls, one after the other, are left out."""
    for at in range(0, len(calls), size):
        yield calls[:at] + calls[at + size :]
