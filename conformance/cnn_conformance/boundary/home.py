"""Where an isolated candidate lives: its program, started when it is wanted and again when it was lost.

Imports next to nothing, so that the program can start while this process still imports NumPy.
"""

import base64
import json
import os
import shlex
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

from cnn_conformance.boundary import abroad, lifeline
from cnn_conformance.boundary.process import FAREWELL, Program

if TYPE_CHECKING:
    from cnn_conformance.candidate import About

COMMAND = "cmd:"
"""How the address of a program that speaks the wire format begins."""
TIMEOUT = 10.0
"""Seconds for a call; a confirmed hang takes twice as long."""
COMPILING = 30.0
"""Seconds for a call of a candidate that declares few shapes, for it may compile meanwhile."""
LOADING = 120.0
"""Seconds until a candidate has been loaded."""
KEPT = 2
"""So many programs a thread keeps: what is asked longest ago ends."""
PERTURBATION = 0xA5
"""What the C library fills freed memory with, and its complement what it fills fresh memory with."""


def default_memory() -> int:
    """Bytes that a candidate may hold unless the user says otherwise: 4 GiB, or half of what there is."""
    return min(4 << 30, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2)


@dataclass(frozen=True)
class Isolated:
    """A candidate that is to live in a process of its own. Picklable: only its description goes anywhere.

    `address` as on the command line, or a pickled candidate; `timeout` in seconds, for each call, and None for
    what is usual with such a candidate; `memory` in bytes, resident; `python` is the interpreter that loads it,
    with an environment of its own: this one if it is empty.
    """

    address: str | bytes
    timeout: float | None
    memory: int
    python: str = ""

    @property
    def foreign(self) -> bool:
        """Whether it is a program that speaks the wire format, rather than Python for our child to load."""
        return isinstance(self.address, str) and self.address.startswith(COMMAND)

    @property
    def command(self) -> list[str]:
        """What to start. Raises ValueError for a command whose quotes do not match."""
        parent = str(os.getpid())
        if isinstance(self.address, bytes):
            given = ["--pickled", base64.b64encode(self.address).decode()]
        elif self.foreign:
            wanted = shlex.split(self.address.removeprefix(COMMAND))
            return [sys.executable, "-I", "-S", lifeline.__file__, parent, *wanted]
        else:
            given = [self.address]
        if self.python:
            return [self.python, abroad.__file__, json.dumps(_our_folders()), parent, *given]
        return [sys.executable, "-P", "-m", "cnn_conformance.boundary.child", parent, *given]

    def start(self) -> Program:
        """Start the program, with this process's import path if it runs in its environment.

        Raises OSError or ValueError.
        """
        environment = dict(os.environ)
        environment.setdefault("MALLOC_PERTURB_", str(PERTURBATION))
        if self.python:
            environment.pop("PYTHONPATH", None)
        elif not self.foreign:
            environment["PYTHONPATH"] = os.pathsep.join(place or os.getcwd() for place in sys.path)
        return Program(self.command, environment, self.memory)


def _our_folders() -> dict[str, str]:
    """Where our packages are."""
    specs = {name: find_spec(name) for name in ("cnn_spec", "cnn_reference", "cnn_conformance")}
    return {name: str(Path(spec.origin).parent) for name, spec in specs.items() if spec and spec.origin}


def isolated(
    address: str | bytes, timeout: float | None = None, memory: int | None = None, python: str = ""
) -> Isolated:
    """A candidate that is to live in a process of its own, with the usual limits where none are given."""
    return Isolated(address, timeout, memory or default_memory(), python)


class Home:
    """One thread's program for an isolated candidate."""

    def __init__(self, subject: Isolated) -> None:
        self.subject = subject
        self.run = ""
        """The run that it works for; none yet if it is empty."""
        self.about: About | None = None
        self.asked = 0
        """Messages since the program was started."""
        self.troubles = 0
        """Chunks that could not be judged at one go."""
        self._program: Program | None = None
        self._hello: bytes | None = None
        self._busy = threading.Lock()
        with _counting:
            _all.add(self)

    @property
    def timeout(self) -> float:
        """Seconds that a call may take, once it is known what the candidate says of itself."""
        compiles = self.about is not None and self.about.few_shapes is not None
        return self.subject.timeout or (COMPILING if compiles else TIMEOUT)

    def begin(self) -> Program:
        """Let the program start, if it has not, while this process does something else."""
        if self._program is None:
            self._program = self.subject.start()
        return self._program

    def hello(self) -> bytes:
        """What the program says of itself once it is ready. Raises OSError, ValueError or LostError."""
        if self._hello is None:
            self._hello = self._hear(b"", LOADING)
        return self._hello

    def ask(self, message: bytes, seconds: float, pulsed: bool = False) -> bytes:
        """The answer to a message, of a new program if the last one was lost. Raises LostError."""
        self.hello()
        self.asked += 1
        return self._hear(message, seconds, pulsed)

    def end(self, patience: float = 0.0) -> None:
        """End the program."""
        program, self._program, self._hello, self.asked = self._program, None, None, 0
        if program is not None:
            program.end(patience)

    def leave(self) -> None:
        """End the program, in whichever thread it is, unless it is being asked."""
        if self._busy.acquire(blocking=False):
            try:
                self.end()
            finally:
                self._busy.release()

    def _hear(self, message: bytes, seconds: float, pulsed: bool = False) -> bytes:
        try:
            with self._busy:
                return self.begin().ask(message, seconds, pulsed)
        except BaseException:  # also Ctrl-C: the answer to this message must not be taken for the next one's
            self.end()
            raise

    def __del__(self) -> None:
        self.end()


_here = threading.local()
_all, _counting = WeakSet[Home](), threading.Lock()


def home_of(subject: Isolated) -> Home:
    """This thread's home of a candidate, in the run that it works for."""
    homes: dict[Isolated, Home] = _here.__dict__.setdefault("homes", {})
    run: str = _here.__dict__.setdefault("run", "")
    home = homes.pop(subject, None)
    if home is None or home.run not in ("", run):  # the candidate may have changed since another run
        if home is not None:
            home.end()
        home = Home(subject)
    home.run = run
    homes[subject] = home
    if len(homes) > KEPT:
        homes.pop(next(iter(homes))).end()
    return home


def enter(run: str) -> None:
    """Let this thread work for a run, with programs that were begun for it or for none."""
    _here.run = run


def leave(runs: str) -> None:
    """End the programs that this process has for the runs of which the names begin so, but one that is being asked."""
    with _counting:
        homes = [home for home in _all if home.run.startswith(runs)]
    for home in homes:
        home.leave()


def begin(subject: object) -> None:
    """Let the program of an isolated candidate start while this process does something else."""
    if isinstance(subject, Isolated):
        with suppress(OSError, ValueError):  # said when it is wanted
            home_of(subject).begin()


@contextmanager
def visiting(subject: object) -> Iterator[None]:
    """End this thread's program for a candidate, if there is one, when all is done."""
    try:
        yield
    finally:
        if isinstance(subject, Isolated):
            home_of(subject).end(FAREWELL)
