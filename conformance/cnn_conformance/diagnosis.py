"""The diagnosis: the smallest set of bug models that reproduces every wrong answer and spoils no right one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

import numpy as np

from cnn_conformance.candidate import Subject, load
from cnn_conformance.guard import DeclinedError, MisconductError, NotOfferedError, RefusedError, guarded
from cnn_conformance.judging import trusted
from cnn_conformance.report import Diagnosis
from cnn_spec.bounds import Oracle
from cnn_spec.bugs import BUGS, THEMES, Bug, Functions
from cnn_spec.case import Data, Situation
from cnn_spec.cases.situations import impossible
from cnn_spec.cases.stream import case_of
from cnn_spec.comparison import compare, units
from cnn_spec.conventions import meant
from cnn_spec.operations import Array, Call, Implementation, Results

MOST = 200
"""So many failing, and so many holding cases, evenly spread over all, are asked again."""
PARTNERS = 40
"""So many models, those that reproduce most, are taken in pairs where no single one fits."""
STATEFUL = frozenset(THEMES["state"])
"""Models whose answers depend on earlier calls."""

Answer = Results | str
"""What came of a call: its results, or the clause that the answer broke before its numbers were looked at.

Of an impossible call, whether it was refused, or else the shapes that were answered."""
REFUSED = "refused"


@dataclass(frozen=True)
class Suspect:
    """A function with wrong answers: the cases that were judged, in order, and those that failed. Picklable."""

    function: str
    judged: tuple[str, ...]
    failed: frozenset[str]
    seed: int


@dataclass(frozen=True)
class _Observed:
    """A call, what the candidate answered, and what is right within which bounds."""

    call: Call
    data: Data
    answer: Answer
    right: Answer
    bounds: tuple[Array | float, ...]
    failing: bool

    def fits(self, answer: Answer | None) -> bool:
        """Whether a model answers as right as the candidate did; or as wrong, and alike."""
        if answer is None:
            return False
        if self.is_wrong:
            return self._is_alike(answer) and not self._is_right(answer)
        return self._is_right(answer) or self._is_alike(answer)

    @cached_property
    def is_wrong(self) -> bool:
        """Whether the candidate's answer itself is what failed."""
        return self.failing and not self._is_right(self.answer)

    def _is_right(self, answer: Answer) -> bool:
        if isinstance(answer, str) or isinstance(self.right, str):
            return answer == self.right
        return all(compare(*parts).holds for parts in zip(answer, self.right, self.bounds, strict=True))

    def _is_alike(self, answer: Answer) -> bool:
        if isinstance(answer, str) or isinstance(self.answer, str):
            return answer == self.answer
        return all(compare(*parts).holds for parts in zip(answer, self.answer, self._widest, strict=True))

    @property
    def _widest(self) -> list[float]:
        """For each result; wrong answers need not be within the right ones' bounds element by element."""
        finite = (np.where(np.isfinite(bound), bound, 0.0) for bound in self.bounds)
        return [2 * float(np.max(bound, initial=0.0)) for bound in finite]

    def share(self, answer: Answer | None) -> float:
        """How much of the wrong answer is this one's: of two mistakes at once, each makes its part."""
        if answer is None or isinstance(answer, str) or isinstance(self.answer, str):
            return float(answer == self.answer)
        assert not isinstance(self.right, str)
        wrong, alike = 0, 0
        for ours, got, right, bound, widest in zip(
            answer, self.answer, self.right, self.bounds, self._widest, strict=True
        ):
            places = units(got, right, bound) > 1
            wrong += int(places.sum())
            if ours.shape == got.shape:
                alike += int((places & (units(ours, got, widest) <= 1)).sum())
        return alike / wrong


