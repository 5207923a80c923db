"""Wrong convolutions: stride, padding and dilation."""

from cnn_spec.bugs.changes import (
    SEVERAL,
    all_one,
    filled,
    first_for_all,
    full_then_cut,
    last_for_all,
    later,
    no_padding,
    on_the_last_only,
    ones,
    reverse_axes,
    swap_stride_and_dilation,
)
from cnn_spec.bugs.conditions import (
    depthwise,
    dilated,
    gapped,
    grouped,
    lopsided,
    padded,
    pointwise,
    strided,
    unstrided,
)
from cnn_spec.bugs.model import Bug, asked, bug, refusing, taking, variants
from cnn_spec.operations import Array, Call
from cnn_spec.sights import kernel_of, spans_of

CONV = "conv"


def narrower(call: Call, padding: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """No more padding on a side than the kernel's span less one."""
    pairs = zip(padding, spans_of(call), strict=True)
    return tuple((min(before, span - 1), min(after, span - 1)) for (before, after), span in pairs)


def by_its_mean(call: Call, padding: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """As much before as after, or one less."""
    return tuple((sum(pair) // 2, sum(pair) - sum(pair) // 2) for pair in padding)


def full(call: Call) -> tuple[tuple[int, int], ...]:
    """As much more padding that every window with a sample of the padded map counts."""
    pairs = zip(call["padding"], spans_of(call), strict=True)
    return tuple((before + span - 1, after + span - 1) for (before, after), span in pairs)


def blocks_for_phases(call: Call, x: Array) -> Array:
    """Every so manieth column, as many as the dilation says, taken from blocks that lie side by side."""
    phases = call["dilation"][-1]
    return x.reshape(*x.shape[:-1], phases, -1).swapaxes(-1, -2).reshape(x.shape)


def dilated_evenly(call: Call) -> bool:
    """A dilation of the last axis that divides its size."""
    return bool(call["dilation"][-1] > 1 and call["x"].shape[-1] % call["dilation"][-1] == 0)


def larger_than_the_kernel(call: Call) -> bool:
    """The kernel fits on the map without padding."""
    return all(n >= span for n, span in zip(call["x"].shape[2:], spans_of(call), strict=True))


def of_three(call: Call) -> bool:
    """A kernel of 3 at most, and of 3 somewhere."""
    return max(kernel_of(call)) == 3


STRIDE: tuple[Bug, ...] = (
    *variants(
        "the stride is ignored, the result cut",
        CONV,
        full_then_cut,
        {
            "": (strided,),
            "if there is a dilation": (strided, dilated),
            "if there are groups": (strided, grouped),
            "for 1x1 kernels": (strided, pointwise),
            "if it is beyond the kernel": (gapped,),
        },
        source="CONV-STRIDE-SIZE",
    ),
    bug(
        "windows start one sample late if the stride is beyond the kernel",
        CONV,
        taking("x", later),
        gapped,
        source="tensorflow/tensorflow/pull/1991",
    ),
    bug(
        "a stride beyond the kernel is refused",
        CONV,
        refusing,
        gapped,
        source="tensorflow/tensorflow/issues/2066",
    ),
    bug(
        "windows that lie on the map in part count too",
        CONV,
        lambda right: lambda call: right(call.but(padding=full(call))),
        source="STRIDE-DECOMP",
    ),
    bug(
        "windows start one sample late if there is a stride",
        CONV,
        taking("x", later),
        strided,
        source="STRIDE-DECOMP",
    ),
    bug("strides are in reverse order of the axes", CONV, taking("stride", reverse_axes), ranks=SEVERAL),
    bug(
        "the first axis' stride counts for all",
        CONV,
        taking("stride", first_for_all),
        ranks=SEVERAL,
        source="PaddlePaddle/Paddle/pull/20997",
    ),
    bug("the last axis' stride counts for all", CONV, taking("stride", last_for_all), ranks=SEVERAL),
    bug(
        "the last axis' stride counts for all, in 3-d only", CONV, taking("stride", last_for_all), ranks=(3,)
    ),
    bug("the stride counts on the last axis only", CONV, taking("stride", on_the_last_only), ranks=SEVERAL),
    bug(
        "dilation and stride are swapped",
        CONV,
        asked(swap_stride_and_dilation),
        source="huggingface/candle/pull/2337",
    ),
    bug(
        "dilation and stride are swapped if both are above 1",
        CONV,
        asked(swap_stride_and_dilation),
        strided,
        dilated,
    ),
    bug(
        "strides and dilations are in reverse order if there are groups",
        CONV,
        asked(lambda c: c.but(stride=c["stride"][::-1], dilation=c["dilation"][::-1])),
        grouped,
        ranks=SEVERAL,
    ),
)

PADDING: tuple[Bug, ...] = (
    bug("the padding is symmetric, by its mean", CONV, taking("padding", by_its_mean), lopsided),
    bug(
        "half of the padding before, and half of it after",
        CONV,
        taking("padding", lambda c, p: tuple(((before + 1) // 2, after // 2) for before, after in p)),
        source="pytorch/pytorch/issues/29712",
    ),
    bug("padding is all before", CONV, taking("padding", lambda c, p: tuple((sum(pair), 0) for pair in p))),
    bug("padding is all after", CONV, taking("padding", lambda c, p: tuple((0, sum(pair)) for pair in p))),
    bug(
        "the first axis' padding counts for all",
        CONV,
        taking("padding", first_for_all),
        ranks=SEVERAL,
        source="Oldpan/Faceswap-Deepfake-Pytorch/issues/1",
    ),
    bug(
        "paddings are in reverse order of the axes",
        CONV,
        taking("padding", reverse_axes),
        ranks=SEVERAL,
        source="robertknight/rten/pull/1399",
    ),
    *variants(
        "padding repeats the edge",
        CONV,
        asked(lambda c: filled(c, mode="edge")),
        {
            "": (padded,),
            "if there are groups and a stride": (padded, grouped, strided),
            "if there is a dilation": (padded, dilated),
        },
        source="PAD-VALUE",
    ),
    bug("padding is circular", CONV, asked(lambda c: filled(c, mode="wrap")), padded),
    bug("padding is of ones", CONV, asked(lambda c: filled(c, constant_values=1)), padded),
    bug(
        "a fast path without stride ignores the padding",
        CONV,
        taking("padding", no_padding),
        padded,
        unstrided,
        source="openvinotoolkit/openvino/pull/33681",
    ),
    bug(
        "a fast path for kernels of 3 ignores the padding",
        CONV,
        taking("padding", no_padding),
        padded,
        of_three,
    ),
    bug("padding is no wider than the kernel less one", CONV, taking("padding", narrower)),
    bug(
        "the padding is ignored, and the result filled up with zeros",
        CONV,
        taking("padding", no_padding),
        padded,
        larger_than_the_kernel,
        source="SamratSahoo/UT-Arlington-Research/issues/2",
    ),
)

DILATION: tuple[Bug, ...] = (
    *variants(
        "the dilation is ignored",
        CONV,
        taking("dilation", all_one),
        {
            "": (dilated,),
            "if there is a stride": (dilated, strided),
            "in a depthwise convolution": (dilated, depthwise),
        },
    ),
    bug(
        "a dilated kernel's phases are blocks of the map",
        CONV,
        taking("x", blocks_for_phases),
        dilated_evenly,
        source="ibab/tensorflow-wavenet/issues/29",
    ),
    bug(
        "a dilation above 2 is taken for 2",
        CONV,
        taking("dilation", lambda c, d: tuple(min(i, 2) for i in d)),
        source="apache/mxnet/pull/2068",
    ),
    bug(
        "dilations are in reverse order of the axes",
        CONV,
        taking("dilation", reverse_axes),
        ranks=SEVERAL,
        source="tinygrad/tinygrad/pull/17805",
    ),
    bug("the first axis' dilation counts for all", CONV, taking("dilation", first_for_all), ranks=SEVERAL),
    bug(
        "the dilation counts on the first axis only",
        CONV,
        taking("dilation", lambda c, d: (d[0], *ones(c)[1:])),
        ranks=SEVERAL,
    ),
)

BUGS = STRIDE + PADDING + DILATION
