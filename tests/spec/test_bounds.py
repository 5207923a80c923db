"""The bounds: never exceeded by a correct result, attained by some, and exceeded by what is rounded once too often."""

from dataclasses import replace

import numpy as np
import pytest
from measured_layers import (
    CONVOLUTIONS,
    POOLING_WAYS,
    TRANSFORMS,
    WAYS,
    climbed,
    convolution,
    largest_growth,
    poolings,
    reference,
    worst,
)
from summation import KINDS, ORDERS, PLACES, TERMS, call_of, error, errors, factors, forward, seen

from cnn_spec.bounds import Oracle
from cnn_spec.bugs.rounding_steps import FORMATS
from cnn_spec.case import Case, Data
from cnn_spec.conventions import Declared
from cnn_spec.operations import Array, Call
from cnn_spec.roundings import roundings, windows_on_an_element

NARROW = {name: bits for name, (bits, dtype) in FORMATS.items() if dtype == "float32"}


# correct results


def test_there_are_a_hundred_thousand_correct_results() -> None:
    assert len(ORDERS) * len(KINDS) * sum(TERMS.values()) >= 10**5


@pytest.mark.parametrize("order", ORDERS)
def test_no_order_of_summation_exceeds_the_bound(order: str) -> None:
    found = {terms: errors(ORDERS[order], terms, sums) for terms, sums in TERMS.items()}
    assert max(one.max() for one in found.values()) <= 1
    assert found[1].max() > 0.9  # one product: the bound is its one rounding


@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_convolution_exceeds_the_bound(name: str, dtype: str) -> None:
    call = convolution(name, dtype)
    assert max(max(worst(call, answer(call))) for answer in WAYS.values()) <= 1


@pytest.mark.parametrize("name", poolings())
def test_no_pooling_exceeds_the_bound(name: str) -> None:
    call = poolings()[name]
    ways = (reference, *POOLING_WAYS[call.operation].values())
    assert all(0 < worst(call, answer(call))[0] <= 1 for answer in ways)


def test_a_window_is_counted_on_an_element_wherever_stride_and_dilation_let_it() -> None:
    call = poolings()["25 windows, 3 apart"]
    touched = reference(call.but(dy=np.ones_like(call["dy"])))[0]
    assert touched.max() == windows_on_an_element(call) == 25


@pytest.mark.parametrize("terms", [2, 9, 144, 4608])
def test_the_bound_is_attained(terms: int) -> None:
    """1 and then numbers that are lost in it one by one: t - 1 roundings, all in one direction."""
    a = np.full((1, terms), 2.0**-24, np.float32)
    a[0, 0] = 1
    b = np.ones_like(a)
    (lost,) = error(call_of(a, b), forward(a, b)[None, :, None]).ravel()
    assert 0.99 * (terms - 1) / terms < lost <= 1


def test_without_the_bias_the_bound_would_accuse() -> None:
    a, b = factors(9, 500, KINDS[0])
    bias = np.full(500, 1000.0, np.float32)
    got = (forward(a, b) + bias)[None, :, None]
    without = error(call_of(a, b), got - bias[:, None])
    assert error(call_of(a, b, bias), got).max() <= 1 < without.max()


def test_flushing_to_zero_is_covered() -> None:
    smallest = np.finfo(np.float32).smallest_normal

    def flushed(value: Array) -> Array:
        return np.where(np.abs(value) < smallest, np.float32(0), value)

    a, b = (scale * part for scale, part in zip((1e-19, 1e-19), factors(9, 500, KINDS[0]), strict=True))
    a, b = a.astype(np.float32), b.astype(np.float32)
    total = np.zeros(len(a), np.float32)
    for term in flushed(a * b).T:
        total = flushed(total + term)
    units = error(call_of(a, b), total[None, :, None])
    relative = np.abs(total - np.sum(a.astype(float) * b, axis=1)) / np.sum(
        np.abs(a.astype(float) * b), axis=1
    )
    assert units.max() <= 1
    assert relative.max() > 1e-3  # far beyond any relative bound


# wrong results


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("narrow", NARROW)
@pytest.mark.parametrize("terms", [1, 9, 144])
def test_a_step_through_a_narrower_format_is_seen(terms: int, narrow: str, place: str) -> None:
    by_bound, on_integers = seen(terms, place, NARROW[narrow], sums=200)
    assert by_bound > 0.7
    assert on_integers > 0.7 or place == "second factors"  # the companions of wide integers are narrow


def test_running_sums_exceed_the_bound() -> None:
    """Windows as differences of a running sum: errors of the whole line are left in each window."""
    x = KINDS[0](np.random.default_rng(0), (1, 1, 400)).astype(np.float32)
    plain = {"ceil_mode": False, "count_include_pad": False}
    call = Call("avg_pool", 1, {"x": x}, {"kernel_size": (4,), "stride": (1,), "padding": ((0, 0),), **plain})
    running = np.concatenate(
        [np.zeros((1, 1, 1), np.float32), np.cumsum(x, axis=2, dtype=np.float32)], axis=2
    )
    assert worst(call, ((running[..., 4:] - running[..., :-4]) / 4,))[0] > 10


