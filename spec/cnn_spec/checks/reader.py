"""A reader's own formula, read without evaluating code: a whitelist over Python's syntax tree."""

import ast
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import sympy as sp

from cnn_spec.checks.formula import trunc

LONGEST = 300
LARGEST_POWER, LARGEST_BASE = 9, 1000
"""Beyond these a short formula could take long to evaluate."""

SYNONYMS: tuple[frozenset[str], ...] = tuple(
    frozenset(names.split())
    for names in (
        "N n W H I W_in H_in L_in input_size",
        "K M L F k kernel kernel_size filter_size",
        "S s stride factor",
        "P p padding pad",
        "D d dilation",
        "A output_padding",
        "M C_in in_channels",
        "N C_out out_channels",
    )
)
"""Other names for the same things, in papers and in libraries' documentation."""

AS_PRINTED = str.maketrans(
    {"−": "-", "×": "*", "·": "*", "⋅": "*", "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")"}
)
"""Signs that formulas are printed with, and how they are typed."""

FUNCTIONS: dict[str, Callable[..., sp.Expr]] = {
    "floor": sp.floor,
    "ceil": sp.ceiling,
    "ceiling": sp.ceiling,
    "int": trunc,
    "trunc": trunc,
    "min": sp.Min,
    "max": sp.Max,
}


class FormulaError(ValueError):
    """What is wrong with a formula, as one sentence."""


@dataclass(frozen=True)
class ReadFormula:
    """The formula, and everything it divides by."""

    expression: sp.Expr
    divisors: tuple[sp.Expr, ...] = field(default=())


def read(text: str, symbols: Collection[sp.Symbol]) -> ReadFormula:
    """Read a formula in these symbols or their synonyms.

    Raises FormulaError, with one sentence, for what is no arithmetic of whole numbers, and for unknown symbols.
    """
    if len(text) > LONGEST:
        raise FormulaError(f"the formula is longer than {LONGEST} characters")
    try:
        tree = ast.parse(text.translate(AS_PRINTED).strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError) as error:
        where = f" at character {error.offset}" if isinstance(error, SyntaxError) and error.offset else ""
        raise FormulaError(
            f"{text!r} cannot be read{where}; write products with *, as in floor((N + 2*P - K)/S) + 1"
        ) from None
    divisors: list[sp.Expr] = []
    return ReadFormula(_read(tree.body, {s.name: s for s in symbols}, divisors), tuple(divisors))


def _read(node: ast.expr, symbols: dict[str, sp.Symbol], divisors: list[sp.Expr]) -> sp.Expr:
    match node:
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            return sp.Integer(value)
        case ast.Constant(value=float() as value) if math.isfinite(value):
            return sp.Rational(str(value))
        case ast.Name(id=name):
            return _symbol(name, symbols)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_read(operand, symbols, divisors)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _read(operand, symbols, divisors)
        case ast.BinOp(left=left, op=operator, right=right):
            return _combined(
                operator, _read(left, symbols, divisors), _read(right, symbols, divisors), divisors
            )
        case ast.Call(
            func=ast.Name(id=name) | ast.Attribute(value=ast.Name(id="math"), attr=name), keywords=[]
        ):
            return _called(name, [_read(argument, symbols, divisors) for argument in node.args])
    raise FormulaError(
        f"{ast.unparse(node)!r} is not part of a formula; known are + - * / // % ** {_known()}"
    )


def _combined(operator: ast.operator, a: sp.Expr, b: sp.Expr, divisors: list[sp.Expr]) -> sp.Expr:
    match operator:
        case ast.Add():
            return a + b
        case ast.Sub():
            return a - b
        case ast.Mult():
            return a * b
        case ast.Pow():
            if not (b.is_Integer and 0 <= b <= LARGEST_POWER):
                raise FormulaError(f"a power must be a whole number from 0 to {LARGEST_POWER}, not {b}")
            if any(power.exp > 1 for power in a.atoms(sp.Pow)) or (a.is_number and abs(a) > LARGEST_BASE):
                raise FormulaError(f"{a} is too large to be raised to a power")
            return a**b
        case ast.Div() | ast.FloorDiv() | ast.Mod():
            if b == 0:
                raise FormulaError("the formula divides by 0")
            divisors.append(b)
            if isinstance(operator, ast.Mod):
                return a - b * sp.floor(a / b)
            return sp.floor(a / b) if isinstance(operator, ast.FloorDiv) else a / b
        case ast.BitXor():
            raise FormulaError("a power is written ** and not ^")
    raise FormulaError(f"only + - * / // % ** and {_known()} are known")


def _called(name: str, arguments: list[sp.Expr]) -> sp.Expr:
    if name not in FUNCTIONS:
        raise FormulaError(f"{name!r} is not a known function; known are {_known()}")
    several = name in ("min", "max")
    if not arguments or (len(arguments) > 1 and not several):
        raise FormulaError(f"{name} takes {'at least one argument' if several else 'one argument'}")
    return FUNCTIONS[name](*arguments)


def _symbol(name: str, symbols: dict[str, sp.Symbol]) -> sp.Symbol:
    if name in symbols:
        return symbols[name]
    meant = [s for group in SYNONYMS if name in group for s in symbols if s in group]
    if len(meant) == 1:
        return symbols[meant[0]]
    raise FormulaError(f"{name!r} is not a symbol of this clause; its symbols are {', '.join(symbols)}")


def _known() -> str:
    return ", ".join(FUNCTIONS)
