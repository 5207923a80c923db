"""Wrong numbers of the right operation: rounded inputs, products, partial sums and results, narrow accumulation, NaN."""

from collections.abc import Callable
from itertools import product
from math import prod

import numpy as np

from cnn_spec.bugs.conditions import batched, channels_above, depthwise, grouped, kind, strided
from cnn_spec.bugs.depthwise import SEPARABLE, between
from cnn_spec.bugs.model import Bug, Wrong, answering, asked, bug, giving, taking
from cnn_spec.bugs.pooling_rules import planes, right_count, windows_of
from cnn_spec.operations import Array, Call, Implementation, Results
from cnn_spec.shapes import forward_shape

BFLOAT16, TF32, FLOAT16, FLOAT32 = 8, 11, 11.5, 24
"""Formats by the bits of their significand; float16 (with fewer exponents than TF32) by a half more."""

CONV, BACK = "conv", "conv_backward"
AVERAGES = ("avg_pool", "avg_pool_backward")
SELECTING = ("max_pool", "downsample", "upsample")


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


def inputs(bits: float) -> Wrong:
    """Every input is rounded."""
    return asked(lambda c: c.map_arrays(rounded(bits)))


def one_input(name: str, bits: float) -> Wrong:
    """One input is rounded."""
    return taking(name, lambda c, a: rounded(bits)(a))


def result(name: str, bits: float) -> Wrong:
    """A result is rounded."""
    return giving(name, lambda c, a: rounded(bits)(a))


def terms_of(call: Call, right: Implementation) -> list[Array]:
    """The result of each single cell of the kernel and channel of a group, without the bias."""
    found = []
    for cell in product(*map(range, call["w"].shape[1:])):
        w = np.zeros_like(call["w"])
        here = (slice(None), *cell)
        w[here] = call["w"][here]
        found.append(right(call.but(w=w, b=None))[0])
    return found


def few_terms(call: Call) -> bool:
    """At most 60 products in a sum."""
    return bool(prod(call["w"].shape[1:]) <= 60)


def summed(bits_of_products: float | None = None, bits_of_sums: float | None = None) -> Wrong:
    """Products and partial sums, each in a format of its own if one is given."""

    def wrong(right: Implementation) -> Implementation:
        def answer(call: Call) -> Results:
            total = right(call.but(w=0 * call["w"]))[0]
            for term in terms_of(call, right):
                total = total + (rounded(bits_of_products)(term) if bits_of_products else term)
                total = rounded(bits_of_sums)(total) if bits_of_sums else total
            return (total,)

        return answer

    return wrong


def mean_in(bits: float) -> Wrong:
    """Sums of means in a narrower format."""

    def define(call: Call) -> Array:
        x, y = planes(call["x"]), np.zeros(forward_shape(call))
        flat = planes(y)
        for window, elements, at in windows_of(call):
            total = np.zeros(x.shape[:2])
            for element in elements:
                total = rounded(bits)(total + x[..., element])
            flat[..., at] = total / right_count(call, window)
        return y

    return answering(define)


def by_samples(bits: float, name: str) -> Wrong:
    """A derivative summed up over the batch in a narrower format."""

    def wrong(right: Implementation) -> Implementation:
        def answer(call: Call) -> Results:
            found = dict(zip(call.results, right(call), strict=True))
            total = np.zeros_like(found[name])
            for n in range(call["x"].shape[0]):
                one = call.but(x=call["x"][n : n + 1], dy=call["dy"][n : n + 1])
                total = rounded(bits)(total + right(one)[call.results.index(name)])
            return tuple((found | {name: total}).values())

        return answer

    return wrong


def saturated(limit: float) -> Callable[[Call, Array], Array]:
    """Nothing beyond a limit."""
    return lambda call, a: np.clip(a, -limit, limit)


