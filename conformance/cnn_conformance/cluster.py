"""The workers of a Dask scheduler, as an executor."""

import logging
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any

from cnn_conformance.boundary.home import leave
from cnn_conformance.executors import WorkError

ANSWER = 10.0
"""Seconds in which a scheduler is to answer."""
WORKERS = 30.0
"""Seconds without any worker after which nothing is waited for."""
LOOK = 2.0
"""Seconds between two looks whether there are workers."""


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """The workers of the scheduler at an address. Raises WorkError with what to do where there are none."""
    try:
        import distributed
    except ImportError as error:
        raise WorkError(
            "--scheduler wants dask's distributed; run `pip install 'cnn-conformance[dask]'`."
        ) from error
    _silence()
    try:
        client = distributed.Client(address, timeout=ANSWER, set_as_default=False)
    except Exception as error:  # whatever its client makes of what is there
        raise WorkError(
            f"No Dask scheduler answers at {address}; start one with `dask scheduler`, and give its address, "
            "such as tcp://host:8786."
        ) from error
    from cnn_conformance.steadfast import OURS  # with NumPy

    over = Event()
    try:
        executor = client.get_executor(pure=False)
        try:
            client.wait_for_workers(1, timeout=WORKERS)
        except TimeoutError as error:
            raise WorkError(
                f"The scheduler at {address} has no workers; start some with `dask worker {address}`."
            ) from error
        Thread(target=_watch, args=(client, executor, over), daemon=True).start()
        yield executor
    finally:
        over.set()
        with suppress(Exception):  # whatever is left there, our part is over
            executor.shutdown(wait=False)
            client.run(leave, OURS, on_error="ignore")
        with suppress(Exception):
            client.close(timeout=ANSWER)


def _silence() -> None:
    """What goes wrong is said in our words."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _watch(client: Any, executor: Executor, over: Event) -> None:
    """Give up the work once there have been no workers for too long."""
    without = 0.0
    while without < WORKERS:
        if over.wait(LOOK):
            return
        try:
            without = 0.0 if client.nthreads() else without + LOOK
        except Exception:  # noqa: BLE001 - the scheduler is gone: its client gives the work up by itself
            return
    executor.shutdown(wait=False)
