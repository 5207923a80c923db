"""The report as one HTML page, which wants neither the network nor a script to be read."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

from cnn_conformance import wording
from cnn_conformance.counterexample import Counterexample
from cnn_conformance.gate import RED, Change
from cnn_conformance.heatmap import Picture, comparison, picture
from cnn_conformance.report import Report, Status, Verdict, environment
from cnn_conformance.templating import templates
from cnn_spec.checks import evidence
from cnn_spec.checks.formula import Formula
from cnn_spec.checks.typeset import mathml
from cnn_spec.clause import Clause
from cnn_spec.contents import in_order
from cnn_spec.operations import Call
from cnn_spec.sections import CLAUSES

CALLS_SHOWN = 3
"""Of a longer sequence of calls only the last is shown; the script makes them all."""


@dataclass(frozen=True)
class Table:
    """The verdicts on an operation: a row for each clause, a column for each function."""

    row: wording.Row
    functions: tuple[str, ...]
    lines: tuple[tuple[str, tuple[Verdict | None, ...]], ...]


@dataclass(frozen=True)
class Shown:
    """A counterexample's calls, each with what it is given, and what came of them."""

    calls: tuple[tuple[Call, tuple[Picture | str, ...]], ...]
    earlier: int
    outcome: tuple[Picture, ...]


def page(report: Report, changes: Sequence[Change] | None = None) -> str:
    """The whole page; `changes` are those since a baseline."""
    pages = templates()
    pages.filters.update(
        coded=_coded, formula=_formula, mathml=lambda expression: Markup(mathml(expression)), shown=_shown
    )
    judged = {verdict.clause for verdict in report.verdicts if verdict.status is not Status.NOT_OFFERED}
    status, sentence = wording.outcome(report, wording.named(report))
    return pages.get_template("report.html").render(
        wording=wording,
        report=report,
        status=status,
        sentence=sentence,
        environment=environment(),
        changes=changes,
        red=RED,
        broken=list(wording.broken(report)),
        tables=list(map(_table, wording.rows(report))),
        clauses=in_order(CLAUSES[clause] for clause in judged),
        absent=list(dict.fromkeys(v.operation for v in report.verdicts if v.status is Status.NOT_OFFERED)),
    )


def _table(row: wording.Row) -> Table:
    functions = tuple(dict.fromkeys(verdict.operation for verdict in row.verdicts))
    found = {(verdict.clause, verdict.operation): verdict for verdict in row.verdicts}
    clauses = dict.fromkeys(verdict.clause for verdict in row.verdicts)
    lines = ((clause, tuple(found.get((clause, function)) for function in functions)) for clause in clauses)
    return Table(row, functions, tuple(lines))


def _shown(example: Counterexample) -> Shown:
    calls = example.calls if len(example.calls) <= CALLS_SHOWN else example.calls[-1:]
    given = (
        tuple(
            picture(name, value) if isinstance(value, np.ndarray) else f"{name} = {value}"
            for name, value in call.arguments.items()
        )
        for call in calls
    )
    expected, got = example.expected, example.got
    outcome = () if expected is None or got is None else tuple(comparison(expected, got))
    return Shown(tuple(zip(calls, given, strict=True)), len(example.calls) - len(calls), outcome)


def _formula(clause: Clause) -> Formula | None:
    behind = evidence().get(clause.id)
    return behind.formula if behind else None


def _coded(text: str) -> Markup:
    """Text in which what stands between backticks is code."""
    parts = str(escape(text)).split("`")
    return Markup("".join(f"<code>{part}</code>" if k % 2 else part for k, part in enumerate(parts)))
