"""Whether a reader's formula agrees with a clause's: on a grid, and then, where it can be, for all parameters."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import sympy as sp

from cnn_spec.checks.formula import Formula, evaluate
from cnn_spec.checks.reader import ReadFormula
from cnn_spec.checks.rounding import equal, positive

Point = Mapping[str, int]
Condition = tuple[str, Callable[[Point], bool]]


@dataclass(frozen=True)
class Counterexample:
    """A point at which the two differ; None for a value that is undefined there."""

    at: Point
    yours: Fraction | None
    clause: Fraction


@dataclass(frozen=True)
class Agreement:
    """What came of the comparison.

    `differing` counts the points of the grid at which they differ; the counterexample may lie beyond it.
    `fixed` are the clause's symbols that the reader's formula does not have, at the values at which they fall out,
    and `beyond` where it first differs at other values of them. `proved` says by what it is proved for all
    parameters, empty if it is not. `part` is where two different formulas are equal, on the grid.
    """

    points: int
    fixed: Mapping[str, int]
    counterexample: Counterexample | None
    differing: int
    proved: str
    part: str
    beyond: Counterexample | None


def compare(formula: Formula, yours: ReadFormula) -> Agreement:
    """Compare on the grid of the clause's formula, then prove what agrees there."""
    mentioned = yours.expression.free_symbols
    fixed = {s: value for s, value in formula.neutral.items() if s not in mentioned}
    everywhere = list(formula.points())
    points = [point for point in everywhere if all(point[s.name] == value for s, value in fixed.items())]
    wrong = list(_differences(formula, yours, points))
    proved, elsewhere = ("", None) if wrong else _decided(formula, yours, fixed)
    beyond = min(_differences(formula, yours, everywhere), key=_size, default=None)
    return Agreement(
        points=len(points),
        fixed={s.name: value for s, value in fixed.items()},
        counterexample=min(wrong, key=_size, default=elsewhere),
        differing=len(wrong),
        proved=proved,
        part=_part(list(_conditions(formula, fixed)), points, [found.at for found in wrong]) if wrong else "",
        beyond=None if wrong or elsewhere else beyond,
    )


def _size(found: Counterexample) -> int:
    return sum(found.at.values())


def _differences(formula: Formula, yours: ReadFormula, points: Sequence[Point]) -> Iterator[Counterexample]:
    for point in points:
        value, right = _value(yours, point), formula(**point)
        if value != right:
            yield Counterexample(point, value, right)


def _value(yours: ReadFormula, point: Point) -> Fraction | None:
    if any(evaluate(divisor, point) == 0 for divisor in yours.divisors):
        return None
    return evaluate(yours.expression, point)


def _decided(
    formula: Formula, yours: ReadFormula, fixed: Mapping[sp.Symbol, int]
) -> tuple[str, Counterexample | None]:
    """By what two formulas that agree on the grid are proved equal, or where they differ beyond it."""
    if formula.cover and all(_equal_under(cover, formula, yours, fixed) for cover in formula.cover):
        return "by the universal property of floor and ceiling", None
    try:
        from cnn_spec.checks import solver
    except ModuleNotFoundError:
        return "", None
    domain = (*formula.domain, *(sp.Eq(s, value) for s, value in fixed.items()))
    found = solver.equal_on(domain, formula.expression, yours)
    if isinstance(found, bool):
        return "by z3" if found else "", None
    point = {symbol.name: found[symbol.name] for symbol in formula.means}
    return "", next(_differences(formula, yours, [point]), None)


def _equal_under(
    cover: Mapping[sp.Symbol, sp.Expr], formula: Formula, yours: ReadFormula, fixed: Mapping[sp.Symbol, int]
) -> bool:
    """Whether the two are equal on the part of the domain that a substitution covers."""
    free = {s: _from_bound(s, formula.domain) for s in formula.means if s not in cover} | dict(fixed)

    def covered(expression: sp.Expr) -> sp.Expr:
        return expression.subs(fixed).subs(cover, simultaneous=True).subs(free, simultaneous=True)

    never_zero = all(positive(covered(d)) or positive(-covered(d)) for d in yours.divisors)
    return never_zero and equal(covered(yours.expression), covered(formula.expression))


def _from_bound(symbol: sp.Symbol, domain: tuple[sp.Rel, ...]) -> sp.Expr:
    """A symbol as its lower bound in the domain and a natural number above it."""
    (bound,) = (relation.rhs for relation in domain if relation.lhs == symbol and relation.rhs.is_Integer)
    return bound + sp.Symbol(symbol.name, integer=True, nonnegative=True)


def _conditions(formula: Formula, fixed: Mapping[sp.Symbol, int]) -> Iterator[Condition]:
    """Simple parts of a domain, the more telling first."""
    names = [s.name for s in formula.means if s not in fixed]
    if {"N", "K", "S"} <= set(names):
        padded = "N + 2P" if "P" in names else "N"
        yield f"S divides {padded} - {'D (K - 1) - 1' if 'D' in names else 'K'}", _divides
        yield "S <= K", lambda p: p["S"] <= p["K"]
    for name in names:
        neutral = 0 if name in ("P", "A") else 1
        yield f"{name} = {neutral}", lambda p, name=name, value=neutral: p[name] == value  # type: ignore[misc]
        yield f"{name} is odd", lambda p, name=name: p[name] % 2 == 1  # type: ignore[misc]
        yield f"{name} is even", lambda p, name=name: p[name] % 2 == 0  # type: ignore[misc]


def _divides(point: Point) -> bool:
    span = point.get("D", 1) * (point["K"] - 1) + 1
    return (point["N"] + 2 * point.get("P", 0) - span) % point["S"] == 0


def _part(conditions: Sequence[Condition], points: Sequence[Point], wrong: Sequence[Point]) -> str:
    """In words, the simplest part of the grid on which the two are equal; empty if none was found.

    One condition or two that leave out no point at which they are equal, else those that hold at the most points.
    """
    holds = dict(conditions)
    best, most = "", 0
    for chosen in (*((words,) for words in holds), *combinations(holds, 2)):
        inside = [p for p in points if all(holds[words](p) for words in chosen)]
        if len(inside) <= most or any(p in inside for p in wrong):
            continue
        exactly = len(inside) == len(points) - len(wrong)
        best, most = f"{'exactly ' if exactly else ''}where {' and '.join(chosen)}", len(inside)
        if exactly:
            break
    return best
