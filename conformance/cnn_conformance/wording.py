"""What every view of a report says, in the same words."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from itertools import groupby

import numpy as np

from cnn_conformance.counterexample import Counterexample
from cnn_conformance.report import Contradiction, Diagnosis, Report, Status, Verdict
from cnn_spec.cases.stream import FUNCTIONS
from cnn_spec.clause import Clause
from cnn_spec.operations import Array, Call
from cnn_spec.sections import CLAUSES

ALL_DIGITS = 17
"""Of a float64, so that no two of them look alike."""
MARKS = {
    Status.HOLDS: "✓",
    Status.VIOLATED: "✗",
    Status.DECLINED: "–",
    Status.NOT_OFFERED: "·",
    Status.INCONCLUSIVE: "?",
}


@dataclass(frozen=True)
class Row:
    """The verdicts on an operation in all ranks in which it is offered, and their sums.

    `cases` were judged; of those that there were the share `declined` was declined. `error` is the worst rounding
    error in units of the bound.
    """

    operation: str
    ranks: tuple[int, ...]
    verdicts: tuple[Verdict, ...]
    cases: int
    declined: float
    error: float | None

    @property
    def name(self) -> str:
        """Such as `conv (1, 2-d)`."""
        ranks = ", ".join(map(str, self.ranks))
        return self.operation if ranks == "0" else f"{self.operation} ({ranks}-d)"

    @property
    def counts(self) -> dict[Status, int]:
        """How many verdicts there are of each status that occurs."""
        counted = {status: sum(v.status is status for v in self.verdicts) for status in Status}
        return {status: count for status, count in counted.items() if count}


def rows(report: Report) -> Iterator[Row]:
    """The operations that are offered, in the interface's order."""
    offered = [v for v in report.verdicts if v.status is not Status.NOT_OFFERED]
    for operation, found in groupby(offered, key=lambda v: FUNCTIONS[v.operation][0]):
        verdicts = tuple(found)
        functions = dict.fromkeys(v.operation for v in verdicts)
        of_each = [[v for v in verdicts if v.operation == function] for function in functions]
        cases = sum(max(v.cases for v in of) for of in of_each)
        declined = sum(max(len(v.declined) for v in of) for of in of_each)
        errors = [v.error_in_bounds for v in verdicts if v.error_in_bounds is not None]
        yield Row(
            operation,
            tuple(FUNCTIONS[function][1] for function in functions),
            verdicts,
            cases,
            declined / (cases + declined) if declined else 0.0,
            max(errors, default=None),
        )


def broken(report: Report) -> Iterator[tuple[Clause, list[Verdict]]]:
    """The violated clauses in the notes' order, each with its verdicts."""
    violations = sorted(report.violations, key=lambda v: list(CLAUSES).index(v.clause))
    for clause, found in groupby(violations, key=lambda v: v.clause):
        yield CLAUSES[clause], list(found)


def source(clause: Clause) -> str:
    """Where a clause comes from."""
    return "interface" if clause.section == "interface" else f"notes §{clause.section}"


def failing(verdict: Verdict) -> str:
    """In how many cases a clause is broken on an operation."""
    judged = max(verdict.cases, len(verdict.failures))
    return f"{verdict.operation}: in {len(verdict.failures)} of {judged} cases"


def where(verdict: Verdict) -> str:
    """The operation, and the region of its failures if one is known."""
    return f"{verdict.operation} {verdict.region.words}" if verdict.region else failing(verdict)


def unseen(verdict: Verdict) -> str:
    """A clause that is inconclusive, and why."""
    return f"{verdict.clause} (never saw {', '.join(verdict.unseen)})" if verdict.unseen else verdict.clause


def why_not(verdict: Verdict) -> str:
    """Why a clause neither holds nor is violated."""
    match verdict.status:
        case Status.NOT_OFFERED:
            return f"the candidate has no {verdict.operation}"
        case Status.DECLINED:
            return f"the candidate declined all {len(verdict.declined)} cases"
        case _:
            return f"inconclusive: {unseen(verdict)}"


