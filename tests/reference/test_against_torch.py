"""The reference against torch, on floats, within derived bounds.

torch computes in float64. A bound needs the same sum over absolute values, which torch computes too.
"""

from typing import Any

import numpy as np
import torch
from drawing import CACHES, Drawn, assert_within, cache_of, convolutions, poolings
from hypothesis import given, settings
from hypothesis import strategies as st

import cnn_reference

FLOATS = st.sampled_from(["float32", "float64"])
torch.set_num_threads(1)


def sides(padding: tuple[tuple[int, int], ...]) -> list[int]:
    """torch's way of writing padding: the last axis first, flat."""
    return [side for pair in reversed(padding) for side in pair]


def with_gradients(forward: Any, dy: Any, *arrays: Any) -> list[Any]:
    """The result in float64, and the gradients of the arrays."""
    leaves = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in arrays]
    y = forward(*leaves)
    gradients = torch.autograd.grad(y, leaves, torch.tensor(dy, dtype=torch.float64))
    return [y.detach().numpy(), *[g.numpy() for g in gradients]]


def compare(forward: Any, dy: Any, arrays: list[Any], got: list[Any], terms: list[int]) -> None:
    """Hold a result and its gradients against torch's, each within its bound."""
    expected = with_gradients(forward, dy, *arrays)
    absolute = with_gradients(forward, np.abs(dy), *map(np.abs, arrays))
    for result, true, magnitude, t in zip(got, expected, absolute, terms, strict=True):
        assert result.dtype == arrays[0].dtype
        assert_within(result, true, t, magnitude)


@settings(deadline=None)
@given(FLOATS.flatmap(lambda d: convolutions(exact=False, dtype=np.dtype(d))), CACHES)
def test_conv(drawn: Drawn, cache: tuple[int, int]) -> None:
    rank, x, w, b, dy, p = drawn
    b = np.zeros(len(w), x.dtype) if b is None else b
    torch_conv = getattr(torch.nn.functional, f"conv{rank}d")

    def forward(x: Any, w: Any, b: Any) -> Any:
        padded = torch.nn.functional.pad(x, sides(p["padding"]))
        return torch_conv(padded, w, b, p["stride"], 0, p["dilation"], p["groups"])

    with cache_of(cache):
        y = getattr(cnn_reference, f"conv{rank}d")(x, w, b, **p)
        gradients = getattr(cnn_reference, f"conv{rank}d_backward")(dy, x, w, **p)
    taps, positions = int(np.prod(w.shape[1:])), dy[:, 0].size
    shares = len(w) // p["groups"] * int(np.prod(w.shape[2:]))
    compare(forward, dy, [x, w, b], [y, *gradients], [taps + 1, shares, positions, positions])


@settings(deadline=None)
@given(FLOATS.flatmap(lambda d: convolutions(exact=False, transposed=True, dtype=np.dtype(d))), CACHES)
def test_conv_transpose(drawn: Drawn, cache: tuple[int, int]) -> None:
    rank, x, w, b, dy, p = drawn
    b = np.zeros(dy.shape[1], x.dtype) if b is None else b
    torch_conv = getattr(torch.nn.functional, f"conv_transpose{rank}d")

    def forward(x: Any, w: Any, b: Any) -> Any:
        # torch's padding is symmetric, so it gets none, and what is too much is cut away.
        full = torch_conv(x, w, None, p["stride"], 0, 0, p["groups"], p["dilation"])
        full = torch.nn.functional.pad(full, sides(tuple((0, o) for o in p["output_padding"])))
        cut = [
            slice(before, n - after) for n, (before, after) in zip(full.shape[2:], p["padding"], strict=True)
        ]
        return full[(..., *cut)] + b.reshape(-1, *(1,) * rank)

    with cache_of(cache):
        y = getattr(cnn_reference, f"conv_transpose{rank}d")(x, w, b, **p)
        gradients = getattr(cnn_reference, f"conv_transpose{rank}d_backward")(dy, x, w, **p)
    shares = x.shape[1] // p["groups"] * int(np.prod(w.shape[2:]))
    terms = [shares + 1, int(np.prod(w.shape[1:])), x[:, 0].size, dy[:, 0].size]
    compare(forward, dy, [x, w, b], [y, *gradients], terms)


