"""Judging cases: each law of each case, and what a chunk of them comes to."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from cnn_conformance.boundary.home import Isolated
from cnn_conformance.boundary.whole import judged_at_home
from cnn_conformance.candidate import Candidate, Subject, load
from cnn_conformance.guard import DeclinedError, MisconductError, NotOfferedError
from cnn_conformance.plan import Chunk, Judged, laws_of
from cnn_conformance.tally import Failure, Tallies, Tally
from cnn_conformance.thrift import Thrift
from cnn_spec.bounds import Oracle
from cnn_spec.case import Case, Situation
from cnn_spec.cases.stream import case_of
from cnn_spec.clause import LawFunction
from cnn_spec.comparison import Comparison
from cnn_spec.conventions import tells
from cnn_spec.operations import Call, Implementation, Results, implementation_of
from cnn_spec.sections.interface_process import PROCESS_CLAUSES

HOPELESS = 3
"""So many cases are enough of a function that has answered in none of them."""


@dataclass(frozen=True)
class Violation:
    """A clause broken in a case: by the law's two sides, or by an answer whose fault needs words."""

    clause: str
    function: str
    comparison: Comparison | None = None
    words: str = ""


Outcome = Comparison | Violation | DeclinedError | None
"""A law on a case: it held, was broken, the candidate declined, or nothing can be said."""


def trusted(candidate: Candidate) -> Oracle:
    """The reference, under what the candidate declares."""
    import cnn_reference

    return Oracle(implementation_of(cnn_reference), candidate.about.declared)


def all_trusted(candidates: Sequence[Candidate]) -> list[Oracle]:
    """For each candidate an oracle; one for all that declare the same, who ask it about the same calls."""
    found: list[Oracle] = []
    for candidate in candidates:
        same = (oracle for oracle in found if oracle.declared == candidate.about.declared)
        found.append(next(same, None) or trusted(candidate))
    return found


def judge(judged: Judged, implementation: Implementation, case: Case, oracle: Oracle) -> Outcome:
    """One law on one case. A misconduct counts for the clause that it breaks, whichever law met it."""
    if not tells(case, oracle.declared):
        return None
    misconducts: list[MisconductError] = []

    def asked(call: Call) -> Results:
        try:
            return implementation(call)
        except MisconductError as misconduct:
            misconducts.append(misconduct)
            raise

    try:
        comparison = judged.law.check(asked, case, oracle)
    except DeclinedError as declined:
        return declined
    except NotOfferedError:
        return None
    except MisconductError:
        comparison = None
    if misconducts:  # also where the law took it for a refusal
        first = misconducts[0]
        return Violation(first.clause, first.call.function, words=str(first))
    if comparison is None or comparison.holds:
        return comparison
    sides = None if comparison.words else comparison
    return Violation(judged.clause, judged.function, sides, comparison.words)


def remembering(implementation: Implementation, call: Call) -> Implementation:
    """The same implementation, asked once for this very call, however many laws want its answer."""
    kept: list[Results | Exception] = []

    def answer(asked: Call) -> Results:
        if asked is not call:
            return implementation(asked)
        if not kept:
            try:
                kept.append(implementation(call))
            except (DeclinedError, NotOfferedError, MisconductError) as error:
                kept.append(error)
        if isinstance(kept[0], Exception):
            raise kept[0]
        return kept[0]

    return answer


def run_chunk(subject: Subject, chunk: Chunk) -> Tallies:
    """Judge every case of a chunk, in order."""
    found = judged_at_home(subject, chunk) if isinstance(subject, Isolated) else None
    return judge_chunk([load(subject)], chunk)[0] if found is None else found


def judge_chunk(candidates: Sequence[Candidate], chunk: Chunk) -> list[Tallies]:
    """Judge every case of a chunk, in order; each is drawn once for all candidates."""
    oracles = all_trusted(candidates)
    laws = defaultdict[Situation, list[Judged]](list)
    for judged in laws_of(chunk.function, chunk.only):
        laws[judged.law.situation].append(judged)
    found: list[Tallies] = [{} for _ in candidates]
    shapes = [candidate.about.few_shapes for candidate in candidates]
    thrifts = [None if few is None else Thrift(few) for few in shapes]
    for case_id in chunk.case_ids():
        case = case_of(case_id, chunk.seed)
        if case is None:
            continue
        for candidate, oracle, tallies, thrift in zip(candidates, oracles, found, thrifts, strict=True):
            if not _is_hopeless(tallies):
                implementation = remembering(candidate.implementation(), case.call)
                judge_case(laws[case.situation], implementation, case, oracle, tallies, thrift)
    return found


def _is_hopeless(tallies: Tallies) -> bool:
    """Whether the process was lost in every one of the first cases: each costs time, and more would say no more."""
    lost: set[str] = set()
    for (clause, _), tally in tallies.items():
        if clause not in PROCESS_CLAUSES and (tally.judged or tally.declined):
            return False
        lost |= tally.failures.keys()
    return len(lost) >= HOPELESS


def judge_case(
    laws: list[Judged],
    implementation: Implementation,
    case: Case,
    oracle: Oracle,
    tallies: Tallies,
    thrift: Thrift | None = None,
) -> None:
    """Judge a case by every law that applies to it, and count. A check that holds is made once, for all its clauses."""
    found: dict[LawFunction, Outcome] = {}
    for judged in laws:
        if not judged.law.applies(case):
            continue
        check, key = judged.law.check, (judged.clause, judged.function)
        if key not in tallies:
            tallies[key] = Tally()
        tally = tallies[key]
        if check not in found or isinstance(found[check], Violation):
            asked = thrift.sparing(implementation, judged.law, case, tally.seen) if thrift else implementation
            found[check] = judge(judged, asked, case, oracle)
        outcome = found[check]
        if isinstance(outcome, DeclinedError):
            tally.declined[case.id] = None
        elif isinstance(outcome, Violation):
            broken = tallies.setdefault((outcome.clause, outcome.function), Tally())
            failure = Failure(case.id, judged.clause, judged.law.check.__name__)
            broken.failures.setdefault(case.id, failure)
        elif outcome is not None:
            tally.error = max(tally.error, outcome.error)
        if isinstance(outcome, Comparison) or (
            isinstance(outcome, Violation) and outcome.clause == judged.clause
        ):
            tally.judged[case.id] = None
            unseen = (see for see in judged.law.must_see if see.__name__ not in tally.seen)
            tally.seen.update(see.__name__ for see in unseen if see(case))
