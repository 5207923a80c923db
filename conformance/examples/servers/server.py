"""A program that speaks the wire format, written from `conformance/PROTOCOL.md`, with nothing of this project in it.

`cnn-conformance run "cmd:python conformance/examples/servers/server.py"` judges it.
"""

import json
import os
import struct
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, BinaryIO

import numpy as np
from safetensors.numpy import load, save

Pairs = Sequence[Sequence[int]]


def _require(fits: bool, words: str) -> None:
    if not fits:
        raise ValueError(words)


def conv_output_size(
    n: int, *, kernel_size: int, stride: int, padding: Sequence[int], dilation: int
) -> list[int]:
    """How many windows lie on the padded input."""
    _require(min(kernel_size, stride, dilation) >= 1, "kernel size, stride and dilation are at least 1")
    room = n + sum(padding) - dilation * (kernel_size - 1) - 1
    _require(room >= 0, "the kernel is larger than the padded input")
    return [room // stride + 1]


def same_padding(kernel_size: int) -> list[int]:
    """Padding that keeps a size."""
    _require(kernel_size >= 1, "a kernel has at least one cell")
    return [(kernel_size - 1) // 2, kernel_size // 2]


def conv2d(
    x: Any,
    w: Any,
    b: Any,
    *,
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    groups: int,
) -> list[Any]:
    """One product for each cell of the kernel."""
    if groups != 1:
        raise NotImplementedError("groups")
    _require(x.ndim == w.ndim == 4 and x.shape[1] == w.shape[1], "the channels do not fit")
    _require(b is None or b.shape == w.shape[:1], "one bias for each filter")
    axes = list(zip(x.shape[2:], w.shape[2:], stride, padding, dilation, strict=True))
    sizes = [conv_output_size(n, kernel_size=k, stride=s, padding=p, dilation=d)[0] for n, k, s, p, d in axes]
    x = np.pad(x, [(0, 0), (0, 0), *padding])
    y = np.zeros((len(x), len(w), *sizes), x.dtype)
    for cell in product(*map(range, w.shape[2:])):
        where = zip(cell, sizes, axes, strict=True)
        seen = x[(..., *(slice(k * d, k * d + (m - 1) * s + 1, s) for k, m, (_, _, s, _, d) in where))]
        y += np.einsum("nchw,oc->nohw", seen, w[(..., *cell)])
    return [y if b is None else y + b[:, None, None]]


def downsample2d(x: Any, *, factor: Sequence[int]) -> list[Any]:
    """The first of every so many rows and columns."""
    _require(x.ndim == 4, "a batch of images")
    _require(min(factor) >= 1, "a factor is at least 1")
    return [x[:, :, :: factor[0], :: factor[1]]]


def linear(x: Any, w: Any, b: Any) -> list[Any]:
    """The flat layer."""
    _require(x.ndim == w.ndim == 2, "a batch of vectors and a matrix")
    return [x @ w.T if b is None else x @ w.T + b]


def relu(x: Any) -> list[Any]:
    """What is above 0."""
    return [np.maximum(x, 0)]


FUNCTIONS = (conv2d, conv_output_size, downsample2d, linear, relu, same_padding)


def answer(said: Mapping[str, str], tensors: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """The fields and the tensors that answer a request."""
    function = next(f for f in FUNCTIONS if f.__name__ == said["function"])
    try:
        results = function(**tensors, **json.loads(said["values"]))  # type: ignore[operator]
    except NotImplementedError as error:
        return {"declined": str(error)}, {}
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        return {"raised": f"{type(error).__name__}: {error}"}, {}
    if isinstance(results[0], int):
        return {"integers": " ".join(map(str, results))}, {}
    return {"results": "y"}, {"y": np.ascontiguousarray(results[0])}


def send(answers: BinaryIO, fields: dict[str, str], tensors: dict[str, Any]) -> None:
    """One message: its length, then a safetensors blob."""
    blob = save(tensors, fields)
    answers.write(struct.pack("<Q", len(blob)) + blob)
    answers.flush()


def main() -> None:
    """Say what there is, then answer until nobody asks."""
    requests = open(int(os.environ["CNN_CONFORMANCE_READ"]), "rb")  # noqa: SIM115
    answers = open(int(os.environ["CNN_CONFORMANCE_WRITE"]), "wb")  # noqa: SIM115
    names = " ".join(function.__name__ for function in FUNCTIONS)
    send(answers, {"protocol": "1", "functions": names, "about": '{"name": "a server in Python"}'}, {})
    while length := requests.read(8):
        blob = requests.read(*struct.unpack("<Q", length))
        (header,) = struct.unpack_from("<Q", blob)
        said = json.loads(blob[8 : 8 + header])["__metadata__"]
        fields, tensors = answer(said, load(blob))
        send(answers, {"id": said["id"], **fields}, tensors)


if __name__ == "__main__":
    main()
