"""The report on a terminal, and progress while it is made."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from cnn_conformance.plan import Progress as Listener
from cnn_conformance.report import Counterexample, Diagnosis, Report, Status, Verdict
from cnn_spec.cases.stream import FUNCTIONS
from cnn_spec.clause import Clause
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
        _print_violation(console, CLAUSES[clause], list(broken))
    unclear = [v for v in report.verdicts if v.status is Status.INCONCLUSIVE]
    for operation, found in groupby(unclear, key=lambda v: v.operation):
        never = ", ".join(_never_seen(verdict) for verdict in found)
        console.print(Text(f"\n? {operation}, inconclusive: {never}", "yellow"))
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
        table.add_column(
            heading, justify="left" if heading in ("operation", "clauses") else "right", no_wrap=True
        )
    offered = [v for v in report.verdicts if v.status is not Status.NOT_OFFERED]
    for operation, found in groupby(offered, key=lambda v: FUNCTIONS[v.operation][0]):
        verdicts = list(found)
        functions = dict.fromkeys(v.operation for v in verdicts)
        of_each = [[v for v in verdicts if v.operation == function] for function in functions]
        cases = sum(max(v.cases for v in of) for of in of_each)
        declined = sum(max(len(v.declined) for v in of) for of in of_each)
        errors = [v.error_in_bounds for v in verdicts if v.error_in_bounds is not None]
        ranks = [str(FUNCTIONS[function][1]) for function in functions]
        table.add_row(
            operation if ranks == ["0"] else f"{operation} ({', '.join(ranks)}-d)",
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


def _print_violation(console: Console, clause: Clause, verdicts: Sequence[Verdict]) -> None:
    where = "interface" if clause.section == "interface" else f"notes §{clause.section}"
    functions = ", ".join(v.operation for v in verdicts)
    counts = "; ".join(f"{v.operation}: in {len(v.failures)} of {_judged(v)} cases" for v in verdicts)
    console.print(
        Text.assemble("\n", ("✗ ", "bold red"), (clause.id, "bold"), f"  {where}  ", (functions, "cyan"))
    )
    console.print(Text(clause.statement), Text(counts, "dim"), sep="\n")
    for verdict in verdicts:
        if verdict.region is not None:
            console.print(Text(f"{verdict.operation} {verdict.region.words}", "dim"))
    for looks in dict.fromkeys(_looks_like(v.diagnosis) for v in verdicts if v.diagnosis is not None):
        console.print(Text(looks, "yellow"))
    shown = next((v.counterexample for v in verdicts if v.counterexample is not None), None)
    if shown is not None:
        console.print(Text("smallest case", "bold"))
        console.print(_case(shown))
        console.print(Text("script", "bold"))
        console.print(Text(shown.script, "dim"), soft_wrap=True)


def _looks_like(diagnosis: Diagnosis) -> str:
    if not diagnosis.models:
        return f"looks like none of the {diagnosis.considered} known mistakes"
    likeliest, *others = (" together with ".join(names) for names in diagnosis.models)
    rest = f" (or, as these cases go: {'; or '.join(others)})" if others else ""
    blame = "; this is your adapter, not your library" if diagnosis.adapter else ""
    return f"looks like: {likeliest}{rest}{blame}; {len(diagnosis.models)} of {diagnosis.considered} known mistakes fit"


def _never_seen(verdict: Verdict) -> str:
    return f"{verdict.clause} (never saw {', '.join(verdict.unseen)})" if verdict.unseen else verdict.clause


def _judged(verdict: Verdict) -> int:
    return max(verdict.cases, len(verdict.failures))


def _case(example: Counterexample) -> Text:
    call = example.calls[-1]
    lines = [(f"{name} = {_shown(value)}", "") for name, value in call.arguments.items()]
    lines.append((_called(call), "cyan"))
    if example.law:
        lines.insert(0, (f"law: {example.law}", "dim"))
    if example.layout != "contiguous":
        lines.append((f"memory layout: {example.layout}", ""))
    if example.words:
        lines.append((example.words, "red"))
    elif example.expected is not None and example.got is not None:
        lines += [
            (f"expected {_shown(example.expected)}", "green"),
            (f"got      {_shown(example.got)}", "red"),
        ]
    return Text("\n").join(Text(f"  {line}", style) for line, style in lines)


def _called(call: Call) -> str:
    parameters = [f"{name}={value}".replace(" ", "") for name, value in call.parameters.items()]
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
