"""Strategies for everything that the reference takes, and the helpers that its tests share."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import strategies as st

from cnn_reference import columns, correlation, pooling
from cnn_spec.bounds import gamma, unit_roundoff

DTYPES = st.sampled_from([np.float32, np.float64])
CACHES = st.sampled_from([(1 << 20, 1 << 14), (1 << 20, 0), (3000, 0), (1, 0)])
"""Bytes of the cache and bytes not worth saving: where these are few, small images take the ways of large ones."""


class Drawn(NamedTuple):
    """Arrays of an operation, the gradient of its result among them, and its parameters."""

    rank: int
    x: Any
    w: Any
    b: Any
    dy: Any
    parameters: dict[str, Any]


@contextmanager
def cache_of(sizes: tuple[int, int]) -> Iterator[None]:
    """Let the reference believe in a cache of so many bytes, and in so many that are not worth saving."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (columns, correlation, pooling):
            patch.setattr(module, "CACHE", sizes[0])
        patch.setattr(columns, "SMALL", sizes[1])
        columns.plan.cache_clear()
        yield
    columns.plan.cache_clear()


def laid_out(a: Any, layout: str) -> Any:
    """The same values in another memory layout."""
    if layout == "strided":
        wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
        wide[..., ::2] = a
        return wide[..., ::2]
    if layout == "reversed":
        return a[..., ::-1].copy()[..., ::-1]
    if layout == "fortran":
        return np.asfortranarray(a)
    if layout == "channels last":
        return np.moveaxis(np.moveaxis(a, 1, -1).copy(), -1, 1)
    if layout == "read-only":
        a = a.copy()
        a.flags.writeable = False
    return a


LAYOUTS = st.sampled_from(["plain", "strided", "reversed", "fortran", "channels last", "read-only"])


def small(low: int, high: int, rank: int) -> st.SearchStrategy[tuple[int, ...]]:
    """One integer for each axis."""
    return st.tuples(*[st.integers(low, high)] * rank)


def filled(seed: int, exact: bool, dtype: Any = np.float64) -> Any:
    """A function from shapes to arrays: of small integers, or of floats over a wide range of magnitudes."""
    rng = np.random.default_rng(seed)

    def fill(*shape: int) -> Any:
        if exact:
            return rng.integers(-5, 6, shape).astype(dtype)
        return (rng.standard_normal(shape) * 10.0 ** rng.integers(-3, 4, shape)).astype(dtype)

    return fill


@st.composite
def convolutions(draw: Any, exact: bool, transposed: bool = False, dtype: Any = np.float64) -> Drawn:
    """Images, filters and parameters of a convolution; its input size follows from the output's."""
    rank = draw(st.integers(1, 3))
    kernel, stride, dilation = (draw(small(1, 3, rank)) for _ in range(3))
    padding = tuple(zip(draw(small(0, 3, rank)), draw(small(0, 3, rank)), strict=True))
    out = draw(small(1, (5, 3, 2)[rank - 1], rank))
    remainder = tuple(draw(st.integers(0, s - 1)) for s in stride)
    sizes = [
        max(1, (o - 1) * s + d * (k - 1) + 1 + r - sum(p))
        for o, s, d, k, r, p in zip(out, stride, dilation, kernel, remainder, padding, strict=True)
    ]
    out = tuple(
        (n + sum(p) - d * (k - 1) - 1) // s + 1
        for n, p, d, k, s in zip(sizes, padding, dilation, kernel, stride, strict=True)
    )
    groups, batch = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    c_in, c_out = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    parameters: dict[str, Any] = {
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
    }
    fill = filled(draw(st.integers(0, 2**32 - 1)), exact, dtype)
    w = fill(c_out, c_in // groups, *kernel)
    images, maps = fill(batch, c_in, *sizes), fill(batch, c_out, *out)
    if not transposed:
        return Drawn(rank, images, w, draw(st.sampled_from([None, fill(c_out)])), maps, parameters)
    parameters["output_padding"] = tuple(
        n - ((o - 1) * s - sum(p) + d * (k - 1) + 1)
        for n, o, s, p, d, k in zip(sizes, out, stride, padding, dilation, kernel, strict=True)
    )
    return Drawn(rank, maps, w, draw(st.sampled_from([None, fill(c_in)])), images, parameters)


@st.composite
def poolings(draw: Any, *, dilated: bool, ties: bool = True, dtype: Any = np.float64) -> Drawn:
    """Images and parameters of a pooling in which every window has an element of the input."""
    rank = draw(st.integers(1, 3))
    kernel, stride = draw(small(1, 4, rank)), draw(small(1, 4, rank))
    dilation = draw(small(1, 2, rank)) if dilated else (1,) * rank
    padding = tuple((draw(st.integers(0, k // 2)), draw(st.integers(0, k // 2))) for k in kernel)
    ceil_mode = draw(st.booleans())
    sizes, out = [], []
    for k, s, d, p in zip(kernel, stride, dilation, padding, strict=True):
        n = max(draw(st.integers(1, 9)), d * k)
        room = n + sum(p) - d * (k - 1) - 1
        windows = room // s + 1
        if ceil_mode and room % s and windows * s < n + p[0]:
            windows += 1
        sizes.append(n)
        out.append(windows)
    batch, channels = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    fill = filled(draw(st.integers(0, 2**32 - 1)), ties, dtype)
    parameters = {"kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    if dilated:
        parameters["dilation"] = dilation
    else:
        parameters["count_include_pad"] = draw(st.booleans())
    return Drawn(rank, fill(batch, channels, *sizes), None, None, fill(batch, channels, *out), parameters)


def assert_within(got: Any, expected: Any, terms: int, absolute: Any) -> None:
    """Hold a result against the true one, given how many roundings a term meets and the sum of magnitudes."""
    u, normal = unit_roundoff(got.dtype), float(np.finfo(got.dtype).smallest_normal)
    bound = (gamma(terms, u) + gamma(terms, 2.0**-53)) * absolute + 2 * terms * normal
    assert got.shape == expected.shape
    error = np.abs(got.astype(np.float64) - expected)
    assert np.all(error <= bound), f"worst {np.max(error / bound)} of the bound"
