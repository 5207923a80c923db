"""Correct implementations on layers from one term to some thousand, and how far they are from the true results.

`python tests/spec/measured_layers.py` prints the tables that spec/BOUNDS.md shows.
"""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np
from summation import KINDS, magnitudes

import cnn_reference
from cnn_spec.bounds import Oracle
from cnn_spec.case import Case, Data
from cnn_spec.conventions import Declared
from cnn_spec.operations import OPERATIONS, Array, Call, Implementation, implementation_of
from cnn_spec.roundings import roundings
from cnn_spec.shapes import forward_shape
from different import pooling, sums, transforms
from different.layer import convolving

reference = implementation_of(cnn_reference)

PLAIN: Mapping[str, Any] = {"stride": 1, "padding": (0, 0), "dilation": 1, "output_padding": 0}

Kind = Callable[[np.random.Generator, tuple[int, ...]], Array]
Shapes = Mapping[str, tuple[int, ...]]

CONVOLUTIONS: Mapping[str, tuple[str, Shapes, Mapping[str, Any]]] = {
    "one product": ("conv", {"x": (3, 1, 9, 9), "w": (2, 1, 1, 1)}, {}),
    "3x3, 3 channels": ("conv", {"x": (2, 3, 12, 12), "w": (8, 3, 3, 3), "b": (8,)}, {"padding": (1, 1)}),
    "3x3, 64 channels": ("conv", {"x": (2, 64, 8, 8), "w": (16, 64, 3, 3)}, {"padding": (1, 1)}),
    "3x3, 512 channels": ("conv", {"x": (1, 512, 4, 4), "w": (8, 512, 3, 3), "b": (8,)}, {"padding": (1, 1)}),
    "5x5x5, strided": ("conv", {"x": (1, 4, 11, 11, 11), "w": (4, 4, 5, 5, 5)}, {"stride": 2}),
    "dilated groups": ("conv", {"x": (2, 16, 64), "w": (16, 4, 5)}, {"dilation": 3, "groups": 4}),
    "3, one channel": ("conv", {"x": (2, 1, 12), "w": (2, 1, 3)}, {}),
    "3x3, one channel": ("conv", {"x": (2, 1, 6, 6), "w": (2, 1, 3, 3)}, {}),
    "3x3x3, one channel": ("conv", {"x": (1, 1, 6, 6, 6), "w": (2, 1, 3, 3, 3)}, {}),
    "3x3, one filter": ("conv_backward", {"x": (1, 1, 4, 4), "w": (1, 1, 3, 3)}, {}),
    "images of 32x32": ("conv_backward", {"x": (4, 4, 32, 32), "w": (4, 4, 3, 3)}, {"padding": (1, 1)}),
    "64 filters": ("conv_backward", {"x": (2, 8, 8, 8), "w": (64, 8, 3, 3)}, {"stride": 2}),
    "4x4 at stride 2": ("conv_transpose", {"x": (2, 64, 5, 5), "w": (64, 8, 4, 4), "b": (8,)}, {"stride": 2}),
    "5 at stride 1": ("conv_transpose", {"x": (2, 16, 20), "w": (16, 8, 5)}, {"padding": (2, 2)}),
    "its derivatives": ("conv_transpose_backward", {"x": (4, 8, 16, 16), "w": (8, 8, 3, 3)}, {"stride": 2}),
    "5x5 depthwise": (
        "depthwise_conv",
        {"x": (2, 16, 16, 16), "w": (32, 1, 5, 5), "b": (32,)},
        {"padding": (2, 2)},
    ),
    "5x5 separable": (
        "separable_conv",
        {"x": (2, 16, 8, 8), "w_depthwise": (32, 1, 5, 5), "w_pointwise": (16, 32, 1, 1), "b": (16,)},
        {"padding": (2, 2)},
    ),
    "4096 features": ("linear", {"x": (16, 4096), "w": (32, 4096), "b": (32,)}, {}),
    "1024 samples": ("linear_backward", {"x": (1024, 24), "w": (512, 24)}, {}),
}
"""Layers by name: the operation, the shapes, and the parameters (one number for all axes) that are not plain."""


def convolution(name: str, dtype: str = "float32", seed: int = 0, kind: Kind = magnitudes) -> Call:
    """A call of a layer, with the numbers that cases hold, or with others."""
    operation, shapes, given = CONVOLUTIONS[name]
    rng, rank = np.random.default_rng(seed), len(shapes["x"]) - 2
    wanted = OPERATIONS[operation]
    per_axis = {n: (given.get(n, plain),) * rank for n, plain in PLAIN.items()}
    parameters = {n: per_axis[n] if n in per_axis else given.get(n, 1) for n in wanted.parameters}
    arrays: dict[str, Any] = {
        n: kind(rng, shapes[n]).astype(dtype) if n in shapes else None for n in wanted.arrays
    }
    call = Call(operation, rank if wanted.ranked else 0, arrays, parameters)
    return call.but(dy=kind(rng, forward_shape(call)).astype(dtype)) if "dy" in wanted.arrays else call


