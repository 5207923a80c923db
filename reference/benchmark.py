"""Time the reference beside torch and beside a matrix product of as many multiplications.

    python reference/benchmark.py > reference/BENCHMARK.md

Each number of threads has a process of its own. The contenders take turns, and each ratio is one of medians.
"""

import os
import platform
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from cnn_reference import (
    avg_pool2d,
    avg_pool2d_backward,
    conv2d,
    conv2d_backward,
    max_pool2d,
    max_pool2d_backward,
    max_pool2d_with_indices,
)
from cnn_reference.convolution import bias_gradient, conv_geometry
from cnn_reference.correlation import input_gradient, weight_gradient
from cnn_reference.pooling import max_pool_backward_from_indices

SHAPES = {  # batch, channels in, side, channels out, kernel, stride, padding, dilation, groups
    "tiny": (2, 3, 8, 4, 3, 1, 1, 1, 1),
    "middle": (2, 16, 16, 16, 3, 1, 1, 1, 1),
    "residual": (8, 64, 56, 64, 3, 1, 1, 1, 1),
    "stem": (4, 3, 224, 64, 7, 2, 3, 1, 1),
    "pointwise": (8, 256, 28, 256, 1, 1, 0, 1, 1),
    "dilated": (8, 64, 56, 64, 3, 1, 2, 2, 1),
    "grouped": (8, 64, 56, 64, 3, 1, 1, 1, 4),
    "depthwise": (8, 128, 56, 128, 3, 1, 1, 1, 128),
    "large kernel": (1, 8, 64, 8, 31, 1, 15, 1, 1),
}
POOLS = {"stride 2": (8, 64, 112, 3, 2, 1), "stride 1": (4, 64, 56, 3, 1, 1)}
SECONDS, TURN = 1.5, 0.05

Contenders = dict[str, Callable[[], Any]]


