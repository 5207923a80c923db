"""The report: one data model, of which the terminal, JSON and every other form are views."""

import json
import os
import platform
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from cnn_conformance import __version__
from cnn_conformance.counterexample import Counterexample, to_plain
from cnn_conformance.plain import listed
from cnn_conformance.region import Region
from cnn_spec import SPEC_VERSION

SCHEMA_VERSION = 1


class Status(StrEnum):
    """What a clause came to on an operation."""

    HOLDS = "holds"
    VIOLATED = "violated"
    DECLINED = "declined"
    NOT_OFFERED = "not offered"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Diagnosis:
    """The mistakes that a function's answers look like.

    Each of `models` is a set of bug models that answers as the candidate does wherever the two were compared;
    several cannot be told apart by these cases, and none means that no known mistake fits. `considered` is the
    number of models that there are of the function; `adapter`: the likeliest mistake is in how a library is
    called, not in the library.
    """

    models: tuple[tuple[str, ...], ...]
    considered: int
    adapter: bool


@dataclass(frozen=True)
class Verdict:
    """A clause on an operation (a function of the interface), over all cases that were judged.

    `cases` were judged; `declined` are the ids of those that were not, and `failures` of those in which it is
    broken; `unseen` is what none of them showed. `error_in_bounds` is the worst rounding error in units of the bound.
    """

    clause: str
    operation: str
    status: Status
    cases: int = 0
    declined: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    error_in_bounds: float | None = None
    counterexample: Counterexample | None = None
    region: Region | None = None
    diagnosis: Diagnosis | None = None


@dataclass(frozen=True)
class Contradiction:
    """A smallest case in which the reference and the definition disagree: the fault is this suite's."""

    clause: str
    operation: str
    case_id: str
    words: str


@dataclass(frozen=True)
class Share:
    """So many of those that are feasible."""

    exercised: int
    feasible: int


@dataclass(frozen=True)
class Coverage:
    """How many pairs and triples of levels of an operation's case space the judged cases had, and how many there are."""

    operation: str
    pairs: Share
    triples: Share


@dataclass(frozen=True)
class Report:
    """All verdicts on a candidate."""

    candidate: Mapping[str, str]
    seed: int
    level: str
    verdicts: tuple[Verdict, ...]
    only: str | None = None
    """The glob of clauses or operations that were asked for; None for all."""
    contradictions: tuple[Contradiction, ...] = ()
    complete: bool = True
    rounds: int = 0
    """Rounds of exploration beyond the arrays, at level deep."""
    coverage: tuple[Coverage, ...] = ()
    """Of each operation that was asked for; nothing is exercised of one that is not offered."""
    timing: Mapping[str, float] = field(default_factory=dict)
    address: str | None = None
    """Where the candidate is, if it has an address."""

    @property
    def summary(self) -> dict[str, int]:
        """How many verdicts there are of each status."""
        counted = Counter(verdict.status for verdict in self.verdicts)
        return {status.value: counted[status] for status in Status}

    @property
    def violations(self) -> tuple[Verdict, ...]:
        """The verdicts that are violated."""
        return tuple(v for v in self.verdicts if v.status is Status.VIOLATED)

    @property
    def conforms(self) -> bool:
        """Nothing is violated, and something holds."""
        return not self.violations and any(v.status is Status.HOLDS for v in self.verdicts)

    def to_json(self) -> str:
        """Strict JSON, as `report.schema.json` in this package describes it; everything timed is under `timing`."""
        return json.dumps(self.to_document(), indent=1, allow_nan=False) + "\n"

    def to_document(self) -> dict[str, Any]:
        """The same as plain dictionaries, lists, strings and numbers."""
        return {
            "schema_version": SCHEMA_VERSION,
            "spec_version": SPEC_VERSION,
            "candidate": dict(self.candidate),
            "address": self.address,
            "environment": environment(),
            "seed": self.seed,
            "level": self.level,
            "only": self.only,
            "rounds": self.rounds,
            "complete": self.complete,
            "conforms": self.conforms,
            "summary": self.summary,
            "timing": dict(self.timing),
            "coverage": [asdict(one) for one in self.coverage],
            "verdicts": [_verdict(v) for v in self.verdicts],
            "contradictions": [vars(c) for c in self.contradictions],
        }


def environment() -> dict[str, Any]:
    """What a report was made with."""
    return {
        "cnn_conformance": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "threads": os.environ.get("OMP_NUM_THREADS", "default"),
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "clause": verdict.clause,
        "operation": verdict.operation,
        "status": verdict.status.value,
        "cases": verdict.cases,
        "declined": len(verdict.declined),
        "failures": list(verdict.failures),
        "declined_cases": list(verdict.declined),
        "unseen": list(verdict.unseen),
        "error_in_bounds": verdict.error_in_bounds,
        "counterexample": verdict.counterexample and to_plain(verdict.counterexample),
        "region": verdict.region and _region(verdict.region),
        "diagnosis": verdict.diagnosis and listed(vars(verdict.diagnosis)),
    }


def _region(region: Region) -> dict[str, Any]:
    any_of = [{f: list(levels) for f, levels in one.items()} for one in region.alternatives]
    return {**vars(region), "alternatives": any_of}
