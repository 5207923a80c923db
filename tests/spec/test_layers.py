"""Each way of getting the further layers wrong breaks the clause that speaks of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import cnn_reference
from cnn_spec.bounds import Oracle
from cnn_spec.cases.stream import case_ids, case_of, rows
from cnn_spec.conventions import Declared
from cnn_spec.definitions import definition
from cnn_spec.operations import OPERATIONS, Array, Call, Implementation, Results, implementation_of
from cnn_spec.sections import CLAUSES

REFERENCE = implementation_of(cnn_reference)
Wrong = Callable[[Call], Results]


def before(**changes: Callable[[Call], Any]) -> Wrong:
    """The reference, called with something changed."""
    return lambda call: REFERENCE(call.but(**{name: change(call) for name, change in changes.items()}))


def after(result: int, change: Callable[[Call, Array], Array]) -> Wrong:
    """The reference, with one result changed."""

    def wrong(call: Call) -> Results:
        results = REFERENCE(call)
        return tuple(change(call, r) if at == result else r for at, r in enumerate(results))

    return wrong


def broken(
    operation: str, implementation: Implementation, rank: int, seed: int = 0, declared: Declared | None = None
) -> set[str]:
    """The clauses whose laws fail somewhere on the pairs."""
    found: set[str] = set()
    oracle = Oracle(REFERENCE, declared)
    function = OPERATIONS[operation].function(rank)
    laws = [
        (clause.id, law) for clause in CLAUSES.values() for law in clause.laws if law.operation == operation
    ]
    for case_id in case_ids(function, "pairs", range(len(rows(function, "pairs"))), ("float32",)):
        case = case_of(case_id, seed)
        for clause, law in laws if case is not None else ():
            if clause not in found and law.applies(case):
                found |= set() if law.check(implementation, case, oracle).holds else {clause}
    return found


def flipped(call: Call) -> Array:
    return call["w"][..., ::-1]


def at_the_front(call: Call, y: Array) -> Array:
    """Output padding in front of the last axis instead of behind it."""
    return np.roll(y, call["output_padding"][-1], axis=-1)


def in_the_padded_plane(call: Call, indices: Array) -> Array:
    """On one axis: places counted from the padding's first."""
    return indices + call["padding"][-1][0]


def from_the_start_of_the_window(call: Call, indices: Array) -> Array:
    starts = np.arange(indices.shape[-1]) * call["stride"][-1] - call["padding"][-1][0]
    return indices - starts


def column_major(call: Call, indices: Array) -> Array:
    spatial = call["x"].shape[2:]
    return np.ravel_multi_index(np.unravel_index(indices, spatial)[::-1], spatial[::-1])


def filters_first(call: Call, y: Array) -> Array:
    """Output channel m C + c instead of c multiplier + m."""
    channels = call["x"].shape[1]
    by_channel = y.reshape(y.shape[0], channels, -1, *y.shape[2:])
    return by_channel.swapaxes(1, 2).reshape(y.shape)


def offsets_first(call: Call, y: Array) -> Array:
    """Channel offset C + c instead of c prod(factor) + offset."""
    by_channel = y.reshape(y.shape[0], call["x"].shape[1], -1, *y.shape[2:])
    return by_channel.swapaxes(1, 2).reshape(y.shape)


def bias_at_both_steps(call: Call) -> Results:
    """A bias of the first step, made of ones."""
    return REFERENCE(call.but(x=call["x"] + 1))


def cancelling_tanh(call: Call) -> Results:
    power = np.exp(2 * call["x"].clip(-40, 40))
    return ((power - 1) / (power + 1),)


def overflowing_softmax(call: Call) -> Results:
    with np.errstate(all="ignore"):
        power = np.exp(call["x"])
        return (power / power.sum(call["axis"], keepdims=True),)


