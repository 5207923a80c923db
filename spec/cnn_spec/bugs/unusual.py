"""Wrong answers to unusual calls: an empty batch, NaN and infinity, and what should have been refused."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from cnn_spec import sizes
from cnn_spec.bugs.changes import no_padding, spatial
from cnn_spec.bugs.conditions import grouped, padded
from cnn_spec.bugs.model import Bug, Wrong, answering, bug, giving, refitted, refusing, taking
from cnn_spec.bugs.pooling_rules import pooled, whole
from cnn_spec.definitions.pooling import Window
from cnn_spec.operations import Array, Call, Implementation, Results
from cnn_spec.shapes import result_shapes

CONV, MAX, AVG = "conv", "max_pool", "avg_pool"


# NaN and infinity


def without_nan(call: Call, x: Array) -> Array:
    """NaN taken for zero."""
    return np.nan_to_num(x, nan=0.0, posinf=np.inf, neginf=-np.inf)


def least_nan(call: Call, x: Array) -> Array:
    """NaN taken for less than any number."""
    return np.where(np.isnan(x), -np.inf, x).astype(x.dtype)


def least_finite(call: Call, window: Window, e: Array) -> Array:
    """The largest, from the lowest finite number on."""
    return np.asarray(np.maximum(e.max(-1), np.finfo(e.dtype).min))


def first_nan_only(call: Call, window: Window, e: Array) -> Array:
    """The largest by comparisons, from the first element on: a NaN counts if it comes first."""
    best = e[..., 0]
    for i in range(1, e.shape[-1]):
        best = np.where(e[..., i] > best, e[..., i], best)
    return np.asarray(best)


def spread_over(axes: Callable[[Call], tuple[int, ...]]) -> Wrong:
    """What is no finite number reaches all that it is multiplied by 0 with, along these axes of the result."""

    def wrong(right: Implementation) -> Implementation:
        def answer(call: Call) -> Results:
            (y,) = right(call)
            zero = 0 * call["x"].sum(axis=axes(call), keepdims=True)
            return ((y + zero).astype(y.dtype),)

        return answer

    return wrong


def across_channels(call: Call) -> tuple[int, ...]:
    """All channels and places of a sample."""
    return (1, *spatial(call))


NON_FINITE: tuple[Bug, ...] = (
    *(
        bug(f"a NaN in the map is taken for zero{words}", operation, taking("x", without_nan))
        for operation, words in (
            (CONV, ""),
            ("conv_transpose", " in a transposed convolution"),
            ("depthwise_conv", " in a depthwise convolution"),
            ("linear", " in a flat layer"),
            ("downsample", " in downsampling"),
        )
    ),
    bug("zero weights hide a NaN", CONV, taking("x", without_nan), lambda c: bool(np.any(c["w"] == 0))),
    bug("a NaN or an infinity spreads over its sample, undeclared", CONV, spread_over(across_channels)),
    bug(
        "a NaN or an infinity in one group spreads to the others", CONV, spread_over(across_channels), grouped
    ),
    bug(
        "depthwise: a NaN or an infinity spreads to the other channels",
        "depthwise_conv",
        spread_over(across_channels),
    ),
    bug(
        "shuffle: a NaN or an infinity spreads over its sample", "pixel_shuffle", spread_over(across_channels)
    ),
    bug("inserted zeros are products, and NaN beside a NaN", "upsample", spread_over(spatial)),
    bug(
        "a NaN in a pooling window is overlooked, undeclared",
        MAX,
        taking("x", least_nan),
        source="tracel-ai/burn/pull/5662",
    ),
    bug(
        "a NaN in a pooling window is overlooked in 3-d, undeclared",
        MAX,
        taking("x", least_nan),
        ranks=(3,),
        source="pytorch/pytorch/issues/39846",
    ),
    bug(
        "a NaN in a pooling window counts only if it comes first",
        MAX,
        pooled(first_nan_only),
        source="tracel-ai/burn/pull/5662",
    ),
    bug("the maximum starts from the lowest finite number", MAX, pooled(least_finite)),
    bug(
        "padding counts as the lowest finite number",
        MAX,
        pooled(lambda c, w, e: e.max(-1) if whole(c, w) else least_finite(c, w, e)),
        padded,
    ),
    bug(
        "an infinity is taken for the largest number",
        (CONV, MAX, AVG),
        taking("x", lambda c, x: np.clip(x, np.finfo(x.dtype).min, np.finfo(x.dtype).max)),
    ),
    bug("a NaN in a mean is left out", AVG, taking("x", without_nan)),
    bug("relu: x times whether it is positive", "relu", answering(lambda c: c["x"] * (c["x"] > 0))),
    bug(
        "softmax: minus infinity gives a NaN",
        "softmax",
        giving("y", lambda c, y: np.where(np.isneginf(c["x"]), np.nan, y)),
    ),
)


# an empty batch


def empty_batch(call: Call) -> bool:
    """No sample."""
    return bool(call["x"].shape[0] == 0)


def uninitialised(right: Implementation) -> Implementation:
    """Results are never written to."""
    return lambda call: tuple(np.full_like(part, 1e30) for part in right(call))


def one_of_zeros(right: Implementation) -> Implementation:
    """A sample of zeros."""
    return lambda call: tuple(np.zeros((1, *part.shape[1:]), part.dtype) for part in right(call))


EMPTY: tuple[Bug, ...] = (
    bug(
        "an empty batch is refused",
        (CONV, "conv_backward"),
        refusing,
        empty_batch,
        source="meta-pytorch/opacus/pull/530",
    ),
    *(
        bug(f"an empty batch is refused by {operation}", operation, refusing, empty_batch)
        for operation in ("conv_transpose", MAX, "avg_pool_backward", "linear", "softmax", "pixel_shuffle")
    ),
    bug("an empty batch is answered with a sample of zeros", CONV, one_of_zeros, empty_batch),
    bug("an empty batch of means is answered with a sample of zeros", AVG, one_of_zeros, empty_batch),
    bug(
        "an empty batch leaves dw as memory was",
        "conv_backward",
        uninitialised,
        empty_batch,
        source="FluxML/NNlib.jl/pull/763",
    ),
    *(
        bug(
            f"{word}dw of an empty batch is a mean of nothing, NaN",
            operation,
            giving("dw", lambda c, dw: np.full_like(dw, np.nan)),
            empty_batch,
        )
        for word, operation in (("", "conv_backward"), ("linear ", "linear_backward"))
    ),
)


# what should have been refused


def instead(change: Callable[[Call], Call]) -> Wrong:
    """Another call is answered where the call is refused."""

    def wrong(right: Implementation) -> Implementation:
        def answer(call: Call) -> Results:
            try:
                return right(call)
            except Exception:  # noqa: BLE001 - whatever the right one refuses with
                return right(change(call))

        return answer

    return wrong


def at_least_one(name: str) -> Wrong:
    """A parameter below 1 is taken for 1."""
    return instead(lambda c: c.but(**{name: tuple(max(value, 1) for value in c[name])}))


def answers_nothing(right: Implementation) -> Implementation:
    """A call that is refused is answered with nothing instead."""

    def answer(call: Call) -> Results:
        try:
            return right(call)
        except Exception:  # noqa: BLE001 - whatever the right one refuses with
            return tuple(np.zeros((0,) * 2) for _ in call.results)

    return answer


def cut(call: Call, name: str, *sizes: int | None) -> Call:
    """The first elements of an array, so many along each axis."""
    return call.but(**{name: call[name][tuple(map(slice, sizes))]})


def channels_that_fit(call: Call) -> Call:
    """As many input channels as the filters have."""
    return cut(call, "x", None, call["w"].shape[1] * call["groups"])


def filters_that_fit(call: Call) -> Call:
    """As many channels in each filter as there are in a group, or in the input of a flat layer."""
    return cut(call, "w", None, call["x"].shape[1] // call.parameters.get("groups", 1))


def kernel_that_fits(call: Call) -> Call:
    """A kernel no larger than the padded map."""
    padded_sizes = (n + sum(p) for n, p in zip(call["x"].shape[2:], call["padding"], strict=True))
    axes = zip(
        call["kernel_size"], padded_sizes, call.parameters.get("dilation", (1,) * call.rank), strict=True
    )
    return call.but(kernel_size=tuple(min(k, (size - 1) // d + 1) for k, size, d in axes))


def smallest_window(call: Call) -> Call:
    """A kernel of 1 at least, and no padding."""
    return call.but(kernel_size=tuple(max(k, 1) for k in call["kernel_size"]), padding=no_padding(call, ()))


def samples_that_fit(call: Call) -> Call:
    """As many samples of `dy` as the input has, of the right size."""
    return refitted(cut(call, "dy", call["x"].shape[0]))


def less_cropped(call: Call) -> Call:
    """One element less taken off at the end of the last axis."""
    *rest, (before, after) = call["padding"]
    return call.but(padding=(*rest, (before, after - 1)))


def divisible(call: Call) -> Call:
    """What the factor divides of the channels, or of each axis."""
    if call.operation == "pixel_shuffle":
        return cut(call, "x", None, call["x"].shape[1] // prod(call["factor"]) * prod(call["factor"]))
    axes = zip(call["x"].shape[2:], call["factor"], strict=True)
    return cut(call, "x", None, None, *(n // f * f for n, f in axes))


def unchecked(call: Call) -> int:
    """The formula, whatever comes of it."""
    formula: Callable[..., Any] = getattr(sizes, call.operation)
    return int(formula(**call.arguments, **call.parameters))


ANSWERED: tuple[Bug, ...] = (
    bug(
        "a kernel larger than the padded map is answered with nothing",
        CONV,
        answers_nothing,
        source="keras-team/keras/pull/21796",
    ),
    *(
        bug(
            f"a window larger than the padded map is cut to it in {operation}",
            operation,
            instead(kernel_that_fits),
        )
        for operation in (MAX, AVG)
    ),
    bug(
        "a stride of 0 is answered",
        MAX,
        at_least_one("stride"),
        source="pytorch/pytorch/issues/27598",
    ),
    *(
        bug(f"a {name} below 1 is taken for 1 in {operation}", operation, at_least_one(name))
        for name, operation in (
            ("stride", CONV),
            ("stride", "conv_transpose"),
            ("stride", AVG),
            ("dilation", CONV),
            ("dilation", MAX),
            ("factor", "downsample"),
            ("factor", "upsample"),
        )
    ),
    bug("a window of 0 is one of 1, without padding", MAX, instead(smallest_window)),
    bug("channels that the groups do not divide are left out", CONV, instead(channels_that_fit)),
    bug(
        "more groups than channels are as many as fit",
        CONV,
        instead(lambda c: c.but(groups=c["x"].shape[1] // c["w"].shape[1])),
    ),
    *(
        bug(f"filters for a channel more are cut in {operation}", operation, instead(filters_that_fit))
        for operation in (CONV, "linear")
    ),
    *(
        bug(
            f"a bias for a channel more is cut in {operation}",
            operation,
            instead(lambda c: c if c["b"] is None else cut(c, "b", result_shapes(c)[0][1])),
        )
        for operation in (CONV, "linear", "conv_transpose")
    ),
    *(
        bug(f"a derivative that is too long is cut in {operation}", operation, instead(samples_that_fit))
        for operation in ("conv_backward", "max_pool_backward", "linear_backward", "upsample_backward")
    ),
    *(
        bug(f"an axis too many is dropped in {operation}", operation, instead(lambda c: c.but(x=c["x"][0])))
        for operation in (CONV, MAX, "downsample")
    ),
    bug(
        "softmax: axes are counted round and round",
        "softmax",
        taking("axis", lambda c, axis: axis % c["x"].ndim),
    ),
    bug(
        "shuffle: channels that the factor does not divide are left out", "pixel_shuffle", instead(divisible)
    ),
    bug(
        "unshuffle: columns that the factor does not divide are left out",
        "pixel_unshuffle",
        instead(divisible),
    ),
    bug("transposed: padding leaves at least one output", "conv_transpose", instead(less_cropped)),
    bug(
        "pooled sizes are at least 1",
        "pool_output_size",
        answering(lambda c: max(unchecked(c), 1)),
        source="microsoft/onnxruntime/issues/25234",
    ),
    bug(
        "pooled sizes may be 0 and below",
        "pool_output_size",
        answering(unchecked),
        source="tensorflow/tfjs/issues/7130",
    ),
    bug("sizes may be 0 and below", "conv_output_size", answering(unchecked)),
    bug("transposed sizes may be 0 and below", "conv_transpose_output_size", answering(unchecked)),
    bug(
        "counts: groups that do not divide the channels are answered",
        "conv_param_count",
        answering(unchecked),
    ),
)

BUGS = NON_FINITE + EMPTY + ANSWERED
