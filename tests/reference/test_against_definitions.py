"""The reference against the literal sums, exactly, on integers."""

from typing import Any

import numpy as np
from drawing import CACHES, LAYOUTS, Drawn, cache_of, convolutions, filled, laid_out, poolings, small
from hypothesis import given, settings
from hypothesis import strategies as st

import cnn_reference
from cnn_spec.definitions import convolution as literal
from cnn_spec.definitions import pooling as literal_pooling
from cnn_spec.definitions import resampling as literal_resampling

SLOW = settings(deadline=None, max_examples=150)  # the literal sums are slow on purpose


def function(template: str, rank: int) -> Any:
    return getattr(cnn_reference, template.format(rank))


@SLOW
@given(convolutions(exact=True), CACHES, LAYOUTS)
def test_conv(drawn: Drawn, cache: tuple[int, int], layout: str) -> None:
    x, w, dy = (laid_out(a, layout) for a in (drawn.x, drawn.w, drawn.dy))
    with cache_of(cache):
        y = function("conv{}d", drawn.rank)(x, w, drawn.b, **drawn.parameters)
        gradients = function("conv{}d_backward", drawn.rank)(dy, x, w, **drawn.parameters)
    np.testing.assert_array_equal(y, literal.conv(x, w, drawn.b, **drawn.parameters))
    for got, expected in zip(gradients, literal.conv_backward(dy, x, w, **drawn.parameters), strict=True):
        np.testing.assert_array_equal(got, expected)


@SLOW
@given(convolutions(exact=True, transposed=True), CACHES, LAYOUTS)
def test_conv_transpose_is_the_adjoint(drawn: Drawn, cache: tuple[int, int], layout: str) -> None:
    x, w, dy = (laid_out(a, layout) for a in (drawn.x, drawn.w, drawn.dy))
    with cache_of(cache):
        y = function("conv_transpose{}d", drawn.rank)(x, w, drawn.b, **drawn.parameters)
        dx, dw, db = function("conv_transpose{}d_backward", drawn.rank)(dy, x, w, **drawn.parameters)
    forward = {name: value for name, value in drawn.parameters.items() if name != "output_padding"}
    expected, dw_expected, _ = literal.conv_backward(x, dy, w, **forward)
    ones = (1,) * drawn.rank
    np.testing.assert_array_equal(y, expected if drawn.b is None else expected + drawn.b.reshape(-1, *ones))
    np.testing.assert_array_equal(dx, literal.conv(dy, w, None, **forward))
    np.testing.assert_array_equal(dw, dw_expected)
    np.testing.assert_array_equal(db, sum(np.moveaxis(dy, 1, -1).reshape(-1, dy.shape[1])))


@SLOW
@given(convolutions(exact=True), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_depthwise_and_separable(drawn: Drawn, multiplier: int, c_out: int, seed: int) -> None:
    fill = filled(seed, exact=True)
    channels, ones = drawn.x.shape[1], (1,) * drawn.rank
    depthwise = fill(channels * multiplier, 1, *drawn.w.shape[2:])
    pointwise, b = fill(c_out, channels * multiplier, *ones), fill(c_out)
    moves = {name: drawn.parameters[name] for name in ("stride", "padding", "dilation")}
    between = literal.conv(drawn.x, depthwise, None, groups=channels, **moves)
    got = function("depthwise_conv{}d", drawn.rank)(drawn.x, depthwise, None, **moves)
    np.testing.assert_array_equal(got, between)
    got = function("separable_conv{}d", drawn.rank)(drawn.x, depthwise, pointwise, b, **moves)
    expected = literal.conv(
        between, pointwise, b, stride=ones, padding=((0, 0),) * drawn.rank, dilation=ones, groups=1
    )
    np.testing.assert_array_equal(got, expected)


@SLOW
@given(poolings(dilated=True), CACHES, LAYOUTS)
def test_max_pool(drawn: Drawn, cache: tuple[int, int], layout: str) -> None:
    x, dy = laid_out(drawn.x, layout), laid_out(drawn.dy, layout)
    with cache_of(cache):
        y = function("max_pool{}d", drawn.rank)(x, **drawn.parameters)
        also_y, indices = function("max_pool{}d_with_indices", drawn.rank)(x, **drawn.parameters)
        dx = function("max_pool{}d_backward", drawn.rank)(dy, x, **drawn.parameters)
    expected, first = literal_pooling.max_pool_with_indices(x, **drawn.parameters)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(also_y, expected)
    np.testing.assert_array_equal(indices, first)
    np.testing.assert_array_equal(dx, literal_pooling.max_pool_backward(dy, x, **drawn.parameters))


@SLOW
@given(poolings(dilated=False), CACHES)
def test_avg_pool_is_the_mean_of_integers_rounded_once(drawn: Drawn, cache: tuple[int, int]) -> None:
    whole = np.vectorize(int, otypes=[object])
    with cache_of(cache):
        y = function("avg_pool{}d", drawn.rank)(drawn.x, **drawn.parameters)
        dx = function("avg_pool{}d_backward", drawn.rank)(drawn.dy, drawn.x, **drawn.parameters)
    mean = literal_pooling.avg_pool(whole(drawn.x), **drawn.parameters)
    np.testing.assert_array_equal(y, mean.astype(float))
    share = literal_pooling.avg_pool_backward(whole(drawn.dy), whole(drawn.x), **drawn.parameters)
    np.testing.assert_allclose(dx, share.astype(float), rtol=0, atol=256 * 5 * 2.0**-53)


@SLOW
@given(st.integers(1, 3), st.data(), st.integers(0, 2**32 - 1), LAYOUTS)
def test_resampling(rank: int, data: Any, seed: int, layout: str) -> None:
    fill = filled(seed, exact=True)
    factor, sizes = data.draw(small(1, 3, rank)), data.draw(small(1, 5, rank))
    x = laid_out(fill(2, 3, *sizes), layout)
    for name in ("downsample", "upsample"):
        y = getattr(literal_resampling, name)(x, factor=factor)
        np.testing.assert_array_equal(function(name + "{}d", rank)(x, factor=factor), y)
        dy = laid_out(fill(*y.shape), layout)
        got = function(name + "{}d_backward", rank)(dy, x, factor=factor)
        expected = getattr(literal_resampling, name + "_backward")(dy, x, factor=factor)
        np.testing.assert_array_equal(got, expected)


@SLOW
@given(st.integers(1, 3), st.data(), st.integers(0, 2**32 - 1))
def test_pixel_shuffles_move_each_element_to_its_place(rank: int, data: Any, seed: int) -> None:
    factor, sizes = data.draw(small(1, 3, rank)), data.draw(small(1, 3, rank))
    x = filled(seed, exact=True)(2, 3, *[n * f for n, f in zip(sizes, factor, strict=True)])
    y = function("pixel_unshuffle{}d", rank)(x, factor=factor)
    assert y.shape == (2, 3 * int(np.prod(factor)), *sizes)
    for channel, *place in np.ndindex(3, *x.shape[2:]):
        offset = 0
        for at, f in zip(place, factor, strict=True):
            offset = offset * f + at % f
        source = [at // f for at, f in zip(place, factor, strict=True)]
        to = (channel * int(np.prod(factor)) + offset, *source)
        np.testing.assert_array_equal(y[(slice(None), *to)], x[(slice(None), channel, *place)])
    np.testing.assert_array_equal(function("pixel_shuffle{}d", rank)(y, factor=factor), x)
