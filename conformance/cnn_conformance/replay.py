"""Judging the counterexamples of a report again: `cnn-conformance replay`."""

import sys
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from cnn_conformance.again import after, law_of
from cnn_conformance.boundary.home import isolated, visiting
from cnn_conformance.candidate import CandidateError, Subject
from cnn_conformance.command import CONFORMS, NOTHING_CHECKED, VIOLATION, fail
from cnn_conformance.counterexample import Counterexample, of_plain
from cnn_conformance.gate import GateError, read
from cnn_conformance.guard import DeclinedError
from cnn_conformance.judging import Violation, judge, trusted


class Fate(StrEnum):
    """What became of a recorded failure."""

    FIXED = "FIXED"
    STILL_FAILS = "STILL FAILS"
    CANNOT_RUN = "CANNOT RUN"


def judged_again(subject: Subject, example: Counterexample) -> tuple[Fate, str]:
    """What becomes of a counterexample, judged after the same earlier calls by the law that showed it, and why.

    Raises CandidateError.
    """
    if example.earlier is None:
        return Fate.CANNOT_RUN, "no sequence of calls is recorded that shows it"
    judged, candidate = law_of(example.shown_by), after(example.calls[: example.earlier], subject)
    outcome = judge(judged, candidate.implementation(), example.case, trusted(candidate))
    if isinstance(outcome, Violation):
        return Fate.STILL_FAILS, f"breaks {outcome.clause}" + (f": {outcome.words}" if outcome.words else "")
    if isinstance(outcome, DeclinedError):
        return Fate.CANNOT_RUN, "it is declined"
    if outcome is None:
        return Fate.CANNOT_RUN, "it is not offered, or the law has nothing to say"
    return Fate.FIXED, ""


def _recorded(report: Mapping[str, Any], id: str | None) -> Iterator[tuple[str, Counterexample]]:
    """The counterexamples of a clause, or of all, each with what it is of."""
    clause, _, operation = (id or "").partition(":")
    for verdict in report["verdicts"]:
        asked = clause in ("", verdict["clause"]) and operation in ("", verdict["operation"])
        if asked and verdict["counterexample"] is not None:
            yield f"{verdict['clause']} on {verdict['operation']}", of_plain(verdict["counterexample"])


@click.command()
@click.argument("report", type=click.Path(path_type=Path))
@click.argument("id", required=False, metavar="[CLAUSE[:OPERATION]]")
@click.option("--candidate", help="Judge this one instead of the one that the report is on.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds for a call [10].")
@click.option("--memory", type=click.IntRange(min=1), help="Bytes that the candidate may hold, resident.")
@click.option("--python", metavar="PATH", default="", help="The interpreter in which the candidate runs.")
def replay(
    report: Path,
    id: str | None,
    candidate: str | None,
    timeout: float | None,
    memory: int | None,
    python: str,
) -> None:
    """Judge the smallest cases of a REPORT again, all of them or those of a clause.

    Each is FIXED, STILL FAILS or CANNOT RUN. Exit status 1 if any still fails, 3 if any cannot run or there is none.
    """
    try:
        document = read(report)
        address = candidate or document.get("address")
        if not address:
            raise GateError(f"{report} does not say where its candidate is; give --candidate ADDRESS.")
        recorded = list(_recorded(document, id))
    except GateError as error:
        fail(str(error))
    except (KeyError, TypeError, ValueError):
        fail(f"{report} is a baseline, or of another version; write a report anew with --json.")
    subject, found = isolated(address, timeout, memory, python), set()
    try:
        with visiting(subject):
            for name, example in recorded:
                fate, words = judged_again(subject, example)
                click.echo(f"{fate:11}  {name}" + (f": {words}" if words else ""))
                found.add(fate)
    except CandidateError as error:
        fail(str(error))
    if not found:
        click.echo(
            f"cnn-conformance: {report} has no failure{f' of {id}' if id else ''} to judge again.", err=True
        )
    if Fate.STILL_FAILS in found:
        sys.exit(VIOLATION)
    sys.exit(CONFORMS if found and Fate.CANNOT_RUN not in found else NOTHING_CHECKED)
