"""Covering arrays: few rows in which every feasible pair, or triple, of levels occurs.

They are generated once and kept as data under the hash of the declaration; `python -m
cnn_spec.cases.covering` makes anew those that are out of date.
"""

import json
import random
from importlib.resources import files
from itertools import combinations, product
from pathlib import Path

from cnn_spec.cases.space import Row, Space, all_spaces

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
    """The arrays of one space as text: levels by their place in the declaration."""
    rows = {
        str(strength): [[space.factors[f].index(row[f]) for f in space.factors] for row in rows]
        for strength, rows in arrays.items()
    }
    return json.dumps({"declaration": space.digest, **rows}, separators=(",", ":")) + "\n"


def _kept(space: Space) -> Path:
    return Path(str(files("cnn_spec.cases"))) / "arrays" / f"{space.name}.json"


def _kept_rows(space: Space, strength: int) -> list[list[int]]:
    rows: list[list[int]] = json.loads(_kept(space).read_text())[str(strength)]
    return rows


def row_count(space: Space, strength: int) -> int:
    """The number of rows of a kept array, without building its space."""
    return len(_kept_rows(space, strength))


def rows_of(space: Space, strength: int) -> list[Row]:
    """The kept array of a space: every feasible pair (2) or triple (3) of its levels."""
    factors = space.factors.items()
    return [
        {f: levels[i] for (f, levels), i in zip(factors, row, strict=True)}
        for row in _kept_rows(space, strength)
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
