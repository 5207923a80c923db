"""Wrong numbers in some calls only, or through several steps at once; `rounding_steps` has each step by itself."""

from collections.abc import Callable

import numpy as np

from cnn_spec.bugs.conditions import batched, channels_above, depthwise, grouped, kind, strided
from cnn_spec.bugs.depthwise import between
from cnn_spec.bugs.model import Bug, Wrong, answering, asked, bug, giving, taking
from cnn_spec.bugs.pooling_rules import planes, right_count, windows_of
from cnn_spec.bugs.rounding_steps import BFLOAT16, FLOAT16, FLOAT32, TF32, few_products, rounded, summing
from cnn_spec.operations import Array, Call, Implementation, Results
from cnn_spec.shapes import forward_shape

CONV, BACK = "conv", "conv_backward"


def inputs(bits: float) -> Wrong:
    """Every input is rounded."""
    return asked(lambda c: c.map_arrays(rounded(bits)))


def one_input(name: str, bits: float) -> Wrong:
    """One input is rounded."""
    return taking(name, lambda c, a: rounded(bits)(a))


def result(name: str, bits: float) -> Wrong:
    """A result is rounded."""
    return giving(name, lambda c, a: rounded(bits)(a))


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


BUGS: tuple[Bug, ...] = (
    # inputs
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
    bug(
        "weights of convolutions are rounded to TF32 in 3-d",
        CONV,
        one_input("w", TF32),
        kind("float32"),
        ranks=(3,),
    ),
    bug("the map is rounded to float16 in depthwise convolutions", CONV, one_input("x", FLOAT16), depthwise),
    # products, sums, results
    bug(
        "convolution in float64 sums in float32, in 3-d with a stride",
        CONV,
        summing("conv", "y", of_sums=FLOAT32),
        kind("float64"),
        few_products("conv", "y"),
        strided,
        ranks=(3,),
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
        summing("conv", "y", of_products=21),
        kind("float32"),
        few_products("conv", "y"),
    ),
    # derivatives
    bug("dx: dy is rounded to bfloat16", BACK, one_input("dy", BFLOAT16)),
    bug("dw: summed over the batch in bfloat16", BACK, by_samples(BFLOAT16, "dw"), batched),
    bug(
        "dw: summed over the batch in float32 in float64",
        BACK,
        by_samples(FLOAT32, "dw"),
        batched,
        kind("float64"),
    ),
    bug("db: summed over the batch in float16", BACK, by_samples(FLOAT16, "db"), batched),
    # pooling and resampling
    bug("means are summed in float16", "avg_pool", mean_in(FLOAT16), source="huggingface/candle/pull/3719"),
    bug("means are summed in bfloat16", "avg_pool", mean_in(BFLOAT16)),
    bug("means in float64 are summed in float32", "avg_pool", mean_in(FLOAT32), kind("float64")),
    bug(
        "means overflow at 65504",
        "avg_pool",
        one_input("x", FLOAT16),
        kind("float64"),
        source="Tencent/ncnn/pull/2698",
    ),
    # the other layers
    *(
        row
        for layer, back in (("transposed", "conv_transpose_backward"), ("linear", "linear_backward"))
        for row in (
            bug(f"{layer} dw: summed over the batch in float16", back, by_samples(FLOAT16, "dw"), batched),
            bug(f"{layer} db: summed over the batch in bfloat16", back, by_samples(BFLOAT16, "db"), batched),
        )
    ),
    bug(
        "separable: numbers are rounded to float16 between the stages, in 2-d only",
        "separable_conv",
        between(lambda c, x: rounded(FLOAT16)(x)),
        ranks=(2,),
    ),
)
