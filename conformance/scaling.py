"""How the cost of a run grows, and what many workers save: measured, and written up in SCALING.md.

`python conformance/scaling.py speedup overhead cost write` measures the first three, each into `scaling.json`, and writes
the page and its picture from that. Needs the extra `dask`.
"""

import json
import platform
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from math import log2
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import cnn_reference
from cnn_conformance import __version__, check
from cnn_conformance.candidate import about
from cnn_conformance.cluster import cluster
from cnn_conformance.judging import run_chunk
from cnn_conformance.plan import chunks_of, sources_of
from cnn_conformance.steadfast import Steadfast
from cnn_spec import SPEC_VERSION
from cnn_spec.cases.stream import FUNCTIONS

HOME = Path(__file__).parent
FIGURES = HOME / "scaling.json"
ASLEEP = 0.05
"""Seconds that each call of the slow candidate takes."""
ONLY = "*pool*"
"""What it is judged on: so much that one worker needs minutes."""
WORKERS = (1, 2, 4, 8, 16)
PIECES, REPEATS = 300, 5
"""Pieces of work, and how often they are done: the least time counts, since other work on the machine only adds."""
NIGHT, CREW = 10 * 3600, 100
"""Seconds of a night, and workers."""
SHORT_RUNS = 3
"""So often those of many workers are done, since what else the machine does weighs more in them."""
Figures = dict[str, Any]
Ranks = Mapping[str, Sequence[int]]
"""Calls of operations in one, two and three dimensions."""
LEFT, TOP, PITCH, BREADTH = 175, 60, 18, 330
"""Of the bars in the picture, in pixels."""


class Wrapped:
    """The reference, with something done before each call."""

    def __init__(self, before: Callable[[], None]) -> None:
        for name in FUNCTIONS:
            setattr(self, name, _after(before, getattr(cnn_reference, name)))