def _drawn(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    return magnitudes(rng, shape).astype(dtype)


def poolings(dtype: str = "float32") -> Mapping[str, Call]:
    """Means of many elements, and derivatives of windows that overlap much."""
    rng = np.random.default_rng(0)
    mean = {"padding": ((1, 1), (1, 1)), "ceil_mode": False, "count_include_pad": False}
    largest = {"kernel_size": (5, 5), "padding": ((0, 0), (0, 0)), "ceil_mode": False}
    hill = -np.hypot(*np.meshgrid(np.arange(41.0) - 20, np.arange(41.0) - 20))[None, None]
    found = {
        "means of 1024": Call(
            "avg_pool",
            2,
            {"x": _drawn(rng, (2, 3, 64, 64), dtype)},
            {"kernel_size": (32, 32), "stride": (2, 2), **mean},
        ),
        "256 windows on an element": Call(
            "avg_pool_backward",
            2,
            {"dy": np.zeros(()), "x": _drawn(rng, (2, 3, 40, 40), dtype)},
            {"kernel_size": (16, 16), "stride": (1, 1), **mean},
        ),
        "one window on an element of space": Call(
            "avg_pool_backward",
            3,
            {"dy": np.zeros(()), "x": _drawn(rng, (4, 3, 50, 30, 50), dtype)},
            {"kernel_size": (5, 3, 5), "stride": (5, 3, 5), **mean, "padding": ((0, 0),) * 3},
        ),
        "25 windows, 3 apart": Call(
            "max_pool_backward",
            2,
            {"dy": np.zeros(()), "x": np.tile(hill, (4, 4, 1, 1)).astype(dtype)},
            {**largest, "stride": (3, 3), "dilation": (3, 3)},
        ),
    }
    return {
        name: call.but(dy=_drawn(rng, forward_shape(call), dtype)) if "dy" in call.arguments else call
        for name, call in found.items()
    }


def worst(call: Call, got: tuple[Array, ...], declared: Declared | None = None) -> list[float]:
    """How far each result is from the true one, at worst, in units of the bound."""
    oracle, case = Oracle(reference, declared), Case("bounds", (call,), Data.ROUNDED, {})
    found = []
    for part, right, bound in zip(got, oracle(call), oracle.tolerance(case), strict=True):
        difference = np.abs(part.astype(np.float64) - right)
        units = np.divide(
            difference, bound, out=np.where(difference > 0, np.inf, 0), where=np.asarray(bound) > 0
        )
        found.append(float(units.max(initial=0.0)))
    return found


WAYS: Mapping[str, Implementation] = {
    "the reference": reference,
    "the last product first": convolving(sums.one_by_one(sums.backwards)),
    "products in any order": convolving(sums.one_by_one(sums.shuffled)),
    "matrix products": convolving(sums.MATRICES),
}
POOLING_WAYS: Mapping[str, Mapping[str, Implementation]] = {
    "avg_pool": {"by reciprocals": pooling.by_reciprocals, "axis by axis": pooling.axis_by_axis},
    "avg_pool_backward": {"by reciprocals": pooling.by_reciprocals, "axis by axis": pooling.axis_by_axis},
    "max_pool_backward": {"the last tie wins": pooling.last_tie},
}
TRANSFORMS: Mapping[str, Implementation] = {
    "FFT": convolving(transforms.FFT),
    "Winograd": convolving(transforms.WINOGRAD),
}


def growth(call: Call, way: str) -> float:
    """The error of a convolution by a transform in units of (n + 2) u M; the bias derivative's bound is another."""
    return max(worst(call, TRANSFORMS[way](call), Declared(normwise=True, growth=1.0))[:2])


def largest_growth(name: str, way: str, seeds: int = 3) -> float:
    """The largest of a layer, over all kinds of numbers."""
    calls = (convolution(name, seed=seed, kind=kind) for seed in range(seeds) for kind in KINDS)
    return max(growth(call, way) for call in calls)


def climbed(name: str, way: str, steps: int = 1500) -> float:
    """The same after a climb: one number at a time is drawn anew, and kept where the growth is larger."""
    rng, call = np.random.default_rng(0), convolution(name)
    reached = growth(call, way)
    for _ in range(steps):
        changed = str(rng.choice([n for n, a in call.arguments.items() if a is not None]))
        a = call[changed].copy()
        a.flat[rng.integers(a.size)] = (
            magnitudes(rng, (1,))[0] if rng.random() < 0.5 else rng.choice([-1, 0, 1])
        )
        other = call.but(**{changed: a})
        if (found := growth(other, way)) > reached:
            call, reached = other, found
    return reached


def main() -> None:
    """Print the worst errors in units of the bounds, and the growth of the transforms."""
    print("| layer | result | t | " + " | ".join(WAYS) + " |\n| --- | --- | --- |" + " --- |" * len(WAYS))
    for name in CONVOLUTIONS:
        call = convolution(name)
        found = [worst(call, answer(call)) for answer in WAYS.values()]
        for at, (result, t) in enumerate(zip(call.results, roundings(call), strict=True)):
            print(
                f"| {call.function}, {name} | {result} | {t} | "
                + " | ".join(f"{w[at]:.3f}" for w in found)
                + " |"
            )
    print("\n| layer | t | implementation: error |\n| --- | --- | --- |")
    for name, call in poolings().items():
        ways = {"the reference": reference, **POOLING_WAYS[call.operation]}
        said = "; ".join(f"{way}: {worst(call, answer(call))[0]:.3f}" for way, answer in ways.items())
        print(f"| {call.function}, {name} | {roundings(call)[0]} | {said} |")
    print(
        "\n| layer | "
        + " | ".join(f"{w} | climbed" for w in TRANSFORMS)
        + " |\n| --- |"
        + " --- | --- |" * len(TRANSFORMS)
    )
    for name, (operation, shapes, _) in CONVOLUTIONS.items():
        if not operation.startswith("linear"):
            small = sum(map(prod, shapes.values())) < 400
            found = ((largest_growth(name, way), climbed(name, way) if small else None) for way in TRANSFORMS)
            said = (f"{drawn:.2f} | " + (f"{reached:.2f}" if reached else "") for drawn, reached in found)
            print(f"| {convolution(name).function}, {name} | " + " | ".join(said) + " |")


if __name__ == "__main__":
    main()
