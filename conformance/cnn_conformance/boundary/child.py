"""The child process of an isolated candidate: `python -m cnn_conformance.boundary.child PARENT ADDRESS`.

It loads the candidate, says what that offers, and answers calls until nobody asks any more. The guard is here,
where it sees what the candidate does to its arguments and what it returns before that is made an array. It also judges
whole chunks of cases, which spares the messages.
"""

import base64
import gc
import json
import os
import pickle
import sys
from contextlib import suppress
from time import monotonic
from typing import BinaryIO

from cnn_conformance.boundary.lifeline import end_with_parent
from cnn_conformance.boundary.process import LENGTH, PULSE, READ, WRITE
from cnn_conformance.boundary.wire import (
    PROTOCOL_VERSION,
    Fields,
    call_of,
    pack,
    pack_results,
    to_json,
    unpack,
)
from cnn_conformance.candidate import About, Candidate, CandidateError, Found, Subject, described, find, told
from cnn_conformance.guard import DeclinedError, MisconductError, RefusedError, guarded, said
from cnn_spec.operations import Call, Implementation


def main() -> None:
    """Serve the candidate that the command line names."""
    end_with_parent(int(sys.argv[1]))
    requests = open(int(os.environ.pop(READ)), "rb")  # noqa: SIM115 - as long as the process
    answers = int(os.environ.pop(WRITE))
    kept = os.dup(2)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        found = find(_subject(sys.argv[2:]))
        functions, about = told(found)
        understood = described(found)
    except CandidateError as error:
        _write(answers, pack({"protocol": PROTOCOL_VERSION, "failed": str(error)}, {}))
        return
    hello = {"name": found.name, "importing": found.importing, "functions": " ".join(functions)}
    _write(answers, pack({"protocol": PROTOCOL_VERSION, **hello, "about": to_json(about)}, {}))
    gc.freeze()  # a framework's modules are many objects to look through, and stay
    case = None
    while message := _read(requests):
        fields, arrays = unpack(message)
        if "chunk" in fields:
            watch = _Pulse(answers, float(fields["timeout"]))
            _write(answers, _chunk_answer(found, understood, fields, watch, kept))
            continue
        if fields["case"] != case:
            case, implementation = fields["case"], guarded(found.functions, declared=understood.declared)
        answer = _answer(implementation, fields["id"], call_of(fields, arrays))
        if closed := _restored_streams(kept):
            words = f"closed its standard {closed}"
            answer = pack({"id": fields["id"], "broke": "STANDARD-STREAMS", "words": words}, {})
        _write(answers, answer)
    os._exit(0)  # whatever threads are left


def _subject(given: list[str]) -> Subject:
    if given[0] == "--pickled":
        found: Subject = pickle.loads(base64.b64decode(given[1]))
        return found
    return given[0]


def _answer(implementation: Implementation, number: str, call: Call) -> bytes:
    try:
        return pack_results(number, call, implementation(call))
    except DeclinedError as declined:
        return pack({"id": number, "declined": str(declined)}, {})
    except RefusedError as refused:
        return pack({"id": number, "raised": str(refused)}, {})
    except MisconductError as misconduct:
        of = {"function": misconduct.call.function, "words": str(misconduct)}
        return pack({"id": number, "broke": misconduct.clause, **of}, {})
    except BaseException as error:  # noqa: BLE001 - a Ctrl-C of the user's does not come here
        words = f"raised {said(error)}"
        return pack({"id": number, "broke": "VALID-CALL-ANSWERED", "words": words}, {})


def _chunk_answer(found: Found, about: About, fields: Fields, watch: "_Pulse", kept: int) -> bytes:
    """What a chunk came to, if nothing happened that only the other side can judge."""
    from cnn_conformance import tally
    from cnn_conformance.judging import judge_chunk
    from cnn_conformance.plan import Chunk, Rows

    candidate = Candidate(about, lambda _: guarded(found.functions, watch.call, about.declared))
    given = json.loads(fields["chunk"])
    rows = tuple(Rows(*part) for part in given["rows"])
    chunk = Chunk(**{**given, "rows": rows, "dtypes": tuple(given["dtypes"])})
    try:
        (tallies,) = judge_chunk([candidate], chunk)
        watch.look()
    except BaseException as error:  # noqa: BLE001 - also a KeyboardInterrupt of the candidate's
        return pack({"unjudged": said(error)}, {})
    if watch.late or _restored_streams(kept):
        return pack({"unjudged": "a call took long, or closed a stream"}, {})
    return pack({"tallies": to_json(tally.to_plain(tallies))}, {})


class _Pulse:
    """Tells the other side now and then that calls are made, and notices one that takes longer than it may."""

    def __init__(self, answers: int, timeout: float) -> None:
        self._answers, self._timeout = answers, timeout
        self._told = self._looked = monotonic()
        self.late = False

    def call(self, _: Call) -> None:
        self.look()

    def look(self) -> None:
        now = monotonic()
        self.late |= now - self._looked > self._timeout
        self._looked = now
        if now - self._told > PULSE:
            self._told = now
            _write(self._answers, bytes(LENGTH))


def _restored_streams(kept: int) -> str:
    """Open what the candidate has closed, and say what that was."""
    closed = ""
    for descriptor, name, words in ((1, "stdout", "output"), (2, "stderr", "error")):
        stream = getattr(sys, name, None)
        with suppress(Exception):
            stream.flush()  # type: ignore[union-attr]
        try:
            os.fstat(descriptor)
            if not getattr(stream, "closed", False):
                continue
        except OSError:
            pass
        closed = words
        os.dup2(kept, descriptor)
        setattr(sys, name, open(descriptor, "w", buffering=1, closefd=False))  # noqa: SIM115
    return closed


def _read(requests: BinaryIO) -> bytes:
    """The next message without its length; nothing at the end."""
    return requests.read(int.from_bytes(requests.read(LENGTH), "little"))


def _write(answers: int, message: bytes) -> None:
    unsent = memoryview(message)
    try:
        while unsent:
            unsent = unsent[os.write(answers, unsent) :]
    except OSError:  # the candidate has closed the wire, or nobody listens
        os._exit(1)


if __name__ == "__main__":
    main()
