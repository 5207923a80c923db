"""From a row of the case space to a call with its data."""

from collections.abc import Sequence
from math import ceil, prod
from typing import Any, TypeVar

import numpy as np

from cnn_spec.case import Data
from cnn_spec.cases import values
from cnn_spec.cases.axis import EXTENTS, LONG, Axis
from cnn_spec.cases.layers import Sizes, shapes_of
from cnn_spec.cases.layouts import LAYOUTS
from cnn_spec.cases.space import FEW, Row, Space
from cnn_spec.cases.validity import divisors_are_powers_of_two
from cnn_spec.operations import OPERATIONS, Array, Call
from cnn_spec.shapes import Shape, forward_shape

COST = 30_000
"""Multiplications, and elements, beyond which a smaller draw is looked for: small cases say as much, sooner."""
TRIES = 6

Generator = np.random.Generator
Choice = TypeVar("Choice")


def _pick(rng: Generator, choices: Sequence[Choice]) -> Choice:
    return choices[int(rng.random() * len(choices))]


def _pick_axis(rng: Generator, choices: Sequence[Axis], among: int) -> Axis:
    """The shortest of so many picks."""
    return min((_pick(rng, choices) for _ in range(among)), key=lambda axis: axis.n)


def _few_outputs(space: Space, row: Row) -> list[Axis]:
    """The row's axes at a short length, for those axes that the level of length does not speak of."""
    return space.choices.get(
        tuple("few" if f == "length" else row[f] for f in space.axis_factors), space.matching(row)
    )


def _trivial(space: Space, row: Row, length: str) -> Axis:
    """The axis on which nothing happens: the simplest level of every factor."""
    simplest = {f: levels[0] for f, levels in space.axis_factors.items()}
    return space.matching({**simplest, "length": length})[0]


def draw_axes(space: Space, row: Row, rank: int, rng: Generator, among: int = 1) -> list[Axis]:
    """Concrete parameters for each axis, the shortest of so many picks; the level of length speaks of the last."""
    how = row.get("axes", "equal")
    last = _pick_axis(rng, space.matching(row), among)
    others = _few_outputs(space, row)
    if rank == 1:
        axes = [last]
    elif how == "equal":
        alike = [a for a in others if a.parameters == last.parameters] or [last]
        axes = [*([_pick_axis(rng, alike, among)] * (rank - 1)), last]
    elif how == "unequal":
        axes = [last]
        while len(axes) < rank:
            drawn = [_pick_axis(rng, others, among) for _ in range(8)]
            differing = [a for a in drawn if all(a.parameters != b.parameters for b in axes)]
            axes.insert(0, (differing or drawn)[0])
    elif how == "first only":
        middle = [_trivial(space, row, "few")] * (rank - 2)
        axes = [_pick_axis(rng, others, among), *middle, _trivial(space, row, row["length"])]
    else:
        axes = [*([_trivial(space, row, "few")] * (rank - 1)), last]
    if row.get("length") in LONG:
        axes[-1] = axes[-1].resized(_pick(rng, LONG[row["length"]]))
    return axes


def _cost(shapes: dict[str, Shape], places: int) -> int:
    """Elements, or multiplications with a filter at each of so many places."""
    weights = sum(prod(shape) for name, shape in shapes.items() if name.startswith("w"))
    return max(sum(map(prod, shapes.values())), places * weights)


_DRAWN: dict[str, tuple[str, dict[str, tuple[int, ...]]]] = {
    "batch": ("batch", FEW),
    "channels": ("channels", EXTENTS),
    "groups": ("groups", FEW),
    "channels in per group": ("c_in", EXTENTS),
    "channels out per group": ("c_out", EXTENTS),
    "multiplier": ("multiplier", FEW),
    "channels out": ("c_out", EXTENTS),
    "features in": ("c_in", EXTENTS),
    "features out": ("c_out", EXTENTS),
}
"""The factors that speak of a size: its name and the sizes of each level."""


