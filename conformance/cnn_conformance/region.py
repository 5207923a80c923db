"""The region of a failure: the simplest condition on the factors of the case space that tells failing cases
from holding ones.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

Levels = Mapping[str, str]
"""A level for each factor: where a case lies."""
Conjunction = Mapping[str, Sequence[str]]
"""The levels that some factors may have, all at once."""

CONDITIONS = 3
"""A region that speaks of more factors than this explains nothing."""
ALTERNATIVES = 3


@dataclass(frozen=True)
class Region:
    """Where a clause fails: in any of some conjunctions. Outside, it holds.

    `failing` of the `inside` cases in the region fail, and all `outside` hold.
    """

    alternatives: tuple[Conjunction, ...]
    failing: int
    inside: int
    outside: int
    words: str

    def has(self, levels: Levels) -> bool:
        """Whether a case with these levels lies in the region."""
        return any(within(levels, conjunction) for conjunction in self.alternatives)


def region_of(failing: Sequence[Levels], holding: Sequence[Levels]) -> Region:
    """The simplest region with all failing cases, of which there is at least one: a conjunction without a
    holding case, or else a few of them, or else the conjunction with the fewest holding ones.
    """
    found = _one(failing, holding) or _several(failing, holding) or (_narrowest(failing, holding),)
    inside = len(failing) + sum(any(within(h, one) for one in found) for h in holding)
    outside = len(failing) + len(holding) - inside
    share = f"in {len(failing)} of {inside} cases"
    if not outside:
        return Region(found, len(failing), inside, outside, f"fails {share}, whatever their parameters")
    where = ", or when ".join(_said(conjunction, [*failing, *holding]) for conjunction in found)
    words = f"fails when {where}, {share}; holds in all {outside} others"
    return Region(found, len(failing), inside, outside, words)


def _said(conjunction: Conjunction, cases: Sequence[Levels]) -> str:
    parts = []
    for factor, levels in conjunction.items():
        others = sorted({case[factor] for case in cases} - set(levels))
        few = len(others) == 1 and len(levels) > 1
        parts.append(f"{factor} is not {others[0]}" if few else f"{factor} is {' or '.join(levels)}")
    return " and ".join(parts)


def within(levels: Levels, conjunction: Conjunction) -> bool:
    """Whether a case with these levels meets every condition."""
    return all(levels.get(factor) in allowed for factor, allowed in conjunction.items())


def _cases(cases: Sequence[Levels], factor: str, allowed: Iterable[str]) -> int:
    """The cases, as bits, that have one of the allowed levels."""
    wanted = set(allowed)
    return sum(1 << at for at, case in enumerate(cases) if case.get(factor) in wanted)


def _common(failing: Sequence[Levels], holding: Sequence[Levels]) -> dict[str, tuple[tuple[str, ...], int]]:
    """For each factor that tells something: the levels of the failing cases, and the holding cases that have them."""
    everywhere = (1 << len(holding)) - 1
    found = {}
    for factor in failing[0]:
        levels = tuple(dict.fromkeys(case[factor] for case in failing))
        also = _cases(holding, factor, levels)
        if also != everywhere:
            found[factor] = levels, also
    return found


def _one(failing: Sequence[Levels], holding: Sequence[Levels]) -> tuple[Conjunction, ...]:
    """The conjunction of the fewest factors that has every failing case and no other."""
    common = _common(failing, holding)
    for size in range(CONDITIONS + 1):
        for factors in combinations(common, size):
            left = (1 << len(holding)) - 1
            for factor in factors:
                left &= common[factor][1]
            if not left:
                return ({factor: common[factor][0] for factor in factors},)
    return ()


def _several(failing: Sequence[Levels], holding: Sequence[Levels]) -> tuple[Conjunction, ...]:
    """A few conjunctions without a holding case that together have every failing one; the broadest first."""
    conditions = [
        (factor, level, _cases(failing, factor, (level,)), _cases(holding, factor, (level,)))
        for factor in failing[0]
        for level in dict.fromkeys(case[factor] for case in failing)
    ]
    pure = list(_pure(conditions, (1 << len(failing)) - 1, (1 << len(holding)) - 1))
    left, found = (1 << len(failing)) - 1, list[Conjunction]()
    while left and pure and len(found) < ALTERNATIVES:
        conjunction, covered = max(pure, key=lambda one: ((one[1] & left).bit_count(), -len(one[0])))
        if not covered & left:
            return ()
        found.append(conjunction)
        left &= ~covered
    # With more conditions than cases to tell apart, anything can be said.
    return () if left or sum(map(len, found)) >= len(holding) else tuple(found)


def _pure(
    conditions: Sequence[tuple[str, str, int, int]], failing: int, holding: int
) -> Iterator[tuple[Conjunction, int]]:
    """Every conjunction of single levels without a holding case, with the failing cases that it has."""
    for size in range(1, CONDITIONS + 1):
        for chosen in combinations(conditions, size):
            covered, also = failing, holding
            for _, _, failing_here, holding_here in chosen:
                covered &= failing_here
                also &= holding_here
            if covered and not also and len({factor for factor, *_ in chosen}) == size:
                yield {factor: (level,) for factor, level, *_ in chosen}, covered


def _narrowest(failing: Sequence[Levels], holding: Sequence[Levels]) -> Conjunction:
    """Factor by factor, what leaves the fewest holding cases beside the failing ones."""
    common, chosen = _common(failing, holding), dict[str, tuple[str, ...]]()
    left = (1 << len(holding)) - 1
    while common and len(chosen) < CONDITIONS:
        factor = min(common, key=lambda f: (left & common[f][1]).bit_count())
        levels, also = common.pop(factor)
        if left & also == left:
            break
        chosen[factor], left = levels, left & also
    return chosen