# transforms


@pytest.mark.parametrize(
    "name", [n for n, (operation, *_) in CONVOLUTIONS.items() if "linear" not in operation]
)
@pytest.mark.parametrize("way", TRANSFORMS)
def test_transforms_grow_by_less_than_four(name: str, way: str) -> None:
    assert largest_growth(name, way, seeds=1) <= 4


@pytest.mark.parametrize("way", TRANSFORMS)
def test_no_climb_makes_them_grow_by_four(way: str) -> None:
    assert 0.1 < climbed("3, one channel", way, steps=80) <= 4


@pytest.mark.parametrize("way", TRANSFORMS)
@pytest.mark.parametrize("name", ["3x3, one channel", "3x3, one filter"])
def test_transforms_need_their_declaration(name: str, way: str) -> None:
    call = convolution(name)
    assert worst(call, TRANSFORMS[way](call))[0] > 1


# activations

GRANTED = {"exp": 6, "tanh": 10}
"""What exponentials and hyperbolic tangents may err by, in units of u."""


def granted(function: str, x: Array, rng: np.random.Generator, more: float = 1) -> Array:
    """The function's values in float32, nearly as far from the true ones as they may be, to either side."""
    true = getattr(np, function)(x.astype(np.float64))
    side = rng.choice([-1.0, 1.0], x.shape) * (GRANTED[function] * more - 0.5)
    return (true * (1 + side * 2.0**-24)).astype(np.float32)


def shares(x: Array, rng: np.random.Generator, more: float = 1) -> Array:
    e = granted("exp", x - x.max(1, keepdims=True), rng, more)
    return e * (np.float32(1) / np.cumsum(e, axis=1, dtype=np.float32)[:, -1:])


def activated(call: Call, rng: np.random.Generator, more: float = 1) -> Array:
    """An activation by a usual formula, its exponentials as wrong as they may be."""
    x, one = call["x"], np.float32(1)
    if call.operation.startswith("tanh"):
        y = granted("tanh", x, rng, more)
        return (one - y * y) * call["dy"] if "dy" in call.arguments else y
    if call.operation.startswith("sigmoid"):
        y = one / (one + granted("exp", -x, rng, more))
        return y * (one - y) * call["dy"] if "dy" in call.arguments else y
    y = shares(x, rng, more)
    if "dy" not in call.arguments:
        return y
    return y * (call["dy"] - np.cumsum(y * call["dy"], axis=1, dtype=np.float32)[:, -1:])


def drawn(operation: str, rng: np.random.Generator) -> list[Call]:
    softmax = operation.startswith("softmax")
    found = []
    for columns in (1, 2, 3, 10, 300) if softmax else (50,):
        x = (rng.standard_normal((6000 // columns, columns)) * rng.choice([0.1, 1, 4])).astype(np.float32)
        dy = rng.standard_normal(x.shape).astype(np.float32) * (-1 if softmax else 3)
        arrays = (
            {"dy": np.sign(dy) if softmax else dy, "x": x} if operation.endswith("backward") else {"x": x}
        )
        found.append(Call(operation, 0, arrays, {"axis": 1} if softmax else {}))
    return found


FORWARD = ("sigmoid", "tanh", "softmax")
ACTIVATIONS = (*FORWARD, *(f"{name}_backward" for name in FORWARD))


@pytest.mark.parametrize("operation", ACTIVATIONS)
def test_no_activation_exceeds_the_bound(operation: str) -> None:
    rng = np.random.default_rng(0)
    found = [worst(c, (activated(c, rng),))[0] for _ in range(4) for c in drawn(operation, rng)]
    assert (0.3 if operation in FORWARD else 0.01) < max(found) <= 1


@pytest.mark.parametrize("operation", FORWARD)
def test_functions_that_err_four_times_as_much_are_seen(operation: str) -> None:
    rng = np.random.default_rng(0)
    assert max(worst(c, (activated(c, rng, more=4),))[0] for c in drawn(operation, rng)) > 1


# what is exact


def test_exact_data_are_granted_nothing() -> None:
    call = convolution("3x3, 3 channels")
    rounded, exact = (Case("bounds", (call,), data, {}) for data in (Data.ROUNDED, Data.EXACT))
    oracle = Oracle(reference)
    assert oracle.tolerance(exact) == (0.0,)
    assert np.all(oracle.tolerance(rounded)[0] > 0)
    by_norm = Oracle(reference, replace(Declared(), normwise=True))
    assert np.all(by_norm.tolerance(exact)[0] >= by_norm.tolerance(rounded)[0])


def test_what_is_only_selected_is_exact() -> None:
    call = poolings()["25 windows, 3 apart"].but(stride=(13, 13), padding=((0, 0), (0, 0)))
    apart = call.but(dy=np.ones((*call["dy"].shape[:2], 3, 3), np.float32))
    assert roundings(apart) == (0,)
