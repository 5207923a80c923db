"""Equality on a domain by z3, an optional extra: it decides most integer arithmetic that the kernel cannot."""

from collections.abc import Callable
from typing import Any

import sympy as sp
import z3

from cnn_spec.checks.formula import trunc
from cnn_spec.checks.reader import ReadFormula

TIMEOUT = 5_000
"""Milliseconds; what is not decided by then counts as not proved."""

RELATIONS: dict[type, Callable[[Any, Any], Any]] = {
    sp.Ge: lambda a, b: a >= b,
    sp.Gt: lambda a, b: a > b,
    sp.Le: lambda a, b: a <= b,
    sp.Lt: lambda a, b: a < b,
    sp.Eq: lambda a, b: a == b,
}


class _FractionalError(Exception):
    """A fraction where the translation needs a whole number."""


def equal_on(domain: tuple[sp.Rel, ...], expression: sp.Expr, yours: ReadFormula) -> bool | dict[str, int]:
    """Whether the two are equal, and nothing divided by is zero, for all integers of the domain.

    Returns True if z3 proves it, the least point (by the sum of its numbers) where it is not so if z3 finds that, and
    False if it decides neither.
    """
    solver, least = z3.Solver(), z3.Optimize()
    for either in (solver, least):
        either.set("timeout", TIMEOUT)
    try:
        for relation in domain:
            solver.add(
                RELATIONS[type(relation)](_integer(relation.lhs, solver), _integer(relation.rhs, solver))
            )
        difference, _ = sp.fraction(sp.together(expression - yours.expression))
        zero = [_integer(sp.numer(sp.together(divisor)), solver) == 0 for divisor in yours.divisors]
        solver.add(z3.Or(_integer(difference, solver) != 0, *zero))
    except _FractionalError:
        return False
    found = solver.check()
    if found != z3.sat:
        return bool(found == z3.unsat)
    names = sorted({symbol.name for relation in domain for symbol in relation.free_symbols})
    least.add(solver.assertions())
    least.minimize(z3.Sum([z3.Int(name) for name in names]))
    if least.check() != z3.sat:
        return False
    return {name: least.model().eval(z3.Int(name), model_completion=True).as_long() for name in names}


def _integer(expression: sp.Expr, solver: Any) -> Any:
    """A whole-numbered expression for z3. What is rounded becomes a new integer with the bounds that define it."""

    def parts() -> list[Any]:
        return [_integer(part, solver) for part in expression.args]

    match expression:
        case sp.Symbol():
            return z3.Int(expression.name)
        case sp.Integer():
            return z3.IntVal(int(expression))
        case sp.Add():
            return z3.Sum(parts())
        case sp.Mul():
            return z3.Product(parts())
        case sp.Pow() if expression.exp.is_Integer and expression.exp > 0:
            return z3.Product([_integer(expression.base, solver)] * int(expression.exp))
        case sp.Min():
            return _extreme(parts(), smaller=True)
        case sp.Max():
            return _extreme(parts(), smaller=False)
        case sp.floor() | sp.ceiling() | trunc():
            return _rounded(expression, solver)
    raise _FractionalError


def _extreme(values: list[Any], smaller: bool) -> Any:
    first, *others = values
    for other in others:
        first = z3.If(first <= other if smaller else first >= other, first, other)
    return first


def _rounded(expression: sp.Expr, solver: Any) -> Any:
    numerator, denominator = (_integer(part, solver) for part in sp.fraction(sp.together(expression.args[0])))
    value = z3.FreshInt()
    down, up = _between(value, numerator, denominator), _between(-value, -numerator, denominator)
    if isinstance(expression, sp.floor):
        solver.add(down)
    elif isinstance(expression, sp.ceiling):
        solver.add(up)
    else:
        solver.add(z3.If(numerator * denominator >= 0, down, up))
    return value


def _between(value: Any, numerator: Any, denominator: Any) -> Any:
    """Whether value <= numerator / denominator < value + 1, for either sign of the denominator."""
    return z3.If(
        denominator > 0,
        z3.And(value * denominator <= numerator, numerator < (value + 1) * denominator),
        z3.And(value * denominator >= numerator, numerator > (value + 1) * denominator),
    )
