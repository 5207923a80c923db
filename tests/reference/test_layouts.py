"""Each layout of columns gives the literal sums, however it is split, and in four times the memory at most."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from drawing import cache_of, filled

import cnn_reference
from cnn_reference.columns import Plan, plan
from cnn_reference.convolution import conv_geometry
from cnn_spec.definitions import convolution as literal

PATH = Path(__file__).parents[2] / "reference" / "benchmark.py"


class Layout(NamedTuple):
    x: tuple[int, ...]
    w: tuple[int, ...]
    stride: int
    padding: tuple[tuple[int, int], ...]
    dilation: int
    groups: int
    cache: tuple[int, int]
    parts: tuple[int, int, int]
    """Into how many parts images, groups and rows are split."""


LARGE, NONE = (1 << 20, 1 << 14), (1, 0)
LAYOUTS = {
    "runs": Layout((2, 4, 7, 6), (6, 2, 3, 2), 1, ((1, 2), (2, 1)), 1, 2, (1 << 20, 1 << 20), (1, 1, 1)),
    "runs in parts": Layout((2, 2, 4, 4), (4, 1, 1, 5), 1, ((1, 2), (1, 0)), 2, 2, NONE, (2, 2, 2)),
    "windows": Layout((2, 4, 7, 6), (6, 2, 3, 2), 2, ((1, 2), (2, 1)), 1, 2, LARGE, (1, 1, 1)),
    "windows, images and rows": Layout(
        (2, 1, 6, 4), (1, 1, 5, 4), 2, ((2, 3), (2, 0)), 1, 1, NONE, (2, 1, 2)
    ),
    "windows, images and groups": Layout(
        (3, 2, 4, 4), (2, 1, 1, 1), 2, ((1, 2), (1, 0)), 1, 2, NONE, (3, 2, 1)
    ),
    "rows": Layout((1, 1, 4, 4), (2, 1, 2, 1), 1, ((2, 3), (2, 0)), 1, 1, NONE, (1, 1, 1)),
    "rows, images and rows": Layout((2, 1, 7, 6), (2, 1, 5, 1), 1, ((2, 3), (2, 0)), 2, 1, NONE, (2, 1, 2)),
    "rows, images and groups": Layout((2, 3, 7, 7), (6, 1, 4, 1), 1, ((0, 1), (0, 0)), 2, 3, NONE, (2, 2, 1)),
}


def name_of(p: Plan, outputs: tuple[int, ...]) -> str:
    if p.blocks[0].spread:
        return "rows"
    return "windows" if p.grid == outputs else "runs"


def parts_of(p: Plan) -> tuple[int, ...]:
    sources, results = zip(*[(block.source, block.results) for block in p.blocks], strict=True)
    rows = {source[2].start for source in sources} if p.blocks[0].spread else {r[3].start for r in results}
    return len({r[0].start for r in results}), len({r[1].start for r in results}), len(rows)


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_and_split_gives_the_literal_sums(name: str) -> None:
    drawn = LAYOUTS[name]
    fill = filled(0, exact=True)
    x, w, b = fill(*drawn.x), fill(*drawn.w), fill(drawn.w[0])
    parameters: dict[str, Any] = {"stride": (drawn.stride,) * 2, "padding": drawn.padding}
    parameters |= {"dilation": (drawn.dilation, 1), "groups": drawn.groups}
    expected = literal.conv(x, w, b, **parameters)
    dy = fill(*expected.shape)
    with cache_of(drawn.cache):
        geometry = conv_geometry(x, w, *parameters.values())
        p = plan(x.shape, x.itemsize, len(w), geometry, runs=True)
        assert name.startswith(name_of(p, expected.shape[2:]))
        assert parts_of(p) == drawn.parts
        np.testing.assert_array_equal(cnn_reference.conv2d(x, w, b, **parameters), expected)
        gradients = cnn_reference.conv2d_backward(dy, x, w, **parameters)
    for got, true in zip(gradients, literal.conv_backward(dy, x, w, **parameters), strict=True):
        np.testing.assert_array_equal(got, true)


def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference_benchmark", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BENCHMARK = benchmark()
# The tiny shape's few kilobytes are too near to Python's own objects, whose sizes differ from version to version.
SHAPES = [shape for name, shape in BENCHMARK.SHAPES.items() if name != "tiny"] + [
    (1, 32, 28, 4, 7, 2, 3, 2, 1)
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_memory_peaks_at_four_times_inputs_and_outputs(shape: tuple[int, ...]) -> None:
    n, c_in, side, c_out, k, s, p, d, groups = shape
    x, w, b = (
        np.ones(sizes, np.float32) for sizes in ((n, c_in, side, side), (c_out, c_in // groups, k, k), c_out)
    )
    moves: dict[str, Any] = {"stride": (s, s), "padding": ((p, p),) * 2, "dilation": (d, d), "groups": groups}
    dy = cnn_reference.conv2d(x, w, b, **moves)
    assert BENCHMARK.peak(lambda: cnn_reference.conv2d(x, w, b, **moves), x, w, b) <= 4
    assert BENCHMARK.peak(lambda: cnn_reference.conv2d_backward(dy, x, w, **moves), dy, x, w) <= 4