@settings(deadline=None)
@given(FLOATS.flatmap(lambda d: poolings(dilated=True, ties=False, dtype=np.dtype(d))))
def test_max_pool(drawn: Drawn) -> None:
    rank, x, _, _, dy, p = drawn
    torch_pool = getattr(torch.nn.functional, f"max_pool{rank}d")
    k, s, d = p["kernel_size"], p["stride"], p["dilation"]

    def forward(x: Any) -> Any:
        # Padding that covers the last window makes asymmetric padding and ceil_mode one case.
        needed = [
            (o - 1) * ss + dd * (kk - 1) + 1 for o, ss, dd, kk in zip(dy.shape[2:], s, d, k, strict=True)
        ]
        after = [
            max(0, size - n - before)
            for size, n, (before, _) in zip(needed, x.shape[2:], p["padding"], strict=True)
        ]
        pads = tuple((before, extra) for (before, _), extra in zip(p["padding"], after, strict=True))
        padded = torch.nn.functional.pad(x, sides(pads), value=-float("inf"))
        pooled = torch_pool(padded, k, s, 0, d)
        return pooled[(..., *[slice(o) for o in dy.shape[2:]])]

    y, dx = with_gradients(forward, dy, x)
    np.testing.assert_array_equal(getattr(cnn_reference, f"max_pool{rank}d")(x, **p), y)
    got = getattr(cnn_reference, f"max_pool{rank}d_backward")(dy, x, **p)
    assert got.dtype == x.dtype
    magnitude = with_gradients(forward, np.abs(dy), x)[1]
    assert_within(got, dx, int(np.prod(k)), magnitude)


@settings(deadline=None)
@given(FLOATS.flatmap(lambda d: poolings(dilated=False, ties=False, dtype=np.dtype(d))), CACHES)
def test_avg_pool(drawn: Drawn, cache: tuple[int, int]) -> None:
    rank, x, _, _, dy, p = drawn
    channels, k, s = x.shape[1], p["kernel_size"], p["stride"]

    def forward(x: Any) -> Any:
        # A sum over each window and a count of it, both by convolution with ones.
        ones = torch.ones((channels, 1, *k), dtype=torch.float64)
        conv = getattr(torch.nn.functional, f"conv{rank}d")
        needed = [(o - 1) * ss + kk for o, ss, kk in zip(dy.shape[2:], s, k, strict=True)]
        after = [size - n - b for size, n, (b, _) in zip(needed, x.shape[2:], p["padding"], strict=True)]
        pads = tuple((b, extra) for (b, _), extra in zip(p["padding"], after, strict=True))

        def summed(image: Any) -> Any:
            return conv(torch.nn.functional.pad(image, sides(pads)), ones, None, s, groups=channels)

        counted = torch.ones_like(x)
        if p["count_include_pad"]:
            inside = tuple((b, min(a, extra)) for (b, a), (_, extra) in zip(p["padding"], pads, strict=True))
            counted = torch.nn.functional.pad(counted, sides(inside), value=1.0)
            beyond = tuple((0, extra - i) for (_, extra), (_, i) in zip(pads, inside, strict=True))
            count = conv(torch.nn.functional.pad(counted, sides(beyond)), ones, None, s, groups=channels)
        else:
            count = summed(counted)
        return summed(x) / count

    with cache_of(cache):
        y = getattr(cnn_reference, f"avg_pool{rank}d")(x, **p)
        dx = getattr(cnn_reference, f"avg_pool{rank}d_backward")(dy, x, **p)
    cover = int(np.prod([-(-kk // ss) for kk, ss in zip(k, s, strict=True)]))
    compare(forward, dy, [x], [y, dx], [int(np.prod(k)) + 1, cover + 1])


@settings(deadline=None)
@given(FLOATS, st.integers(1, 6), st.integers(1, 40), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_linear(dtype: str, n: int, n_in: int, n_out: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, w, b, dy = (
        rng.standard_normal(shape).astype(dtype) for shape in ((n, n_in), (n_out, n_in), (n_out,), (n, n_out))
    )
    got = [cnn_reference.linear(x, w, b), *cnn_reference.linear_backward(dy, x, w)]
    compare(torch.nn.functional.linear, dy, [x, w, b], got, [n_in + 1, n_out, n, n])
