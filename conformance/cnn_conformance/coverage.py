"""What a run has seen of the case space: the feasible pairs and triples of levels that its judged cases had."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from cnn_conformance.report import Coverage, Share
from cnn_spec.cases import covering
from cnn_spec.cases.situations import SITUATIONS
from cnn_spec.cases.space import space_of
from cnn_spec.cases.stream import FUNCTIONS, STRENGTHS, plain, row_count, rows
from cnn_spec.operations import Array


def coverage_of(function: str, judged: Iterable[str]) -> Coverage:
    """What the judged cases of a function, by their ids, exercised. Cases of a situation are not counted."""
    by_source: dict[str, set[int]] = {}
    for case_id in judged:
        _, source, number, *_ = case_id.split("/")
        if plain(source) not in SITUATIONS:
            by_source.setdefault(source, set()).add(int(number) % row_count(function, source))
    space = space_of(*FUNCTIONS[function])
    seen = [_numbered(function, source)[sorted(numbers)] for source, numbers in by_source.items()]
    pairs, triples = (
        Share(
            covering.distinct_tuples(np.concatenate(seen), strength) if seen else 0,
            covering.feasible_count(space, strength),
        )
        for strength in STRENGTHS.values()
    )
    return Coverage(function, pairs, triples)


@lru_cache(maxsize=64)
def _numbered(function: str, source: str) -> Array:
    space = space_of(*FUNCTIONS[function])
    if source in STRENGTHS:
        return covering.kept_rows(space, STRENGTHS[source])
    return covering.numbered(space, rows(function, source))