_IN_AND_OUT = (("channels in per group", "channels out per group"), ("features in", "features out"))
"""Three times in four as many come out as go in, where a row allows it: only then does a transposed matrix fit."""


def _drawn_sizes(row: Row, rng: Generator) -> Sizes:
    sizes = {
        name: _pick(rng, levels[row[factor]]) for factor, (name, levels) in _DRAWN.items() if factor in row
    }
    for into, out_of in _IN_AND_OUT:
        if into in row and row[into] == row[out_of] and rng.integers(4):
            sizes["c_out"] = sizes["c_in"]
    return sizes


def _array_of_axes(axis: Axis, rng: Generator) -> Sizes:
    """The shape of an array that is long on one axis only."""
    shape = [_pick(rng, EXTENTS["few"]) for _ in range(axis.parameters["number"])]
    shape[axis.parameters["axis"]] = axis.outputs
    return {"shape": tuple(shape), "axis": axis.parameters["axis"]}


def _sizes(row: Row, axes: Sequence[Axis], rng: Generator) -> Sizes:
    """The sizes of a layer, and its parameters on each axis."""
    if "number" in axes[0].parameters:
        return _array_of_axes(axes[0], rng)
    per_axis = {name: tuple(a.parameters[name] for a in axes) for name in axes[0].parameters}
    return {**_drawn_sizes(row, rng), "spatial": tuple(a.n for a in axes), **per_axis}


def _parameters(operation: str, row: Row, sizes: Sizes) -> dict[str, Any]:
    switches: dict[str, Any] = {
        name: row[name] == "on" for name in ("ceil_mode", "count_include_pad") if name in row
    }
    found: dict[str, Any] = {**sizes, **switches}
    return {name: found[name] for name in OPERATIONS[operation].parameters}


