"""`matrix` on the command line: several candidates are run, or their reports read."""

import json
import sys
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import click
from rich.console import Console

from cnn_conformance.boundary.home import COMMAND, Isolated, isolated
from cnn_conformance.candidate import CandidateError
from cnn_conformance.checking import check
from cnn_conformance.command import (
    CONFORMS,
    VIOLATION,
    WIDTH,
    Output,
    fail,
    patience,
    selecting,
    use_one_thread,
)
from cnn_conformance.gate import GateError, read
from cnn_conformance.matrix import Document, document, key, markdown, page, table
from cnn_conformance.matrix import matrix as side_by_side
from cnn_conformance.plan import PlanError
from cnn_conformance.report import Status
from cnn_conformance.terminal import progress_on
from cnn_conformance.workers import workers, working

AT_ONCE = 2
"""So many candidates are run at a time where others do the work: each worker keeps the programs of as many."""


@click.command()
@click.argument("candidates", nargs=-1, required=True, metavar="CANDIDATE...")
@click.option("--level", type=click.Choice(["quick", "standard"]), default="quick", show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="Varies the numbers, not the coverage.")
@selecting
@workers
@patience
@click.option(
    "--python",
    "pythons",
    metavar="CANDIDATE=PATH",
    multiple=True,
    help="The interpreter in which a candidate runs; may be given for several.",
)
@click.option("--json", "json_file", type=Output(), help="Write the matrix here.")
@click.option("--html", "html_file", type=Output(), help="Write it as a page; a red cell opens on a click.")
@click.option("--markdown", "markdown_file", type=Output(), help="Write it in Markdown.")
def matrix(
    candidates: tuple[str, ...],
    level: str,
    seed: int,
    only: str | None,
    jobs: int | None,
    scheduler: str | None,
    timeout: float | None,
    pythons: tuple[str, ...],
    json_file: Path | None,
    html_file: Path | None,
    markdown_file: Path | None,
) -> None:
    """Hold several candidates against the clauses, and show them side by side.

    Each CANDIDATE is what `run` takes, or a report that `run --json` has written (a file that ends in .json). Exit status 1
    if any clause is violated.
    """
    use_one_thread()
    interpreters = dict(given.partition("=")[::2] for given in pythons)
    try:
        if unknown := [name for name in interpreters if name not in candidates]:
            raise CandidateError(f"--python names {unknown[0]}, which is not among the candidates.")
        subjects = [
            read(Path(name))
            if name.endswith(".json") and not name.startswith(COMMAND)
            else isolated(name, timeout, python=interpreters.get(name, ""))
            for name in candidates
        ]
        with working(jobs, scheduler) as executor:
            reports = _reports(subjects, level, seed, only, executor)
    except (CandidateError, PlanError, GateError) as error:
        fail(str(error))
    try:
        made = side_by_side(reports)
    except (KeyError, TypeError, ValueError) as error:
        fail(f"A report is not one of this version ({error!r}); run its candidate again.")
    console = Console(width=None if sys.stdout.isatty() else max(WIDTH, 24 + 14 * len(reports)))
    console.print(table(made))
    console.print(key(), style="dim", highlight=False)
    if json_file is not None:
        text = json.dumps(document(made), indent=1, ensure_ascii=False, allow_nan=False)
        json_file.write_text(text + "\n", encoding="utf-8")
    if html_file is not None:
        html_file.write_text(page(made), encoding="utf-8")
    if markdown_file is not None:
        markdown_file.write_text(markdown(made), encoding="utf-8")
    red = any(cell.status is Status.VIOLATED for _, cells in made.rows for cell in cells)
    sys.exit(VIOLATION if red else CONFORMS)


def _reports(
    subjects: Sequence[Isolated | Document],
    level: str,
    seed: int,
    only: str | None,
    executor: Executor | None,
) -> list[Document]:
    """The reports that there are, and those of the candidates that are to be run.

    Elsewhere than in this thread two are run at a time, so that the workers judge the next one while the last is
    explained. Raises CandidateError or PlanError.
    """
    with progress_on(Console(stderr=True)) as progress:

        def made(subject: Isolated | Document) -> Document:
            if not isinstance(subject, Isolated):
                return subject
            return check(subject, level, seed, only, executor=executor, progress=progress).to_document()

        if executor is None:
            return [made(subject) for subject in subjects]
        threads = ThreadPoolExecutor(AT_ONCE)
        try:
            return list(threads.map(made, subjects))
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