def seconds(contenders: Contenders) -> dict[str, float]:
    """Let the contenders take turns of some calls, and give each one's median time."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(times[next(iter(times))]) < 5:
        for name, call in contenders.items():
            call()  # brings its own data and threads back
            turn = time.perf_counter() + TURN
            while True:
                start = time.perf_counter()
                call()
                now = time.perf_counter()
                times[name].append(now - start)
                if now > turn:
                    break
    return {name: statistics.median(taken) for name, taken in times.items()}


def peak(call: Callable[[], Any], given: int) -> float:
    """The most memory during a call, its inputs included, as a multiple of inputs and outputs together."""
    call()
    tracemalloc.start()
    result = call()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    made = sum(a.nbytes for a in (result if isinstance(result, tuple) else (result,)))
    return (given + most) / (given + made)


def convolution(
    name: str, n: int, c_in: int, side: int, c_out: int, k: int, s: int, p: int, d: int, g: int
) -> list[float]:
    """Print a row of the table; give the ratios to torch."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, c_in, side, side), np.float32)
    w = rng.standard_normal((c_out, c_in // g, k, k), np.float32)
    b = rng.standard_normal(c_out, np.float32)
    moves: dict[str, Any] = {"stride": (s, s), "padding": ((p, p),) * 2, "dilation": (d, d), "groups": g}
    dy = rng.standard_normal(conv2d(x, w, b, **moves).shape, np.float32)
    geometry = conv_geometry(x, w, *moves.values())
    # One product of as many multiplications, square in two of its three sides.
    side_of = round((dy.size * w[0].size) ** (1 / 3))
    a = rng.standard_normal((side_of, side_of), np.float32)
    tx, tw, tb, tdy = map(torch.from_numpy, (x, w, b, dy))

    def backward(mask: list[bool]) -> Any:
        return torch.ops.aten.convolution_backward(
            tdy, tx, tw, [c_out], [s] * 2, [p] * 2, [d] * 2, False, [0, 0], g, mask
        )

    y_ = seconds({
        "ours": lambda: conv2d(x, w, b, **moves),
        "torch": lambda: torch.nn.functional.conv2d(tx, tw, tb, s, p, d, g),
        "product": lambda: a @ a,
    })  # fmt: skip
    dx_ = seconds({
        "ours": lambda: input_gradient(dy, w, x.shape[2:], geometry),
        "torch": lambda: backward([True, False, False]),
        "product": lambda: a @ a,
    })  # fmt: skip
    dw_ = seconds({
        "ours": lambda: (weight_gradient(dy, x, geometry), bias_gradient(dy)),
        "torch": lambda: backward([False, True, True]),
        "product": lambda: a @ a,
    })  # fmt: skip
    to_torch = [t["ours"] / t["torch"] for t in (y_, dx_, dw_)]
    to_product = [t["ours"] / t["product"] for t in (y_, dx_, dw_)]
    given = x.nbytes + w.nbytes
    memory = (
        peak(lambda: conv2d(x, w, b, **moves), given),
        peak(lambda: conv2d_backward(dy, x, w, **moves), given + dy.nbytes),
    )
    cells = [f"{1e6 * y_['ours']:.0f}", *[f"{r:.2f}" for r in (*to_torch, *to_product, *memory)]]
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    return to_torch


def convolutions() -> None:
    """Print the table of convolutions."""
    print(
        "| shape | reference µs | y | dx | dw, db | y / product | dx / product | dw / product | peak y | peak grad |"
    )
    print("| --- " * 10 + "|")
    ratios = []
    for name, shape in SHAPES.items():
        ratios.append(convolution(name, *shape))
    means = [f"{statistics.geometric_mean(column):.2f}" for column in zip(*ratios, strict=True)]
    print(f"| **geometric mean** | | {' | '.join(means)} | | | | | |\n")


def pool(name: str, n: int, c: int, side: int, k: int, s: int, p: int) -> None:
    """Print the rows of one shape."""
    x = np.random.default_rng(0).standard_normal((n, c, side, side), np.float32)
    shared: dict[str, Any] = {
        "kernel_size": (k, k), "stride": (s, s), "padding": ((p, p),) * 2, "ceil_mode": False,
    }  # fmt: skip
    largest, mean = shared | {"dilation": (1, 1)}, shared | {"count_include_pad": True}
    tx = torch.from_numpy(x).requires_grad_()
    max_, avg_ = (f(tx, k, s, p) for f in (torch.nn.functional.max_pool2d, torch.nn.functional.avg_pool2d))
    dy = np.ones(tuple(max_.shape), np.float32)
    tdy = torch.from_numpy(dy)
    _, indices = max_pool2d_with_indices(x, **largest)

    def forward(f: Any) -> Any:
        with torch.no_grad():
            return f(tx, k, s, p)

    def both() -> Any:
        return torch.autograd.grad(torch.nn.functional.max_pool2d(tx, k, s, p), tx, tdy)

    def gradient(y: Any) -> Any:
        return torch.autograd.grad(y, tx, tdy, retain_graph=True)

    rows = {
        "max": (lambda: max_pool2d(x, **largest),
                lambda: forward(torch.nn.functional.max_pool2d)),
        "max, gradient from x (torch: forward and gradient)": (
            lambda: max_pool2d_backward(dy, x, **largest), both),
        "max, gradient from saved indices": (
            lambda: max_pool_backward_from_indices(dy, indices, x.shape), lambda: gradient(max_)),
        "mean": (lambda: avg_pool2d(x, **mean),
                 lambda: forward(torch.nn.functional.avg_pool2d)),
        "mean, gradient": (lambda: avg_pool2d_backward(dy, x, **mean), lambda: gradient(avg_)),
    }  # fmt: skip
    for row, (ours, theirs) in rows.items():
        t = seconds({"ours": ours, "torch": theirs})
        print(f"| {name} | {row} | {1e6 * t['ours']:.0f} | {t['ours'] / t['torch']:.2f} |", flush=True)


def pools() -> None:
    """Print the table of poolings."""
    print("| pooling | operation | reference µs | ratio to torch |\n| --- | --- | --- | --- |")
    for name, shape in POOLS.items():
        pool(name, *shape)
    print()


def measure(threads: int) -> None:
    """Print both tables, in a process that was started for this number of threads."""
    torch.set_num_threads(threads)
    convolutions()
    pools()


def main() -> None:
    """Start a process for each number of threads, and print the page."""
    print(
        "# Benchmark\n\n"
        "`python reference/benchmark.py > reference/BENCHMARK.md`: "
        f"Python {platform.python_version()}, NumPy {np.__version__}, torch {torch.__version__}, "
        f"{os.cpu_count()} processors, {platform.machine()}.\n\n"
        "Columns y, dx, and dw with db are ratios of the reference's median time to torch's, single precision; "
        '"/ product" is the ratio to a square matrix product of as many multiplications. Peaks are memory '
        "during the call, as multiples of inputs and outputs together; columns of less than 64 KB are not "
        "split, hence the first row's.\n",
        flush=True,
    )
    for threads in (1, 2):
        print(f"## {threads} thread{'s' * (threads > 1)}\n", flush=True)
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        limits = dict.fromkeys(names, str(threads)) | {"OMP_WAIT_POLICY": "PASSIVE"}
        # Otherwise page faults on large arrays are most of what is timed.
        keep = dict.fromkeys(("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"), str(1 << 32))
        subprocess.run([sys.executable, __file__, str(threads)], env=os.environ | limits | keep, check=True)


if __name__ == "__main__":
    measure(int(sys.argv[1])) if sys.argv[1:] else main()
