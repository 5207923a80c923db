"""How long a user waits: whole runs, as processes of their own, imports included.

`python conformance/benchmark.py` prints a table. Times move with the machine; the ratio to starting Python and
importing the library, measured in the same run, says more. Each figure is the median of some runs.
"""

import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

FLIPPED = str(Path(__file__).parent / "examples" / "flipped_kernel.py")
HARNESS = [sys.executable, "-m", "cnn_conformance"]
RUNS = (
    ("import torch", [sys.executable, "-c", "import torch"]),
    ("import numpy", [sys.executable, "-c", "import numpy"]),
    ("run --level quick", [*HARNESS, "run"]),
    ("run --level standard", [*HARNESS, "run", "--level", "standard"]),
    ("run torch --level quick", [*HARNESS, "run", "torch"]),
    ("run torch --level quick --jobs 2", [*HARNESS, "run", "torch", "--jobs", "2"]),
    ("run torch --level standard", [*HARNESS, "run", "torch", "--level", "standard"]),
    ("run torch --level standard --jobs 2", [*HARNESS, "run", "torch", "--level", "standard", "--jobs", "2"]),
    ("run flipped_kernel.py", [*HARNESS, "run", FLIPPED]),
    ("prove", [*HARNESS, "prove"]),
)
FIRST_COUNTEREXAMPLE = (
    "import sys, time; from cnn_conformance import check; t = time.perf_counter(); "
    "check(sys.argv[1], level='quick', stop_at_first=True); print(time.perf_counter() - t)"
)
ACROSS = """
import os
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
from dataclasses import replace
from statistics import median
from time import perf_counter
import numpy as np
from cnn_conformance.boundary.home import isolated
from cnn_conformance.candidate import load
from cnn_conformance.judging import judge_chunk, run_chunk
from cnn_conformance.plan import Chunk, Rows
from cnn_spec.operations import Call

def in_turns(one, other, times):
    taken = [[], []]
    for _ in range(times):
        for work, seconds in zip((one, other), taken):
            started = perf_counter()
            work()
            seconds.append(perf_counter() - started)
    return [median(seconds[times // 10 :]) for seconds in taken]

x, w = np.ones((2, 3, 8, 8), np.float32), np.ones((4, 3, 3, 3), np.float32)
parameters = {"stride": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
call = Call("conv", 2, {"x": x, "w": w, "b": None}, parameters)
there, here = load(isolated("reference")), load("reference")
print(*in_turns(lambda: there.implementation()(call), lambda: here.implementation()(call), 3000))

chunk, calls = Chunk("conv2d", (Rows("pairs", 0, 24),), ("float32", "float64"), 0, None), []
judge_chunk([replace(here, guard=lambda _: here.guard(calls.append))], chunk)
print(*(t / len(calls) for t in in_turns(
    lambda: run_chunk(isolated("reference"), chunk), lambda: judge_chunk([here], chunk), 40)))
"""
"""Seconds for a call in a process of its own and in this one, in turns: alone, and in a chunk that is judged there."""


def seconds(command: list[str]) -> float:
    """How long a command takes; its output is thrown away."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as thrown_away:
        subprocess.run(command, stdout=thrown_away, stderr=thrown_away, check=False)
    return time.perf_counter() - started


def main(repeats: int = 3) -> None:
    """Measure each run some times, taking turns, and print the medians."""
    taken: dict[str, list[float]] = {name: [] for name, _ in RUNS}
    for _ in range(repeats):
        for name, command in RUNS:
            taken[name].append(seconds(command))
    start = median(taken["import torch"])
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, median of {repeats}\n")
    print("| whole process | seconds | ratio to `import torch` |\n| --- | --- | --- |")
    for name, times in taken.items():
        print(f"| `{name}` | {median(times):.1f} | {median(times) / start:.1f} |")
    first = subprocess.run(
        [sys.executable, "-c", FIRST_COUNTEREXAMPLE, FLIPPED], capture_output=True, text=True, check=True
    )
    print(
        f"\nFirst smallest counterexample to a flipped kernel, loaded and shrunk: {float(first.stdout):.2f} s\n"
    )
    across = subprocess.run([sys.executable, "-c", ACROSS], capture_output=True, text=True, check=True)
    for words, line in zip(("asked alone", "in a chunk"), across.stdout.splitlines(), strict=True):
        there, here = (1e3 * float(word) for word in line.split())
        print(
            f"A tiny call in a process of its own, {words}: {there - here:.3f} ms more than {here:.3f} ms here"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
