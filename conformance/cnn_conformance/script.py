"""A counterexample as a script that runs on its own: the data, the calls, what is expected and what is got."""

import inspect
from typing import Any

import numpy as np

from cnn_spec.cases.layouts import LAYOUTS
from cnn_spec.operations import Array, Call, Results

_HEADER = '''"""{title}

{statement}
Needs NumPy and the candidate. Shows each call's answer beside the expected one; exits 1 if they differ.
"""

import sys

import numpy as np

{importing}
{layout}
same = True


def show(call, names, got, expected, bounds):
    """Compare one call's results with the expected ones, each within its bound."""
    global same
    print(call)
    for name, g, e, bound in zip(names, got, expected, bounds, strict=True):
        g = np.asarray(g)
        fits = g.shape == e.shape and g.dtype.kind == e.dtype.kind and np.allclose(g, e, 0, bound, equal_nan=True)
        same = same and bool(fits)
        print(f" {{name}} is right" if fits else f" {{name}} is WRONG\\n expected {{e.tolist()}}\\n got      {{g.tolist()}}")

'''


def script_of(
    title: str,
    statement: str,
    importing: str,
    layout: str,
    calls: list[tuple[Call, Results, tuple[Array | float, ...]]],
) -> str:
    """The script for some calls, each with the expected results and how far they may be off."""
    plain = layout == next(iter(LAYOUTS))
    shown = (
        ""
        if plain
        else "\n\n" + inspect.getsource(LAYOUTS[layout]).replace(": Array", "").replace(" -> Array", "")
    )
    parts = [_HEADER.format(title=title, statement=statement, importing=importing, layout=shown)]
    parts += [
        _call(call, expected, bounds, "" if plain else LAYOUTS[layout].__name__)
        for call, expected, bounds in calls
    ]
    return "\n".join(
        [*parts, 'print("as expected" if same else "not as expected")', "sys.exit(not same)", ""]
    )


def _call(call: Call, expected: Results, bounds: tuple[Array | float, ...], layout: str) -> str:
    lines = [f"{name} = {_laid_out(value, layout)}" for name, value in call.arguments.items()]
    parameters = ", ".join(f"{name}={value!r}" for name, value in call.parameters.items())
    arguments = ", ".join(filter(None, (*call.arguments, parameters)))
    called = f"candidate.{call.function}({arguments})"
    largest = [float(np.max(bound, initial=0.0)) for bound in bounds]
    several = len(call.results) > 1
    lines += [
        f"got = {called}",
        f"expected = [{', '.join(map(_literal, expected))}]",
        f"show({call.function!r}, {list(call.results)!r}, {'got' if several else '[got]'}, expected, {largest!r})",
    ]
    return "\n".join([*lines, ""])


def _laid_out(value: Any, layout: str) -> str:
    if not isinstance(value, np.ndarray):
        return repr(value)
    return f"{layout}({_literal(value)})" if layout else _literal(value)


def _literal(a: Array) -> str:
    numbers = np.array2string(a, separator=", ", threshold=2**31, floatmode="unique", max_line_width=100)
    for name in ("nan", "inf"):
        numbers = numbers.replace(name, f"np.{name}")
    return f"np.array({numbers}, dtype=np.{a.dtype})"
