"""Several candidates side by side: a row for each clause, a column for each candidate, made of their reports."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from cnn_conformance.counterexample import of_plain
from cnn_conformance.report import Status
from cnn_conformance.templating import templates
from cnn_conformance.terminal import STYLES
from cnn_conformance.wording import MARKS, parts_of, source
from cnn_spec.clause import Clause
from cnn_spec.contents import in_order
from cnn_spec.markdown import escaped
from cnn_spec.sections import CLAUSES

Document = Mapping[str, Any]
"""A report, as its JSON has it."""

WEIGHT = (Status.VIOLATED, Status.HOLDS, Status.DECLINED, Status.INCONCLUSIVE, Status.NOT_OFFERED)
"""A cell has the first of these that a function of its candidate has."""
MATRIX_VERSION = 1


@dataclass(frozen=True)
class Column:
    """A candidate, and how it was run."""

    name: str
    version: str
    circumstances: str
    summary: Mapping[str, int]


@dataclass(frozen=True)
class Broken:
    """A clause broken on a function, with the lines that show the smallest case."""

    words: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """A clause on a candidate: how many of its functions have the status, of how many that it was judged on."""

    status: Status
    count: int
    judged: int
    broken: tuple[Broken, ...] = ()

    @property
    def text(self) -> str:
        """Such as `✗ 2/9`."""
        mark = MARKS[self.status]
        return f"{mark} {self.count}/{self.judged}" if self.status is Status.VIOLATED else mark


@dataclass(frozen=True)
class Matrix:
    """The clauses that judged some candidate, in the notes' order, with a cell for each candidate."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Clause, tuple[Cell, ...]], ...]
    made: str
    """The day."""


def matrix(reports: Sequence[Document]) -> Matrix:
    """The reports side by side."""
    found = [_by_clause(report) for report in reports]
    judged = {
        clause
        for of in found
        for clause, verdicts in of.items()
        if any(v["status"] != Status.NOT_OFFERED for v in verdicts)
    }
    rows = [
        (clause, tuple(_cell(of.get(clause.id, [])) for of in found))
        for clause in in_order(clause for clause in CLAUSES.values() if clause.id in judged)
    ]
    return Matrix(tuple(map(_column, reports)), tuple(rows), datetime.now(UTC).date().isoformat())


def _column(report: Document) -> Column:
    only = f", only {report['only']}" if report["only"] else ""
    return Column(
        report["candidate"]["name"],
        report["candidate"]["version"],
        f"{report['level']}, seed {report['seed']}{only}",
        report["summary"],
    )


def _by_clause(report: Document) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = {}
    for verdict in report["verdicts"]:
        found.setdefault(verdict["clause"], []).append(verdict)
    return found


def _cell(verdicts: Sequence[Document]) -> Cell:
    counts = Counter(Status(v["status"]) for v in verdicts)
    status = next((s for s in WEIGHT if counts[s]), Status.NOT_OFFERED)
    broken = tuple(map(_broken, (v for v in verdicts if v["status"] == Status.VIOLATED)))
    return Cell(status, counts[status], counts[Status.VIOLATED] + counts[Status.HOLDS], broken)


def _broken(verdict: Document) -> Broken:
    judged = max(verdict["cases"], len(verdict["failures"]))
    words = f"{verdict['operation']}: in {len(verdict['failures'])} of {judged} cases"
    if verdict["region"]:
        words += f"; {verdict['region']['words']}"
    example = verdict["counterexample"]
    return Broken(words, tuple(line for _, line in parts_of(of_plain(example))) if example else ())


def table(of: Matrix) -> Table:
    """For a terminal."""
    made = Table(box=None, pad_edge=False, header_style="dim")
    made.add_column("clause", no_wrap=True)
    for column in of.columns:
        made.add_column(f"{column.name}\n{column.version}")
    for clause, cells in of.rows:
        made.add_row(clause.id, *(Text(cell.text, STYLES[cell.status]) for cell in cells))
    return made


def key() -> str:
    """What the marks mean."""
    meanings = {
        Status.VIOLATED: "violated, on so many of the functions on which it was judged",
        Status.DECLINED: "declined in every case",
    }
    return "; ".join(f"{MARKS[s]} {meanings.get(s, s.value)}" for s in Status)


def markdown(of: Matrix) -> str:
    """A table, and the smallest case of each red cell's first function."""
    lines = [f"Made on {of.made}. {key()}.", ""]
    lines += [_cells("candidate", "version", "level", *Status), _cells(*["---"] * 3, *["---:"] * len(Status))]
    for column in of.columns:
        counts = (str(column.summary.get(status, 0)) for status in Status)
        lines.append(_cells(*map(escaped, (column.name, column.version, column.circumstances)), *counts))
    names = [escaped(column.name) for column in of.columns]
    lines += ["", _cells("clause", *names), _cells("---", *[":---:"] * len(names))]
    lines += [_cells(clause.id, *(cell.text for cell in cells)) for clause, cells in of.rows]
    return "\n".join([*lines, "", *_red(of)])


def _red(of: Matrix) -> Iterator[str]:
    for clause, cells in of.rows:
        red = [(c.name, cell) for c, cell in zip(of.columns, cells, strict=True) if cell.broken]
        if red:
            yield f"## {clause.id}\n\n{escaped(clause.statement)}\n"
        for name, cell in red:
            yield f"<details><summary>{escaped(name)}: {cell.count} of {cell.judged} functions</summary>\n"
            yield from (f"- {escaped(broken.words)}" for broken in cell.broken)
            example = next((broken.lines for broken in cell.broken if broken.lines), ())
            yield "\n".join(["", "```", *example, "```", "", "</details>", ""])


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def page(of: Matrix) -> str:
    """One HTML page, which wants neither the network nor a script to be read."""
    return templates().get_template("matrix.html").render(matrix=of, key=key(), source=source, Status=Status)


def document(of: Matrix) -> dict[str, Any]:
    """Plain dictionaries, lists, strings and numbers."""
    return {
        "matrix_version": MATRIX_VERSION,
        "made": of.made,
        "candidates": [{**vars(column), "summary": dict(column.summary)} for column in of.columns],
        "clauses": [
            {
                "clause": clause.id,
                "cells": [{**vars(cell), "broken": [vars(one) for one in cell.broken]} for cell in cells],
            }
            for clause, cells in of.rows
        ],
    }
