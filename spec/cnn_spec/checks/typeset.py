"""Formulas as a person writes them: positive terms first, then negative ones, then numbers."""

from typing import Any

import sympy as sp
from sympy.printing.latex import LatexPrinter
from sympy.printing.mathml import MathMLPresentationPrinter
from sympy.printing.pretty.pretty import PrettyPrinter
from sympy.printing.str import StrPrinter


class _AsWritten:
    """Mixed into SymPy's printers, which otherwise write K + N for N + K and -K + N for N - K."""

    def _as_ordered_terms(self, expression: sp.Expr, order: Any = None) -> list[sp.Expr]:
        def place(term: sp.Expr) -> tuple[bool, bool, str]:
            # The input's letter, N, comes before all others.
            letters = {symbol.name for symbol in term.free_symbols}
            letter = "" if "N" in letters else max(letters, default="")
            return bool(term.is_number), bool(term.could_extract_minus_sign()), letter

        return sorted(expression.args, key=place)


class _Latex(_AsWritten, LatexPrinter):  # type: ignore[misc]
    pass


class _MathML(_AsWritten, MathMLPresentationPrinter):  # type: ignore[misc]
    pass


class _Pretty(_AsWritten, PrettyPrinter):  # type: ignore[misc]
    def _print_Min(self, expression: sp.Min) -> Any:  # noqa: N802 - SymPy's own naming
        return self._print_Function(expression, func_name="min")


class _Line(_AsWritten, StrPrinter):  # type: ignore[misc]
    pass


def latex(expression: sp.Basic) -> str:
    """For a page that renders mathematics."""
    return str(_Latex().doprint(expression))


def mathml(expression: sp.Basic) -> str:
    """For a page without scripts: presentation MathML, for the inside of a `<math>` element."""
    return str(_MathML().doprint(expression)).replace("<mo>-</mo>", "<mo>−</mo>")


def drawn(expression: sp.Basic) -> list[str]:
    """For a terminal: the lines of a drawing."""
    return str(_Pretty({"use_unicode": True, "wrap_line": False}).doprint(expression)).splitlines()


def line(expression: sp.Basic) -> str:
    """On one line, as it can be typed."""
    return str(_Line().doprint(expression))
