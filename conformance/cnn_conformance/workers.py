"""Who does the work, as every command is told it: `--jobs` and `--scheduler`."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

import click

from cnn_conformance.boundary.home import begin
from cnn_conformance.command import fail
from cnn_conformance.executors import Pool, WorkError


def workers(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options `--jobs` and `--scheduler` of a command."""
    jobs = click.option("--jobs", type=click.IntRange(min=1), help="Processes on this machine [1].")
    scheduler = click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Have the work done by the workers of this Dask scheduler, such as tcp://host:8786.",
    )
    return jobs(scheduler(command))


@contextmanager
def working(jobs: int | None, scheduler: str | None, subject: object = None) -> Iterator[Executor | None]:
    """An executor as the options have it, whose workers begin to load the candidate; None for this thread alone.

    A call that is wrong ends the program with a sentence.
    """
    if jobs is not None and scheduler is not None:
        fail(
            "--jobs is for processes on this machine, --scheduler for those of a cluster; leave one of them out."
        )
    try:
        if scheduler is not None:
            from cnn_conformance.cluster import cluster

            with cluster(scheduler) as executor:
                yield executor
        elif jobs is not None and jobs > 1:
            with _pool(jobs, subject) as executor:
                yield executor
        else:
            begin(subject)
            yield None
    except WorkError as error:
        fail(str(error))


@contextmanager
def _pool(jobs: int, subject: object) -> Iterator[Executor]:
    pool, finished = Pool(jobs, subject), False
    try:
        yield pool
        finished = True
    finally:
        pool.shutdown(wait=finished)
