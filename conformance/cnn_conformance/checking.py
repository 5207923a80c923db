"""Checking a candidate: plan, judge, explain, report. Data goes one way."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from typing import Any

from cnn_conformance.again import Broken
from cnn_conformance.boundary.home import Isolated, visiting
from cnn_conformance.candidate import About, Seat, Subject, about, placed
from cnn_conformance.coverage import coverage_of
from cnn_conformance.diagnosis import Suspect, diagnose
from cnn_conformance.executors import InlineExecutor, as_done
from cnn_conformance.explain import Explanation, explain
from cnn_conformance.journal import Journal, of_run
from cnn_conformance.judging import run_chunk
from cnn_conformance.plan import (
    LEVELS,
    Chunk,
    PlanError,
    Progress,
    Sources,
    chunks_of,
    functions_of,
    laws_of,
    sources_of,
)
from cnn_conformance.region import Region, region_of
from cnn_conformance.report import Diagnosis, Report, Status, Verdict
from cnn_conformance.steadfast import Steadfast
from cnn_conformance.tally import Tallies, Tally
from cnn_spec.cases.stream import levels_of
from cnn_spec.sections.interface_process import PROCESS_CLAUSES

Key = tuple[str, str]


@dataclass(frozen=True)
class Explained:
    """The smallest cases of broken clauses, with what contradicts the oracle on them, and what functions look like."""

    examples: dict[Key, Explanation] = field(default_factory=dict)
    diagnoses: dict[str, Diagnosis] = field(default_factory=dict)


UNSEEN = {
    Seat.INSIDE: PROCESS_CLAUSES,
    Seat.CHILD: (),
    Seat.PROGRAM: ("INPUTS-UNCHANGED", "LAYOUT-FREE", "RESULT-KEPT", "RESULT-WRITTEN"),
}
"""The clauses that nobody can see a candidate break from where it is: they are not offered."""
BUDGET = 60.0
"""Seconds for the rounds of exploration at level deep, unless a budget is given."""


class NonconformanceError(AssertionError):
    """A candidate does not conform; the message shows what is wrong."""


def check(
    candidate: Subject,
    level: str = "standard",
    seed: int = 0,
    only: str | None = None,
    *,
    stop_at_first: bool = False,
    explain: bool = True,
    executor: Executor | None = None,
    budget: float | None = None,
    isolate: bool = False,
    timeout: float | None = None,
    memory: int | None = None,
    progress: Progress | None = None,
    journal: Journal | None = None,
) -> Report:
    """Hold a candidate against the clauses.

    `candidate` is an object that has some of the interface's functions, or its address as on the command
    line; `only` globs of clause ids or operations, between commas; `budget` seconds for level deep. With `stop_at_first` the
    first violation will do; without `explain` no smallest case is looked for, nor is a failing case asked again
    alone. `executor` is any executor of the standard interface; the candidate must then be an address, or picklable
    where its workers are other processes. Where they die of it, it is judged as if to `isolate` it had been asked.
    `isolate` keeps the candidate in a child process, so that nothing it does ends the run; it must be a module, an
    address or picklable, and may take `timeout` seconds for a call and hold `memory` bytes. What is reached is written
    to the `journal`, and what is in it already is not done again.

    Raises CandidateError for a candidate that cannot be loaded, PlanError for a level or `only` that names
    nothing, JournalError for a journal of another run, WorkError where the executor's workers cannot do the work.
    """
    if level not in LEVELS:
        raise PlanError(f"There is no level {level!r}; it may be {', '.join(LEVELS)}.")
    started = time.perf_counter()
    candidate = placed(candidate, isolate, timeout, memory)
    with ExitStack() as stack:
        stack.enter_context(visiting(candidate))
        workers: Executor = executor or InlineExecutor()
        if not isinstance(workers, InlineExecutor):
            workers = stack.enter_context(Steadfast(workers, candidate))
        if journal:
            stack.enter_context(closing(journal))
        described = workers.submit(about, candidate).result()
        if journal:
            journal.open(of_run(candidate, described, seed, level, only))
        run = journal.over(workers) if journal else workers
        plan = _Plan(level, seed, only, stop_at_first, BUDGET if budget is None else budget)
        try:
            tallies, complete, rounds = _judge(run, candidate, described, plan, progress, journal)
        except _EndsWorkersError:  # all over again, so that the report does not depend on who ended when
            candidate, described = placed(candidate), replace(described, seat=Seat.CHILD)
            run = journal.over(workers, "apart: ") if journal else workers
            tallies, complete, rounds = _judge(run, candidate, described, plan, progress, journal)
        judged = time.perf_counter()
        explained = _explain_all(run, candidate, tallies, seed) if explain else Explained()
        ended = time.perf_counter()
        return Report(
            candidate={"name": described.name, "version": described.version},
            seed=seed,
            level=level,
            verdicts=tuple(_verdicts(described, tallies, explained, only)),
            only=only,
            contradictions=tuple(e.contradiction for e in explained.examples.values() if e.contradiction),
            complete=complete,
            rounds=rounds,
            coverage=tuple(
                coverage_of(function, _judged(tallies, function)) for function in functions_of(only)
            ),
            address=_address(candidate),
            timing={"judging": judged - started, "explaining": ended - judged, "total": ended - started},
        )


def _address(candidate: Subject) -> str | None:
    address = candidate.address if isinstance(candidate, Isolated) else candidate
    return address if isinstance(address, str) else None


def assert_conforms(candidate: Subject, **options: Any) -> Report:
    """`check`, and NonconformanceError (an AssertionError) with the failures in words unless it conforms."""
    from cnn_conformance.terminal import plain_text

    report = check(candidate, **options)
    if not report.conforms:
        raise NonconformanceError(plain_text(report))
    return report


class _EndsWorkersError(Exception):
    """The candidate ends the processes that it is in."""


@dataclass(frozen=True)
class _Plan:
    """What is to be judged, and for how long."""

    level: str
    seed: int
    only: str | None
    stop_at_first: bool
    budget: float


def _judge(
    run: Executor,
    subject: Subject,
    described: About,
    plan: _Plan,
    progress: Progress | None,
    journal: Journal | None,
) -> tuple[Tallies, bool, int]:
    """The tallies of all that the plan asks for, whether all of it was judged, and the rounds of exploration."""
    tallies: Tallies = {}

    def judge_all(sources: Sources) -> bool:
        chunks = chunks_of(described, sources, plan.seed, plan.only)
        return _judge_all(run, subject, chunks, tallies, plan.stop_at_first, progress)

    complete, rounds, spent = judge_all(sources_of(plan.level)), 0, 0.0
    while plan.level == "deep" and complete:
        if spent >= plan.budget and not (journal and journal.spent(rounds + 1)):
            break
        rounds, began = rounds + 1, time.perf_counter()
        complete = judge_all(((f"round-{rounds}", 1),))
        seconds = time.perf_counter() - began
        spent += journal.spent(rounds, seconds) if journal else seconds
    return tallies, complete, rounds


def _judge_all(
    run: Executor,
    subject: Subject,
    chunks: Sequence[Chunk],
    tallies: Tallies,
    stop_at_first: bool,
    progress: Progress | None,
) -> bool:
    """Judge chunks into the tallies, in the chunks' order, whoever is done first; whether all were judged.

    Up to the first chunk with a failure, if that is where to stop. Raises _EndsWorkersError.
    """
    dearest_first = sorted(range(len(chunks)), key=lambda at: -chunks[at].cost)
    submitted = {at: run.submit(run_chunk, subject, chunks[at]) for at in dearest_first}
    futures = [submitted[at] for at in range(len(chunks))]
    end = len(chunks)
    try:
        for done, at in enumerate(as_done(futures), start=1):
            if futures[at].cancelled():
                continue
            broken = {clause for (clause, _), tally in futures[at].result().items() if tally.failures}
            if not isinstance(subject, Isolated) and not broken.isdisjoint(PROCESS_CLAUSES):
                raise _EndsWorkersError
            if progress:
                progress(chunks[at].function, done, len(chunks))
            if stop_at_first and broken and at < end:
                end = at + 1
                for unwanted in futures[end:]:
                    unwanted.cancel()
    finally:
        for unwanted in futures:
            unwanted.cancel()
    for future in futures[:end]:
        for key, tally in future.result().items():
            tallies.setdefault(key, Tally()).add(tally)
    return end == len(chunks)


def _explain_all(run: Executor, subject: Subject, tallies: Tallies, seed: int) -> Explained:
    """The smallest case of every broken clause, and the diagnosis of every function with one.

    Failures that no case shows alone are put down to the clause on earlier calls.
    """
    broken = [
        Broken(clause, function, tuple(tally.failures.values()), seed)
        for (clause, function), tally in sorted(tallies.items())
        if tally.failures
    ]
    functions = dict.fromkeys(one.function for one in broken if one.clause not in PROCESS_CLAUSES)
    explanations = [run.submit(explain, subject, one) for one in broken]
    diagnoses = [run.submit(diagnose, subject, _suspect(f, tallies, seed)) for f in functions]
    examples: dict[Key, Explanation] = {}
    for one, explanation in zip(broken, explanations, strict=True):
        found = explanation.result()
        key = found.clause, one.function
        examples[key] = min(examples.get(key, found), found, key=lambda e: e.rank)
        if found.clause != one.clause:
            tally = tallies[one.clause, one.function]
            tallies.setdefault((found.clause, one.function), Tally()).failures.update(tally.failures)
            tally.failures = {}
    return Explained(
        examples, {function: found.result() for function, found in zip(functions, diagnoses, strict=True)}
    )


def _suspect(function: str, tallies: Tallies, seed: int) -> Suspect:
    of_it = [
        tally
        for (clause, judged), tally in tallies.items()
        if judged == function and clause not in PROCESS_CLAUSES
    ]
    failed = frozenset(case_id for tally in of_it for case_id in tally.failures)
    # The clauses that every answer can break have every case, in the order in which all were judged.
    judged = max((tally.judged for tally in of_it), key=len)
    return Suspect(function, tuple(dict.fromkeys([*judged, *sorted(failed)])), failed, seed)


def _judged(tallies: Tallies, function: str) -> set[str]:
    """The cases of a function that were judged by any clause."""
    return {case_id for (_, of), tally in tallies.items() if of == function for case_id in tally.judged}


def _region(tally: Tally) -> Region | None:
    if not tally.failures:
        return None
    holding = [case_id for case_id in tally.judged if case_id not in tally.failures]
    return region_of([levels_of(c) for c in tally.failures], [levels_of(c) for c in holding])


def _verdicts(
    described: About, tallies: Tallies, explained: Explained, only: str | None
) -> Iterator[Verdict]:
    for function in functions_of(only):
        if function not in described.offered:
            clauses = dict.fromkeys(judged.clause for judged in laws_of(function, only))
            yield from (Verdict(clause, function, Status.NOT_OFFERED) for clause in clauses)
            continue
        must_see: dict[str, dict[str, None]] = {}
        for judged in laws_of(function, only):
            must_see.setdefault(judged.clause, {}).update((see.__name__, None) for see in judged.law.must_see)
        for clause in (*must_see, *(c for c, f in tallies if f == function and c not in must_see)):
            tally = tallies.get((clause, function), Tally())
            unseen = tuple(see for see in must_see.get(clause, {}) if see not in tally.seen)
            if clause in UNSEEN[described.seat] and not tally.failures:
                yield Verdict(clause, function, Status.NOT_OFFERED)
            else:
                yield _verdict(clause, function, tally, unseen, explained)


def _verdict(
    clause: str, function: str, tally: Tally, unseen: tuple[str, ...], explained: Explained
) -> Verdict:
    if tally.failures:
        status = Status.VIOLATED
    elif tally.declined and not tally.judged:
        status = Status.DECLINED
    elif not tally.judged or unseen:
        status = Status.INCONCLUSIVE
    else:
        status = Status.HOLDS
    example = explained.examples.get((clause, function))
    return Verdict(
        clause,
        function,
        status,
        cases=len(tally.judged),
        declined=tuple(case_id for case_id in tally.declined if case_id not in tally.judged),
        failures=tuple(tally.failures),
        unseen=tuple(see.replace("_", " ") for see in unseen) if status is Status.INCONCLUSIVE else (),
        error_in_bounds=tally.error or None,
        counterexample=example.counterexample if example else None,
        region=_region(tally),
        diagnosis=explained.diagnoses.get(function) if tally.failures else None,
    )
