"""`init`: an adapter to fill in, which runs as it stands, with the interface's words as comments."""

import json
from collections.abc import Iterator
from pathlib import Path

import click

from cnn_conformance.command import fail
from cnn_spec.conventions import CONVENTIONS
from cnn_spec.operations import OPERATIONS, Operation

HEAD = '''\
"""A candidate: `cnn-conformance run`, with the name of this file, judges what is defined here.

Define any of the functions below. What is absent is not offered; what raises NotImplementedError is declined; any other
exception on a valid call, and a wrong answer, is a violation. Every call is spelt out in full:

- arrays are NumPy arrays, all of one dtype in a call, in any memory layout: images (N, C, *spatial), weights
  (C_out, C_in // groups, *kernel), of transposed convolutions (C_in, C_out // groups, *kernel), biases (C_out,) or None;
- stride, dilation, kernel_size and factor have an integer for each spatial axis, padding a pair (before, after);
- every parameter is given, by keyword.

Return anything that NumPy can make an array of, of the dtype of the arguments. Leave the arguments as they are. Refuse with
an exception what is impossible, such as channels that do not fit or a kernel larger than the padded input.
"""

import numpy as np

about = {{
    "name": {name},
    # "version": "1.0",
    # "dtypes": ("float32", "float64"),  # or one of them
    # "ranks": (1, 2, 3),  # numbers of spatial axes
    # "accuracy": "componentwise",  # or "normwise": convolutions by Winograd, FFT and the like
    # "growth": 64,  # how much normwise errors may grow
    # "deterministic": True,  # a repeated call gives the same answer, bit for bit
    # "shapes": "many",  # or "few", or how many, for a library that compiles for each shape
    # "conventions": {{
{conventions}
    # }},
}}


def conv2d(x, w, b, *, stride, padding, dilation, groups):
    """Cross-correlation. Call your library here; this is one in NumPy, without groups."""
    if groups > 1:
        raise NotImplementedError("groups")
    if w.shape[1] != x.shape[1] or min(*stride, *dilation, *w.shape[2:]) < 1:
        raise ValueError("no such convolution")
    if b is not None and b.shape != w.shape[:1]:
        raise ValueError("no such bias")
    x = np.pad(x, ((0, 0), (0, 0), *padding))
    span = [d * (k - 1) + 1 for d, k in zip(dilation, w.shape[2:])]
    windows = np.lib.stride_tricks.sliding_window_view(x, span, axis=(2, 3))
    windows = windows[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]
    y = np.einsum("nchwij,ocij->nohw", windows, w)
    return y if b is None else y + b[:, None, None]


# What else there is, each 2d also as 1d and 3d. In the comment: what it returns.
'''

RETURNS = {
    "conv": "y",
    "conv_backward": "dx, dw, db: the derivatives by x, w and b, given dy by y",
    "conv_transpose": "y, of side (n - 1) stride - before - after + dilation (kernel - 1) + output_padding + 1",
    "conv_transpose_backward": "dx, dw, db",
    "depthwise_conv": "y; w is (C * multiplier, 1, *kernel), and output channel c * multiplier + m filters channel c",
    "separable_conv": "y; w_depthwise as w above, w_pointwise (C_out, C * multiplier, 1, 1)",
    "max_pool": "y; padding counts as minus infinity, ceil_mode keeps partial windows that start on the input or before it",
    "max_pool_with_indices": "y, indices: the flat position of each maximum in the unpadded plane",
    "max_pool_backward": "dx",
    "avg_pool": "y; count_include_pad: divide by padding, too, but never by what a partial window has beyond it",
    "avg_pool_backward": "dx",
    "downsample": "y: the first of every factor rows and columns",
    "downsample_backward": "dx",
    "upsample": "y: factor - 1 zeros between neighbours, of side factor * (n - 1) + 1",
    "upsample_backward": "dx",
    "pixel_unshuffle": "y, of channels c * prod(factor) + offset, the offset in a block row-major",
    "pixel_shuffle": "y: the inverse",
    "linear": "y; x is (N, in), w (out, in)",
    "linear_backward": "dx, dw, db",
    "relu": "y",
    "relu_backward": "dx; at exactly 0 anything from 0 to dy",
    "sigmoid": "y",
    "sigmoid_backward": "dx",
    "tanh": "y",
    "tanh_backward": "dx",
    "softmax": "y",
    "softmax_backward": "dx",
    "conv_output_size": "an integer; here and below n, kernel_size, stride, dilation are of one axis, padding is a pair",
    "pool_output_size": "an integer",
    "conv_transpose_output_size": "an integer",
    "same_padding": "before, after: what keeps the size at stride 1",
    "conv_param_count": "an integer; kernel_size has one for each axis, bias is a boolean",
    "separable_param_count": "an integer, for a multiplier of 1 and the bias on the pointwise step",
}
"""What each operation returns, in words."""


def adapter(name: str) -> str:
    """The text of a new adapter for a candidate of this name."""
    conventions = "\n".join(
        f'    #     "{key}": "{default}",  # or {" or ".join(map(json.dumps, others))}'
        for key, (default, *others) in CONVENTIONS.items()
    )
    stubs = "".join(stub for name, one in OPERATIONS.items() if name != "conv" for stub in _stub(name, one))
    return HEAD.format(name=json.dumps(name), conventions=conventions) + stubs


def _stub(name: str, operation: Operation) -> Iterator[str]:
    parameters = ["*", *operation.parameters] if operation.parameters else []
    yield f"#\n# def {operation.function(2)}({', '.join([*operation.arrays, *parameters])}):\n"
    yield f"#     ...  # {RETURNS[name]}\n"


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def init(file: Path) -> None:
    """Write an adapter to fill in, which runs as it stands."""
    try:
        if file.suffix != ".py":
            raise ValueError("a Python file's name ends in .py")
        with file.open("x", encoding="utf-8") as new:
            new.write(adapter(file.stem))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        fail(f"{file} cannot be written: {reason}; name another place.")
    click.echo(f"{file} is written; `cnn-conformance run {file}` judges it.")
