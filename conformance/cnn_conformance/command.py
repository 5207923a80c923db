"""What the commands share: exit statuses, files that are written, and how they fail."""

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

CONFORMS, VIOLATION, MISUSE, NOTHING_CHECKED, CONTRADICTION, INTERRUPTED = 0, 1, 2, 3, 4, 130
"""The exit statuses. MISUSE: the call is wrong, or the candidate cannot be loaded."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Set to 1 before NumPy or a library is imported, unless the user has set them: cases are tiny, and threads
that wait for work spin on cores that others need."""
WIDTH = 120
"""Columns of a report that goes to no terminal."""


def fail(sentence: str) -> NoReturn:
    """End with one sentence that says what was wrong and what to do."""
    click.echo(f"cnn-conformance: {sentence}", err=True)
    sys.exit(MISUSE)


def check_writable(path: Path) -> None:
    """End with a sentence if a file cannot be written: before the work, not after it."""
    folder = path.parent
    if not folder.is_dir():
        fail(f"{path} cannot be written: there is no folder {folder}; make it, or name another place.")
    if not os.access(path if path.exists() else folder, os.W_OK):
        fail(f"{path} cannot be written: no permission; name another place.")


class Output(click.Path):
    """A file that a command will write."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path, if a file can be written there."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        check_writable(path)
        return path


selecting = click.option(
    "--only",
    metavar="GLOB,...",
    multiple=True,
    callback=lambda context, parameter, globs: ",".join(globs) or None,
    help="Only these clause ids or operations, such as 'POOL-*' or conv2d; may be repeated.",
)

patience = click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds for a call [10; 30 of a candidate that declares few shapes, since it may compile].",
)


def use_one_thread() -> None:
    """For every library that is imported from now on, unless the user has said otherwise."""
    for variable in THREADS:
        os.environ.setdefault(variable, "1")
