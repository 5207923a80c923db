"""Formulas: one SymPy expression, used three ways. Proved, evaluated on integers, typeset."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from typing import Any

import sympy as sp

from cnn_spec.checks import typeset

N, K, S, P, D, L = sp.symbols("N K S P D L", integer=True)
"""Input side, kernel side, stride, padding on each side, dilation; L is the notes' letter for the kernel in §2.1.2."""

trunc = sp.Function("trunc", integer=True)
"""Rounding towards zero, which a reader's formula may use."""

Substitution = Mapping[sp.Symbol, sp.Expr]


@dataclass(frozen=True, kw_only=True)
class Formula:
    """The value of a quantity.

    `means` gives each symbol's meaning in words. `domain` is where the formula is meaningful, every
    symbol with a lower bound of its own; `cover` is a
    list of substitutions, in symbols for natural numbers, that together reach every point of the domain: what is
    proved under each of them is proved on the domain. `neutral` symbols extend the notes' formula, and at
    these values fall out of it. `grid` is where it is compared by execution.
    """

    quantity: str
    expression: sp.Expr
    means: Mapping[sp.Symbol, str]
    domain: tuple[sp.Rel, ...]
    cover: tuple[Substitution, ...] = ()
    neutral: Mapping[sp.Symbol, int] = field(default_factory=dict)
    grid: Mapping[sp.Symbol, range] = field(default_factory=dict)

    def __call__(self, **values: int) -> Fraction:
        """The value at these integers; neutral symbols may be left out."""
        full = {s.name: n for s, n in self.neutral.items()} | values
        return evaluate(self.expression, full)

    @property
    def latex(self) -> str:
        """The formula as GitHub-rendered mathematics."""
        return typeset.latex(self.expression)

    @property
    def text(self) -> str:
        """The formula on one line."""
        return typeset.line(self.expression)

    def points(self) -> Iterator[dict[str, int]]:
        """The points of the grid that lie in the domain."""
        inside = predicate(self.domain)
        for chosen in product(*self.grid.values()):
            values = dict(zip((s.name for s in self.grid), chosen, strict=True))
            if inside(values):
                yield values


_ROUNDINGS: Mapping[Any, Callable[[Fraction], int]] = {
    sp.floor: math.floor,
    sp.ceiling: math.ceil,
    trunc: math.trunc,
}


def evaluate(expression: sp.Expr, values: Mapping[str, int]) -> Fraction:
    """The exact value of an expression at integers.

    Raises ZeroDivisionError where a denominator vanishes and KeyError for a symbol without a value.
    """
    if isinstance(expression, sp.Symbol):
        return Fraction(values[expression.name])
    if isinstance(expression, sp.Rational):
        return Fraction(int(expression.p), int(expression.q))
    parts = [evaluate(part, values) for part in expression.args]
    match expression:
        case sp.Add():
            return sum(parts, Fraction(0))
        case sp.Mul():
            return math.prod(parts, start=Fraction(1))
        case sp.Pow():
            return Fraction(parts[0] ** parts[1])
        case sp.Min():
            return min(parts)
        case sp.Max():
            return max(parts)
        case sp.Mod():
            return parts[0] % parts[1]
    return Fraction(_ROUNDINGS[expression.func](parts[0]))


def predicate(domain: tuple[sp.Rel, ...]) -> Callable[[Mapping[str, int]], bool]:
    """Inequalities that must all hold, as a function of integers."""
    signs: dict[type, Callable[[Fraction], bool]] = {
        sp.Ge: lambda x: x >= 0,
        sp.Gt: lambda x: x > 0,
        sp.Le: lambda x: x <= 0,
        sp.Lt: lambda x: x < 0,
    }
    tests = [(signs[type(relation)], relation.lhs - relation.rhs) for relation in domain]
    return lambda values: all(sign(evaluate(difference, values)) for sign, difference in tests)