def diagnose(subject: Subject, suspect: Suspect) -> Diagnosis:
    """Name the mistake behind a function's wrong answers, by asking the catalogue's models for the same ones."""
    candidate = load(subject)
    oracle = trusted(candidate)
    observed = list(_observed(candidate.implementation(), oracle, suspect))
    wrong = [one for one in observed if one.is_wrong]
    if any(one.data is not Data.TIED for one in wrong):
        # Among ties the right choice is free, so that another one need not be this mistake's.
        observed = [one for one in observed if one.data is not Data.TIED]
    models = [bug for bug in BUGS.values() if suspect.function in bug.functions]

    def truth(call: Call) -> Results:
        return oracle.answer(meant(call, oracle.declared))

    fitting = _fitting(models, observed, truth) if wrong else ()
    return Diagnosis(fitting, len(models), any(BUGS[name].adapter for name in (fitting or ((),))[0]))


def _fitting(
    models: Sequence[Bug], observed: Sequence[_Observed], truth: Implementation
) -> tuple[tuple[str, ...], ...]:
    """Every model that reproduces all of the wrong answers and spoils none of the right ones; or else every pair."""
    alone = [bug for bug in models if _fits((bug,), observed, truth)]
    if alone:
        return tuple((bug.name,) for bug in alone)
    wrong = [one for one in observed if one.is_wrong]
    right = [one for one in observed if not one.is_wrong]
    sparing = [bug for bug in models if _fits((bug,), right, truth)]
    shares = {bug.name: _share(bug, wrong, truth) for bug in sparing}
    partners = sorted(sparing, key=lambda bug: -shares[bug.name])[:PARTNERS]
    pairs: dict[tuple[str, ...], None] = {}
    for first, second in permutations(partners, 2):
        names = tuple(bug.name for bug in partners if bug in (first, second))
        if names not in pairs and _fits((first, second), observed, truth):
            pairs[names] = None
    return tuple(pairs)


def _fits(bugs: Sequence[Bug], observed: Sequence[_Observed], truth: Implementation) -> bool:
    made = _made(bugs, truth)
    if STATEFUL.isdisjoint(bugs):
        # The order of calls does not matter, and a model that does not fit is soonest seen where the candidate is wrong.
        observed = sorted(observed, key=lambda one: not one.is_wrong)
    return all(one.fits(_answer(made, one.call)) for one in observed)


def _share(bug: Bug, wrong: Sequence[_Observed], truth: Implementation) -> float:
    made = _made((bug,), truth)
    return sum(one.share(_answer(made, one.call)) for one in wrong)


def _made(bugs: Sequence[Bug], truth: Implementation) -> Implementation:
    """The truth with these bugs, one inside the other; anew each time, since bugs may keep state."""
    for bug in bugs:
        truth = bug.over(truth)
    return guarded(Functions(bugs[0].name, truth))


def _observed(answer: Implementation, oracle: Oracle, suspect: Suspect) -> Iterator[_Observed]:
    """The cases in the order in which they were judged, since a candidate may keep state from one to the next."""
    failing = _spread([c for c in suspect.judged if c in suspect.failed])
    holding = _spread([c for c in suspect.judged if c not in suspect.failed])
    asked = {*failing, *holding}
    for case_id in filter(asked.__contains__, suspect.judged):
        case, failed = case_of(case_id, suspect.seed), case_id in suspect.failed
        if case is None:
            continue
        pair = impossible(case) if case.situation is Situation.IMPOSSIBLE else None
        call = pair[1] if pair else case.call
        found = _answer(answer, call)
        if found is not None and not call.valid:
            yield _Observed(call, case.data, found, REFUSED, (), failed)
        elif found is not None:
            with np.errstate(all="ignore"):
                yield _Observed(call, case.data, found, oracle(call), oracle.tolerance(case), failed)


def _spread(ids: Sequence[str]) -> Sequence[str]:
    return ids[:: max(1, -(-len(ids) // MOST))]


def _answer(implementation: Implementation, call: Call) -> Answer | None:
    """What an implementation makes of a call; None where it declines."""
    try:
        answered = implementation(call)
    except RefusedError:
        return REFUSED
    except MisconductError as misconduct:
        return misconduct.clause
    except (DeclinedError, NotOfferedError):
        return None
    return answered if call.valid else f"answered with {[result.shape for result in answered]}"
