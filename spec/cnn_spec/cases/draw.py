"""From a row of the case space to a call with its data."""

from collections.abc import Sequence
from math import ceil, prod
from typing import Any

import numpy as np

from cnn_spec.case import Data
from cnn_spec.cases import values
from cnn_spec.cases.axis import EXTENTS, LONG, Axis
from cnn_spec.cases.layouts import LAYOUTS
from cnn_spec.cases.space import FEW, Row, Space
from cnn_spec.cases.validity import divisors_are_powers_of_two
from cnn_spec.operations import OPERATIONS, Array, Call
from cnn_spec.shapes import Shape, forward_shape

COST = 200_000
"""Multiplications, and elements, beyond which a smaller draw is looked for: small cases say as much, sooner."""

Generator = np.random.Generator


def _pick(rng: Generator, choices: Sequence[Any]) -> Any:
    return choices[int(rng.integers(len(choices)))]


def _few_outputs(space: Space, row: Row) -> list[Axis]:
    """The row's axes at a short length, for those axes that the level of length does not speak of."""
    return space.choices.get(
        tuple("few" if f == "length" else row[f] for f in space.axis_factors), space.matching(row)
    )


def _trivial(space: Space, row: Row, length: str) -> Axis:
    """The axis on which nothing happens: the simplest level of every factor."""
    simplest = {f: levels[0] for f, levels in space.axis_factors.items()}
    return space.matching({**simplest, "length": length})[0]


def draw_axes(space: Space, row: Row, rank: int, rng: Generator) -> list[Axis]:
    """Concrete parameters for each axis; the level of length speaks of the last."""
    how = row.get("axes", "equal")
    last = _pick(rng, space.matching(row))
    others = _few_outputs(space, row)
    if how == "equal":
        alike = [a for a in others if a.parameters == last.parameters] or [last]
        axes = [*([_pick(rng, alike)] * (rank - 1)), last]
    elif how == "unequal":
        axes = [last]
        while len(axes) < rank:
            drawn = [_pick(rng, others) for _ in range(8)]
            differing = [a for a in drawn if all(a.parameters != b.parameters for b in axes)]
            axes.insert(0, (differing or drawn)[0])
    elif how == "first only":
        middle = [_trivial(space, row, "few")] * (rank - 2)
        axes = [_pick(rng, others), *middle, _trivial(space, row, row["length"])]
    else:
        axes = [*([_trivial(space, row, "few")] * (rank - 1)), last]
    if row["length"] in LONG:
        axes[-1] = axes[-1].resized(_pick(rng, LONG[row["length"]]))
    return axes


def _cost(shapes: dict[str, Shape], outputs: int) -> int:
    elements = sum(map(prod, shapes.values()))
    return max(elements, outputs * prod(shapes["w"][1:]) if "w" in shapes else elements)


