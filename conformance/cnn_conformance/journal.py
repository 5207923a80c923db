"""The journal of a run: the answers to all work that was done, so that an interrupted run goes on where it was.

A file of lines of JSON. The first says which run it is of; each further one is a piece of work with its answer, and
is written as soon as there is one. A last line that was cut short counts for nothing.
"""

import fcntl
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import asdict, is_dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

from cnn_conformance.answers import FORMS, Form
from cnn_conformance.boundary.home import Isolated
from cnn_conformance.candidate import About, Subject
from cnn_conformance.judging import run_chunk
from cnn_conformance.report import environment
from cnn_conformance.sources import HASHED, digest, digests, files_of
from cnn_spec import SPEC_VERSION

VERSION = 2
BEGINNING = b'{"cnn-conformance journal":'
LONGEST = 120
"""Characters of what is said of a difference."""


class JournalError(Exception):
    """A file cannot be gone on from; the message says why."""


class Journal:
    """The journal in a file, which is made if it is absent."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.planned: set[str] = set()
        """The chunks that are to be judged."""
        self.trouble = ""
        """Why nothing more is written, in a sentence."""
        self._answers: dict[str, Any] = {}
        self._kept: set[str] = set()
        self._file: BinaryIO | None = None
        self._lock = Lock()

    def open(self, run: Mapping[str, Any]) -> None:
        """Read what there is, and be ready to write more. Raises JournalError for a file that is not of this run."""
        if self.path.exists() and not self.path.is_file():
            raise JournalError(f"{self.path} is no file; name another one.")
        try:
            self._file = file = open(self.path, "a+b")  # noqa: SIM115 - until it is closed
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.seek(0)
            text = file.read()
        except BlockingIOError as error:
            raise JournalError(
                f"{self.path} is the journal of a run that goes on; wait for its end."
            ) from error
        except OSError as error:
            raise JournalError(f"{self.path} cannot be a journal: {error.strerror}.") from error
        begun = text[: len(BEGINNING)]
        if begun != BEGINNING[: len(begun)]:
            raise JournalError(f"{self.path} is no journal, and is left as it is; name another file.")
        *lines, torn = text.split(b"\n")
        header = {BEGINNING[2:-2].decode(): VERSION, "run": json.loads(_line(run))}
        for number, line in enumerate(lines, start=1):
            try:
                found = json.loads(line)
                if number == 1:
                    self._compare(found, header)
                else:
                    self._answers[found["work"]] = found["answer"]
            except (ValueError, KeyError, TypeError) as error:
                raise JournalError(
                    f"{self.path} is damaged in line {number}; remove it and run again."
                ) from error
        try:
            file.truncate(len(text) - len(torn))
            if not lines:
                self._write(_line(header))
        except OSError as error:
            raise JournalError(
                f"{self.path} cannot be written: {error.strerror}; name another file."
            ) from error

    def over(self, executor: Executor, how: str = "") -> "Journaled":
        """An executor that does no work of which the journal has the answer, and writes down the other answers.

        Work that is done in different ways has different answers.
        """
        return Journaled(executor, self, how)

    def answer(self, key: str) -> Any:
        """What came of a piece of work; None if that is not known."""
        return self._answers.get(key)

    def keep(self, key: str, answer: Any) -> None:
        """Write down what came of it. In trouble the run goes on without."""
        with self._lock:
            if self._file is not None and not self.trouble:
                try:
                    self._write(_line({"work": key, "answer": answer}))
                except OSError as error:
                    self.trouble = f"{self.path} lacks what came last: {error.strerror}."
                else:
                    self._kept.add(key)

    def spent(self, number: int, seconds: float = 0.0) -> float:
        """How long a round of exploration took: as it was written down, or else so many seconds, written down now."""
        key = f"round {number}"
        if key not in self._answers and seconds:
            self.keep(key, seconds)
        return float(self._answers.get(key, seconds))

    @property
    def judged(self) -> int:
        """How many of the planned chunks have their answers in the file."""
        return sum(key in self._answers or key in self._kept for key in self.planned)

    def close(self) -> None:
        """Write no more."""
        with self._lock:
            file, self._file = self._file, None
            if file is not None:
                with suppress(OSError):  # it was said before
                    file.close()

    def _write(self, line: bytes) -> None:
        assert self._file is not None
        self._file.write(line + b"\n")
        self._file.flush()

    def _compare(self, found: Mapping[str, Any], header: Mapping[str, Any]) -> None:
        before, now = dict(_flat("", found)), dict(_flat("", header))
        for name in (*now, *before):
            if before.get(name) != now.get(name):
                told = f"was {before.get(name)}, and is {now.get(name)}"
                how = "is another" if len(told) > LONGEST or HASHED in told else told
                raise JournalError(
                    f"{self.path} is the journal of another run: its {name} {how}; name another file, or remove it."
                )


class Journaled(Executor):
    """An executor that asks a journal first."""

    def __init__(self, executor: Executor, journal: Journal, how: str) -> None:
        self._executor, self._journal, self._how = executor, journal, how

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have `fn(subject, task)` done, unless it was done before."""
        _, task = args
        key, form = f"{self._how}{fn.__name__} {_digest(task)}", FORMS[fn]
        if fn is run_chunk:
            self._journal.planned.add(key)
        known = self._journal.answer(key)
        if known is not None:
            done = Future[Any]()
            done.set_result(form.read(known))
            return done
        future = self._executor.submit(fn, *args, **kwargs)
        future.add_done_callback(partial(self._keep, key, form))
        return future

    def _keep(self, key: str, form: Form, future: Future[Any]) -> None:
        if not future.cancelled() and future.exception() is None:
            self._journal.keep(key, form.written(future.result()))


def of_run(subject: Subject, described: About, seed: int, level: str, only: str | None) -> dict[str, Any]:
    """What all answers in a journal follow from."""
    return {
        "candidate": described,
        "place": subject if isinstance(subject, Isolated) else None,
        "source": dict(digests(files_of(subject))),
        "spec_version": SPEC_VERSION,
        "case_space": digest(*(space.read_bytes() for space in _arrays())),
        "seed": seed,
        "level": level,
        "only": only,
        "environment": environment(),
    }


def _arrays() -> list[Any]:
    return sorted(files("cnn_spec.cases").joinpath("arrays").iterdir(), key=lambda path: path.name)


def _digest(task: Any) -> str:
    return digest(_line(task))


def _line(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), default=_plain).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return digest(value)
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else sorted(value)


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _flat(f"{name} {key}".strip(), part)
    else:
        yield name.removeprefix("run "), value