def _terms(operation: str, shapes: dict[str, Shape], parameters: dict[str, Any]) -> int:
    """The most terms that one sum of any result has."""
    if operation in ("conv", "depthwise_conv", "linear"):
        return prod(shapes["w"][1:]) + 1
    if operation == "separable_conv":
        return prod(shapes["w_depthwise"]) * values.DENSE + 1
    if operation == "linear_backward":
        return max(shapes["w"][0], shapes["x"][0])
    if operation == "conv_backward":
        dy = shapes["dy"]
        return max(prod(shapes["w"]) // shapes["w"][1], prod(dy) // max(dy[1], 1), 1)
    if operation == "conv_transpose":
        return int(prod(shapes["w"]) // shapes["w"][1] // parameters["groups"]) + 1
    if operation == "conv_transpose_backward":
        places = max(shapes["dy"][0] * prod(shapes[name][2:]) for name in ("x", "dy"))
        return max(prod(shapes["w"][1:]), places, 1)
    if operation.endswith("_backward") and "stride" in parameters:
        return prod(ceil(k / s) for k, s in zip(parameters["kernel_size"], parameters["stride"], strict=True))
    return 1


def data_kinds(operation: str) -> tuple[Data, ...]:
    """The kinds of data that tell something about an operation, the one that tells most first."""
    if OPERATIONS[operation].of_integers:
        return (Data.EXACT,)
    if operation.startswith("max_pool"):
        return tuple(Data)
    if operation.startswith(("sigmoid", "tanh", "softmax")):
        return (Data.ROUNDED,)
    if operation.startswith(("downsample", "upsample", "pixel", "relu")):
        return (Data.EXACT, Data.ROUNDED)
    if operation.startswith("avg_pool"):  # a mean is seldom exact
        return (Data.ROUNDED, Data.EXACT, Data.WIDE)
    return (Data.EXACT, Data.WIDE, Data.ROUNDED)


def draw_call(
    operation: str,
    rank: int,
    row: Row,
    space: Space,
    data: Data,
    dtype: np.dtype[Any],
    rng: Generator,
    numbers: Generator,
) -> Call | None:
    """A call in the row's region with such data; None where such data say nothing (inexact means).

    Its shapes and parameters are drawn from `rng`, and then its arrays from `numbers`.
    """
    if OPERATIONS[operation].of_integers:
        return _draw_size_call(operation, row, space, rng)
    tries: list[tuple[int, int, Sizes]] = []
    for among in range(1, TRIES + 1):
        axes = draw_axes(space, row, rank, rng, among)
        sizes = _sizes(row, axes, rng)
        places = prod(a.outputs + 1 for a in axes) * sizes.get("batch", 1)
        tries.append((_cost(shapes_of(operation, sizes), places), len(tries), sizes))
        if tries[-1][0] <= COST:
            break
    sizes = min(tries, key=lambda tried: tried[:2])[2]
    shapes, parameters = shapes_of(operation, sizes), _parameters(operation, row, sizes)
    if operation.startswith("avg_pool") and data is not Data.ROUNDED:
        probe = Call(operation, rank, {"x": np.empty(shapes["x"])}, parameters)
        if not divisors_are_powers_of_two(probe):
            return None
    if operation == "separable_conv" and data is Data.WIDE and not _room_for_two_factors(shapes, dtype):
        return None
    arrays = _arrays(operation, rank, row, shapes, parameters, data, dtype, numbers)
    layout = LAYOUTS[row["layout"]]
    arguments = {
        name: layout(arrays[name].astype(dtype)) if name in arrays else None
        for name in OPERATIONS[operation].arrays
    }
    return Call(operation, rank, arguments, parameters)


def _room_for_two_factors(shapes: dict[str, Shape], dtype: np.dtype[Any]) -> bool:
    """Whether sums of products of a wide number and two companions stay representable."""
    return prod(shapes["w_depthwise"]) * values.DENSE < values.room_beside_wide(dtype)


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
    if operation in ("max_pool", "max_pool_with_indices"):
        return {"x": values.ordered(rng, drawn["x"], data)}
    if operation == "max_pool_backward":
        x = values.ordered(rng, drawn.pop("x"), data)
        if data is Data.TIED:
            return {"x": x, "dy": values.powers_of_two(rng, drawn["dy"], dtype)}
        return {"x": x, **values.bilinear(rng, drawn, data, dtype, 1)}
    if operation.startswith("relu"):
        return {name: values.around_zero(rng, shape, data) for name, shape in drawn.items()}
    if operation.startswith("softmax"):
        x = values.spread_out(rng, drawn.pop("x"))
        return {"x": x, **values.bilinear(rng, drawn, data, dtype, 1)}
    return values.bilinear(rng, drawn, data, dtype, _terms(operation, shapes, parameters))


def _draw_size_call(operation: str, row: Row, space: Space, rng: Generator) -> Call:
    axis: Axis = _pick(rng, space.matching(row))
    if "number of axes" in row:
        return _draw_count_call(operation, row, space, rng)
    if row.get("length") in LONG:
        axis = axis.resized(_pick(rng, LONG[row["length"]]))
    found = {"n": axis.n, **axis.parameters, "ceil_mode": row.get("ceil_mode") == "on"}
    declared = OPERATIONS[operation]
    return Call(
        operation, 0, {n: found[n] for n in declared.arrays}, {n: found[n] for n in declared.parameters}
    )


def _draw_count_call(operation: str, row: Row, space: Space, rng: Generator) -> Call:
    sizes = _drawn_sizes(row, rng)
    groups = sizes.get("groups", 1)
    kernels = [
        _pick(rng, space.matching(row)).parameters["kernel_size"] for _ in range(int(row["number of axes"]))
    ]
    found = {
        "c_in": groups * sizes.get("c_in", sizes.get("channels", 1)),
        "c_out": groups * sizes["c_out"],
        "kernel_size": tuple(kernels),
        "groups": groups,
        "bias": row["bias"] == "given",
    }
    declared = OPERATIONS[operation]
    return Call(
        operation, 0, {n: found[n] for n in declared.arrays}, {n: found[n] for n in declared.parameters}
    )