def _shapes(operation: str, row: Row, axes: Sequence[Axis], rng: Generator) -> dict[str, Shape]:
    """The shapes of x, and of w and b where there are some."""
    batch = _pick(rng, FEW[row["batch"]])
    spatial = tuple(a.n for a in axes)
    if "groups" not in row:
        return {"x": (batch, _pick(rng, EXTENTS[row["channels"]]), *spatial)}
    groups = _pick(rng, FEW[row["groups"]])
    c_in = _pick(rng, EXTENTS[row["channels in per group"]])
    c_out = groups * _pick(rng, EXTENTS[row["channels out per group"]])
    kernel = tuple(a.parameters["kernel_size"] for a in axes)
    x = (batch, groups * c_in, *spatial)
    if operation.startswith("conv_transpose"):
        return {"x": x, "w": (groups * c_in, c_out // groups, *kernel), "b": (c_out,)}
    return {"x": x, "w": (c_out, c_in, *kernel), "b": (c_out,)}


def _groups(operation: str, shapes: dict[str, Shape]) -> int:
    channels: int = shapes["b"][0] if operation.startswith("conv_transpose") else shapes["x"][1]
    per_group: int = shapes["w"][1]
    return channels // per_group


def _parameters(operation: str, row: Row, axes: Sequence[Axis], shapes: dict[str, Shape]) -> dict[str, Any]:
    found: dict[str, Any] = {name: tuple(a.parameters[name] for a in axes) for name in axes[0].parameters}
    found |= {name: row[name] == "on" for name in ("ceil_mode", "count_include_pad") if name in row}
    if "w" in shapes:
        found["groups"] = _groups(operation, shapes)
    return {name: found[name] for name in OPERATIONS[operation].parameters}


def _terms(operation: str, shapes: dict[str, Shape], parameters: dict[str, Any]) -> int:
    """The most terms that one sum of any result has."""
    if operation == "conv":
        return prod(shapes["w"][1:]) + 1
    if operation == "conv_backward":
        dy = shapes["dy"]
        return max(prod(shapes["w"]) // shapes["w"][1], prod(dy) // max(dy[1], 1), 1)
    if operation == "conv_transpose":
        return prod(shapes["w"]) // shapes["w"][1] // _groups(operation, shapes) + 1
    if operation == "conv_transpose_backward":
        places = max(shapes["dy"][0] * prod(shapes[name][2:]) for name in ("x", "dy"))
        return max(prod(shapes["w"][1:]), places, 1)
    if operation.endswith("_backward") and "stride" in parameters:
        return prod(ceil(k / s) for k, s in zip(parameters["kernel_size"], parameters["stride"], strict=True))
    return 1


def data_kinds(operation: str) -> tuple[Data, ...]:
    """The kinds of data that tell something about an operation."""
    if OPERATIONS[operation].of_integers:
        return (Data.EXACT,)
    if operation.startswith("max_pool"):
        return tuple(Data)
    if operation.startswith(("downsample", "upsample")):
        return (Data.EXACT, Data.ROUNDED)
    return (Data.EXACT, Data.WIDE, Data.ROUNDED)


def draw_call(
    operation: str, rank: int, row: Row, space: Space, data: Data, dtype: np.dtype[Any], rng: Generator
) -> Call | None:
    """A call in the row's region with such data; None where such data say nothing (inexact means)."""
    if OPERATIONS[operation].of_integers:
        return _draw_size_call(operation, row, space, rng)
    tries: list[tuple[int, int, list[Axis], dict[str, Shape]]] = []
    for _ in range(6):
        axes = draw_axes(space, row, rank, rng)
        shapes = _shapes(operation, row, axes, rng)
        outputs = prod(a.outputs + 1 for a in axes) * shapes["x"][0] * shapes.get("w", shapes["x"][1:])[0]
        tries.append((_cost(shapes, outputs), len(tries), axes, shapes))
        if tries[-1][0] <= COST:
            break
    _, _, axes, shapes = min(tries)
    parameters = _parameters(operation, row, axes, shapes)
    if operation.startswith("avg_pool") and data is not Data.ROUNDED:
        probe = Call(operation, rank, {"x": np.empty(shapes["x"])}, parameters)
        if not divisors_are_powers_of_two(probe):
            return None
    arrays = _arrays(operation, rank, row, shapes, parameters, data, dtype, rng)
    layout = LAYOUTS[row["layout"]]
    arguments = {
        name: layout(arrays[name].astype(dtype)) if name in arrays else None
        for name in OPERATIONS[operation].arrays
    }
    return Call(operation, rank, arguments, parameters)


def _arrays(
    operation: str,
    rank: int,
    row: Row,
    shapes: dict[str, Shape],
    parameters: dict[str, Any],
    data: Data,
    dtype: np.dtype[Any],
    rng: Generator,
) -> dict[str, Array]:
    names = OPERATIONS[operation].arrays
    if "dy" in names:
        probe = {name: np.empty(shapes[name]) for name in names if name != "dy"}
        shapes = {**shapes, "dy": forward_shape(Call(operation, rank, probe, parameters))}
    drawn = {n: shapes[n] for n in names if n != "b" or row["bias"] == "given"}
    if operation == "max_pool":
        return {"x": values.ordered(rng, drawn["x"], data)}
    if operation == "max_pool_backward":
        x = values.ordered(rng, drawn.pop("x"), data)
        if data is Data.TIED:
            return {"x": x, "dy": values.powers_of_two(rng, drawn["dy"], dtype)}
        return {"x": x, **values.bilinear(rng, drawn, data, dtype, 1)}
    return values.bilinear(rng, drawn, data, dtype, _terms(operation, shapes, parameters))


def _draw_size_call(operation: str, row: Row, space: Space, rng: Generator) -> Call:
    axis: Axis = _pick(rng, space.matching(row))
    if row.get("length") in LONG:
        axis = axis.resized(_pick(rng, LONG[row["length"]]))
    found = {"n": axis.n, **axis.parameters, "ceil_mode": row.get("ceil_mode") == "on"}
    declared = OPERATIONS[operation]
    return Call(
        operation, 0, {n: found[n] for n in declared.arrays}, {n: found[n] for n in declared.parameters}
    )
