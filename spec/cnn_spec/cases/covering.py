"""Covering arrays: few rows in which every feasible pair, or triple, of levels occurs.

They are generated once and kept as data under the hash of the declaration, with the numbers of feasible pairs and
triples; `python -m cnn_spec.cases.covering` makes anew those that are out of date.
"""

import json
import random
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np

from cnn_spec.cases.space import Row, Space, all_spaces
from cnn_spec.operations import Array

Tuple = frozenset[tuple[str, str]]
"""Levels of some factors, as (factor, level) pairs."""


def feasible_tuples(space: Space, strength: int) -> set[Tuple]:
    """Every combination of `strength` factors' levels that some row of the space has."""
    return {
        frozenset(zip(chosen, levels, strict=True))
        for chosen in combinations(space.factors, min(strength, len(space.factors)))
        for levels in product(*(space.factors[f] for f in chosen))
        if space.feasible(dict(zip(chosen, levels, strict=True)))
    }


def tuples_of(row: Row, strength: int) -> set[Tuple]:
    """The combinations that one row has."""
    return set(map(frozenset, combinations(row.items(), min(strength, len(row)))))


def complete(space: Space, part: Row, wanted: set[Tuple], strength: int, rng: random.Random) -> Row:
    """Extend part of a row, one factor at a time, by the feasible level that brings most of what is wanted."""
    row = dict(part)
    rest = [f for f in space.factors if f not in row]
    rng.shuffle(rest)
    for factor in rest:
        others = list(combinations(row.items(), min(strength, len(space.factors)) - 1))
        levels = [level for level in space.factors[factor] if space.feasible({**row, factor: level})]
        rng.shuffle(levels)
        row[factor] = max(
            levels, key=lambda level: sum(frozenset((*o, (factor, level))) in wanted for o in others)
        )
    return {factor: row[factor] for factor in space.factors}


def generate(space: Space, strength: int, tries: int = 12) -> list[Row]:
    """A covering array by a greedy search: each row starts from a missing tuple; the best of some tries is kept."""
    rng = random.Random(0)
    missing, rows = feasible_tuples(space, strength), []
    while missing:
        starts = rng.sample(sorted(missing, key=sorted), min(tries, len(missing)))
        candidates = [complete(space, dict(start), missing, strength, rng) for start in starts]
        row = max(candidates, key=lambda row: len(tuples_of(row, strength) & missing))
        missing -= tuples_of(row, strength)
        rows.append(row)
    return rows


def encode(space: Space, arrays: dict[int, list[Row]]) -> str:
    """The arrays of one space as text: levels by their numbers."""
    rows = {str(strength): numbered(space, rows).tolist() for strength, rows in arrays.items()}
    feasible = {str(strength): len(feasible_tuples(space, strength)) for strength in arrays}
    kept = {"declaration": space.digest, "feasible": feasible, **rows}
    return json.dumps(kept, separators=(",", ":")) + "\n"


def numbered(space: Space, rows: Sequence[Row]) -> Array:
    """Each level by its place in the declaration: (rows, factors)."""
    factors = space.factors.items()
    return np.array([[levels.index(row[f]) for f, levels in factors] for row in rows], int).reshape(
        len(rows), len(factors)
    )


def richest_first(rows: Sequence[Row], strength: int) -> list[Row]:
    """The rows in another order: always next the one with most combinations that those before it have not."""
    having = [tuples_of(row, strength) for row in rows]
    left, seen, found = list(range(len(rows))), set[Tuple](), list[Row]()
    while left:
        best = max(left, key=lambda at: len(having[at] - seen))
        left.remove(best)
        seen |= having[best]
        found.append(rows[best])
    return found


def distinct_tuples(rows: Array, strength: int) -> int:
    """How many combinations of `strength` factors' levels some numbered rows have."""
    chosen = list(combinations(range(rows.shape[1]), min(strength, rows.shape[1])))
    levels = int(rows.max(initial=0)) + 1
    codes = rows[:, chosen] @ levels ** np.arange(len(chosen[0]))
    seen = np.zeros((len(chosen), levels ** len(chosen[0])), bool)
    seen[np.arange(len(chosen)), codes] = True
    return int(seen.sum())


def _kept(space: Space) -> Path:
    return Path(str(files("cnn_spec.cases"))) / "arrays" / f"{space.name}.json"


@lru_cache(maxsize=64)
def _read(path: Path) -> Mapping[str, Any]:
    kept: Mapping[str, Any] = json.loads(path.read_text())
    return kept


def kept_rows(space: Space, strength: int) -> Array:
    """A kept array with its levels by their numbers, without building its space."""
    return np.array(_read(_kept(space))[str(strength)])


def row_count(space: Space, strength: int) -> int:
    """The number of rows of a kept array, without building its space."""
    return len(_read(_kept(space))[str(strength)])


def feasible_count(space: Space, strength: int) -> int:
    """How many feasible pairs (2) or triples (3) there are, as it is kept beside the array."""
    return int(_read(_kept(space))["feasible"][str(strength)])


def rows_of(space: Space, strength: int) -> list[Row]:
    """The kept array of a space: every feasible pair (2) or triple (3) of its levels."""
    factors = space.factors.items()
    return [
        {f: levels[i] for (f, levels), i in zip(factors, row, strict=True)}
        for row in kept_rows(space, strength)
    ]


def main() -> None:
    """Make anew the arrays whose declaration has changed."""
    for space in all_spaces():
        path = _kept(space)
        if path.exists() and json.loads(path.read_text())["declaration"] == space.digest:
            continue
        arrays = {strength: generate(space, strength) for strength in (2, 3)}
        path.write_text(encode(space, arrays))
        print(space.name, {strength: len(rows) for strength, rows in arrays.items()}, flush=True)


if __name__ == "__main__":
    main()
