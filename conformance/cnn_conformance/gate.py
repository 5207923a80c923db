"""The regression gate: what changed from one report, or baseline, to another.

A baseline is what of a report is worth keeping: for each clause and operation the status, the failing and the
declined cases, the region and the smallest case.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from cnn_conformance.region import Levels, within
from cnn_conformance.report import SCHEMA_VERSION, Status
from cnn_spec.cases.stream import levels_of

Document = Mapping[str, Any]
"""A report or a baseline, as read from JSON."""
Key = tuple[str, str]

RUN = ("spec_version", "seed", "level")
"""What the cases of a run follow from, besides the candidate: with the same, the same ids are the same cases."""
KEPT = ("clause", "operation", "status", "failures", "declined_cases", "region", "counterexample")


class GateError(Exception):
    """A report or a baseline cannot be used; the message says what to do."""


class Kind(StrEnum):
    """What became of a clause on an operation."""

    NEW = "new"
    LOST = "lost"
    KNOWN = "known"
    FIXED = "fixed"
    STALE = "stale"


RED = (Kind.NEW, Kind.LOST)
"""What must not happen unnoticed."""


@dataclass(frozen=True)
class Change:
    """A clause on an operation whose verdict is not just what it was, or is a violation still."""

    kind: Kind
    clause: str
    operation: str
    words: str


def read(path: Path) -> Document:
    """A report or a baseline. Raises GateError."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise GateError(f"{path} cannot be read: {error.strerror}; name a report or a baseline.") from error
    except ValueError as error:
        raise GateError(f"{path} is not JSON ({error}); name a report or a baseline.") from error
    if not isinstance(found, dict) or not {"schema_version", "verdicts", *RUN} <= set(found):
        raise GateError(
            f"{path} is neither a report nor a baseline; write one with --json or --update-baseline."
        )
    if found["schema_version"] != SCHEMA_VERSION:
        raise GateError(
            f"{path} has schema version {found['schema_version']}, this is for {SCHEMA_VERSION}; write it anew."
        )
    return found


def baseline_of(report: Document, old: Document | None = None) -> dict[str, Any]:
    """The baseline to keep of a report; where it was made with `only`, an old one is kept for the rest.

    Raises GateError where the two do not fit together.
    """
    verdicts = _by_key(report)
    if report.get("only") and old is not None:
        if not _same_run(old, report):
            raise GateError(
                f"The baseline is of {_run(old)}, this run of {_run(report)}; update it without --only."
            )
        verdicts = {**_by_key(old), **verdicts}
    return {
        **{name: report[name] for name in ("schema_version", *RUN, "candidate")},
        "verdicts": [{name: verdict[name] for name in KEPT} for verdict in verdicts.values()],
    }


def notes(old: Document, new: Document) -> list[str]:
    """What to know of a comparison: two candidates, or two runs that drew different cases."""
    said = []
    if old["candidate"] != new["candidate"]:
        said.append(f"was {_named(old)}, now {_named(new)}")
    if not _same_run(old, new):
        said.append(
            f"was {_run(old)}, now {_run(new)}: a failing case is known if it lies in the recorded region, and only a "
            "clause that is declined altogether counts as lost"
        )
    return said


def changes(old: Document, new: Document) -> list[Change]:
    """What changed, the red first."""
    before, now = _by_key(old), _by_key(new)
    same_run = _same_run(old, new)
    found = [
        change for key, verdict in now.items() for change in _changed(key, before.get(key), verdict, same_run)
    ]
    if not new.get("only"):
        found += [
            Change(Kind.STALE, *key, f"was {verdict['status']}, and is not judged now")
            for key, verdict in before.items()
            if key not in now and verdict["status"] in (Status.VIOLATED, Status.HOLDS)
        ]
    order = list(Kind)
    return sorted(found, key=lambda change: order.index(change.kind))


def _changed(key: Key, old: Document | None, new: Document, same_run: bool) -> Iterator[Change]:
    was = Status(old["status"]) if old else None
    if new["status"] == Status.VIOLATED:
        if old is None or was is not Status.VIOLATED:
            yield Change(
                Kind.NEW, *key, f"fails in {_cases(new['failures'])}" + (f"; was {was}" if was else "")
            )
        elif fresh := [case_id for case_id in new["failures"] if not _recorded(case_id, old, same_run)]:
            yield Change(Kind.NEW, *key, f"fails in {_cases(fresh)} that did not fail, such as {fresh[0]}")
        else:
            yield Change(Kind.KNOWN, *key, f"fails in {_cases(new['failures'])}, as recorded")
    elif old is not None and was is Status.VIOLATED:
        dodged = set(old["failures"]) & set(new["declined_cases"])
        if new["status"] == Status.HOLDS and not dodged:
            yield Change(Kind.FIXED, *key, f"failed in {_cases(old['failures'])}, and holds")
        else:
            now = f"declines {_cases(dodged)} of those" if dodged else f"is {new['status']}"
            yield Change(Kind.STALE, *key, f"failed in {_cases(old['failures'])}, and {now}")
    elif old is not None and was is Status.HOLDS:
        if new["status"] != Status.HOLDS:
            yield Change(Kind.LOST, *key, f"held, and is {new['status']}")
        elif same_run and (more := set(new["declined_cases"]) - set(old["declined_cases"])):
            yield Change(Kind.LOST, *key, f"declines {_cases(more)} that it answered, such as {min(more)}")


def _recorded(case_id: str, old: Document, same_run: bool) -> bool:
    if case_id in old["failures"]:
        return True
    region = old["region"]
    return not same_run and region is not None and _in_region(levels_of(case_id), region)


def _in_region(levels: Levels, region: Document) -> bool:
    return any(within(levels, conjunction) for conjunction in region["alternatives"])


def _by_key(document: Document) -> dict[Key, Document]:
    return {(verdict["clause"], verdict["operation"]): verdict for verdict in document["verdicts"]}


def _same_run(old: Document, new: Document) -> bool:
    return all(old[name] == new[name] for name in RUN)


def _run(document: Document) -> str:
    return f"spec {document['spec_version']}, seed {document['seed']}, level {document['level']}"


def _named(document: Document) -> str:
    return f"{document['candidate']['name']} {document['candidate']['version']}".rstrip()


def _cases(ids: Any) -> str:
    return f"{len(ids)} case{'s' * (len(ids) != 1)}"
