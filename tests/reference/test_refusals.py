"""Every impossible call is refused by `ShapeError`, and its nearest valid neighbour is answered."""

from typing import Any

import numpy as np
import pytest

import cnn_reference as reference
from cnn_reference import ShapeError

x, w, b = np.ones((2, 4, 6, 6)), np.ones((6, 2, 3, 3)), np.ones(6)
CONV: dict[str, Any] = {"stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 2}
TRANSPOSED = CONV | {"output_padding": (0, 0)}
POOL: dict[str, Any] = {
    "kernel_size": (2, 2), "stride": (2, 2), "padding": ((0, 0), (0, 0)), "ceil_mode": False,
}  # fmt: skip
MAX, AVG = POOL | {"dilation": (1, 1)}, POOL | {"count_include_pad": True}
DEPTHWISE = {name: CONV[name] for name in ("stride", "padding", "dilation")}
ONE_AXIS: dict[str, Any] = {"kernel_size": 3, "stride": 1, "padding": (0, 0), "dilation": 1}

VALID: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "conv2d": ((x, w, b), CONV),
    "conv2d_backward": ((np.ones((2, 6, 4, 4)), x, w), CONV),
    "conv_transpose2d": ((x, np.ones((4, 3, 3, 3)), b), TRANSPOSED),
    "conv_transpose2d_backward": ((np.ones((2, 6, 8, 8)), x, np.ones((4, 3, 3, 3))), TRANSPOSED),
    "depthwise_conv2d": ((x, np.ones((8, 1, 3, 3)), np.ones(8)), DEPTHWISE),
    "separable_conv2d": ((x, np.ones((8, 1, 3, 3)), np.ones((5, 8, 1, 1)), np.ones(5)), DEPTHWISE),
    "max_pool2d": ((x,), MAX),
    "max_pool2d_with_indices": ((x,), MAX),
    "max_pool2d_backward": ((np.ones((2, 4, 3, 3)), x), MAX),
    "avg_pool2d": ((x,), AVG),
    "avg_pool2d_backward": ((np.ones((2, 4, 3, 3)), x), AVG),
    "downsample2d": ((x,), {"factor": (2, 2)}),
    "downsample2d_backward": ((np.ones((2, 4, 3, 3)), x), {"factor": (2, 2)}),
    "upsample2d": ((x,), {"factor": (2, 2)}),
    "upsample2d_backward": ((np.ones((2, 4, 11, 11)), x), {"factor": (2, 2)}),
    "pixel_unshuffle2d": ((x,), {"factor": (2, 3)}),
    "pixel_shuffle2d": ((x,), {"factor": (2, 2)}),
    "linear": ((np.ones((2, 5)), np.ones((3, 5)), np.ones(3)), {}),
    "linear_backward": ((np.ones((2, 3)), np.ones((2, 5)), np.ones((3, 5))), {}),
    "softmax": ((x,), {"axis": 3}),
    "softmax_backward": ((x, x), {"axis": 0}),
    "relu_backward": ((x, x), {}),
    "sigmoid_backward": ((x, x), {}),
    "tanh_backward": ((x, x), {}),
    "conv_output_size": ((6,), ONE_AXIS),
    "pool_output_size": ((6,), ONE_AXIS | {"ceil_mode": True}),
    "conv_transpose_output_size": ((6,), ONE_AXIS | {"output_padding": 0}),
    "same_padding": ((3,), {}),
    "conv_param_count": ((4, 6), {"kernel_size": (3, 3), "groups": 2, "bias": True}),
    "separable_param_count": ((4, 6), {"kernel_size": (3, 3), "bias": True}),
}
"""A valid call of each operation, from which each impossible one departs in one argument or parameter."""

MOVES: list[dict[str, Any]] = [
    {"stride": (1, 0)}, {"stride": (1,)}, {"stride": (1, 1, 1)}, {"stride": (1.0, 1)}, {"stride": 1},
    {"dilation": (0, 1)}, {"dilation": (-1, 1)}, {"dilation": (1, 2, 3)}, {"padding": ((0, 0),)},
    {"padding": ((0, 0), (0, -1))}, {"padding": ((-1, 0), (0, 0))}, {"padding": ((0, 0), (0,))}, {"padding": (0, 0)},
]  # fmt: skip
GROUPS: list[dict[str, Any]] = [{"groups": 0}, {"groups": 3}, {"groups": 1}, {"groups": 4}, {"groups": 2.0}]
WINDOWS: list[dict[str, Any]] = [
    {"kernel_size": (0, 2)}, {"kernel_size": (2,)}, {"kernel_size": (7, 2)}, {"stride": (0, 1)}, {"stride": (1,)},
    {"padding": ((0, 0),)}, {"padding": ((2, 0), (0, 0))}, {"padding": ((0, 0), (0, 4))},
    {"padding": ((0, -1), (0, 0))}, {"padding": ((0, 0), (-1, 0))},
]  # fmt: skip
FACTORS: list[dict[str, Any]] = [{"factor": (0, 1)}, {"factor": (2,)}, {"factor": (2, -1)}]
AXIS: list[dict[str, Any]] = [
    {"kernel_size": 0}, {"stride": 0}, {"dilation": 0}, {"padding": (-1, 0)}, {"padding": (0,)}, {"stride": 1.5},
]  # fmt: skip

