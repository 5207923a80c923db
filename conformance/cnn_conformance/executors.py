"""Who does the work of a run: executors of the standard interface, for this thread and for a pool of processes.

Imports next to nothing, so that a pool's workers can start while this process still imports NumPy.
"""

import os
import pickle
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from cnn_conformance.boundary.home import begin, visiting
from cnn_conformance.boundary.lifeline import end_with_parent

FAREWELL = 5.0
"""Seconds that a worker has to end by itself."""


class WorkError(Exception):
    """The work cannot be done where it is to be done; the message says what to do."""


class InlineExecutor(Executor):
    """The executor interface in this thread: for one job, and for candidates that cannot be sent elsewhere."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """A future that does the work when its result is asked for."""
        return _Deferred(partial(fn, *args, **kwargs))


class _Deferred(Future[Any]):
    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__()
        self._work = work

    def result(self, timeout: float | None = None) -> Any:
        self.do()
        return super().result(timeout)

    def do(self) -> None:
        """Do the work, unless it was done or cancelled."""
        if not self.done():
            self.set_result(self._work())


def as_done(futures: Sequence[Future[Any]]) -> Iterator[int]:
    """The places of futures in their sequence, as they are done; those that only wait to be asked are so in turn."""
    done = SimpleQueue[int]()
    for place, future in enumerate(futures):
        future.add_done_callback(partial(_put, done, place))
    for future in futures:
        if isinstance(future, _Deferred):
            future.do()
        yield done.get()


def _put(done: SimpleQueue[int], place: int, _: Future[Any]) -> None:
    done.put(place)


class Pool(ThreadPoolExecutor):
    """Processes on this machine, each asked by a thread of its own; one that dies is replaced.

    The work that it died of, and no other, then raises BrokenExecutor. All of them begin to load `subject` at once.
    """

    def __init__(self, jobs: int, subject: object = None) -> None:
        super().__init__(jobs)
        self._subject = subject
        self._ending = False
        self._idle = SimpleQueue[_Worker]()
        self._workers = [_Worker(subject) for _ in range(jobs)]
        for worker in self._workers:
            self._idle.put(worker)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have the work done by the next worker that is free. What cannot be pickled is an exception of the future."""
        return super().submit(self._ask, fn, args, kwargs)

    def _ask(self, fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        message = pickle.dumps((fn, args, kwargs))
        worker = self._idle.get()
        try:
            answer, error = worker.ask(message)
        except (EOFError, OSError, pickle.UnpicklingError) as lost:
            if not self._ending:
                worker.end()
                self._workers.remove(worker)
                worker = _Worker(self._subject)
                self._workers.append(worker)
            raise BrokenExecutor("a worker died") from lost
        finally:
            self._idle.put(worker)
        if error is not None:
            raise error
        return answer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As of every executor; without `wait` the workers are killed, whatever they do."""
        self._ending = not wait
        if not wait:
            for worker in tuple(self._workers):
                worker.kill()
        # Who asks a killed worker does not wait long.
        super().shutdown(cancel_futures=cancel_futures or not wait)
        for worker in self._workers:
            worker.end(FAREWELL if wait else 0.0)


class _Worker:
    """A process that is asked for one piece of work after the other."""

    def __init__(self, subject: object) -> None:
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, os.getpid(), subject), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, message: bytes) -> tuple[Any, BaseException | None]:
        """What comes of a pickled piece of work. Raises EOFError or OSError if the process dies."""
        self._connection.send_bytes(message)
        found: tuple[Any, BaseException | None] = pickle.loads(self._connection.recv_bytes())
        return found

    def end(self, patience: float = 0.0) -> None:
        """End it, after so many seconds in which it may do so itself."""
        self._connection.close()
        self._process.join(patience)
        self.kill()
        self._process.join()

    def kill(self) -> None:
        """End it now."""
        self._process.kill()


def _serve(connection: Connection, parent: int, subject: object) -> None:
    """A worker: the imports of the first piece while the candidate loads, then the work."""
    with suppress(KeyboardInterrupt), visiting(subject):
        end_with_parent(parent)
        begin(subject)
        _prepare(subject)
        while True:
            try:
                message = connection.recv_bytes()
            except (EOFError, OSError):  # nobody asks any more
                return
            try:
                fn, args, kwargs = pickle.loads(message)
                answer = pickle.dumps((fn(*args, **kwargs), None))
            except Exception as error:  # noqa: BLE001 - it is raised where the work was asked for
                answer = _told(error)
            connection.send_bytes(answer)


def _told(error: Exception) -> bytes:
    """An exception as an answer."""
    try:
        return pickle.dumps((None, error))
    except Exception:  # noqa: BLE001 - it cannot be sent
        return pickle.dumps((None, RuntimeError("".join(traceback.format_exception(error)))))


def _prepare(subject: object) -> None:
    from cnn_conformance.candidate import CandidateError, load

    import_module("cnn_conformance.steadfast")
    import_module("cnn_conformance.judging")
    if isinstance(subject, str):
        with suppress(CandidateError):  # said when it is wanted
            load(subject)
