"""The symbolic kernel: floors and ceilings with symbolic arguments, by their universal property.

SymPy alone leaves `floor((q*S + r)/S)` as it is when S is a symbol. But v = floor(x) says no more than
v <= x < v + 1 for an integer v, and when 0 <= r < S is built into the symbols (S = r + 1 + t), such
inequalities are polynomials in non-negative symbols, whose signs SymPy sees. What it cannot decide counts as
not proved, so nothing false can be proved here.
"""

from collections.abc import Iterator

import sympy as sp


def naturals(names: str) -> tuple[sp.Symbol, ...]:
    """Symbols for integers from 0."""
    return tuple(sp.symbols(names, integer=True, nonnegative=True, seq=True))


def positives(names: str) -> tuple[sp.Symbol, ...]:
    """Symbols for integers from 1."""
    return tuple(sp.symbols(names, integer=True, positive=True, seq=True))


q, r, t, u, v = naturals("q r t u v")
STRIDE = r + 1 + t
"""Any stride, together with r, any of its remainders."""
SPAN = q * STRIDE + r
"""Any number from 0, divided by the stride: quotient q, remainder r."""


def nonnegative(expression: sp.Expr) -> bool:
    """Whether the expression is seen to be at least 0."""
    return bool(sp.factor(sp.together(expression)).is_nonnegative or sp.expand(expression).is_nonnegative)


def positive(expression: sp.Expr) -> bool:
    """Whether the expression is seen to be above 0."""
    return bool(sp.factor(sp.together(expression)).is_positive or sp.expand(expression).is_positive)


def is_floor(x: sp.Expr, value: sp.Expr) -> bool:
    """Whether `value` is an integer with value <= x < value + 1."""
    return bool(value.is_integer and nonnegative(x - value) and positive(value + 1 - x))


def is_ceiling(x: sp.Expr, value: sp.Expr) -> bool:
    """Whether `value` is an integer with value - 1 < x <= value."""
    return is_floor(-x, -value)


def equal(a: sp.Expr, b: sp.Expr) -> bool:
    """Whether two expressions are the same rational function, floors and ceilings resolved."""
    return bool(sp.cancel(sp.together(resolve(a) - resolve(b))) == 0)


def resolve(expression: sp.Expr) -> sp.Expr:
    """Put the proved integer for every floor, ceiling, minimum and maximum; what is not proved stays."""
    if not expression.args:
        return expression
    rebuilt = expression.func(*map(resolve, expression.args))
    if isinstance(rebuilt, sp.floor):
        return next((c for c in _near(rebuilt.args[0]) if is_floor(rebuilt.args[0], c)), rebuilt)
    if isinstance(rebuilt, sp.ceiling):
        return next((c for c in _near(rebuilt.args[0]) if is_ceiling(rebuilt.args[0], c)), rebuilt)
    if rebuilt.func.__name__ == "trunc" and nonnegative(rebuilt.args[0]):
        return resolve(sp.floor(rebuilt.args[0]))
    if isinstance(rebuilt, sp.Min):
        return next((a for a in rebuilt.args if all(nonnegative(b - a) for b in rebuilt.args)), rebuilt)
    if isinstance(rebuilt, sp.Max):
        return next((a for a in rebuilt.args if all(nonnegative(a - b) for b in rebuilt.args)), rebuilt)
    return rebuilt


def _near(x: sp.Expr) -> Iterator[sp.Expr]:
    """Integers near a rational function: its polynomial quotient, and a few on either side."""
    numerator, denominator = sp.fraction(sp.together(x))
    symbols = sorted(numerator.free_symbols | denominator.free_symbols, key=str)
    quotient = sp.reduced(numerator, [denominator], *symbols)[0][0] if symbols else sp.floor(x)
    # Over the integers a quotient such as n/2 is no integer; the nearest half steps then are.
    yield from (sp.expand(quotient + sp.Rational(step, 2)) for step in (0, -2, 2, -1, 1, -4, 4))
