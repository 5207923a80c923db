"""Time the reference beside torch and beside a matrix product of as many multiplications.

    python reference/benchmark.py > reference/BENCHMARK.md

Each number of threads has a process of its own. The contenders take turns; a ratio is that of two medians of one
round of turns, and of all rounds the median is given, so that other work on the machine matters little.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any, NamedTuple

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
SECONDS, TURN = 3.0, 0.05

Contenders = dict[str, Callable[[], Any]]
Row = dict[str, float]


class Race(NamedTuple):
    """The reference's median seconds, and their median ratios to the other contenders' in the same round."""

    seconds: float
    ratios: Row


def race(contenders: Contenders) -> Race:
    """Let the contenders take turns of some calls for `SECONDS`, and for five rounds at least."""
    rounds: list[Row] = []
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(rounds) < 5:
        rounds.append({name: turn(call) for name, call in contenders.items()})
    others = [name for name in contenders if name != "ours"]
    return Race(
        statistics.median(each["ours"] for each in rounds),
        {name: statistics.median(each["ours"] / each[name] for each in rounds) for name in others},
    )


def turn(call: Callable[[], Any]) -> float:
    """Give the median seconds of a call, repeated for the length of a turn."""
    call()  # brings its own data and threads back
    times: list[float] = []
    end = time.perf_counter() + TURN
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def peak(call: Callable[[], Any], *given: Any) -> float:
    """Give the most memory during a second call, as a multiple of inputs and outputs together.

    All that Python and NumPy allocate counts, by `tracemalloc`, objects of a few bytes included.
    """
    call()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    result = call()
    most = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    inputs = sum(a.nbytes for a in given)
    outputs = sum(a.nbytes for a in (result if isinstance(result, tuple) else (result,)))
    return float((inputs + most) / (inputs + outputs))


def convolution(n: int, c_in: int, side: int, c_out: int, k: int, s: int, p: int, d: int, g: int) -> Row:
    """Time a convolution and its gradients, and measure their memory."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, c_in, side, side), np.float32)
    w = rng.standard_normal((c_out, c_in // g, k, k), np.float32)
    b = rng.standard_normal(c_out, np.float32)
    moves: dict[str, Any] = {"stride": (s, s), "padding": ((p, p),) * 2, "dilation": (d, d), "groups": g}
    dy = rng.standard_normal(conv2d(x, w, b, **moves).shape, np.float32)
    geometry = conv_geometry(x, w, *moves.values())
    square = rng.standard_normal((round((dy.size * w[0].size) ** (1 / 3)),) * 2, np.float32)
    tx, tw, tb, tdy = map(torch.from_numpy, (x, w, b, dy))

    def product() -> Any:
        return square @ square

    def backward(*mask: bool) -> Any:
        return torch.ops.aten.convolution_backward(
            tdy, tx, tw, [c_out], [s] * 2, [p] * 2, [d] * 2, False, [0, 0], g, mask
        )

    y = race({
        "ours": lambda: conv2d(x, w, b, **moves),
        "torch": lambda: torch.nn.functional.conv2d(tx, tw, tb, s, p, d, g),
        "product": product,
    })  # fmt: skip
    dx = race({
        "ours": lambda: input_gradient(dy, w, x.shape[2:], geometry),
        "torch": lambda: backward(True, False, False),
        "product": product,
    })  # fmt: skip
    dw = race({
        "ours": lambda: (weight_gradient(dy, x, geometry), bias_gradient(dy)),
        "torch": lambda: backward(False, True, True),
        "product": product,
    })  # fmt: skip
    row = {"µs": 1e6 * y.seconds}
    row |= {"y": y.ratios["torch"], "dx": dx.ratios["torch"], "dw, db": dw.ratios["torch"]}
    row |= {f"{name} / product": t.ratios["product"] for name, t in (("y", y), ("dx", dx), ("dw", dw))}
    row["peak y"] = peak(lambda: conv2d(x, w, b, **moves), x, w, b)
    row["peak gradients"] = peak(lambda: conv2d_backward(dy, x, w, **moves), dy, x, w)
    return row


def pooling(n: int, c: int, side: int, k: int, s: int, p: int) -> dict[str, Row]:
    """Time the poolings of one shape."""
    x = np.random.default_rng(0).standard_normal((n, c, side, side), np.float32)
    shared: dict[str, Any] = {
        "kernel_size": (k, k), "stride": (s, s), "padding": ((p, p),) * 2, "ceil_mode": False,
    }  # fmt: skip
    largest, mean = shared | {"dilation": (1, 1)}, shared | {"count_include_pad": True}
    y, indices = max_pool2d_with_indices(x, **largest)
    dy = np.ones_like(y)
    tx, tdy = torch.from_numpy(x).requires_grad_(), torch.from_numpy(dy)
    torch_max, torch_mean = torch.nn.functional.max_pool2d, torch.nn.functional.avg_pool2d
    saved = {f: f(tx, k, s, p) for f in (torch_max, torch_mean)}

    def forward(f: Any) -> Any:
        with torch.no_grad():
            return f(tx, k, s, p)

    def gradient(f: Any) -> Any:
        return torch.autograd.grad(saved[f], tx, tdy, retain_graph=True)

    pairs = {
        "max": (lambda: max_pool2d(x, **largest), lambda: forward(torch_max)),
        "max, gradient from x": (
            lambda: max_pool2d_backward(dy, x, **largest),
            lambda: torch.autograd.grad(torch_max(tx, k, s, p), tx, tdy),
        ),
        "max, gradient from saved indices": (
            lambda: max_pool_backward_from_indices(dy, indices, x.shape), lambda: gradient(torch_max)),
        "mean": (lambda: avg_pool2d(x, **mean), lambda: forward(torch_mean)),
        "mean, gradient": (lambda: avg_pool2d_backward(dy, x, **mean), lambda: gradient(torch_mean)),
    }  # fmt: skip
    rows = {}
    for name, (ours, theirs) in pairs.items():
        timed = race({"ours": ours, "torch": theirs})
        rows[name] = {"µs": 1e6 * timed.seconds, "ratio": timed.ratios["torch"]}
    return rows


def measure(threads: int) -> None:
    """Write all measurements, in a process that was started for this number of threads."""
    torch.set_num_threads(threads)
    results: dict[str, dict[str, Any]] = {"convolutions": {}, "poolings": {}}
    for kind, shapes, measured in (
        ("convolutions", SHAPES, convolution),
        ("poolings", POOLS, pooling),
    ):
        for name, shape in shapes.items():
            print(f"{threads} threads: {name}", file=sys.stderr, flush=True)
            results[kind][name] = measured(*shape)
    print(json.dumps(results))


def measured(threads: int) -> dict[str, dict[str, Any]]:
    """Start a process for a number of threads, and give what it has measured."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    limits = dict.fromkeys(names, str(threads)) | {"OMP_WAIT_POLICY": "PASSIVE"}
    # Otherwise page faults on large arrays are most of what is timed.
    keep = dict.fromkeys(("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"), str(1 << 32))
    command = [sys.executable, __file__, str(threads)]
    done = subprocess.run(command, env=os.environ | limits | keep, check=True, stdout=subprocess.PIPE)
    results: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return results


def table(head: list[str], rows: list[list[Any]]) -> str:
    """Write a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def means(convolutions: dict[str, Row]) -> Row:
    """Give the geometric means of the ratios to torch."""
    return {
        name: statistics.geometric_mean(row[name] for row in convolutions.values())
        for name in ("y", "dx", "dw, db")
    }


def tables(results: dict[str, dict[str, Any]]) -> str:
    """Write the tables of one number of threads."""
    convolutions: dict[str, Row] = results["convolutions"]
    head = list(convolutions["tiny"])
    rows: list[list[Any]] = [
        [name, f"{row['µs']:.0f}", *[f"{row[column]:.2f}" for column in head[1:]]]
        for name, row in convolutions.items()
    ]
    mean = [f"{each:.2f}" for each in means(convolutions).values()]
    rows.append(["**geometric mean**", "", *mean, *[""] * (len(head) - 4)])
    pools = [
        [name, operation, f"{row['µs']:.0f}", f"{row['ratio']:.2f}"]
        for name, operations in results["poolings"].items()
        for operation, row in operations.items()
    ]
    return (
        table(["shape", *head], rows) + "\n" + table(["pooling", "operation", "µs", "ratio to torch"], pools)
    )


def targets(results: dict[str, dict[str, Any]]) -> str:
    """Write what was aimed at and what was reached."""
    convolutions: dict[str, Row] = results["convolutions"]
    mean = means(convolutions)
    worst = max((row[name], shape, name) for shape, row in convolutions.items() for name in mean)
    tiny = max(convolutions["tiny"][name] for name in mean)
    fullest = max(
        (row[name], shape, name)
        for shape, row in convolutions.items()
        for name in ("peak y", "peak gradients")
    )
    slowest = max(
        (row["ratio"], shape, name)
        for shape, operations in results["poolings"].items()
        for name, row in operations.items()
        if "saved" not in name
    )
    rows = [
        ("forward, geometric mean", 1.0, mean["y"], ""),
        ("gradient to the input, geometric mean", 1.2, mean["dx"], ""),
        ("gradient to the weights, geometric mean", 1.2, mean["dw, db"], ""),
        ("the worst shape", 8, worst[0], f"{worst[1]}, {worst[2]}"),
        ("a tiny call", 0.5, tiny, ""),
        ("the slowest pooling", 1.0, slowest[0], f"{slowest[1]}, {slowest[2]}"),
        ("the highest peak of memory", 4, fullest[0], f"{fullest[1]}, {fullest[2]}"),
    ]
    return table(
        ["one thread", "at most", "measured", ""],
        [
            [what, most, f"{got:.2f}", where if got <= most else f"{where} **not reached**"]
            for what, most, got, where in rows
        ],
    )


def main() -> None:
    """Print the page."""
    results = {threads: measured(threads) for threads in (1, 2)}
    print(
        "# Benchmark\n\n"
        "`python reference/benchmark.py > reference/BENCHMARK.md`: "
        f"Python {platform.python_version()}, NumPy {np.__version__}, torch {torch.__version__}, "
        f"{os.cpu_count()} processors, {platform.machine()}, single precision.\n\n"
        "Columns y, dx, and dw with db are ratios of the reference's time to torch's, and those with "
        '"/ product" to that of a square matrix product of as many multiplications, in the same run. Peaks are the '
        "most memory during a second call, by `tracemalloc`, inputs included, as multiples of inputs and outputs.\n\n"
        "The gradient of max pooling has x and dy given. That is timed beside torch's forward pass and gradient, "
        "since torch's gradient alone needs the indices that its forward pass saved; the gradient from saved "
        "indices beside that.\n\n" + targets(results[1]),
        end="",
    )
    for threads, each in results.items():
        print(f"\n## {threads} thread{'s' * (threads > 1)}\n\n" + tables(each), end="")


if __name__ == "__main__":
    measure(int(sys.argv[1])) if sys.argv[1:] else main()
