"""A counterexample as a script that runs on its own: the data, the calls, what is expected and what is got."""

import inspect
import re
from typing import Any

import numpy as np

from cnn_conformance.memory import BLOCKS, UNWRITTEN
from cnn_spec.cases.layouts import EVERY_LAYOUT
from cnn_spec.conventions import PLAIN, Declared, kept_shape
from cnn_spec.operations import Array, Call, Results
from cnn_spec.shapes import forward_shape

Asked = tuple[Call, Results, tuple[Array | float, ...]]
"""A call with its expected results and how far each may be off; an impossible call has neither."""

REPEATED = ("CALL-REPEATED", "CALLS-INDEPENDENT")
"""Clauses for which the last answer is held against the first."""


def script_of(
    title: str, importing: str, layout: str, clause: str, asked: list[Asked], declared: Declared = PLAIN
) -> str:
    """The script for some calls. It prints each result beside the expected one and fails where they differ."""
    function = EVERY_LAYOUT[layout]
    plain = layout == next(iter(EVERY_LAYOUT))
    source = "" if plain else inspect.getsource(function).replace(": Array", "").replace(" -> Array", "")
    docstring = title.replace("\\", "\\\\").replace('"', '\\"')
    parts = [f'"""{docstring}"""\n\nimport numpy as np\n{importing}\n']
    parts += [f"\n{source}\n"] if source else []
    for call, expected, bounds in asked:
        name = "" if plain else function.__name__
        lines = [f"{argument} = {_value(value, name)}" for argument, value in call.arguments.items()]
        lines += _answered(clause, call, expected, bounds, declared) if call.valid else _refused(call)
        parts.append("\n".join([*lines, ""]))
    (first, _, bounds), (last, _, _) = asked[0], asked[-1]
    results = ", ".join(first.results)
    if clause == "RESULT-KEPT":
        parts[-len(asked)] += f"given = [{results}]\nas_given = [np.array(result) for result in given]\n"
        parts.append(
            "for result, before in zip(given, as_given):\n    np.testing.assert_array_equal(result, before)\n"
        )
    if clause in REPEATED and _same(first, last):
        atol = (
            0.0 if declared.deterministic else 2 * max(float(np.max(bound, initial=0.0)) for bound in bounds)
        )
        parts[-len(asked)] += f"first = [np.array(result) for result in [{results}]]\n"
        parts.append(
            f"for again, before in zip([{results}], first):\n"
            f"    np.testing.assert_allclose(again, before, rtol=0, atol={atol})\n"
        )
    return "\n".join(parts)


def _same(call: Call, other: Call) -> bool:
    """Whether they ask for the same."""
    return call.parameters == other.parameters and all(
        np.array_equal(value, other[name], equal_nan=isinstance(value, np.ndarray))
        for name, value in call.arguments.items()
    )


def _called(call: Call) -> str:
    parameters = [f"{name}={value!r}" for name, value in call.parameters.items()]
    return (
        f"{', '.join(call.results)} = candidate.{call.function}({', '.join([*call.arguments, *parameters])})"
    )


def _refused(call: Call) -> list[str]:
    return [
        "try:",
        f"    {_called(call)}",
        "except Exception as refusal:",
        '    print("refused:", refusal)',
        "else:",
        '    raise AssertionError("an impossible call was answered")',
    ]


def _answered(
    clause: str, call: Call, expected: Results, bounds: tuple[Array | float, ...], declared: Declared
) -> list[str]:
    arrays = [name for name, value in call.arguments.items() if isinstance(value, np.ndarray)]
    lines = []
    if clause == "INPUTS-UNCHANGED":
        lines += [f"{name}_before = {name}.copy()" for name in arrays]
    if clause == "RESULT-WRITTEN":
        shapes = ", ".join(str(right.shape) for right in expected)
        dtype = call[arrays[0]].dtype.name
        lines += [
            f"freed = [np.full(shape, {UNWRITTEN}, np.{dtype}) for shape in [{shapes}] for _ in range({BLOCKS})]",
            "del freed  # what is never written may show this",
        ]
    shape = kept_shape(call, declared)
    if shape and "dy" in arrays:
        wider = [(0, kept - size) for kept, size in zip(shape, call["dy"].shape, strict=True)]
        lines.append(f"dy = np.pad(dy, {wider}, constant_values=1)  # by the windows beyond the input")
    lines.append(_called(call))
    if shape and "dy" not in arrays:
        inside = ", ".join(f":{size}" for size in forward_shape(call))
        lines += [
            f"{name} = np.asarray({name})[{inside}]  # not the windows beyond the input"
            for name in call.results
        ]
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
        atol = float(np.max(bound, initial=0.0, where=np.isfinite(bound)))
        lines.append(f"np.testing.assert_allclose({name}, expected_{name}, rtol=0, atol={atol})")
    if clause == "INPUTS-UNCHANGED":
        lines += [f"np.testing.assert_array_equal({name}, {name}_before)" for name in arrays]
    return lines


def _value(value: Any, layout: str) -> str:
    if not isinstance(value, np.ndarray):
        return repr(value)
    numbers = re.sub(r"\b(nan|inf)\b", r"np.\1", repr(value.tolist()))
    dtype = value.dtype.name
    if value.size == 0:
        return f"np.zeros({value.shape}, np.{dtype})"
    literal = f"np.array({numbers}, np.{dtype})"
    return f"{layout}({literal})" if layout else literal
