"""The commands that show the specification: what each clause says, and what stands behind it."""

import json
import sys
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase
from itertools import groupby
from time import perf_counter
from typing import IO, TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cnn_spec.clause import Clause, Standing
from cnn_spec.contents import in_order, title
from cnn_spec.sections import CLAUSES

if TYPE_CHECKING:
    from cnn_spec.checks.agreement import Agreement, Counterexample
    from cnn_spec.checks.check import Check, Evidence
    from cnn_spec.checks.formula import Formula

STYLES = {
    Standing.HOLDS: "green",
    Standing.DOMAIN: "cyan",
    Standing.AMBIGUOUS: "yellow",
    Standing.CORRECTED: "red",
    Standing.NOT_EXECUTABLE: "dim",
}


WIDTH = 120
"""Columns of a table that goes to no terminal."""


class Misuse(click.ClickException):
    """The call is wrong, in one sentence."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence."""
        click.echo(f"cnn-conformance: {self.message}", err=True)


def _console() -> Console:
    """A terminal as wide as it is; lines that go to none are not broken."""
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def _matching(pattern: str, ids: Collection[str]) -> list[str]:
    """The clause ids that a glob pattern matches, in capitals or not; none is a misuse that suggests others."""
    if found := [id for id in ids if fnmatchcase(id, pattern.upper())]:
        return found
    near = get_close_matches(pattern.upper(), ids, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else "; `cnn-conformance clauses` lists them all."
    raise Misuse(f"no clause is called {pattern!r}{hint}")


def _one(id: str, ids: Collection[str]) -> str:
    (found, *others) = _matching(id, ids)
    if others:
        raise Misuse(f"{id!r} means several clauses ({', '.join([found, *others[:3]])}, ...); name one.")
    return found


@click.command()
@click.option("--json", "as_json", is_flag=True, help="All there is to say of them, as JSON.")
def clauses(as_json: bool) -> None:
    """List all clauses of the notes, with their standing."""
    if as_json:
        from cnn_spec.checks import evidence

        everything = evidence()
        listed = [_described(clause, everything.get(clause.id)) for clause in in_order(CLAUSES.values())]
        click.echo(json.dumps(listed, indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    for section, here in groupby(in_order(CLAUSES.values()), key=lambda clause: clause.section):
        console.print(Text(f"\n{title(section)}", "bold"))
        table = Table.grid(padding=(0, 2))
        for width in (20, 18, None):
            table.add_column(width=width, no_wrap=width is not None)
        for clause in here:
            table.add_row(clause.id, Text(clause.standing, STYLES[clause.standing]), Text(clause.statement))
        console.print(table)
    counts = [f"{sum(c.standing is s for c in CLAUSES.values())} {s}" for s in Standing]
    console.print(f"\n{len(CLAUSES)} clauses: {', '.join(counts)}")


def _described(clause: Clause, evidence: "Evidence | None") -> dict[str, Any]:
    formula = evidence.formula if evidence else None
    return {
        "id": clause.id,
        "section": clause.section,
        "standing": str(clause.standing),
        "statement": clause.statement,
        "domain": clause.domain,
        "notes_say": clause.notes_say,
        "counterexample": clause.counterexample,
        "formula": formula and {"quantity": formula.quantity, "text": formula.text, "latex": formula.latex},
        "readings": [
            {"name": reading.name, "standing": reading.standing, "differs_at": reading.differs_at}
            for reading in (evidence.readings if evidence else ())
        ],
        "checks": [
            {"says": check.says, "scope": check.scope, "negative_control": check.wrong_says}
            for check in (evidence.checks if evidence else ())
        ],
        "laws": [{"name": law.name, "operation": law.operation} for law in clause.laws],
    }


@click.command()
@click.argument("clause_id", metavar="CLAUSE")
def explain(clause_id: str) -> None:
    """Say all there is to say of one clause: statement, formula, readings, checks, laws."""
    from cnn_spec.checks import evidence

    clause = CLAUSES[_one(clause_id, CLAUSES)]
    console = _console()
    console.print(_heading(clause))
    _print_fields(
        console,
        ("", clause.statement),
        ("domain", clause.domain),
        ("the notes say", clause.notes_say),
        ("but", clause.counterexample),
    )
    if behind := evidence().get(clause.id):
        if behind.formula is not None:
            console.print(_formula_lines(behind.formula))
        for reading in behind.readings:
            console.print(Text(f"  reading, {reading.standing}: {reading.name}"))
        _show_checks(console, behind.checks, [None] * len(behind.checks))
    for law in clause.laws:
        console.print(Text(f"  law on {law.operation}: {law.name}"))
        console.print(Text(f"      {(law.check.__doc__ or '').strip().splitlines()[0]}", style="dim"))
    if not clause.laws:
        console.print(Text("  It judges no operation of a candidate.", style="dim"))


def _heading(clause: Clause) -> Text:
    return Text.assemble(
        (clause.id, "bold"), f"  {title(clause.section)}  ", (str(clause.standing), STYLES[clause.standing])
    )


def _print_fields(console: Console, *fields: tuple[str, str]) -> None:
    for name, text in fields:
        if text:
            console.print(Text(f"  {name}: {text}" if name else f"  {text}"))


def _formula_lines(formula: "Formula") -> Text:
    from cnn_spec.checks.typeset import drawn

    rows = drawn(formula.expression)
    middle = len(rows) // 2
    left = f"    {formula.quantity} = "
    return Text("\n").join(
        Text((left if row == middle else " " * len(left)) + line, style="cyan")
        for row, line in enumerate(rows)
    )


def _show_checks(console: Console, checks: "Iterable[Check]", failures: Iterable[str | None]) -> None:
    """Each check with its outcome, None if it has not been run."""
    for check, failure in zip(checks, failures, strict=True):
        mark = {None: "·", "": "✓"}.get(failure, "✗")
        text = Text(f"  {mark} ", style="red" if failure else "green")
        text.append(check.says, style="default")
        text.append(f"\n      {check.scope}", style="dim")
        text.append(f"\n      negative control: {check.wrong_says}", style="dim")
        if failure:
            text.append(f"\n      FAILS: {failure}", style="bold red")
        console.print(text)


@click.command()
@click.argument("pattern", default="*")
def prove(pattern: str) -> None:
    """Run the checks behind the clauses whose ids match PATTERN, each with its negative control.

    A proof says whether it is for all parameters, or for every real tensor at each of the shapes it names; the
    other checks say what they were executed on. Exit status 1 if a check fails.
    """
    from cnn_spec.checks import evidence

    everything = evidence()
    matching = _matching(pattern, CLAUSES)
    if everything.keys().isdisjoint(matching):
        raise Misuse(f"{matching[0]} has nothing to prove; `cnn-conformance explain {matching[0]}` says why.")
    console = _console()
    start = perf_counter()
    run: list[Check] = []
    failed = 0
    for id in matching:
        if id not in everything:
            continue
        behind = everything[id]
        failures = [check.failure() for check in behind.checks]
        console.print(_heading(CLAUSES[id]))
        if behind.formula is not None:
            console.print(_formula_lines(behind.formula))
        _show_checks(console, behind.checks, failures)
        run += behind.checks
        failed += sum(map(bool, failures))
    console.print(_summary(run, failed, perf_counter() - start))
    sys.exit(1 if failed else 0)


def _summary(run: "list[Check]", failed: int, seconds: float) -> Text:
    from cnn_spec.checks.check import Kind

    counts = {kind: sum(check.kind is kind for check in run) for kind in Kind}
    shown = ", ".join(
        f"{counts[kind]} {noun}"
        for kind, noun in (
            (Kind.FOR_ALL, "proved for all parameters"),
            (Kind.AT_SHAPES, "proved for every real tensor at the shapes named"),
            (Kind.EXECUTED, "executed"),
            (Kind.SMALLEST, "smallest counterexamples by search"),
        )
        if counts[kind]
    )
    verdict = f"{failed} of {len(run)} checks FAIL" if failed else f"{len(run)} checks pass"
    return Text(
        f"\n{verdict}, each with a negative control that it must reject: {shown} ({seconds:.1f} s)",
        style="bold red" if failed else "bold green",
    )


@click.command()
@click.argument("clause_id", metavar="CLAUSE")
@click.argument("expression", metavar="EXPR")
def formula(clause_id: str, expression: str) -> None:
    """Hold your own formula EXPR against that of CLAUSE: equal, or the smallest counterexample.

    EXPR is arithmetic such as "floor((N + 2*P - K)/S) + 1", with + - * / // % **, floor, ceil, int, min and max.
    It is read, never run. Exit status 1 if the two differ.
    """
    from cnn_spec.checks import evidence
    from cnn_spec.checks.agreement import compare
    from cnn_spec.checks.reader import FormulaError, read
    from cnn_spec.checks.typeset import line

    formulas = {id: e.formula for id, e in evidence().items() if e.formula is not None}
    id = _one(clause_id, CLAUSES)
    if id not in formulas:
        raise Misuse(f"{id} has no formula; those that have one are {', '.join(formulas)}.")
    theirs = formulas[id]
    try:
        yours = read(expression, list(theirs.means))
    except FormulaError as error:
        raise Misuse(f"{error}.") from None
    result = compare(theirs, yours)
    console = _console()
    console.print(Text(f"{id}: {theirs.quantity} = {theirs.text}", style="bold"))
    console.print(
        Text(f"  {', '.join(f'{s}: {meaning}' for s, meaning in theirs.means.items())}", style="dim")
    )
    console.print(Text(f"yours: {line(yours.expression)}"))
    if result.fixed:
        console.print(f"It has no {' and no '.join(result.fixed)}: compared at {_at(result.fixed)}.")
    console.print(_verdict(theirs, result))
    sys.exit(1 if result.counterexample else 0)


def _at(point: Any) -> str:
    return ", ".join(f"{name} = {value}" for name, value in point.items())


def _values(found: "Counterexample", names: Collection[str]) -> str:
    yours = "nothing (it divides by 0)" if found.yours is None else found.yours
    at = {name: value for name, value in found.at.items() if name in names}
    return f"{_at(at)}: yours gives {yours}, the clause {found.clause}"


def _verdict(formula: "Formula", result: "Agreement") -> Text:
    from cnn_spec.checks.typeset import line

    names = [s.name for s in formula.means if s.name not in result.fixed]
    domain = ", ".join(map(line, formula.domain))
    if result.counterexample:
        text = Text(
            f"DIFFERENT. The smallest counterexample is {_values(result.counterexample, names)}.", "bold red"
        )
        if not result.differing:
            text.append(
                f"\nThey agree at all {result.points} points of the grid; z3 looked beyond.", "default"
            )
            return text
        text.append(f"\nThey differ at {result.differing} of {result.points} points", style="default")
        text.append(f": equal {result.part}, as far as the grid tells." if result.part else ".")
        return text
    if result.proved:
        text = Text(f"EQUAL for all {', '.join(names)} in the domain, proved {result.proved}.", "bold green")
    else:
        bounds = ", ".join(f"{s} <= {values[-1]}" for s, values in formula.grid.items() if s.name in names)
        text = Text(f"Equal for all {bounds}, not proved.", "bold yellow")
    text.append(f"\nThe domain: {domain}", "default")
    if result.beyond:
        text.append(
            f"\nBeyond {_at(result.fixed)} they differ, first at {_values(result.beyond, result.beyond.at)}.",
            "default",
        )
    return text
