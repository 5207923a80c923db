"""Having work done by workers that may die, or be on other machines: what they must have, and what becomes of a loss."""

import os
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from pickle import PicklingError, dumps, loads
from traceback import format_exc
from typing import Any
from uuid import uuid4

import numpy as np

from cnn_conformance import __version__
from cnn_conformance.boundary.home import enter
from cnn_conformance.candidate import CandidateError, Subject, forget, placed
from cnn_conformance.executors import WorkError
from cnn_conformance.guard import said
from cnn_conformance.sources import digests, files_of
from cnn_spec import SPEC_VERSION

DEATHS = 2
"""Once so many workers have died of a piece of work, it is done with the candidate in a process of its own."""
MOST = 8
"""Once so many have, it is given up: no candidate ends a process that is not its own."""
DASK_DEATHS = 4
"""Workers that have died of a piece when Dask gives it up, unless its scheduler was told otherwise."""


OURS = uuid4().hex
"""How this process's runs are told from others'."""
_runs = count()


@dataclass(frozen=True)
class Terms:
    """What a worker must have to do work of a run. Picklable."""

    versions: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, str], ...]
    """The files that the candidate's address names, each with a hash."""
    run: str = field(default_factory=lambda: f"{OURS} {next(_runs)}")

    def check(self) -> None:
        """Raises WorkError where this process lacks something."""
        here = f"The worker on {socket.gethostname()} (process {os.getpid()})"
        for (name, wanted), (_, found) in zip(self.versions, versions(), strict=True):
            if found != wanted:
                raise WorkError(
                    f"{here} has {name} {found}, and this run wants {wanted}; install that there."
                )
        for name, wanted in self.files:
            if not Path(name).is_file():
                folder = "" if Path(name).is_absolute() else f" in {Path.cwd()}"
                raise WorkError(
                    f"{here} has no file {name}{folder}; put it where all workers see it, and give its full path."
                )
            if dict(digests([name]))[name] != wanted:
                raise WorkError(f"{here} has another file {name}; copy this one there.")


def versions() -> tuple[tuple[str, str], ...]:
    """Of what decides how a case is drawn and judged."""
    return (
        ("cnn-conformance", __version__),
        ("the specification", SPEC_VERSION),
        ("NumPy", np.__version__),
    )


_met: set[Terms] = set()


def done(terms: Terms, fn: Callable[..., Any], *args: Any) -> tuple[Any, Exception | None]:
    """A piece of work at a worker: its answer, or the exception that it raised."""
    try:
        if terms not in _met:
            terms.check()
            if _met:
                forget()
            _met.add(terms)
        enter(terms.run)
        return fn(*args), None
    except (CandidateError, WorkError) as error:
        return None, error
    except Exception as error:  # noqa: BLE001 - it is raised where the work was asked for
        error.add_note(format_exc())
        return None, error


class Steadfast(Executor):
    """Another executor, of whose workers some may die: no work is lost, and none is done again for ever.

    What a worker died of is done again by another one; once DEATHS have died of it, with the candidate in a process of
    its own, where a crash is a violation like any other. An executor that is broken for good is replaced by a thread.
    """

    def __init__(self, executor: Executor, subject: Subject = None) -> None:
        self._executor = _Posting(executor) if _is_dask(executor) else executor
        self._subject = subject
        self._substitute: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self.terms = Terms(versions(), tuple(digests(files_of(subject))))
        _met.add(self.terms)  # in this process

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have it done. What cannot be sent to a worker, or is given up, is a WorkError of the future."""
        wanted = Future[Any]()
        self._try(wanted, partial(fn, **kwargs) if kwargs else fn, args, 0)
        return wanted

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End what takes the executor's place; the executor itself is its owner's."""
        if self._substitute is not None:
            self._substitute.shutdown(wait, cancel_futures=cancel_futures)

    def _try(self, wanted: Future[Any], fn: Callable[..., Any], args: tuple[Any, ...], deaths: int) -> None:
        try:
            given = args if deaths < DEATHS else tuple(self._apart(arg) for arg in args)
            trial = self._submit(fn, given)
        except Exception as error:  # noqa: BLE001 - it is raised where the work was asked for
            _settle(wanted, None, self._meant(error))
            return
        trial.add_done_callback(partial(self._ended, wanted, fn, args, deaths))
        wanted.add_done_callback(lambda _: wanted.cancelled() and trial.cancel())

    def _submit(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Future[Any]:
        if self._substitute is None:
            try:
                return self._executor.submit(done, self.terms, fn, *args)
            except BrokenExecutor:
                with self._lock:
                    self._substitute = self._substitute or ThreadPoolExecutor(1)
        return self._substitute.submit(done, self.terms, fn, *map(self._apart, args))

    def _apart(self, arg: Any) -> Any:
        """The candidate in a process of its own; anything else as it is."""
        return placed(arg) if self._subject is not None and arg is self._subject else arg

    def _ended(
        self,
        wanted: Future[Any],
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        deaths: int,
        trial: Future[Any],
    ) -> None:
        if wanted.cancelled():
            return
        failed = CancelledError() if trial.cancelled() else trial.exception()
        deaths += _deaths(failed)
        if failed is None:
            _settle(wanted, *trial.result())
        elif _deaths(failed) and deaths < MOST:
            self._try(wanted, fn, args, deaths)
        else:
            _settle(wanted, None, self._meant(failed))

    def _meant(self, error: BaseException) -> BaseException:
        """What kept the work from being done, in a sentence."""
        if isinstance(error, (CandidateError, WorkError)):
            return error
        if isinstance(error, CancelledError):
            return WorkError(
                "The work was given up, for the workers or their scheduler are gone; start them and run again."
            )
        if _deaths(error):
            return WorkError(
                f"{MOST} workers died of one piece of work, with the candidate in a process of its own; "
                "look whether their machines have enough memory."
            )
        try:
            dumps(self._subject)
        except (PicklingError, TypeError, AttributeError) as unpicklable:
            name = type(self._subject).__name__
            return WorkError(
                f"The {name} cannot be sent to a worker: {said(unpicklable)}; "
                "give its address, such as package.module:name."
            )
        words = said(error).rstrip(".")
        return WorkError(
            f"A worker cannot do the work ({words}); install cnn-conformance {__version__} and the candidate there."
        )


class _Posting(Executor):
    """Sends work to a Dask cluster as bytes: a worker dies of a message that it cannot read, but not of such work."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a pickle opened that does the work when it is."""
        from cloudpickle import dumps

        return self._executor.submit(loads, dumps(_Parcel(partial(fn, **kwargs), args)))


@dataclass(frozen=True)
class _Parcel:
    fn: Callable[..., Any]
    args: tuple[Any, ...]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.fn, self.args


def _is_dask(executor: Executor) -> bool:
    cfexecutor = sys.modules.get("distributed.cfexecutor")
    return cfexecutor is not None and isinstance(executor, cfexecutor.ClientExecutor)


def _settle(wanted: Future[Any], answer: Any, error: BaseException | None) -> None:
    if not wanted.set_running_or_notify_cancel():
        return
    if error is not None:
        wanted.set_exception(error)
    else:
        wanted.set_result(answer)


def _deaths(error: BaseException | None) -> int:
    """How many workers have died of it."""
    distributed = sys.modules.get("distributed")
    if distributed is not None and isinstance(error, distributed.KilledWorker):
        return DASK_DEATHS
    return int(isinstance(error, BrokenExecutor))