def looks_like(diagnosis: Diagnosis) -> str:
    """The known mistakes that fit."""
    if not diagnosis.models:
        return f"looks like none of the {diagnosis.considered} known mistakes"
    likeliest, *others = (" together with ".join(names) for names in diagnosis.models)
    rest = f" (or, as these cases go: {'; or '.join(others)})" if others else ""
    blame = "; this is your adapter, not your library" if diagnosis.adapter else ""
    return f"looks like: {likeliest}{rest}{blame}; {len(diagnosis.models)} of {diagnosis.considered} known mistakes fit"


def contradicts(contradiction: Contradiction) -> str:
    """That this suite is wrong, and where."""
    return (
        f"This suite contradicts itself on {contradiction.clause} ({contradiction.case_id}): "
        f"{contradiction.words}. The reference is at fault, not the candidate; please report it."
    )


class Part(Enum):
    """What a line about a counterexample shows."""

    LAW = auto()
    ARGUMENT = auto()
    CALL = auto()
    LAYOUT = auto()
    FAULT = auto()
    EXPECTED = auto()
    GOT = auto()


def parts_of(example: Counterexample) -> Iterator[tuple[Part, str]]:
    """A counterexample, line by line: the last call, with its arguments, and what came of it."""
    call = example.calls[-1]
    if example.law:
        yield Part.LAW, f"law: {example.law}"
    for name, value in call.arguments.items():
        yield Part.ARGUMENT, f"{name} = {_shown(value)}"
    yield Part.CALL, called(call)
    if example.layout != "contiguous":
        yield Part.LAYOUT, f"memory layout: {example.layout}"
    if example.words:
        yield Part.FAULT, example.words
    elif example.expected is not None and example.got is not None:
        expected, got = _told_apart(example.expected, example.got)
        yield Part.EXPECTED, f"expected {expected}"
        yield Part.GOT, f"got      {got}"


def called(call: Call) -> str:
    """A call as it is written, arrays by their names."""
    parameters = [f"{name}={value}".replace(" ", "") for name, value in call.parameters.items()]
    return f"{call.function}({', '.join([*call.arguments, *parameters])})"


def _told_apart(expected: Array, got: Array) -> tuple[str, str]:
    """Both with as many digits as it takes to see a difference."""
    few = _shown(expected), _shown(got)
    return few if few[0] != few[1] else (_shown(expected, ALL_DIGITS), _shown(got, ALL_DIGITS))


def _shown(value: Array | int | None, digits: int = 8) -> str:
    """The middle of a large array is left out."""
    if not isinstance(value, np.ndarray):
        return str(value)
    text = np.array2string(value, precision=digits, separator=", ", threshold=60, max_line_width=10_000)
    return " ".join(text.split()).replace(" ,", ",").replace("[ ", "[")


def named(report: Report) -> str:
    """The candidate's name and version."""
    return f"{report.candidate['name']} {report.candidate['version']}".rstrip()


def outcome(report: Report, name: str) -> tuple[Status, str]:
    """What a run comes to: the status that it is most like, and a sentence on the candidate of this name."""
    if not any(v.status in (Status.HOLDS, Status.VIOLATED) for v in report.verdicts):
        return Status.INCONCLUSIVE, f"{name}: nothing was checked"
    if report.conforms:
        return Status.HOLDS, f"{name} conforms"
    return Status.VIOLATED, f"{name} does not conform"


def circumstances(report: Report) -> str:
    """How a run was made."""
    rounds = f", {report.rounds} rounds" if report.rounds else ""
    cut = "" if report.complete else ", stopped at the first violation"
    seconds = f", {report.timing['total']:.1f} s" if report.timing else ""
    return f"level {report.level}, seed {report.seed}{rounds}{cut}{seconds}"


def tally(report: Report) -> str:
    """How many verdicts there are of each status that occurs."""
    return ", ".join(f"{count} {status}" for status, count in report.summary.items() if count)
