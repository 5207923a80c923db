"""A counterexample as a script that runs on its own: the data, the calls, what is expected and what is got."""

import inspect
import re
from typing import Any

import numpy as np

from cnn_spec.cases.layouts import LAYOUTS
from cnn_spec.operations import Array, Call, Results

Asked = tuple[Call, Results, tuple[Array | float, ...]]
"""A call with its expected results and how far each may be off."""


def script_of(title: str, importing: str, layout: str, clause: str, asked: list[Asked]) -> str:
    """The script for some calls. It prints each result beside the expected one and fails where they differ."""
    function = LAYOUTS[layout]
    plain = layout == next(iter(LAYOUTS))
    source = "" if plain else inspect.getsource(function).replace(": Array", "").replace(" -> Array", "")
    docstring = title.replace("\\", "\\\\").replace('"', '\\"')
    parts = [f'"""{docstring}"""\n\nimport numpy as np\n{importing}\n']
    parts += [f"\n{source}\n"] if source else []
    parts += [_call(clause, "" if plain else function.__name__, *one) for one in asked]
    return "\n".join(parts)


def _call(clause: str, layout: str, call: Call, expected: Results, bounds: tuple[Array | float, ...]) -> str:
    arrays = [name for name, value in call.arguments.items() if isinstance(value, np.ndarray)]
    lines = [f"{name} = {_value(value, layout)}" for name, value in call.arguments.items()]
    if clause == "INPUTS-UNCHANGED":
        lines += [f"{name}_before = {name}.copy()" for name in arrays]
    parameters = [f"{name}={value!r}" for name, value in call.parameters.items()]
    lines.append(
        f"{', '.join(call.results)} = candidate.{call.function}({', '.join([*call.arguments, *parameters])})"
    )
    for name, right, bound in zip(call.results, expected, bounds, strict=True):
        lines += [
            f"expected_{name} = {_value(right, '')}",
            f'print("expected {name}:", expected_{name}.tolist())',
            f'print("got {name}:     ", np.asarray({name}).tolist())',
        ]
        if clause == "RESULT-DTYPE":
            lines.append(f"assert np.asarray({name}).dtype == {arrays[0]}.dtype, np.asarray({name}).dtype")
        if name == "indices" and np.unique(call["x"]).size < call["x"].size:
            lines += [
                "planes = x.reshape(*x.shape[:2], -1)",
                "places = np.asarray(indices).reshape(*x.shape[:2], -1)",
                "picked = np.take_along_axis(planes, places, -1)",
                "np.testing.assert_array_equal(picked.ravel(), np.ravel(expected_y))",
            ]
            continue
        atol = float(np.max(bound, initial=0.0))
        lines.append(f"np.testing.assert_allclose({name}, expected_{name}, rtol=0, atol={atol})")
    if clause == "INPUTS-UNCHANGED":
        lines += [f"np.testing.assert_array_equal({name}, {name}_before)" for name in arrays]
    return "\n".join([*lines, ""])


def _value(value: Any, layout: str) -> str:
    if not isinstance(value, np.ndarray):
        return repr(value)
    numbers = re.sub(r"\b(nan|inf)\b", r"np.\1", repr(value.tolist()))
    dtype = value.dtype.name
    if value.size == 0:
        return f"np.zeros({value.shape}, np.{dtype})"
    literal = f"np.array({numbers}, np.{dtype})"
    return f"{layout}({literal})" if layout else literal
