"""ncnn on the CPU as a candidate: a layer for each call, one sample at a time, in float32.

Its layers name their parameters by numbers, of which each axis has its own; see ncnn's page on operators.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ncnn
import numpy as np

from cnn_conformance.adapters.common import Array, Library, Pairs, functions

about = {
    "name": "ncnn",
    "version": ncnn.__version__,
    "dtypes": ("float32",),
    "accuracy": "normwise",
    "conventions": {
        "pool_nan": "ignore",
        "pool_start": "lowest",
        "ceil_windows": "all",
        "mean_overhang": "counted",
        "activation_accuracy": "one",
    },
}

Numbers = Mapping[int, Any]
MAGIC = 7767517
"""How a network begins."""
FLOAT32 = bytes(4)
"""What stands before weights; before a bias stands nothing."""

KERNEL, STRIDE, DILATION = (1, 11, 21), (3, 13, 23), (2, 12, 22)
BEFORE, AFTER, OUTPUT = (4, 14, 24), (15, 16, 17), (18, 19, 20)
POOL_STRIDE, POOL_BEFORE, POOL_AFTER = (2, 12, 22), (3, 13, 23), (14, 15, 16)
"""The numbers of a parameter for the last axis, the one before it and the first of three."""


def _along(numbers: Sequence[int], values: Sequence[int]) -> Numbers:
    return dict(zip(numbers, reversed(values), strict=False))


def _sides(before: Sequence[int], after: Sequence[int], padding: Pairs) -> Numbers:
    return {**_along(before, [p[0] for p in padding]), **_along(after, [p[1] for p in padding])}


def _run(kind: str, numbers: Numbers, weights: Sequence[Array], x: Array) -> Array:
    """A network of one layer. Raises RuntimeError where it reports a failure."""
    if not len(x):
        raise NotImplementedError("a batch of none: ncnn has no batches")
    net = ncnn.Net()
    net.opt.num_threads = 1
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    given = " ".join(f"{number}={value}" for number, value in numbers.items())
    if net.load_param_mem(f"{MAGIC}\n2 2\nInput in 0 1 in\n{kind} layer 1 1 in out {given}\n"):
        raise RuntimeError(f"{kind} cannot be made")
    kept = b"".join(FLOAT32 * (k == 0) + np.ascontiguousarray(w).tobytes() for k, w in enumerate(weights))
    net.load_model_mem(kept or FLOAT32)  # it stays in use as long as the network
    results = []
    for sample in np.ascontiguousarray(x):
        extractor = net.create_extractor()
        extractor.input("in", ncnn.Mat(sample).clone())  # of its own: a layer may work in place
        failed, y = extractor.extract("out")
        if failed:
            raise RuntimeError(f"{kind} fails with {failed}")
        results.append(np.array(y))
    return np.stack(results)


def _layer(name: str, rank: int) -> str:
    return name + {1: "1D", 2: "", 3: "3D"}[rank]


def _convolution(
    name: str, x: Array, w: Array, b: Array | None, outputs: int, groups: int, numbers: Numbers
) -> Array:
    rank = len(w.shape) - 2
    given = {
        0: outputs,
        5: int(b is not None),
        6: w.size,
        **_along(KERNEL, w.shape[2:]),
        **numbers,
    }
    if groups > 1:
        given[7] = groups
    biases = [] if b is None else [b]
    return _run(_layer(name + "DepthWise" * (groups > 1), rank), given, [w, *biases], x)


def _require_fit(x: Array, channels: int, b: Array | None, outputs: int, *positive: int) -> None:
    """ncnn looks at none of this, and reads and writes beyond its memory."""
    if x.shape[1] != channels or (b is not None and b.shape != (outputs,)) or min(positive) < 1:
        raise ValueError("shapes that do not fit, or a kernel, stride, dilation or groups below 1")


def _conv(
    x: Array,
    w: Array,
    b: Array | None,
    *,
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    groups: int,
) -> Array:
    _require_fit(x, w.shape[1] * groups, b, len(w), *stride, *dilation, *w.shape[2:], groups)
    if x.ndim != w.ndim or len(w) % groups:
        raise ValueError(f"{len(w)} channels in {groups} groups")
    numbers = {**_along(STRIDE, stride), **_along(DILATION, dilation), **_sides(BEFORE, AFTER, padding)}
    return _convolution("Convolution", x, w, b, len(w), groups, numbers)


def _conv_transpose(
    x: Array,
    w: Array,
    b: Array | None,
    *,
    stride: Sequence[int],
    padding: Pairs,
    output_padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> Array:
    """ncnn has the weights' channels the other way round, in each group."""
    outputs = w.shape[1] * groups
    _require_fit(x, len(w), b, outputs, *stride, *dilation, *w.shape[2:], groups)
    if x.ndim != w.ndim or len(w) % groups:
        raise ValueError(f"{len(w)} channels in {groups} groups")
    numbers = {
        **_along(STRIDE, stride),
        **_along(DILATION, dilation),
        **_sides(BEFORE, AFTER, padding),
        **_along(OUTPUT, output_padding),
    }
    swapped = np.swapaxes(w.reshape(groups, -1, *w.shape[1:]), 1, 2)
    return _convolution(
        "Deconvolution", x, swapped.reshape(outputs, -1, *w.shape[2:]), b, outputs, groups, numbers
    )


def _pool(
    x: Array,
    kind: int,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Pairs,
    ceil_mode: bool,
    more: Numbers,
) -> Array:
    if min(*kernel_size, *stride) < 1:
        raise ValueError("a kernel or stride below 1")
    numbers = {
        0: kind,
        5: 0 if ceil_mode else 1,
        **_along(KERNEL, kernel_size),
        **_along(POOL_STRIDE, stride),
        **_sides(POOL_BEFORE, POOL_AFTER, padding),
        **more,
    }
    return _run(_layer("Pooling", len(kernel_size)), numbers, [], x)


def _max_pool(x: Array, *, dilation: Sequence[int], **parameters: Any) -> Array:
    if max(dilation) > 1:
        raise NotImplementedError("dilation")
    if min(dilation) < 1:
        raise ValueError("a dilation below 1")
    return _pool(x, 0, more={}, **parameters)


def _avg_pool(x: Array, *, count_include_pad: bool, **parameters: Any) -> Array:
    return _pool(x, 1, more={6: int(count_include_pad)}, **parameters)


def _linear(x: Array, w: Array, b: Array | None) -> Array:
    if x.ndim != 2 or w.ndim != 2:
        raise ValueError("no matrices")
    _require_fit(x, w.shape[1], b, len(w), 1)
    biases = [] if b is None else [b]
    return _run("InnerProduct", {0: len(w), 1: int(b is not None), 2: w.size}, [w, *biases], x)


def _activation(kind: str) -> Callable[[Array], Array]:
    return lambda x: _run(kind, {}, [], x.reshape(1, -1)).reshape(x.shape)


globals().update(
    functions(
        Library(tensor=lambda a: a, array=lambda a: a),
        {
            "conv": _conv,
            "conv_transpose": _conv_transpose,
            "max_pool": _max_pool,
            "avg_pool": _avg_pool,
            "linear": _linear,
            "relu": _activation("ReLU"),
            "sigmoid": _activation("Sigmoid"),
            "tanh": _activation("TanH"),
        },
    )
)