def _after(before: Callable[[], None], function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        before()
        return function(*args, **kwargs)

    return wrapped


class Sleeping(Wrapped):
    """Takes its time."""

    def __init__(self) -> None:
        super().__init__(lambda: time.sleep(ASLEEP))


class Counting(Wrapped):
    """Counts its calls."""

    def __init__(self) -> None:
        self.calls = 0
        super().__init__(self._count)

    def _count(self) -> None:
        self.calls += 1


@contextmanager
def crew(workers: int) -> Iterator[Executor]:
    """An executor of a cluster on this machine, with so many workers, which have imported and drawn what they need.

    They are threads of at most two processes: two cores could not start sixteen processes at once, and need not.
    """
    from distributed import Client

    command = [sys.executable, __file__, "cluster", str(workers)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdin is not None
        address = running.stdout.readline().strip()
        with Client(address, set_as_default=False) as client:
            client.run(_ready)
        with cluster(address) as executor:
            yield executor
        running.stdin.close()


def serve(workers: int) -> None:
    """A scheduler and its workers, until the standard input ends."""
    from distributed import LocalCluster

    processes = min(workers, 2)
    threads = workers // processes
    with LocalCluster(n_workers=processes, threads_per_worker=threads, dashboard_address=None) as local:
        print(local.scheduler_address, flush=True)
        sys.stdin.read()


def _ready() -> None:
    check("reference", "quick", only=ONLY)


def speedup() -> Figures:
    """Seconds of one and the same run with more and more workers; the candidate sleeps, which needs no cores."""
    counting = Counting()
    check(counting, "quick", only=ONLY)
    taken = {}
    for workers in WORKERS:
        with crew(workers) as executor:
            runs = [_run(executor) for _ in range(1 if workers < 8 else SHORT_RUNS)]
            taken[workers] = round(min(runs), 2)
        print(f"{workers} workers: {taken[workers]} s", flush=True)
    return {"calls": counting.calls, "seconds": taken}


def _run(executor: Executor) -> float:
    """How long it takes, in seconds."""
    started = time.perf_counter()
    check(f"{__file__}:Sleeping", "quick", only=ONLY, executor=executor)
    return time.perf_counter() - started


def overhead() -> Figures:
    """Seconds that it takes to have a piece of work done by one Dask worker, beside the work itself."""
    (chunk, *_) = chunks_of(about("reference"), sources_of("quick"), 0, "relu")
    run_chunk("reference", chunk)
    with crew(1) as executor, Steadfast(executor) as run:
        works = {"empty": (abs, 0), "real": (run_chunk, "reference", chunk)}
        found = {}
        for name, work in works.items():
            run.submit(*work).result()
            found[name] = min(_seconds(lambda work=work: _sent(run, work)) for _ in range(REPEATS))
    here = min(
        _seconds(lambda: [run_chunk("reference", chunk) for _ in range(PIECES)]) for _ in range(REPEATS)
    )
    return {"empty": found["empty"], "real": found["real"], "here": here, "pieces": PIECES}


def _sent(run: Executor, work: tuple[Any, ...]) -> None:
    for future in [run.submit(*work) for _ in range(PIECES)]:
        future.result()


def _seconds(work: Callable[[], Any]) -> float:
    """Of each of the pieces."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) / PIECES


def cost() -> Figures:
    """Calls, pieces and seconds of this suite's own work, by level, operation, rank and dtypes."""
    levels: Figures = {}
    for name, sources in (
        ("quick", sources_of("quick")),
        ("standard", sources_of("standard")),
        ("a round of deep", (("round-1", 1),)),
    ):
        counting, seconds = Counting(), time.process_time()
        calls, pieces = Counter[str](), []
        for chunk in chunks_of(about(counting), sources, 0, None):
            before = counting.calls
            run_chunk(counting, chunk)
            pieces.append(counting.calls - before)
            calls[chunk.function] += pieces[-1]
        levels[name] = {
            "calls": sum(pieces),
            "pieces": len(pieces),
            "longest": max(pieces),
            "seconds": round(time.process_time() - seconds, 1),
            "functions": dict(calls),
        }
        print(f"{name}: {levels[name]['calls']} calls, {levels[name]['seconds']} s", flush=True)
    return {"levels": levels, "dtypes": _by_dtypes(), "explaining": _explaining()}


def _by_dtypes() -> Figures:
    """Calls at level quick for a candidate of one dtype, and of both."""
    found = {}
    for dtypes in (("float32",), ("float32", "float64")):
        counting = Counting()
        for chunk in chunks_of(replace(about(counting), dtypes=dtypes), sources_of("quick"), 0, None):
            run_chunk(counting, chunk)
        found[" and ".join(dtypes)] = counting.calls
    return found


def _explaining() -> Figures:
    """Calls that it takes to explain one mistake, beside those that found it."""
    found = {}
    for explain in (False, True):
        counting = Counting()
        counting.conv2d = _flipped(counting.conv2d)  # type: ignore[attr-defined]
        report = check(counting, "quick", only="conv2d", explain=explain)
        found[str(explain)] = counting.calls
    return {
        "verdicts": len(report.violations),
        "judging": found["False"],
        "explaining": found["True"] - found["False"],
    }


def _flipped(right: Callable[..., Any]) -> Callable[..., Any]:
    return wraps(right)(lambda x, w, b, **parameters: right(x, w[..., ::-1, ::-1], b, **parameters))


def by_rank(functions: Mapping[str, int]) -> dict[str, list[int]]:
    """The calls of each operation that has ranks in one, two and three dimensions."""
    found: dict[str, list[int]] = {}
    for function, calls in functions.items():
        operation, rank = FUNCTIONS[function]
        if rank:
            found.setdefault(operation, [0, 0, 0])[rank - 1] = calls
    return found


def bars(standard: Ranks, quick: Ranks) -> Iterator[Figures]:
    """Two bars for each operation, of a part for each rank, from the most calls to the fewest."""
    most = max(map(sum, standard.values()))
    for place, (operation, calls) in enumerate(sorted(standard.items(), key=lambda of: -sum(of[1]))):
        y, parts = TOP + PITCH * place, []
        for level, down, height in ((calls, 0, 8), (quick[operation], 9, 4)):
            x = float(LEFT)
            for rank, of_rank in enumerate(level):
                width = of_rank / most * BREADTH
                parts.append({"rank": rank, "x": x, "y": y + down, "width": width, "height": height})
                x += width
        end = LEFT + sum(calls) / most * BREADTH
        yield {"name": operation, "y": y, "parts": parts, "end": end, "calls": sum(calls)}


def plot(seconds: Mapping[int, float], bottom: int) -> Figures:
    """How many times as fast as one worker the others are, both axes logarithmic, and what would be ideal."""
    most = max(seconds)

    def at(workers: int, times: float) -> tuple[float, float]:
        x, y = (log2(n) / log2(most) for n in (workers, times))
        return 640 + 220 * x, bottom - 12 - (bottom - 90) * y

    points = [
        {
            "workers": n,
            "times": seconds[1] / taken,
            "x": round(at(n, 1)[0]),
            "y": at(n, seconds[1] / taken)[1],
        }
        for n, taken in seconds.items()
    ]
    line = "M" + "L".join(f"{point['x']} {point['y']:.1f}" for point in points)
    ideal = "M" + "L".join("{} {:.1f}".format(*at(n, n)) for n in (1, most))
    return {"points": points, "line": line, "ideal": ideal, "bottom": bottom}


def write() -> None:
    """The page and the picture, of what was measured."""
    figures = json.loads(FIGURES.read_text("utf-8"))
    seconds = {int(n): taken for n, taken in figures["speedup"]["seconds"].items()}
    levels = figures["cost"]["levels"]
    ranks = {level: by_rank(of["functions"]) for level, of in levels.items()}
    rows = list(bars(ranks["standard"], ranks["quick"]))
    shown = {
        **figures,
        "seconds": seconds,
        "efficiency": seconds[1] / seconds[max(seconds)] / max(seconds),
        "dearest": [(row["name"], sum(ranks["quick"][row["name"]])) for row in rows[:5]],
        "by_rank": {level: [sum(of) for of in zip(*ranks[level].values(), strict=True)] for level in ranks},
        "bars": rows,
        "plot": plot(seconds, TOP + 250),
        "height": TOP + PITCH * len(rows) + 10,
        "constants": {
            "asleep": ASLEEP,
            "only": ONLY,
            "crew": CREW,
            "night": NIGHT,
            "repeats": REPEATS,
            "short": SHORT_RUNS,
        },
    }
    templates = Environment(
        loader=FileSystemLoader(HOME), undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    for target in ("SCALING.md", "scaling.svg"):
        text = templates.get_template(f"{target.lower()}.jinja").render(shown)
        (HOME / target).write_text(text, encoding="utf-8")


MEASURES: dict[str, Callable[[], Figures]] = {"speedup": speedup, "overhead": overhead, "cost": cost}


def main(wanted: list[str]) -> None:
    """Measure what is asked for, and write it up if that is."""
    figures = json.loads(FIGURES.read_text("utf-8")) if FIGURES.exists() else {}
    if wanted[:1] == ["cluster"]:
        serve(int(wanted[1]))
        return
    for name in wanted or [*MEASURES, "write"]:
        if name == "write":
            write()
            continue
        figures[name] = MEASURES[name]()
        figures["versions"] = {
            "cnn-conformance": __version__,
            "specification": SPEC_VERSION,
            "Python": platform.python_version(),
        }
        FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