INPUTS: tuple[Bug, ...] = (
    bug("inputs of convolutions are rounded to bfloat16", CONV, inputs(BFLOAT16)),
    bug("inputs of convolutions are rounded to TF32 in float32", CONV, inputs(TF32), kind("float32")),
    bug(
        "inputs of convolutions are rounded to TF32 if there are more than 16 channels",
        CONV,
        inputs(TF32),
        kind("float32"),
        channels_above(16),
    ),
    bug("inputs of convolutions are rounded to float16", CONV, inputs(FLOAT16)),
    bug("convolution in float64 takes float32 inputs", CONV, inputs(FLOAT32), kind("float64")),
    bug("convolution in float64 takes float32 weights", CONV, one_input("w", FLOAT32), kind("float64")),
    bug("convolution in float64 takes a float32 map", CONV, one_input("x", FLOAT32), kind("float64")),
    bug(
        "weights of convolutions are rounded to bfloat16",
        CONV,
        one_input("w", BFLOAT16),
        kind("float32"),
        source="pytorch/pytorch/issues/163539",
    ),
    bug(
        "weights of convolutions are rounded to TF32 in 3-d",
        CONV,
        one_input("w", TF32),
        kind("float32"),
        ranks=(3,),
    ),
    bug("the map is rounded to float16 in depthwise convolutions", CONV, one_input("x", FLOAT16), depthwise),
    bug("the bias is rounded to bfloat16", CONV, one_input("b", BFLOAT16)),
    bug("the bias is rounded to TF32 in float32", CONV, one_input("b", TF32), kind("float32")),
)

SUMS: tuple[Bug, ...] = (
    bug("products are rounded to bfloat16", CONV, summed(bits_of_products=BFLOAT16), few_terms),
    bug(
        "products are rounded to TF32 in float32",
        CONV,
        summed(bits_of_products=TF32),
        kind("float32"),
        few_terms,
    ),
    bug(
        "products are rounded to float32 in float64",
        CONV,
        summed(bits_of_products=FLOAT32),
        kind("float64"),
        few_terms,
    ),
    bug("partial sums are rounded to bfloat16", CONV, summed(bits_of_sums=BFLOAT16), few_terms),
    bug("partial sums are rounded to float16", CONV, summed(bits_of_sums=FLOAT16), few_terms),
    bug(
        "partial sums are rounded to TF32 in float32",
        CONV,
        summed(bits_of_sums=TF32),
        kind("float32"),
        few_terms,
    ),
    bug(
        "convolution in float64 sums in float32",
        CONV,
        summed(bits_of_sums=FLOAT32),
        kind("float64"),
        few_terms,
        source="openxla/stablehlo/pull/2953",
    ),
    bug(
        "convolution in float64 sums in float32, in 3-d with a stride",
        CONV,
        summed(bits_of_sums=FLOAT32),
        kind("float64"),
        few_terms,
        strided,
        ranks=(3,),
    ),
    bug("results of convolutions are rounded to bfloat16", CONV, result("y", BFLOAT16)),
    bug("results of convolutions are rounded to TF32 in float32", CONV, result("y", TF32), kind("float32")),
    bug(
        "results of convolutions in float64 are rounded to float32",
        CONV,
        result("y", FLOAT32),
        kind("float64"),
    ),
    bug(
        "results of grouped convolutions in float64 are rounded to float32",
        CONV,
        result("y", FLOAT32),
        kind("float64"),
        grouped,
    ),
    bug(
        "results of convolutions end at 2^15",
        CONV,
        giving("y", saturated(2.0**15)),
        source="Tencent/ncnn/issues/717",
    ),
    bug("results of convolutions are whole numbers", CONV, giving("y", lambda c, y: np.trunc(y))),
    bug(
        "every product is rounded once more in its last three bits",
        CONV,
        summed(bits_of_products=21),
        kind("float32"),
        few_terms,
    ),
)

DERIVATIVES: tuple[Bug, ...] = (
    bug("dx: dy is rounded to bfloat16", BACK, one_input("dy", BFLOAT16)),
    bug("dx: weights are rounded to TF32 in float32", BACK, one_input("w", TF32), kind("float32")),
    bug("dw: the map is rounded to TF32 in float32", BACK, one_input("x", TF32), kind("float32")),
    bug("dx: the result is rounded to bfloat16", BACK, result("dx", BFLOAT16)),
    bug("dx: the result is rounded to float32 in float64", BACK, result("dx", FLOAT32), kind("float64")),
    bug("dw: the result is rounded to float16", BACK, result("dw", FLOAT16)),
    bug("dw: the result is rounded to float32 in float64", BACK, result("dw", FLOAT32), kind("float64")),
    bug("dw: summed over the batch in bfloat16", BACK, by_samples(BFLOAT16, "dw"), batched),
    bug(
        "dw: summed over the batch in float32 in float64",
        BACK,
        by_samples(FLOAT32, "dw"),
        batched,
        kind("float64"),
    ),
    bug("db: the result is rounded to TF32 in float32", BACK, result("db", TF32), kind("float32")),
    bug("db: summed over the batch in float16", BACK, by_samples(FLOAT16, "db"), batched),
)

