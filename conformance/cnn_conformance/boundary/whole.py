"""A whole chunk of cases, judged by the child that has the candidate: a message for all of it, rather than for each call.

This is for the usual case that nothing is lost. Whatever else happens, the chunk is judged again call by call, in a new
program, so that what is said of a crash or a hang is the same as if this had never been tried.
"""

import json
from dataclasses import asdict

from cnn_conformance import tally
from cnn_conformance.boundary.home import Isolated, home_of
from cnn_conformance.boundary.process import PULSE, LostError
from cnn_conformance.boundary.remote import connect
from cnn_conformance.boundary.wire import WireError, pack, to_json, unpack
from cnn_conformance.plan import Chunk
from cnn_conformance.tally import Tallies

TROUBLES = 3
"""After so many chunks that were not judged, this is not tried any more."""


def judged_at_home(subject: Isolated, chunk: Chunk) -> Tallies | None:
    """What a chunk came to; None where its calls are to be made one by one. Raises CandidateError."""
    home = home_of(subject)
    if subject.foreign or subject.python or home.troubles >= TROUBLES:
        return None
    connect(subject)
    request = {"chunk": to_json(asdict(chunk)), "timeout": str(home.timeout)}
    try:
        fields, _ = unpack(home.ask(pack(request, {}), home.timeout + 2 * PULSE, pulsed=True))
        return tally.of_plain(json.loads(fields["tallies"]))
    except (LostError, WireError, LookupError, TypeError, ValueError):
        home.troubles += 1
        home.end()
        return None
