"""The commands that show the specification: what each clause says, and what stands behind it."""

import sys
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase
from time import perf_counter
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from cnn_spec.checks.evidence import Check, Evidence
    from cnn_spec.checks.formula import Formula


def _console() -> Console:
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def _matching(pattern: str, ids: Collection[str]) -> list[str]:
    """The clause ids that a glob pattern matches; a misspelt one is a usage error that suggests others."""
    found = [id for id in ids if fnmatchcase(id, pattern.upper())]
    if found:
        return found
    near = get_close_matches(pattern.upper(), ids, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else "; `cnn-conformance clauses` lists them all."
    raise click.UsageError(f"no clause is called {pattern!r}{hint}")


def _formula_lines(formula: "Formula") -> Text:
    from cnn_spec.checks.typeset import drawn

    rows = drawn(formula.expression)
    middle = len(rows) // 2
    left = f"    {formula.quantity} = "
    return Text("\n").join(
        Text((left if row == middle else " " * len(left)) + line, style="cyan")
        for row, line in enumerate(rows)
    )


def _check_lines(check: "Check", failure: str | None = None) -> Text:
    """One check; with its outcome if it has been run."""
    mark = {None: "·", "": "✓"}.get(failure, "✗")
    text = Text(f"  {mark} ", style="red" if failure else "green")
    text.append(check.says, style="default")
    text.append(f"\n      {check.scope}", style="dim")
    text.append(f"\n      negative control: {check.wrong_says}", style="dim")
    if failure:
        text.append(f"\n      FAILS: {failure}", style="bold red")
    return text


def _show_evidence(console: Console, evidence: "Evidence", failures: Iterable[str | None]) -> None:
    if evidence.formula is not None:
        console.print(_formula_lines(evidence.formula))
    for check, failure in zip(evidence.checks, failures, strict=True):
        console.print(_check_lines(check, failure))


@click.command()
@click.argument("pattern", default="*")
def prove(pattern: str) -> None:
    """Run the checks behind the clauses whose ids match PATTERN, each with its negative control.

    A proof says whether it is for all parameters, or for every real tensor at each of the shapes it names; the
    other checks say what they were executed on. Exit status 1 if a check fails.
    """
    from cnn_spec.checks import evidence

    everything = evidence()
    console = _console()
    start = perf_counter()
    run: list[Check] = []
    failed = 0
    for id in _matching(pattern, everything):
        failures = [check.failure() for check in everything[id].checks]
        console.print(Text(id, style="bold"))
        _show_evidence(console, everything[id], failures)
        run += everything[id].checks
        failed += sum(map(bool, failures))
    console.print(_summary(run, failed, perf_counter() - start))
    sys.exit(1 if failed else 0)


def _summary(run: "list[Check]", failed: int, seconds: float) -> Text:
    from cnn_spec.checks.evidence import Kind

    counts = {kind: sum(check.kind is kind for check in run) for kind in Kind}
    shown = ", ".join(
        f"{counts[kind]} {noun}"
        for kind, noun in (
            (Kind.FOR_ALL, "proofs for all parameters"),
            (Kind.AT_SHAPES, "proofs for every real tensor at the shapes they name"),
            (Kind.EXECUTED, "executed properties"),
            (Kind.SMALLEST, "smallest counterexamples"),
        )
        if counts[kind]
    )
    verdict = f"{failed} of {len(run)} checks FAIL" if failed else f"all {len(run)} checks pass"
    return Text(
        f"\n{verdict}, each with a negative control that it must reject: {shown} ({seconds:.1f} s)",
        style="bold red" if failed else "bold green",
    )
