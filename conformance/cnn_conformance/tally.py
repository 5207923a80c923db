"""What was counted: for each clause on a function the cases that were judged, declined and failed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Failure:
    """Where a clause was broken: the case, and the law that showed it."""

    case_id: str
    law_clause: str
    law: str


@dataclass
class Tally:
    """What a clause came to on a function."""

    judged: dict[str, None] = field(default_factory=dict)
    """The ids of the cases that were judged, in order."""
    declined: dict[str, None] = field(default_factory=dict)
    """The ids of those that the candidate declined."""
    seen: set[str] = field(default_factory=set)
    error: float = 0.0
    failures: dict[str, Failure] = field(default_factory=dict)

    def add(self, other: "Tally") -> None:
        """Take another chunk's tally in."""
        self.judged |= other.judged
        self.declined |= other.declined
        self.seen |= other.seen
        self.error = max(self.error, other.error)
        for case_id, failure in other.failures.items():
            self.failures.setdefault(case_id, failure)


Tallies = dict[tuple[str, str], Tally]
"""Tallies by clause and function."""


def to_plain(tallies: Tallies) -> dict[str, Any]:
    """Tallies as plain data: the ids of all cases, and each tally with cases by their place among them."""
    place: dict[str, int] = {}
    for tally in tallies.values():
        for case_id in (*tally.judged, *tally.declined, *tally.failures):
            place.setdefault(case_id, len(place))
    counted = [
        {
            "clause": clause,
            "function": function,
            "judged": [place[case_id] for case_id in tally.judged],
            "declined": [place[case_id] for case_id in tally.declined],
            "seen": sorted(tally.seen),
            "error": tally.error,
            "failures": [[place[f.case_id], f.law_clause, f.law] for f in tally.failures.values()],
        }
        for (clause, function), tally in tallies.items()
    ]
    return {"cases": list(place), "tallies": counted}


def of_plain(written: Mapping[str, Any]) -> Tallies:
    """The tallies that `to_plain` has written. Raises LookupError or TypeError for what they are not."""
    ids = written["cases"]
    return {
        (one["clause"], one["function"]): Tally(
            dict.fromkeys(ids[at] for at in one["judged"]),
            dict.fromkeys(ids[at] for at in one["declined"]),
            set(one["seen"]),
            one["error"],
            {ids[at]: Failure(ids[at], clause, law) for at, clause, law in one["failures"]},
        )
        for one in written["tallies"]
    }
