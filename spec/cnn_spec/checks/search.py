"""Exhaustive search for smallest cases. The size of a case is the sum of the numbers in it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

Case = dict[str, Any]


@dataclass(frozen=True)
class Cases:
    """Every combination of the values, smallest first, where `where` (in words: `domain`) allows it."""

    values: Mapping[str, Iterable[Any]]
    where: Callable[..., bool] = lambda **_: True
    domain: str = ""

    def __iter__(self) -> Any:
        combinations = (
            dict(zip(self.values, chosen, strict=True)) for chosen in product(*self.values.values())
        )
        return iter(sorted((case for case in combinations if self.where(**case)), key=size))

    @property
    def words(self) -> str:
        """The ranges, readable."""
        ranges = ", ".join(f"{name} {_range(values)}" for name, values in self.values.items())
        return f"{ranges}, {self.domain}" if self.domain else ranges


def cases(where: Callable[..., bool] = lambda **_: True, domain: str = "", **values: Iterable[Any]) -> Cases:
    """Every combination of the values for which `where` holds."""
    return Cases(values, where, domain)


def size(value: Any) -> int:
    """The sum of the magnitudes of the numbers in a case."""
    if isinstance(value, Mapping):
        return sum(map(size, value.values()))
    return sum(map(size, value)) if isinstance(value, tuple) else abs(int(value))


def same(a: Any, b: Any) -> bool:
    """Whether two values agree in shape and in every element."""
    return np.array_equal(np.asarray(a, dtype=object), np.asarray(b, dtype=object))


def smallest(among: Cases, claim: Callable[..., Any], truth: Callable[..., Any]) -> list[Case]:
    """The cases at which the two differ, of those of the least size."""
    found: list[Case] = []
    for case in among:
        if found and size(case) > size(found[0]):
            break
        if not same(claim(**case), truth(**case)):
            found.append(case)
    return found


def words(value: Any) -> str:
    """A value as a person writes it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} = {words(v)}" for name, v in value.items())
    if isinstance(value, np.ndarray):
        return words(np.squeeze(value).tolist())
    if isinstance(value, list | tuple):
        return "(" + ", ".join(map(words, value)) + ")"
    return str(value)


def _range(values: Iterable[Any]) -> str:
    listed = list(values)
    if isinstance(values, range):
        return f"{listed[0]}..{listed[-1]}"
    return "in {" + ", ".join(map(words, listed)) + "}" if len(listed) <= 4 else f"({len(listed)} values)"
