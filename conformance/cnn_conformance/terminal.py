"""The report on a terminal, and progress while it is made."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from cnn_conformance.checking import Progress as Listener
from cnn_conformance.report import Counterexample, Report, Status, Verdict
from cnn_spec.operations import Array, Call
from cnn_spec.sections import CLAUSES

MARKS = {
    Status.HOLDS: ("✓", "green"),
    Status.VIOLATED: ("✗", "bold red"),
    Status.DECLINED: ("–", "yellow"),
    Status.NOT_OFFERED: ("·", "dim"),
    Status.INCONCLUSIVE: ("?", "yellow"),
}


def render(report: Report, console: Console) -> None:
    """Print a report: a line for each operation, then each broken clause, then the sum."""
    console.print(_operations(report))
    violations = sorted(report.violations, key=lambda v: list(CLAUSES).index(v.clause))
    for clause, broken in groupby(violations, key=lambda v: v.clause):
        console.print(_violation(clause, list(broken)), soft_wrap=True)
    for verdict in report.verdicts:
        if verdict.status is Status.INCONCLUSIVE:
            never = f"never saw {', '.join(verdict.unseen)}" if verdict.unseen else "no case could be judged"
            console.print(Text(f"? {verdict.clause} on {verdict.operation}: {never}", "yellow"))
    for contradiction in report.contradictions:
        console.print(
            Text(
                f"This suite contradicts itself on {contradiction.clause} ({contradiction.case_id}): "
                f"{contradiction.words}. The reference is at fault, not the candidate; please report it.",
                "bold magenta",
            )
        )
    console.print(_sum(report))


def plain_text(report: Report) -> str:
    """The same without colours, for a log or an assertion's message."""
    written = io.StringIO()
    render(report, Console(file=written, width=110, no_color=True, highlight=False))
    return written.getvalue()


def _operations(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("operation", "clauses", "cases", "declined", "worst error"):
        table.add_column(heading, justify="left" if heading in ("operation", "clauses") else "right")
    for operation, found in groupby(report.verdicts, key=lambda v: v.operation):
        verdicts = list(found)
        if all(v.status is Status.NOT_OFFERED for v in verdicts):
            continue
        cases, declined = max(v.cases for v in verdicts), max(v.declined for v in verdicts)
        errors = [v.error_in_bounds for v in verdicts if v.error_in_bounds is not None]
        table.add_row(
            operation,
            _counts(verdicts),
            f"{cases:,}",
            f"{declined / (cases + declined):.0%}" if declined else "",
            f"{max(errors):.2f} of the bound" if errors else "",
        )
    return table


def _counts(verdicts: Sequence[Verdict]) -> Text:
    text = Text()
    for status, (mark, style) in MARKS.items():
        count = sum(v.status is status for v in verdicts)
        if count:
            text.append(f"{mark} {count} {status.value}  ", style)
    return text


def _violation(clause_id: str, verdicts: Sequence[Verdict]) -> RenderableType:
    clause = CLAUSES[clause_id]
    where = "interface" if clause.section == "interface" else f"notes §{clause.section}"
    functions = ", ".join(v.operation for v in verdicts)
    parts: list[RenderableType] = [
        Text.assemble("\n", ("✗ ", "bold red"), (clause_id, "bold"), f"  {where}  ", (functions, "cyan")),
        Text(f"  {clause.statement}"),
        Text(
            "  " + "; ".join(f"{v.operation}: {len(v.failures)} of {_judged(v)} cases" for v in verdicts),
            "dim",
        ),
    ]
    shown = next((v.counterexample for v in verdicts if v.counterexample is not None), None)
    if shown is not None:
        parts += [Text("  smallest case", "bold"), Padding(_case(shown), (0, 0, 0, 4))]
        parts += [Text("  script", "bold"), Padding(_script(shown.script), (0, 0, 0, 4))]
    return Group(*parts)


def _judged(verdict: Verdict) -> int:
    return max(verdict.cases, len(verdict.failures))


def _script(script: str) -> RenderableType:
    return Syntax(script, "python", theme="ansi_dark", background_color="default", word_wrap=False)


def _case(example: Counterexample) -> RenderableType:
    lines = Text()
    call = example.calls[-1]
    if example.law:
        lines.append(f"law: {example.law}\n", "dim")
    for name, value in call.arguments.items():
        lines.append(f"{name} = {_shown(value)}\n")
    lines.append(_called(call) + "\n", "cyan")
    if example.layout != "contiguous":
        lines.append(f"memory layout: {example.layout}\n")
    if example.words:
        lines.append(example.words, "red")
    elif example.expected is not None and example.got is not None:
        lines.append(f"expected {_shown(example.expected)}\n", "green")
        lines.append(f"got      {_shown(example.got)}", "red")
    return lines


def _called(call: Call) -> str:
    parameters = [f"{name}={value}" for name, value in call.parameters.items()]
    return f"{call.function}({', '.join([*call.arguments, *parameters])})"


def _shown(value: Array | int | None) -> str:
    if not isinstance(value, np.ndarray):
        return str(value)
    text = np.array2string(value, separator=", ", threshold=60, max_line_width=10_000)
    return " ".join(text.split()).replace(" ,", ",").replace("[ ", "[")


def _sum(report: Report) -> Text:
    name = f"{report.candidate['name']} {report.candidate['version']}".rstrip()
    counts = ", ".join(f"{count} {status}" for status, count in report.summary.items() if count)
    how = f"level {report.level}, seed {report.seed}" + (f", {report.rounds} rounds" if report.rounds else "")
    seconds = f"{report.timing['total']:.1f} s" if report.timing else ""
    if not sum(v.status in (Status.HOLDS, Status.VIOLATED) for v in report.verdicts):
        return Text(f"\n? {name}: nothing was checked ({how}): {counts}", "bold yellow")
    mark, verb, style = (
        ("✓", "conforms", "bold green") if report.conforms else ("✗", "does not conform", "bold red")
    )
    cut = "" if report.complete else ", stopped at the first violation"
    return Text.assemble("\n", (f"{mark} {name} {verb}", style), f" ({how}{cut}, {seconds}): {counts}")


@contextmanager
def progress_on(console: Console) -> Iterator[Listener]:
    """A live bar on a terminal; elsewhere a plain line when an operation is done."""
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
    last: list[str] = []

    def line(function: str, done: int, total: int) -> None:
        if last and last[0] != function:
            console.print(f"judged {last[0]} ({done - 1} of {total} chunks)", highlight=False)
        if done == total:
            console.print(f"judged {function} ({done} of {total} chunks)", highlight=False)
        last[:] = [function]

    yield line