PARAMETERS: dict[str, list[dict[str, Any]]] = {
    "conv2d": [*MOVES, *GROUPS, {"dilation": (3, 1)}],
    "conv2d_backward": [*MOVES, *GROUPS, {"stride": (2, 1)}],
    "conv_transpose2d": [*MOVES, *GROUPS, {"padding": ((4, 4), (0, 0))}, {"output_padding": (-1, 0)}],
    "conv_transpose2d_backward": [*MOVES, *GROUPS, {"output_padding": (1, 0)}],
    "depthwise_conv2d": [*MOVES, {"dilation": (3, 1)}],
    "separable_conv2d": [*MOVES, {"dilation": (3, 1)}],
    "max_pool2d": [*WINDOWS, {"dilation": (0, 1)}, {"dilation": (1, 6)}],
    "max_pool2d_with_indices": WINDOWS,
    "max_pool2d_backward": [*WINDOWS, {"stride": (1, 1)}],
    "avg_pool2d": WINDOWS,
    "avg_pool2d_backward": [*WINDOWS, {"stride": (1, 1)}],
    "downsample2d": FACTORS,
    "downsample2d_backward": [*FACTORS, {"factor": (3, 3)}],
    "upsample2d": FACTORS,
    "upsample2d_backward": [*FACTORS, {"factor": (3, 3)}],
    "pixel_unshuffle2d": [*FACTORS, {"factor": (4, 1)}],
    "pixel_shuffle2d": [*FACTORS, {"factor": (3, 1)}],
    "softmax": [{"axis": 4}, {"axis": -5}],
    "softmax_backward": [{"axis": 4}],
    "conv_output_size": [*AXIS, {"kernel_size": 7}],
    "pool_output_size": [*AXIS, {"kernel_size": 20}],
    "conv_transpose_output_size": [*AXIS, {"padding": (4, 4)}, {"output_padding": -1}],
    "conv_param_count": [{"kernel_size": (3, 0)}, {"groups": 0}, {"groups": 4}, {"groups": 3}],
    "separable_param_count": [{"kernel_size": (0, 3)}],
}
IMPOSSIBLE = [(name, change) for name, changes in PARAMETERS.items() for change in changes]


@pytest.mark.parametrize("name", VALID)
def test_the_neighbour_is_answered(name: str) -> None:
    arguments, parameters = VALID[name]
    getattr(reference, name)(*arguments, **parameters)


@pytest.mark.parametrize(
    ("name", "change"), IMPOSSIBLE, ids=[f"{name}-{change}" for name, change in IMPOSSIBLE]
)
def test_an_impossible_parameter_is_refused(name: str, change: dict[str, Any]) -> None:
    arguments, parameters = VALID[name]
    with pytest.raises(ShapeError):
        getattr(reference, name)(*arguments, **parameters | change)


def misfits(name: str) -> list[tuple[Any, ...]]:
    """The valid arguments with, in turn, an array of another rank and a larger size on each axis."""
    arguments, _ = VALID[name]
    changed = []
    for i, array in enumerate(arguments):
        if not isinstance(array, np.ndarray):
            continue
        shapes = [array.shape[:-1], (*array.shape, 1)]
        for axis, n in enumerate(array.shape):
            # A larger image or batch alone is another valid call, and so are more filters without groups.
            free = len(arguments) == 1 or (name.endswith("conv2d") and i == 0 and axis != 1)
            free = free or (
                name == "conv_transpose2d" and (i, axis) in [(0, 0), (0, 2), (0, 3), (1, 2), (1, 3)]
            )
            free = free or (name in ("conv2d", "depthwise_conv2d", "separable_conv2d") and i > 0 and axis > 1)
            free = free or (name == "linear" and (i, axis) == (0, 0))
            if not free:
                shapes.append((*array.shape[:axis], n + 2, *array.shape[axis + 1 :]))
        changed += [(*arguments[:i], np.ones(shape), *arguments[i + 1 :]) for shape in shapes]
    return changed


@pytest.mark.parametrize("name", [name for name in VALID if "2d" in name or "linear" in name])
def test_arrays_that_do_not_fit_are_refused(name: str) -> None:
    for arguments in misfits(name):
        try:
            getattr(reference, name)(*arguments, **VALID[name][1])
        except ShapeError:
            continue
        pytest.fail(f"{name} answered {[a.shape for a in arguments]}")


@pytest.mark.parametrize("name", [name for name in VALID if "conv" in name and "2d" in name])
def test_filters_without_a_cell_are_refused(name: str) -> None:
    arguments, parameters = VALID[name]
    at = 2 if name.endswith("backward") else 1
    with pytest.raises(ShapeError):
        getattr(reference, name)(*arguments[:at], arguments[at][..., :0], *arguments[at + 1 :], **parameters)


@pytest.mark.parametrize("name", ["relu_backward", "sigmoid_backward", "tanh_backward"])
def test_a_gradient_of_another_shape_is_refused(name: str) -> None:
    with pytest.raises(ShapeError):
        getattr(reference, name)(x[:1], x)


def test_the_sentence_gives_the_shapes_and_the_rule() -> None:
    with pytest.raises(ShapeError, match=r"\(2, 4, 6, 6\).*\(6, 2, 3, 3\).*3 groups.*C_in // groups"):
        reference.conv2d(x, w, b, **CONV | {"groups": 3})
    with pytest.raises(ShapeError, match=r"kernel of 7.*6 elements padded by \(0, 0\)"):
        reference.conv_output_size(6, **ONE_AXIS | {"kernel_size": 7})
    with pytest.raises(ShapeError, match=r"conv2d takes .* 4 axes.*\(4, 6, 6\)"):
        reference.conv2d(x[0], w, b, **CONV)


def test_a_partial_window_may_be_larger_than_the_input() -> None:
    assert (
        reference.pool_output_size(2, kernel_size=3, stride=2, padding=(0, 0), dilation=1, ceil_mode=True)
        == 1
    )