WRONG: dict[str, tuple[str, Wrong, set[str]]] = {
    "kernel flipped": ("conv_transpose", before(w=flipped), {"UP-FRAC"}),
    "output padding in front": ("conv_transpose", after(0, at_the_front), {"UP-FRAC"}),
    "kernel flipped backward": (
        "conv_transpose_backward",
        before(w=flipped),
        {"UP-BWD-COMPOSE", "ADJOINT"},
    ),
    "weight derivative flipped": (
        "conv_transpose_backward",
        after(1, lambda call, dw: dw[..., ::-1]),
        {"TRANSPOSE-WEIGHTS"},
    ),
    "bias derivative averaged": (
        "conv_transpose_backward",
        after(2, lambda call, db: db / np.asarray(call["dy"].shape[0], db.dtype)),
        {"TRANSPOSE-BIAS"},
    ),
    "index in the padded plane": ("max_pool_with_indices", after(1, in_the_padded_plane), {"MAX-INDEX"}),
    "index in its window": ("max_pool_with_indices", after(1, from_the_start_of_the_window), {"MAX-INDEX"}),
    "index of the next sample": ("max_pool_with_indices", after(1, lambda call, at: at + 1), {"MAX-INDEX"}),
    "depthwise channels by filter": ("depthwise_conv", after(0, filters_first), {"DW-TERM"}),
    "depthwise kernel flipped": ("depthwise_conv", before(w=flipped), {"DW-TERM"}),
    "separable without a bias": ("separable_conv", before(b=lambda call: None), {"SEP-WSUM"}),
    "separable with a bias between": ("separable_conv", bias_at_both_steps, {"SEP-WSUM", "SEP-INTER"}),
    "unshuffled by offset": ("pixel_unshuffle", after(0, offsets_first), {"SHUFFLE-ORDER", "S2-MAPS"}),
    "shuffled backwards": (
        "pixel_shuffle",
        after(0, lambda call, y: y[..., ::-1]),
        {"SHUFFLE-ORDER", "SHUFFLE-INVERSE"},
    ),
    "linear without a bias": ("linear", before(b=lambda call: None), {"LINEAR"}),
    "linear derivative averaged": (
        "linear_backward",
        after(1, lambda call, dw: dw / np.asarray(call["x"].shape[0], dw.dtype)),
        {"BP-MLP"},
    ),
    "linear derivative of the output": (
        "linear_backward",
        after(0, lambda call, dx: dx * 2),
        {"BP-MLP", "ADJOINT"},
    ),
    "relu of the magnitude": ("relu", before(x=lambda call: np.abs(call["x"])), {"RELU"}),
    "relu without NaN": ("relu", after(0, lambda call, y: np.nan_to_num(y)), {"RELU-NAN"}),
    "relu passing all on": ("relu_backward", lambda call: (call["dy"],), {"ACT-BP"}),
    "relu passing twice at zero": (
        "relu_backward",
        after(0, lambda call, dx: np.where(call["x"] == 0, 2 * call["dy"], dx)),
        {"ACT-BP"},
    ),
    "sigmoid in half precision": (
        "sigmoid",
        after(0, lambda call, y: y.astype(np.float16).astype(y.dtype)),
        {"SIGMOID"},
    ),
    "tanh from its cancelling formula": ("tanh", cancelling_tanh, {"TANH"}),
    "sigmoid derivative of y": (
        "sigmoid_backward",
        before(x=lambda call: 1 / (1 + np.exp(-call["x"].clip(-80)))),
        {"ACT-BP"},
    ),
    "tanh derivative without the square": (
        "tanh_backward",
        lambda call: (call["dy"] * (1 - np.tanh(call["x"])),),
        {"ACT-BP"},
    ),
    "softmax that overflows": ("softmax", overflowing_softmax, {"SOFTMAX"}),
    "softmax along the first axis": ("softmax", before(axis=lambda call: 0), {"SOFTMAX"}),
    "softmax derivative without its sum": (
        "softmax_backward",
        lambda call: (REFERENCE(call.on("softmax"))[0] * call["dy"],),
        {"SOFTMAX-BWD"},
    ),
    "groups not counted": ("conv_param_count", before(groups=lambda call: 1), {"DW-STD-SHAPE"}),
    "bias of the first step counted": (
        "separable_param_count",
        after(0, lambda call, count: count + call["bias"] * call["c_in"]),
        {"SEP-SHAPE"},
    ),
}
RANKS_OF = {name: 1 if OPERATIONS[operation].ranked else 0 for name, (operation, _, _) in WRONG.items()}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_layer_breaks_the_clause_that_speaks_of_it(name: str) -> None:
    operation, wrong, clauses = WRONG[name]
    assert clauses <= broken(operation, wrong, RANKS_OF[name])


@pytest.mark.parametrize("operation", sorted({operation for operation, _, _ in WRONG.values()}))
def test_the_definition_breaks_none(operation: str) -> None:
    def small(call: Call) -> Results:
        sizes = [np.size(a) for a in call.arguments.values()]
        return definition(call) if max(sizes) <= 60 else REFERENCE(call)

    assert broken(operation, small, 1 if OPERATIONS[operation].ranked else 0, seed=1) == set()


def test_a_column_major_index_breaks_the_clause_on_planes() -> None:
    assert "MAX-INDEX" in broken("max_pool_with_indices", after(1, column_major), rank=2)


def test_any_tied_index_is_right() -> None:
    def last_tied(call: Call) -> Results:
        """The last of the largest elements: the first one of the reversed plane, where windows lie alike."""
        y, indices = (np.array(result) for result in REFERENCE(call))
        planes = call["x"].reshape(*call["x"].shape[:2], -1)
        for at in np.ndindex(*y.shape):
            start = at[-1] * call["stride"][-1] - call["padding"][-1][0]
            cells = start + np.arange(call["kernel_size"][-1]) * call["dilation"][-1]
            tied = [i for i in cells if 0 <= i < planes.shape[-1] and planes[(*at[:2], i)] == y[at]]
            indices[at] = tied[-1]
        return y, indices

    assert broken("max_pool_with_indices", last_tied, rank=1) == set()


@pytest.mark.parametrize(
    ("operation", "implementation", "convention"),
    [
        ("relu", after(0, lambda call, y: np.nan_to_num(y)), {"relu_nan": "zero"}),
        ("tanh", cancelling_tanh, {"activation_accuracy": "one"}),
    ],
)
def test_a_convention_is_honoured(operation: str, implementation: Wrong, convention: dict[str, str]) -> None:
    assert broken(operation, implementation, 0)
    assert broken(operation, implementation, 0, declared=Declared(conventions=convention)) == set()


def test_any_gradient_between_0_and_dy_is_right_at_0() -> None:
    for share in (0, 0.5, 1):
        at_zero = after(
            0, lambda call, dx, s=share: np.where(call["x"] == 0, s * call["dy"], dx).astype(dx.dtype)
        )
        assert broken("relu_backward", at_zero, 0) == set()
