"""Every step of every sum rounded through every narrower format: inputs, products, partial sums, results.

The rows are the product of three tables: the steps of each result, the formats, and the dtypes in which they
are narrower. A product or a partial sum is had from the right implementation, asked for a part of an array at
a time, so small that each element of the result has one product in it.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from math import ceil

import numpy as np

from cnn_spec.bugs.changes import deriving
from cnn_spec.bugs.conditions import kind
from cnn_spec.bugs.model import Bug, Condition, Wrong, answering, bug, giving, taking
from cnn_spec.operations import OPERATIONS, Array, Call, Implementation, Results
from cnn_spec.sights import spans_of

BFLOAT16, TF32, FLOAT16, FLOAT32 = 8, 11, 11.5, 24
"""Formats by the bits of their significand; float16 (with fewer exponents than TF32) by a half more."""

FORMATS: Mapping[str, tuple[float, str]] = {
    "bfloat16": (BFLOAT16, "float32"),
    "TF32": (TF32, "float32"),
    "float16": (FLOAT16, "float32"),
    "float32": (FLOAT32, "float64"),
}
"""Each format by its name, and the dtype in which arrays come that are rounded to it."""

FEW = 60
"""Sums of more products than so many are left right: each product is a call."""


def rounded(bits: float) -> Callable[[Array], Array]:
    """To the nearest number of a narrower format."""

    def change(a: Array) -> Array:
        if bits == FLOAT16:
            with np.errstate(over="ignore"):
                return a.astype(np.float16).astype(a.dtype)
        significand, exponent = np.frexp(a)
        scale = 2.0 ** int(bits)
        return np.ldexp(np.rint(significand * scale) / scale, exponent).astype(a.dtype)

    return change


def _to(bits: float | None, a: Array) -> Array:
    """Rounded, if a format is given."""
    return rounded(bits)(a) if bits else a


# the parts of a sum

Numbered = Callable[[Call], tuple[str, Array]]
"""An array of a call, and a number for each of its elements: those of one number share no sum."""


def _by(name: str, *axes: int, group: int | None = None) -> Numbered:
    """Numbered along these axes; along axis `group`, within each group."""

    def number(call: Call) -> tuple[str, Array]:
        shape = call[name].shape
        spatial = tuple(range(2, len(shape)))
        at = np.indices(shape, sparse=True)
        found, count = np.zeros(shape, int), 1
        for axis in (*axes, *spatial):
            size = shape[axis] // call.parameters.get("groups", 1) if axis == group else shape[axis]
            found, count = found * size + at[axis] % size, count * size
        return name, found

    return number


def _apart(name: str, distances: Callable[[Call], tuple[int, ...]]) -> Numbered:
    """Numbered so that equal numbers are at least so far apart on some axis."""

    def number(call: Call) -> tuple[str, Array]:
        found = np.zeros(call[name].shape, int)
        at = np.indices(found.shape, sparse=True)
        for axis, distance in enumerate(distances(call), start=2):
            found = found * distance + at[axis] % distance
        return name, found

    return number


def _covering(call: Call) -> tuple[int, ...]:
    """How many windows can lie on one element, on each axis."""
    return tuple(ceil(span / s) for span, s in zip(spans_of(call), call["stride"], strict=True))


PRODUCTS: Mapping[tuple[str, str], Numbered] = {
    ("conv", "y"): _by("w", 1),
    ("conv_backward", "dx"): _by("w", 0, group=0),
    ("conv_backward", "dw"): _by("dy", 0),
    ("conv_backward", "db"): _by("dy", 0),
    ("conv_transpose", "y"): _by("w", 0, group=0),
    ("conv_transpose_backward", "dx"): _by("w", 1),
    ("conv_transpose_backward", "dw"): _by("x", 0),
    ("conv_transpose_backward", "db"): _by("dy", 0),
    ("depthwise_conv", "y"): _by("w", 1),
    ("separable_conv", "y"): _by("w_pointwise", 1),
    ("linear", "y"): _by("w", 1),
    ("linear_backward", "dx"): _by("w", 0),
    ("linear_backward", "dw"): _by("dy", 0),
    ("linear_backward", "db"): _by("dy", 0),
    ("avg_pool", "y"): _apart("x", lambda call: call["kernel_size"]),
    ("avg_pool_backward", "dx"): _apart("dy", _covering),
    ("max_pool_backward", "dx"): _apart("dy", _covering),
}
"""For each result that is a sum: which parts of which array bring one product to it at a time."""


def few_products(operation: str, result: str) -> Condition:
    """Sums of at most so many products."""
    return lambda call: bool(PRODUCTS[operation, result](call)[1].max(initial=0) < FEW)


def _parts(call: Call, numbered: Numbered) -> Iterator[Call]:
    """The call without its bias, for each part of the array."""
    name, numbers = numbered(call)
    alone = call.but(b=None) if "b" in call.arguments else call
    for number in range(int(numbers.max()) + 1):
        yield alone.but(**{name: np.where(numbers == number, call[name], 0).astype(call[name].dtype)})


def summing(
    operation: str, result: str, of_products: float | None = None, of_sums: float | None = None
) -> Wrong:
    """One product after the other, from the bias on: products and partial sums in formats of their own."""
    numbered, at = PRODUCTS[operation, result], OPERATIONS[operation].results.index(result)

    def wrong(right: Implementation) -> Implementation:
        def answer(call: Call) -> Results:
            name, found = numbered(call)[0], list(right(call))
            total = right(call.but(**{name: 0 * call[name]}))[at]
            with np.errstate(invalid="ignore"):  # infinities of float16 cancel
                for part in _parts(call, numbered):
                    total = _to(of_sums, total + _to(of_products, right(part)[at]))
            found[at] = total
            return tuple(found)

        return answer

    return wrong


def _mixing(step: Wrong) -> Wrong:
    """A separable convolution whose first step, the depthwise one, is done so."""

    def wrong(right: Implementation) -> Implementation:
        first = step(right)

        def answer(call: Call) -> Results:
            ones, zeros = (1,) * call.rank, ((0, 0),) * call.rank
            (maps,) = first(call.on("depthwise_conv", w=call["w_depthwise"], b=None))
            plain = {"stride": ones, "padding": zeros, "dilation": ones, "groups": 1}
            return right(call.on("conv", x=maps, w=call["w_pointwise"], **plain))

        return answer

    return wrong


def _softmax(**of: float) -> Wrong:
    """Shares and their derivative by the formula, some of its steps in formats of their own."""

    def step(name: str, a: Array) -> Array:
        return _to(of.get(name), a)

    def total(terms: Array) -> Array:
        found = np.zeros_like(terms[0])
        for term in terms:
            found = step("sums", found + term)
        return np.asarray(found)

    def define(call: Call) -> Array:
        x = np.moveaxis(call["x"], call["axis"], 0)
        e = step("exponentials", np.exp(step("differences", x - x.max(0))))
        y = e / total(e)
        if "dy" in call.arguments:
            dy, y = np.moveaxis(call["dy"], call["axis"], 0), step("shares", y)
            y = y * (dy - total(step("products", y * dy)))
        return np.moveaxis(y, 0, call["axis"])

    return answering(define)


# the table

INPUTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    **{name: {"y": ("x", "w", "b")} for name in ("conv", "conv_transpose", "depthwise_conv", "linear")},
    **{
        f"{name}_backward": {"dx": ("dy", "w"), "dw": ("dy", "x"), "db": ("dy",)}
        for name in ("conv", "conv_transpose", "linear")
    },
    "separable_conv": {"y": ("x", "w_depthwise", "w_pointwise", "b")},
    "avg_pool": {"y": ("x",)},
    "avg_pool_backward": {"dx": ("dy",)},
    "max_pool_backward": {"dx": ("dy",)},
    **{name: {"y": ("x",)} for name in ("sigmoid", "tanh", "softmax")},
    **{f"{name}_backward": {"dx": ("dy", "x")} for name in ("sigmoid", "tanh", "softmax")},
    "relu_backward": {"dx": ("dy",)},
    "downsample_backward": {"dx": ("dy",)},
    "upsample_backward": {"dx": ("dy",)},
}
"""For each result that is computed: the inputs of its terms."""

SOFTMAX_STEPS = {
    "softmax": ("differences", "exponentials", "sums"),
    "softmax_backward": ("differences", "exponentials", "sums", "shares", "products"),
}

SOURCES = {
    "conv, y: w rounded to bfloat16 in float32": "pytorch/pytorch/issues/163539",
    "conv, y: partial sums rounded to float32 in float64": "openxla/stablehlo/pull/2953",
}
"""Where a row was seen in a real project."""

SELECTED = (
    "max_pool",
    "max_pool_with_indices",
    "relu",
    "downsample",
    "upsample",
    "pixel_shuffle",
    "pixel_unshuffle",
)
"""Operations whose results are elements of the input: to round either is the same."""


def _giving_rounded(result: str) -> Callable[[float], Wrong]:
    """A result in another format."""
    return lambda bits: giving(result, lambda c, a: rounded(bits)(a))


def _taking_rounded(operation: str, result: str, name: str) -> Callable[[float], Wrong]:
    """An input in another format, for one result."""
    if len(OPERATIONS[operation].results) > 1:
        return lambda bits: deriving(result, name, lambda c, a: rounded(bits)(a))
    return lambda bits: taking(name, lambda c, a: rounded(bits)(a))


Step = tuple[str, Callable[[float], Wrong], tuple[Condition, ...]]
"""A step in words, how to round it, and where that is done."""


def steps_of(operation: str, result: str) -> Iterator[Step]:
    """Each step of one result."""
    for name in INPUTS.get(operation, {}).get(result, ()):
        yield name, _taking_rounded(operation, result, name), ()
    if (operation, result) in PRODUCTS:
        few = (few_products(operation, result),)
        yield "partial sums", lambda bits: summing(operation, result, of_sums=bits), few
        if not (result == "db" or operation == "max_pool_backward"):
            yield "products", lambda bits: summing(operation, result, of_products=bits), few
    if operation == "separable_conv":
        first = "depthwise_conv", "y"
        yield "maps between", lambda bits: _mixing(_giving_rounded("y")(bits)), ()
        yield "first products", lambda bits: _mixing(summing(*first, of_products=bits)), ()
        yield "first partial sums", lambda bits: _mixing(summing(*first, of_sums=bits)), ()
    for name in SOFTMAX_STEPS.get(operation, ()):
        yield name, lambda bits, name=name: _softmax(**{name: bits}), ()  # type: ignore[misc]
    yield "result", _giving_rounded(result), ()


RESULTS = (
    *((operation, result) for operation, by in INPUTS.items() for result in by),
    *((operation, "y") for operation in SELECTED),
)
"""Every result that can be rounded."""


def _rows() -> Iterator[Bug]:
    for operation, result in RESULTS:
        for step, (name, (bits, dtype)) in product(steps_of(operation, result), FORMATS.items()):
            words, wrong, where = step
            full = f"{operation}, {result}: {words} rounded to {name} in {dtype}"
            yield bug(full, operation, wrong(bits), kind(dtype), *where, source=SOURCES.get(full, ""))


BUGS: tuple[Bug, ...] = tuple(_rows())
