"""The report on a terminal, and progress while it is made."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from cnn_conformance.plan import Progress as Listener
from cnn_conformance.report import Report, Share, Status, Verdict
from cnn_conformance.wording import (
    MARKS,
    Part,
    Row,
    broken,
    circumstances,
    contradicts,
    failing,
    looks_like,
    named,
    outcome,
    parts_of,
    rows,
    source,
    tally,
    unseen,
    where,
)
from cnn_spec.clause import Clause
from cnn_spec.sections import CLAUSES

STYLES = {
    Status.HOLDS: "green",
    Status.VIOLATED: "bold red",
    Status.DECLINED: "yellow",
    Status.NOT_OFFERED: "dim",
    Status.INCONCLUSIVE: "yellow",
}
PART_STYLES = {Part.LAW: "dim", Part.CALL: "cyan", Part.FAULT: "red", Part.EXPECTED: "green", Part.GOT: "red"}


def render(report: Report, console: Console) -> None:
    """Print a report: a line for each operation, then each broken clause, then the sum."""
    console.print(_operations(report))
    for clause, verdicts in broken(report):
        _print_violation(console, clause, verdicts)
    unclear = [v for v in report.verdicts if v.status is Status.INCONCLUSIVE]
    for operation, found in groupby(unclear, key=lambda v: v.operation):
        never = ", ".join(map(unseen, found))
        console.print(Text(f"\n? {operation}, inconclusive: {never}", "yellow"))
    for contradiction in report.contradictions:
        console.print(Text(contradicts(contradiction), "bold magenta"))
    if report.coverage:
        console.print(Text(_exercised(report), "dim"))
    console.print(_sum(report))


def plain_text(report: Report) -> str:
    """The same without colours, for a log or an assertion's message."""
    return _plain(lambda console: render(report, console), width=110)


def violation_text(verdict: Verdict) -> str:
    """What is wrong with one verdict, without colours or line breaks of our own."""
    clause = CLAUSES[verdict.clause]
    return _plain(lambda console: _print_violation(console, clause, [verdict]), width=10_000).strip()


def _plain(show: Callable[[Console], None], width: int) -> str:
    written = io.StringIO()
    show(Console(file=written, width=width, no_color=True, highlight=False))
    return written.getvalue()


def _operations(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("operation", "clauses", "cases", "declined", "worst error"):
        table.add_column(
            heading, justify="left" if heading in ("operation", "clauses") else "right", no_wrap=True
        )
    for row in rows(report):
        table.add_row(
            row.name,
            _counts(row),
            f"{row.cases:,}",
            f"{row.declined:.0%}" if row.declined else "",
            f"{row.error:.2f} of the bound" if row.error is not None else "",
        )
    return table


def _counts(row: Row) -> Text:
    text = Text()
    for status, count in row.counts.items():
        text.append(f"{MARKS[status]} {count} {status.value}  ", STYLES[status])
    return text


def _print_violation(console: Console, clause: Clause, verdicts: Sequence[Verdict]) -> None:
    functions = ", ".join(v.operation for v in verdicts)
    console.print(
        Text.assemble(
            "\n", ("✗ ", "bold red"), (clause.id, "bold"), f"  {source(clause)}  ", (functions, "cyan")
        )
    )
    console.print(Text(clause.statement), Text("; ".join(map(failing, verdicts)), "dim"), sep="\n")
    for verdict in verdicts:
        if verdict.region is not None:
            console.print(Text(where(verdict), "dim"))
    for looks in dict.fromkeys(looks_like(v.diagnosis) for v in verdicts if v.diagnosis is not None):
        console.print(Text(looks, "yellow"))
    example = next((v.counterexample for v in verdicts if v.counterexample is not None), None)
    if example is not None:
        console.print(Text("smallest case", "bold"))
        for part, line in parts_of(example):
            console.print(Text(f"  {line}", PART_STYLES.get(part, "")))
        console.print(Text("script", "bold"))
        console.print(Text(example.script, "dim"), soft_wrap=True)


def _sum(report: Report) -> Text:
    status, sentence = outcome(report, named(report))
    words = f" ({circumstances(report)}): {tally(report)}"
    return Text.assemble("\n", (f"{MARKS[status]} {sentence}", f"bold {STYLES[status]}"), words)


def _exercised(report: Report) -> str:
    """How much of the case space was seen; what is not offered counts as unseen."""
    pairs, triples = (_percent([getattr(c, kind) for c in report.coverage]) for kind in ("pairs", "triples"))
    return f"\ncase space exercised: {pairs} of the feasible pairs of levels, {triples} of the triples"


def _percent(shares: Sequence[Share]) -> str:
    """Rounded down, so that only all of it is 100 %."""
    return f"{100 * sum(s.exercised for s in shares) // max(sum(s.feasible for s in shares), 1)} %"


LINES = 20
"""In so many parts progress is told where no bar can be."""


@contextmanager
def progress_on(console: Console) -> Iterator[Listener]:
    """A live bar on a terminal; elsewhere a plain line after each further part of the work."""
    if console.is_terminal:
        columns = (
            TextColumn("{task.description:24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("planning", total=None)
            yield lambda function, done, total: bar.update(
                task, description=function, completed=done, total=total
            )
        return

    told = 0

    def line(function: str, done: int, total: int) -> None:
        nonlocal told
        if done * LINES // total != told:
            told = done * LINES // total
            console.print(f"judged {done} of {total} chunks", highlight=False)

    yield line