POOLING: tuple[Bug, ...] = (
    bug("means are summed in float16", "avg_pool", mean_in(FLOAT16), source="huggingface/candle/pull/3719"),
    bug("means are summed in bfloat16", "avg_pool", mean_in(BFLOAT16)),
    bug("means in float64 are summed in float32", "avg_pool", mean_in(FLOAT32), kind("float64")),
    bug("means are rounded to TF32 in float32", "avg_pool", result("y", TF32), kind("float32")),
    bug("the inputs of means are rounded to bfloat16", "avg_pool", inputs(BFLOAT16)),
    bug("the derivatives of means are rounded to float16", "avg_pool_backward", result("dx", FLOAT16)),
    bug(
        "the derivatives of means in float64 are rounded to float32",
        "avg_pool_backward",
        result("dx", FLOAT32),
        kind("float64"),
    ),
    bug(
        "means overflow at 65504",
        "avg_pool",
        one_input("x", FLOAT16),
        kind("float64"),
        source="Tencent/ncnn/pull/2698",
    ),
    bug("the maximum is rounded to bfloat16", "max_pool", result("y", BFLOAT16)),
    bug("the maximum is rounded to TF32 in float32", "max_pool", result("y", TF32), kind("float32")),
    bug("max pooling in float64 compares and returns float32", "max_pool", inputs(FLOAT32), kind("float64")),
    bug("derivatives of max pooling are rounded to bfloat16", "max_pool_backward", one_input("dy", BFLOAT16)),
    bug(
        "derivatives of max pooling in float64 are rounded to float32",
        "max_pool_backward",
        result("dx", FLOAT32),
        kind("float64"),
    ),
    bug("downsampled samples are rounded to bfloat16", "downsample", inputs(BFLOAT16)),
    bug(
        "downsampled samples in float64 are rounded to float32",
        "downsample",
        inputs(FLOAT32),
        kind("float64"),
    ),
    bug("upsampled samples are rounded to TF32 in float32", "upsample", inputs(TF32), kind("float32")),
    bug(
        "derivatives of downsampling are rounded to float16", "downsample_backward", one_input("dy", FLOAT16)
    ),
    bug(
        "derivatives of upsampling in float64 are rounded to float32",
        "upsample_backward",
        one_input("dy", FLOAT32),
        kind("float64"),
    ),
)

LAYERS = {
    "transposed": "conv_transpose",
    "depthwise": "depthwise_conv",
    "separable": "separable_conv",
    "linear": "linear",
}

FURTHER: tuple[Bug, ...] = (
    *(
        bug(f"{layer}: inputs are rounded to TF32 in float32", operation, inputs(TF32), kind("float32"))
        for layer, operation in LAYERS.items()
    ),
    *(
        bug(f"{layer}: results are rounded to bfloat16", operation, result("y", BFLOAT16))
        for layer, operation in LAYERS.items()
    ),
    *(
        bug(
            f"{layer}: results in float64 are rounded to float32",
            operation,
            result("y", FLOAT32),
            kind("float64"),
        )
        for layer, operation in LAYERS.items()
    ),
    bug(
        "separable: between the stages numbers are rounded to float16",
        SEPARABLE,
        between(lambda c, x: rounded(FLOAT16)(x)),
    ),
    bug(
        "separable: in float64 numbers are float32 between the stages",
        SEPARABLE,
        between(lambda c, x: rounded(FLOAT32)(x)),
        kind("float64"),
    ),
    *(
        bug(f"{layer}: the bias is rounded to float16", LAYERS[layer], one_input("b", FLOAT16))
        for layer in ("transposed", "linear")
    ),
    *(
        row
        for layer in ("transposed", "linear")
        for back in [f"{LAYERS[layer]}_backward"]
        for row in (
            bug(f"{layer} dx: the result is rounded to bfloat16", back, result("dx", BFLOAT16)),
            bug(
                f"{layer} dw: the result is rounded to float32 in float64",
                back,
                result("dw", FLOAT32),
                kind("float64"),
            ),
            bug(f"{layer} dw: summed over the batch in float16", back, by_samples(FLOAT16, "dw"), batched),
            bug(f"{layer} db: summed over the batch in bfloat16", back, by_samples(BFLOAT16, "db"), batched),
        )
    ),
)

BUGS = INPUTS + SUMS + DERIVATIVES + POOLING + FURTHER
