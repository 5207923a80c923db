"""The command line: the commands, and `run`."""

import shlex
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import click

from cnn_conformance.boundary.home import COMMAND, isolated
from cnn_conformance.command import (
    CONFORMS,
    CONTRADICTION,
    INTERRUPTED,
    NOTHING_CHECKED,
    VIOLATION,
    WIDTH,
    Output,
    check_writable,
    fail,
    patience,
    selecting,
    use_one_thread,
)
from cnn_conformance.workers import workers, working

if TYPE_CHECKING:
    from rich.console import Console

    from cnn_conformance.gate import Change
    from cnn_conformance.journal import Journal
    from cnn_conformance.report import Report


class Lazy(click.Group):
    """Commands that are imported only when they are called, so that none waits for another's libraries."""

    places: ClassVar = {
        **dict.fromkeys(("clauses", "explain", "prove", "formula"), "cnn_conformance.spec_commands"),
        "mutants": "cnn_conformance.mutants",
        "compare": "cnn_conformance.gate_commands",
        "init": "cnn_conformance.new_adapter",
        "replay": "cnn_conformance.replay",
        "matrix": "cnn_conformance.matrix_command",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted([*super().list_commands(ctx), *self.places])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command."""
        if cmd_name not in self.places:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(import_module(self.places[cmd_name]), cmd_name)
        return command


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cnn-conformance")
def main() -> None:
    """Hold implementations of CNN operations against an executable specification."""


@main.command()
@click.argument("candidate", default="reference")
@click.option(
    "--level",
    type=click.Choice(["quick", "standard", "deep"]),
    default="quick",
    show_default=True,
    help="quick: every pair of levels of the case space; standard: every triple; deep: rounds beyond.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Varies the numbers, not the coverage.")
@selecting
@workers
@click.option("--budget", type=click.FloatRange(min=0), help="Seconds of exploration at level deep [60].")
@patience
@click.option(
    "--memory",
    type=click.IntRange(min=1),
    help="Bytes that the candidate may hold, resident [4 GiB, or half of what there is].",
)
@click.option("--in-process", is_flag=True, help="Do not keep the candidate in a process of its own.")
@click.option(
    "--resume",
    type=Output(),
    help="Keep a journal of the run here; if there is one, go on where it ends.",
)
@click.option(
    "--python",
    metavar="PATH",
    default="",
    help="The interpreter in which the candidate runs, in an environment of its own with NumPy and safetensors.",
)
@click.option("--json", "json_file", type=Output(), help="Write the report here.")
@click.option("--junit", "junit_file", type=Output(), help="Write it as JUnit XML, for a CI system.")
@click.option(
    "--html", "html_file", type=Output(), help="Write it as a page that needs no network and no script."
)
@click.option(
    "--markdown", "markdown_file", type=Output(), help="Write it in Markdown, for the summary of a job."
)
@click.option(
    "--baseline",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Compare with this record: exit status 1 only if a violation is new, or something that held is lost.",
)
@click.option("--update-baseline", is_flag=True, help="Write the baseline anew, or for the first time.")
def run(
    candidate: str,
    level: str,
    seed: int,
    only: str | None,
    jobs: int | None,
    scheduler: str | None,
    budget: float | None,
    timeout: float | None,
    memory: int | None,
    in_process: bool,
    python: str,
    resume: Path | None,
    json_file: Path | None,
    junit_file: Path | None,
    html_file: Path | None,
    markdown_file: Path | None,
    baseline: Path | None,
    update_baseline: bool,
) -> None:
    """Hold CANDIDATE against the clauses that judge an implementation.

    CANDIDATE is the name of an installed library with an adapter (torch), a file (mine.py), file.py:name,
    package.module or package.module:name, or "cmd:PROGRAM ARGUMENTS" for any program that speaks the wire format;
    without one, the built-in reference.
    """
    if update_baseline and baseline is None:
        fail("--update-baseline needs --baseline FILE: say which file to write.")
    if baseline and update_baseline:
        check_writable(baseline)
    if python and (in_process or candidate.startswith(COMMAND)):
        fail("--python is for a candidate in a Python process of its own; leave it out here.")
    use_one_thread()
    inside = in_process and not candidate.startswith(COMMAND)
    subject = candidate if inside else isolated(candidate, timeout, memory, python)
    journal = None
    try:
        with _termination_interrupts():
            journal = _journal(resume)
            with working(jobs, scheduler, subject) as executor:
                report = _checked(executor, subject, level, seed, only, budget, journal)
    except KeyboardInterrupt:
        click.echo(f"Interrupted{_reached(journal)}.", err=True)
        sys.exit(INTERRUPTED)
    finally:
        if journal and journal.trouble:
            click.echo(f"cnn-conformance: {journal.trouble}", err=True)
    from rich.console import Console

    from cnn_conformance.terminal import render

    if json_file is not None:
        json_file.write_text(report.to_json(), encoding="utf-8")
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    render(report, console)
    status = _status(report)
    changes = None
    if baseline is not None and status != CONTRADICTION:
        green, changes = _gate(baseline, report, update_baseline, console)
        status = status if status == NOTHING_CHECKED else CONFORMS if green else VIOLATION
    _write_views(report, changes, junit_file, html_file, markdown_file)
    sys.exit(status)


@contextmanager
def _termination_interrupts() -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _journal(path: Path | None) -> "Journal | None":
    if path is None:
        return None
    from cnn_conformance.journal import Journal

    return Journal(path)


def _reached(journal: "Journal | None") -> str:
    """What of an interrupted run is kept, and how to go on."""
    if journal is None:
        return ""
    name = click.get_current_context().find_root().info_name or "cnn-conformance"
    command = f"{name} {shlex.join(sys.argv[1:])}"
    kept = f": {journal.judged} of {len(journal.planned)} chunks are judged, and in {journal.path}"
    return f"{kept if journal.planned else ''}; go on with `{command}`"


def _checked(
    executor: Executor | None,
    subject: object,
    level: str,
    seed: int,
    only: str | None,
    budget: float | None,
    journal: "Journal | None",
) -> "Report":
    from rich.console import Console

    from cnn_conformance.candidate import CandidateError
    from cnn_conformance.checking import check
    from cnn_conformance.journal import JournalError
    from cnn_conformance.plan import PlanError
    from cnn_conformance.terminal import progress_on

    try:
        with progress_on(Console(stderr=True)) as progress:
            return check(
                subject,
                level,
                seed,
                only,
                executor=executor,
                budget=budget,
                progress=progress,
                journal=journal,
            )
    except (CandidateError, JournalError, PlanError) as error:
        fail(str(error))


def _write_views(
    report: "Report",
    changes: "list[Change] | None",
    junit_file: Path | None,
    html_file: Path | None,
    markdown_file: Path | None,
) -> None:
    """Each is imported only if it is wanted: the page wants SymPy for its formulas."""
    if junit_file is not None:
        from cnn_conformance.junit import junit

        junit_file.write_text(junit(report, changes), encoding="utf-8")
    if html_file is not None:
        from cnn_conformance.page import page

        html_file.write_text(page(report, changes), encoding="utf-8")
    if markdown_file is not None:
        from cnn_conformance.markdown import markdown

        markdown_file.write_text(markdown(report, changes), encoding="utf-8")


def _gate(baseline: Path, report: "Report", update: bool, console: "Console") -> "tuple[bool, list[Change]]":
    """Whether the gate is green, and what changed since the baseline as it is now."""
    from cnn_conformance.gate import GateError, changes, read
    from cnn_conformance.gate_commands import hold_against

    document = report.to_document()
    try:
        green = hold_against(baseline, document, update, console)
        return green, changes(read(baseline), document)
    except GateError as error:
        fail(str(error))


def _status(report: "Report") -> int:
    if report.contradictions:
        return CONTRADICTION
    if report.violations:
        return VIOLATION
    return CONFORMS if report.conforms else NOTHING_CHECKED
