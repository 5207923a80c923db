"""Correct float32 sums of products in several orders, and how far they are from the true ones in units of the bound.

`python tests/spec/summation.py` prints the table that spec/BOUNDS.md shows.
"""

from collections.abc import Callable, Mapping
from itertools import product

import numpy as np

import cnn_reference
from cnn_spec.bounds import Oracle
from cnn_spec.bugs.rounding_steps import FORMATS, rounded
from cnn_spec.case import Case, Data
from cnn_spec.cases.values import companions
from cnn_spec.cases.values import wide as wide_integers
from cnn_spec.operations import Array, Call, implementation_of

Order = Callable[[Array, Array], Array]
"""Factors, each (sums, terms), to sums of their products."""

oracle = Oracle(implementation_of(cnn_reference))


def forward(a: Array, b: Array) -> Array:
    """One product after the other."""
    return np.cumsum(a * b, axis=1, dtype=a.dtype)[:, -1]


def backward(a: Array, b: Array) -> Array:
    """From the last product on."""
    return forward(a[:, ::-1], b[:, ::-1])


def pairwise(a: Array, b: Array) -> Array:
    """Halves added to halves."""
    terms = a * b
    while terms.shape[1] > 1:
        half = terms.shape[1] // 2
        rest = terms[:, 2 * half :]
        terms = np.concatenate([terms[:, :half] + terms[:, half : 2 * half], rest], axis=1)
    return terms[:, 0]


def blocked(a: Array, b: Array) -> Array:
    """Eight running sums, as in eight lanes of a register, added up at the end."""
    terms = a * b
    lanes = np.pad(terms, [(0, 0), (0, -terms.shape[1] % 8)]).reshape(len(terms), -1, 8)
    sums = np.cumsum(lanes, axis=1, dtype=a.dtype)[:, -1]
    return np.cumsum(sums, axis=1, dtype=a.dtype)[:, -1]


def matrix_product(a: Array, b: Array) -> Array:
    """By the library of linear algebra, each sum a product of a row and a column."""
    return np.matmul(a[:, None], b[:, :, None])[:, 0, 0]


def in_random_order(a: Array, b: Array) -> Array:
    """In another order for each sum."""
    order = np.random.default_rng(0).permuted(np.broadcast_to(np.arange(a.shape[1]), a.shape), axis=1)
    return forward(np.take_along_axis(a, order, 1), np.take_along_axis(b, order, 1))


def fused(a: Array, b: Array) -> Array:
    """Multiplied and added at once: in float64, where the product is exact, then rounded."""
    total = np.zeros(len(a), a.dtype)
    for x, w in zip(a.T.astype(np.float64), b.T.astype(np.float64), strict=True):
        total = (x * w + total).astype(a.dtype)
    return total


def rounded_once(a: Array, b: Array) -> Array:
    """Accumulated in float64, rounded once."""
    return np.sum(a.astype(np.float64) * b, axis=1).astype(a.dtype)


ORDERS: Mapping[str, Order] = {
    order.__name__.replace("_", " "): order
    for order in (forward, backward, pairwise, blocked, matrix_product, in_random_order, fused, rounded_once)
}

TERMS: Mapping[int, int] = {1: 3000, 2: 3000, 3: 3000, 9: 2000, 27: 1000, 144: 500, 576: 200, 4608: 50}
"""Numbers of terms, and how many sums are drawn of each."""


