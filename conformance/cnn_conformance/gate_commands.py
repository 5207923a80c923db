"""The regression gate on the command line: `compare`, and the part of `run` that a baseline asks for."""

import json
import sys
from collections import Counter
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from cnn_conformance.command import CONFORMS, VIOLATION, WIDTH, fail
from cnn_conformance.gate import RED, Change, Document, GateError, Kind, baseline_of, changes, notes, read

STYLES = {
    Kind.NEW: "bold red",
    Kind.LOST: "bold red",
    Kind.KNOWN: "yellow",
    Kind.FIXED: "green",
    Kind.STALE: "dim",
}


def hold_against(path: Path, report: Document, update: bool, console: Console) -> bool:
    """Compare a run with the baseline at a path, show what changed, write the baseline anew if that is wanted.

    Returns whether the gate is green: nothing new and nothing lost, or a baseline that was just written. Raises
    GateError.
    """
    if not path.exists() and not update:
        raise GateError(f"There is no baseline {path}; --update-baseline writes it.")
    old = read(path) if path.exists() else None
    green = old is None or show(old, report, console)
    if update:
        path.write_text(
            json.dumps(baseline_of(report, old), indent=1, allow_nan=False) + "\n", encoding="utf-8"
        )
        console.print(f"{path} is written.", highlight=False)
    return green or update


def show(old: Document, new: Document, console: Console) -> bool:
    """Print what changed, and whether that is acceptable; return the same."""
    found = changes(old, new)
    for note in notes(old, new):
        console.print(Text(f"note: {note}", "dim"))
    for change in found:
        console.print(_line(change))
    green = not any(change.kind in RED for change in found)
    counts = Counter(change.kind for change in found)
    said = ", ".join(f"{counts[kind]} {kind}" for kind in Kind if counts[kind]) or "nothing changed"
    console.print(
        Text(f"{'✓' if green else '✗'} against the baseline: {said}", "bold green" if green else "bold red")
    )
    return green


def _line(change: Change) -> Text:
    return Text.assemble(
        (f"{change.kind:6}", STYLES[change.kind]), f"{change.clause} on {change.operation}: {change.words}"
    )


@click.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
def compare(old: Path, new: Path) -> None:
    """Say what changed between two reports, or from a baseline to a report.

    Exit status 1 if a violation is new, or something that held is lost.
    """
    try:
        green = show(read(old), read(new), Console(width=None if sys.stdout.isatty() else WIDTH))
    except GateError as error:
        fail(str(error))
    sys.exit(CONFORMS if green else VIOLATION)
