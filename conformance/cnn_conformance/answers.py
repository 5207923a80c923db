"""The answers to the work of a run as plain data, as a journal keeps them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cnn_conformance import counterexample, tally
from cnn_conformance.diagnosis import diagnose
from cnn_conformance.explain import Explanation, explain
from cnn_conformance.judging import run_chunk
from cnn_conformance.plain import listed
from cnn_conformance.report import Contradiction, Diagnosis


@dataclass(frozen=True)
class Form:
    """How the answer to a kind of work is written and read."""

    written: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _explanation(found: Explanation) -> dict[str, Any]:
    example, contradiction = counterexample.to_plain(found.counterexample), found.contradiction
    return {
        "clause": found.clause,
        "counterexample": example,
        "contradiction": contradiction and vars(contradiction),
    }


def _explanation_of(written: Mapping[str, Any]) -> Explanation:
    contradiction = written["contradiction"]
    return Explanation(
        written["clause"],
        counterexample.of_plain(written["counterexample"]),
        contradiction and Contradiction(**contradiction),
    )


def _diagnosis(found: Diagnosis) -> Any:
    return listed(vars(found))


def _diagnosis_of(written: Mapping[str, Any]) -> Diagnosis:
    return Diagnosis(tuple(map(tuple, written["models"])), written["considered"], written["adapter"])


FORMS: dict[Callable[..., Any], Form] = {
    run_chunk: Form(tally.to_plain, tally.of_plain),
    explain: Form(_explanation, _explanation_of),
    diagnose: Form(_diagnosis, _diagnosis_of),
}
"""The kinds of work of which a journal is kept."""
