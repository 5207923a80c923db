"""What a call may do to the process that it is made in, and to the wire between: seen from outside only."""

from cnn_spec.clause import Clause, Standing
from cnn_spec.laws import on_every_call

_STATEMENTS = {
    "NO-CRASH": "A call does not end the process that it is made in.",
    "ANSWERS-IN-TIME": "A call is answered within the time that the user grants a call.",
    "MEMORY-BOUNDED": "A call holds no more memory at a time than the user grants.",
    "STANDARD-STREAMS": "A call leaves standard output and error open, and writes at most 64 KiB to them.",
    "WIRE-FORMAT": "A program answers a message with one message of the wire format, whole and in time.",
}

CLAUSES = tuple(
    Clause(id=id, section="interface", standing=Standing.HOLDS, statement=statement, laws=on_every_call())
    for id, statement in _STATEMENTS.items()
)

PROCESS_CLAUSES = tuple(_STATEMENTS)
"""Their ids: what breaks one of them loses the process, as a rule, and with it the answer."""
