"""A program behind the wire: started, asked, watched for time, memory and noise, and ended."""

import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic

READ, WRITE = "CNN_CONFORMANCE_READ", "CNN_CONFORMANCE_WRITE"
"""Environment variables with the descriptors on which a program reads what it is asked and writes its answers."""
LENGTH = 8
"""Bytes before a message that say its length, little-endian."""
LARGEST_ANSWER = 64 << 20
"""Bytes; no answer comes near it."""
LARGEST_OUTPUT = 64 << 10
"""Bytes that a call may write to standard output and error: as many as a pipe holds."""
WATCH = 20
"""Milliseconds between two looks at a program that does not answer."""
LOOKS = 16
"""After so many answers there is a look at the memory, beside those while there is none."""
PAGE = os.sysconf("SC_PAGE_SIZE")
PULSE = 0.1
"""Seconds between two signs of life while a chunk is judged."""
FAREWELL = 1.0
"""Seconds that a program has to end by itself."""


class LostError(Exception):
    """A call was not answered, and the program is of no more use; `clause` is what it broke."""

    def __init__(self, clause: str, words: str) -> None:
        super().__init__(words)
        self.clause = clause


class Program:
    """A running program that answers messages, one at a time.

    What it writes to its standard output and error goes to this process's standard error when a call is over.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], memory: int) -> None:
        """Start it. It may hold `memory` bytes at a time, as far as the system tells. Raises OSError."""
        asked, self._asking = os.pipe()
        self._answers, answering = os.pipe()
        self._output, output = os.pipe()
        for ours in (self._asking, self._answers, self._output):
            os.set_blocking(ours, False)
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(asked, answering),
                env={**environment, READ: str(asked), WRITE: str(answering)},
                start_new_session=True,
            )
        except OSError:
            for ours in (self._asking, self._answers, self._output):
                os.close(ours)
            raise
        finally:
            for theirs in (asked, answering, output):
                os.close(theirs)
        self._poll = select.poll()
        # In this order: where an answer is seen, what was written before it is seen too.
        self._poll.register(self._answers, select.POLLIN)
        self._poll.register(self._output, select.POLLIN)
        self._memory = memory
        self._resident = _resident(self._process.pid)
        self._unsent = memoryview(b"")
        self._answer = bytearray()
        self._printed = bytearray()
        self._calls = 0

    def ask(self, message: bytes, seconds: float, pulsed: bool = False) -> bytes:
        """Send a message, if there is one, wait for what the program says, and return it without its length.

        Where the answer is `pulsed`, empty messages come before it, and it may take so many seconds after each of
        them. Raises LostError; the program must then be ended.
        """
        deadline = monotonic() + seconds
        self._answer.clear()
        self._unsent = memoryview(message)
        if message and not self._send():
            self._poll.register(self._asking, select.POLLOUT)
        while True:
            ready = [descriptor for descriptor, _ in self._poll.poll(WATCH)]
            if self._output in ready:
                self._listen()
            if self._asking in ready and self._send():
                self._poll.unregister(self._asking)
            if self._answers in ready:
                self._receive()
                while pulsed and self._answer[:LENGTH] == bytes(LENGTH):
                    del self._answer[:LENGTH]
                    deadline = monotonic() + seconds
                if self._is_whole():
                    break
            elif not ready:
                self._check_memory()
                if self._process.poll() is not None:  # the pipes may be held open by what it started
                    raise self._ended()
            if monotonic() > deadline:
                raise self._cut_short() or LostError(
                    "ANSWERS-IN-TIME", f"gave no answer within {seconds:g} s"
                )
        self._calls += 1
        if self._calls % LOOKS == 0:
            self._check_memory()
        if self._printed:
            self._pass_on()
        return bytes(self._answer[LENGTH:])

    def end(self, patience: float = 0.0) -> None:
        """End it and all that it started, after so many seconds in which it may do so itself."""
        os.close(self._asking)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        with suppress(LostError):
            self._listen()
        self._pass_on()
        for descriptor in (self._answers, self._output, self._resident):
            if descriptor is not None:
                os.close(descriptor)

    def _send(self) -> bool:
        """Send what can be sent now; whether there is no more to send."""
        try:
            while self._unsent:
                self._unsent = self._unsent[os.write(self._asking, self._unsent) :]
        except BlockingIOError:
            return False
        except BrokenPipeError:  # it does not listen any more; why, its answers will tell
            pass
        return True

    def _receive(self) -> None:
        came = os.read(self._answers, 1 << 16)
        if not came:
            raise self._ended()
        self._answer += came

    def _is_whole(self) -> bool:
        if len(self._answer) < LENGTH:
            return False
        announced = int.from_bytes(self._answer[:LENGTH], "little")
        if announced > LARGEST_ANSWER:
            raise LostError("WIRE-FORMAT", f"announced an answer of {announced} bytes")
        beyond = len(self._answer) - LENGTH - announced
        if beyond > 0:
            raise LostError("WIRE-FORMAT", f"sent {beyond} bytes after its answer")
        return beyond == 0

    def _cut_short(self) -> LostError | None:
        words = f"sent an answer cut short after {len(self._answer)} bytes"
        return LostError("WIRE-FORMAT", words) if self._answer else None

    def _ended(self) -> LostError:
        """What to say of a program that will not answer any more."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(FAREWELL)
        status = self._process.returncode
        if status is not None and status < 0:
            return LostError("NO-CRASH", f"ended the process: {signal.Signals(-status).name}")
        if status is None:
            return self._cut_short() or LostError("WIRE-FORMAT", "closed the wire")
        return self._cut_short() or LostError("NO-CRASH", f"ended the process, with exit status {status}")

    def _listen(self) -> None:
        """Take what it has printed. Raises LostError where that is a flood, and forgets it then."""
        try:
            while came := os.read(self._output, 1 << 16):
                self._printed += came
                if len(self._printed) > LARGEST_OUTPUT:
                    self._printed.clear()
                    words = f"wrote more than {LARGEST_OUTPUT} bytes to standard output and error"
                    raise LostError("STANDARD-STREAMS", words)
        except BlockingIOError:
            return
        with suppress(KeyError):  # it has closed both
            self._poll.unregister(self._output)

    def _pass_on(self) -> None:
        with suppress(OSError):
            os.write(2, self._printed)
        self._printed.clear()

    def _check_memory(self) -> None:
        if self._resident is None:
            return
        try:
            pages = int(os.pread(self._resident, 64, 0).split()[1])
        except (OSError, IndexError):  # it has just ended
            return
        if pages * PAGE > self._memory:
            raise LostError("MEMORY-BOUNDED", f"held more than {self._memory} bytes of memory")


def _resident(process: int) -> int | None:
    """A descriptor from which to read how much memory a process holds, where the system has one."""
    try:
        return os.open(f"/proc/{process}/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
