"""Wrong sizes: each row a formula of one axis that differs from the right one somewhere."""

from cnn_spec.bugs.model import Bug, answering, bug, taking
from cnn_spec.operations import Call
from cnn_spec.sizes import conv_output_size, conv_transpose_output_size, extent

CONV, POOL, TRANSPOSED, SAME = (
    "conv_output_size",
    "pool_output_size",
    "conv_transpose_output_size",
    "same_padding",
)


def room(call: Call) -> int:
    """What the kernel leaves of the padded axis."""
    return int(call["n"] + sum(call["padding"]) - extent(call["kernel_size"], call["dilation"]))


def by_excess(call: Call) -> int:
    """k + d - 1 for the kernel's span: right for no dilation, and for kernels of 2."""
    k, d = call["kernel_size"], call["dilation"]
    return int((call["n"] + sum(call["padding"]) - (k + d - 1 if k > 1 else 1)) // call["stride"] + 1)


def complete(call: Call) -> int:
    """How many complete windows there are."""
    return conv_output_size(**{n: call[n] for n in ("n", "kernel_size", "stride", "padding", "dilation")})


def always_partial(call: Call) -> int:
    """Rounded up, and no window dropped."""
    return -(-room(call) // call["stride"]) + 1 if call["ceil_mode"] else complete(call)


def partial_by_end(call: Call) -> int:
    """A partial window counts if it starts on the padded input, trailing padding included."""
    starts_inside = complete(call) * call["stride"] < call["n"] + sum(call["padding"])
    more = call["ceil_mode"] and room(call) % call["stride"] and starts_inside
    return complete(call) + bool(more)


def partial_without_padding(call: Call) -> int:
    """A partial window counts if it starts on the input, leading padding forgotten."""
    more = call["ceil_mode"] and room(call) % call["stride"] and complete(call) * call["stride"] < call["n"]
    return complete(call) + bool(more)


def strided_and_dilated(call: Call) -> bool:
    """Both above 1."""
    return bool(call["stride"] > 1 and call["dilation"] > 1)


def transposed(call: Call) -> int:
    """The transposed size, right."""
    return conv_transpose_output_size(**call.arguments, **call.parameters)


def size_with(n: int, call: Call) -> int:
    """The transposed size from another start."""
    span = extent(call["kernel_size"], call["dilation"])
    return int(n - sum(call["padding"]) + span + call["output_padding"])


BUGS: tuple[Bug, ...] = (
    bug("a window too few", CONV, answering(lambda c: room(c) // c["stride"]), source="CONV-SIZE"),
    bug("sizes are rounded up", CONV, answering(lambda c: -(-room(c) // c["stride"]) + 1)),
    bug("sizes are rounded to the nearest", CONV, answering(lambda c: round(room(c) / c["stride"]) + 1)),
    bug("the stride is ignored in the size", CONV, answering(lambda c: room(c) + 1)),
    bug(
        "the dilation is ignored in the size",
        CONV,
        taking("dilation", lambda c, d: 1),
        source="onnx/onnx/pull/2043",
    ),
    bug("a dilated kernel spans k + d - 1", CONV, answering(by_excess), source="apache/mxnet/pull/2068"),
    bug(
        "a dilated kernel spans k times d",
        CONV,
        answering(
            lambda c: (c["n"] + sum(c["padding"]) - c["kernel_size"] * c["dilation"]) // c["stride"] + 1
        ),
    ),
    bug(
        "the stride is taken for the dilation in the size if both are above 1",
        CONV,
        taking("dilation", lambda c, d: c["stride"]),
        strided_and_dilated,
        source="microsoft/onnxruntime/issues/2518",
    ),
    bug(
        "the leading padding counts twice",
        CONV,
        answering(lambda c: (room(c) + c["padding"][0] - c["padding"][1]) // c["stride"] + 1),
        source="CONV-STRIDE-SIZE",
    ),
    bug(
        "the trailing padding counts twice",
        CONV,
        answering(lambda c: (room(c) - c["padding"][0] + c["padding"][1]) // c["stride"] + 1),
    ),
    bug("the padding counts once", CONV, answering(lambda c: (room(c) - c["padding"][1]) // c["stride"] + 1)),
    bug("the padding is ignored in the size", CONV, taking("padding", lambda c, p: (0, 0))),
    bug(
        "the size is at least 2 with a stride",
        CONV,
        answering(lambda c: max(complete(c), 2)),
        lambda c: c["stride"] > 1,
    ),
    bug(
        "ceil_mode is ignored in the size",
        POOL,
        taking("ceil_mode", lambda c, on: False),
        source="root-project/root/pull/21776",
    ),
    bug(
        "ceil_mode is always on in the size",
        POOL,
        taking("ceil_mode", lambda c, on: True),
        source="POOL-SIZE",
    ),
    bug(
        "windows that start outside are not dropped",
        POOL,
        answering(always_partial),
        source="pytorch/pytorch/issues/45357",
    ),
    bug(
        "windows that start in the trailing padding are not dropped",
        POOL,
        answering(partial_by_end),
        source="apache/tvm/pull/18641",
    ),
    bug(
        "windows are dropped as if nothing were padded before",
        POOL,
        answering(partial_without_padding),
        source="POOL-OUTSIDE",
    ),
    bug(
        "the notes' ceiling of (N - K) / S, plus 1, without ceil_mode",
        POOL,
        answering(lambda c: -(-room(c) // c["stride"]) + 1),
        lambda c: not c["ceil_mode"],
        source="POOL-SIZE",
    ),
    bug("the dilation is ignored in the pooled size", POOL, taking("dilation", lambda c, d: 1)),
    bug(
        "the dilation is ignored in the pooled size if ceil_mode",
        POOL,
        taking("dilation", lambda c, d: 1),
        lambda c: c["ceil_mode"],
    ),
    bug("the padding counts once in the pooled size", POOL, taking("padding", lambda c, p: (p[0], 0))),
    bug("the padding's pair is swapped in the pooled size", POOL, taking("padding", lambda c, p: p[::-1])),
    bug(
        "the pooled size is n / stride",
        POOL,
        answering(lambda c: max(c["n"] // c["stride"], 1)),
        source="SHRINK-FACTOR",
    ),
    bug("the pooled stride is the kernel's size", POOL, taking("stride", lambda c, s: c["kernel_size"])),
    bug(
        "output_padding is left out",
        TRANSPOSED,
        taking("output_padding", lambda c, p: 0),
        source="apache/tvm/issues/18601",
    ),
    bug(
        "output_padding is taken for stride less 1",
        TRANSPOSED,
        taking("output_padding", lambda c, p: c["stride"] - 1),
        source="tensorflow/tensorflow/issues/50168",
    ),
    bug(
        "output_padding is subtracted",
        TRANSPOSED,
        answering(lambda c: transposed(c) - 2 * c["output_padding"]),
    ),
    bug("n times the stride", TRANSPOSED, answering(lambda c: size_with(c["n"] * c["stride"], c))),
    bug(
        "n times the stride if it is above 2",
        TRANSPOSED,
        answering(lambda c: size_with(c["n"] * c["stride"], c)),
        lambda c: c["stride"] > 2,
    ),
    bug(
        "the stride is taken for the dilation in the transposed size if both are above 1",
        TRANSPOSED,
        taking("dilation", lambda c, d: c["stride"]),
        strided_and_dilated,
        source="microsoft/onnxruntime/issues/2518",
    ),
    bug("the dilation is ignored in the transposed size", TRANSPOSED, taking("dilation", lambda c, d: 1)),
    bug(
        "the padding is added",
        TRANSPOSED,
        answering(lambda c: transposed(c) + 2 * sum(c["padding"])),
        source="Samsung/TICO/issues/420",
    ),
    bug(
        "the leading padding is taken for both",
        TRANSPOSED,
        taking("padding", lambda c, p: (p[0], p[0])),
        source="ARM-software/ComputeLibrary/issues/482",
    ),
    bug("the trailing padding is taken for both", TRANSPOSED, taking("padding", lambda c, p: (p[1], p[1]))),
    bug(
        "the larger half of an even kernel's padding before, undeclared",
        SAME,
        answering(lambda c: (c["kernel_size"] // 2, (c["kernel_size"] - 1) // 2)),
        source="microsoft/onnxruntime/issues/9370",
    ),
    bug(
        "half the kernel on both sides",
        SAME,
        answering(lambda c: (c["kernel_size"] // 2,) * 2),
        source="jamesmullenbach/caml-mimic/issues/3",
    ),
    bug(
        "half of the kernel less one on both sides",
        SAME,
        answering(lambda c: ((c["kernel_size"] - 1) // 2,) * 2),
        source="PAD-EVEN",
    ),
    bug("all padding after", SAME, answering(lambda c: (0, c["kernel_size"] - 1))),
    bug("all padding before", SAME, answering(lambda c: (c["kernel_size"] - 1, 0))),
    bug(
        "one more on both sides for kernels above 5",
        SAME,
        answering(lambda c: ((c["kernel_size"] + 1) // 2,) * 2),
        lambda c: c["kernel_size"] > 5,
    ),
)
