"""Asking an isolated candidate: calls become messages, and a lost program a broken clause."""

import json
from collections import Counter
from collections.abc import Mapping
from itertools import count
from typing import Any

import numpy as np

from cnn_conformance.boundary.home import Home, Isolated, home_of, isolated
from cnn_conformance.boundary.process import LostError
from cnn_conformance.boundary.wire import PROTOCOL_VERSION, Fields, WireError, answered_in, pack_call, unpack
from cnn_conformance.candidate import About, Candidate, CandidateError, Seat, understood
from cnn_conformance.guard import (
    LONGEST,
    DeclinedError,
    MisconductError,
    NotOfferedError,
    RefusedError,
    Watch,
    copied,
    taken,
)
from cnn_spec.cases.stream import FUNCTIONS
from cnn_spec.conventions import PLAIN, answered_shapes, asked, judged_part
from cnn_spec.operations import Array, Call, Implementation, Results
from cnn_spec.sections import CLAUSES

LOSSES = 20
"""A function that has lost so many programs is not called again."""
EXCUSES = 3
"""So often a function may fail after other calls and be answered in a new program."""
IMPATIENCE = 0.1
"""Once a function has lost a program, a call of it gets this share of the time, but half a second at least."""
ALONE = ("ANSWERS-IN-TIME", "MEMORY-BOUNDED")
"""What may be due to a busy machine or to all earlier calls together: it counts if a new program does it too."""


def connect(subject: Isolated) -> Candidate:
    """The candidate in this thread's home of it, as if it had never lost a program. Raises CandidateError."""
    home = home_of(subject)
    if home.about is None:
        home.about = _about(home)
    return Candidate(home.about, _Remote(home, home.about).guard)


def functions_of(address: str) -> Any:
    """The candidate at an address as an object with the interface's functions, in a process of its own."""
    from cnn_spec.bugs.model import Functions

    return Functions(address, connect(isolated(address)).implementation())


def _about(home: Home) -> About:
    address = home.subject.address
    called = address if isinstance(address, str) else "the candidate"
    try:
        fields, _ = unpack(home.hello())
    except WireError as error:
        raise CandidateError(
            f"{called} does not speak the wire format: its first message is {error}."
        ) from error
    except LostError as lost:
        raise CandidateError(f"{called} cannot be loaded: it {lost}.") from lost
    except (OSError, ValueError) as error:
        raise CandidateError(f"{called} cannot be started: {error}.") from error
    if fields.get("protocol") != PROTOCOL_VERSION:
        spoken = fields.get("protocol")
        raise CandidateError(f"{called} speaks version {spoken} of the wire format, not {PROTOCOL_VERSION}.")
    if "failed" in fields:
        raise CandidateError(fields["failed"])
    try:
        about = json.loads(fields.get("about", "{}"))
    except ValueError as error:
        raise CandidateError(f"{called} says of itself what is no JSON: {error}.") from error
    offered = fields.get("functions", "").split()
    importing = f"from {__name__} import functions_of\ncandidate = functions_of({address!r})"
    return understood(
        fields.get("name", called),
        fields.get("importing", importing),
        [name for name in FUNCTIONS if name in offered],
        about,
        Seat.PROGRAM if home.subject.foreign else Seat.CHILD,
    )


class _Remote:
    """An isolated candidate, and what it has lost since this was made."""

    def __init__(self, home: Home, about: About) -> None:
        self._home, self._about = home, about
        self._lost: Counter[str] = Counter()
        self._excused: Counter[str] = Counter()
        self._guards = count()

    def guard(self, watch: Watch) -> Implementation:
        """The candidate behind a guard of its own. Raises what `guarded` does."""
        case = next(self._guards)
        foreign = self._about.seat is Seat.PROGRAM  # our own guard in the child sees to conventions
        declared = self._about.declared if foreign else PLAIN

        def answer(call: Call) -> Results:
            function = call.function
            if function not in self._about.offered or self._lost[function] >= LOSSES:
                raise NotOfferedError(function)
            watch(call)
            drawn, call = call, asked(call, declared) if call.valid else call
            try:
                answered = self._ask(case, call)
            except LostError as lost:
                self._lost[function] += 1
                raise MisconductError(lost.clause, call, str(lost)) from lost
            parts = answered if isinstance(answered, tuple) else (answered,)
            if not call.valid:
                return tuple(map(np.asarray, parts))
            if self._about.seat is Seat.CHILD and not call.of_integers:  # there it was looked at
                return parts
            results = copied(taken(call, answered, answered_shapes(call, declared)))
            return judged_part(results, drawn, declared)

        return answer

    def _ask(self, case: int, call: Call) -> Any:
        function, timeout = call.function, self._home.timeout
        if self._lost[function]:
            return self._answer(case, call, min(timeout, max(0.5, IMPATIENCE * timeout)))
        alone = not self._home.asked
        try:
            return self._answer(case, call, timeout)
        except LostError as lost:
            if alone or lost.clause not in ALONE or self._excused[function] == EXCUSES:
                raise
            answer = self._answer(case, call, timeout)
            self._excused[function] += 1
            return answer

    def _answer(self, case: int, call: Call, seconds: float) -> Any:
        number = self._home.asked + 1
        try:
            fields, arrays = unpack(self._home.ask(self._message(number, case, call), seconds))
            if fields.get("id") != str(number):
                raise WireError(f"an answer to message {fields.get('id')}, not {number}")
            return _meaning(call, fields, arrays)
        except WireError as error:
            self._home.end()
            raise LostError("WIRE-FORMAT", f"answered with {error}") from error

    def _message(self, number: int, case: int, call: Call) -> bytes:
        """Only our own guard is told that a call is impossible: others are to find out."""
        hint = {} if call.valid or self._about.seat is Seat.PROGRAM else {"valid": "no"}
        return pack_call({"id": str(number), "case": str(case), **hint}, call)


def _meaning(call: Call, fields: Fields, arrays: Mapping[str, Array]) -> Any:
    """What is answered. Raises DeclinedError, MisconductError or WireError."""
    if "declined" in fields:
        raise DeclinedError(_words(fields["declined"]))
    if "raised" in fields and not call.valid:
        raise RefusedError(_words(fields["raised"]))
    if "raised" in fields:
        raise MisconductError("VALID-CALL-ANSWERED", call, f"raised {_words(fields['raised'])}")
    if "broke" in fields:
        if fields["broke"] not in CLAUSES:
            raise WireError("a clause that there is not")
        operation, rank = FUNCTIONS.get(fields.get("function", ""), (call.operation, call.rank))
        broken = Call(operation, rank, {}, {})
        raise MisconductError(fields["broke"], broken, _words(fields.get("words", "")))
    answered = answered_in(fields, arrays)
    if not call.valid:
        return answered
    expected = 2 if call.operation == "same_padding" else len(call.results)
    if len(answered) != expected:
        words = f"returned {len(answered)} results, expected {expected}"
        raise MisconductError("RESULT-KIND", call, words)
    return answered[0] if expected == 1 else answered


def _words(given: str) -> str:
    return " ".join(given.split())[:LONGEST]
