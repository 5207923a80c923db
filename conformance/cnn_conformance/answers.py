"""The answers to the work of a run as plain data, as a journal keeps them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cnn_conformance import counterexample
from cnn_conformance.diagnosis import diagnose
from cnn_conformance.explain import Explanation, explain
from cnn_conformance.judging import Failure, Tallies, Tally, run_chunk
from cnn_conformance.plain import listed
from cnn_conformance.plan import Chunk
from cnn_conformance.report import Contradiction, Diagnosis


@dataclass(frozen=True)
class Form:
    """How the answer to a kind of work is written and read; both are told the task."""

    written: Callable[[Any, Any], Any]
    read: Callable[[Any, Any], Any]


def _tallies(chunk: Chunk, tallies: Tallies) -> list[Any]:
    """Cases by their place in the chunk."""
    place = {case_id: at for at, case_id in enumerate(chunk.case_ids())}
    return [
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


def _tallies_of(chunk: Chunk, written: list[Any]) -> Tallies:
    ids = list(chunk.case_ids())
    return {
        (one["clause"], one["function"]): Tally(
            dict.fromkeys(ids[at] for at in one["judged"]),
            dict.fromkeys(ids[at] for at in one["declined"]),
            set(one["seen"]),
            one["error"],
            {ids[at]: Failure(ids[at], clause, law) for at, clause, law in one["failures"]},
        )
        for one in written
    }


def _explanation(_: Any, found: Explanation) -> dict[str, Any]:
    example, contradiction = counterexample.to_plain(found.counterexample), found.contradiction
    return {
        "clause": found.clause,
        "counterexample": example,
        "contradiction": contradiction and vars(contradiction),
    }


def _explanation_of(_: Any, written: Mapping[str, Any]) -> Explanation:
    contradiction = written["contradiction"]
    return Explanation(
        written["clause"],
        counterexample.of_plain(written["counterexample"]),
        contradiction and Contradiction(**contradiction),
    )


def _diagnosis(_: Any, found: Diagnosis) -> Any:
    return listed(vars(found))


def _diagnosis_of(_: Any, written: Mapping[str, Any]) -> Diagnosis:
    return Diagnosis(tuple(map(tuple, written["models"])), written["considered"], written["adapter"])


FORMS: dict[Callable[..., Any], Form] = {
    run_chunk: Form(_tallies, _tallies_of),
    explain: Form(_explanation, _explanation_of),
    diagnose: Form(_diagnosis, _diagnosis_of),
}
"""The kinds of work of which a journal is kept."""