def magnitudes(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Both signs, over twelve binary orders: what cases hold."""
    return rng.standard_normal(shape) * np.exp2(rng.integers(-6, 7, shape))


def positive(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Alike and of one sign, so that partial sums grow."""
    return rng.uniform(1, 2, shape)


def cancelling(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Each number followed by nearly its opposite."""
    half = np.repeat(rng.standard_normal((*shape[:-1], -(-shape[-1] // 2))), 2, axis=-1)[..., : shape[-1]]
    return half * np.where(np.arange(shape[-1]) % 2, -1 + 2.0**-10, 1)


KINDS = (magnitudes, positive, cancelling)


def factors(terms: int, sums: int, kind: Callable[..., Array], seed: int = 0) -> tuple[Array, Array]:
    """Two float32 factors of each product; those of the second are positive where the kind is about signs."""
    rng = np.random.default_rng(seed)
    a, b = kind(rng, (sums, terms)), magnitudes(rng, (sums, terms))
    second = b if kind is magnitudes else np.full_like(b, 1) + 0.1 * rng.random(b.shape)
    return a.astype(np.float32), second.astype(np.float32)


def call_of(a: Array, b: Array, bias: Array | None = None) -> Call:
    """The sums as a depthwise convolution: a channel for each, a kernel as long as the map."""
    ones = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,)}
    return Call("depthwise_conv", 1, {"x": a[None], "w": b[:, None], "b": bias}, ones)


def error(call: Call, got: Array, result: int = 0) -> Array:
    """How far a result of a call on rounded data is from the true one, in units of the bound."""
    case = Case("bounds", (call,), Data.ROUNDED, {})
    difference = np.abs(got.astype(np.float64) - oracle(call)[result])
    bound = np.broadcast_to(oracle.tolerance(case)[result], difference.shape)
    return np.divide(difference, bound, out=np.zeros_like(difference), where=difference > 0)


def errors(order: Order, terms: int, sums: int) -> Array:
    """Of sums in such an order, on every kind of data."""
    drawn = (factors(terms, sums, kind) for kind in KINDS)
    return np.concatenate([error(call_of(a, b), order(a, b)[None, :, None]).ravel() for a, b in drawn])


PLACES = ("first factors", "second factors", "products", "partial sums", "result")


def stepwise(a: Array, b: Array, place: str, bits: float) -> Array:
    """One product after the other, everything at one place rounded to a narrower format."""

    def step(at: str, value: Array) -> Array:
        return rounded(bits)(value) if at == place else value

    terms = step("products", step("first factors", a) * step("second factors", b))
    total = np.zeros(len(a), a.dtype)
    for term in terms.T:
        total = step("partial sums", total + term)
    return step("result", total)


def wide_factors(terms: int, sums: int) -> tuple[Array, Array]:
    """Wide integers and companions, as exact cases hold them: the sums are representable."""
    rng, dtype = np.random.default_rng(0), np.dtype(np.float32)
    pairs = [
        (wide_integers(rng, (terms,), dtype), companions(rng, (terms,), dtype, terms)) for _ in range(sums)
    ]
    first, second = (np.stack(part).astype(np.float32) for part in zip(*pairs, strict=True))
    return first, second


def seen(terms: int, place: str, bits: float, sums: int = 500) -> tuple[float, float]:
    """The share of sums in which a rounding is seen: by the bound, and on wide integers."""
    a, b = factors(terms, sums, magnitudes)
    by_bound = np.mean(error(call_of(a, b), stepwise(a, b, place, bits)[None, :, None]) > 1)
    a, b = wide_factors(terms, sums)
    return float(by_bound), float(np.mean(stepwise(a, b, place, bits) != forward(a, b)))


def main() -> None:
    """Print the worst error of each order and number of terms, and the share of roundings that are seen."""
    print("| order | " + " | ".join(map(str, TERMS)) + " |\n| --- |" + " --- |" * len(TERMS))
    for name, order in ORDERS.items():
        worst = (float(errors(order, terms, sums).max()) for terms, sums in TERMS.items())
        print(f"| {name} | " + " | ".join(f"{w:.3f}" for w in worst) + " |")
    print(f"{len(ORDERS) * len(KINDS) * sum(TERMS.values()):,} results\n")
    print("| format | place | " + " | ".join(map(str, SHORT)) + " |\n| --- | --- |" + " --- |" * len(SHORT))
    for (name, (bits, dtype)), place in product(FORMATS.items(), PLACES):
        if dtype == "float32":
            shares = ("{:.0%}, {:.0%}".format(*seen(terms, place, bits)) for terms in SHORT)
            print(f"| {name} | {place} | " + " | ".join(shares) + " |")


SHORT = (1, 3, 9, 27, 144)
"""Numbers of terms of sums in which a step is rounded."""


if __name__ == "__main__":
    main()
