"""How well failures are explained: every bug model of the catalogue is a candidate, and its report is marked.

`python conformance/explanations.py --markdown conformance/EXPLANATIONS.md` measures, for each model on one function
that it touches: how many entries of its smallest case are not zero, whether the model itself is named, and, for
pairs of models on one function, whether both are.
"""

import platform
import random
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import click
import numpy as np

import cnn_reference
from cnn_conformance import __version__, check
from cnn_conformance.report import Report
from cnn_spec.bugs import BUGS, Bug, Functions
from cnn_spec.operations import Implementation, implementation_of

FEW = 4
"""Entries that are not zero: as many as a person checks by hand."""


@dataclass(frozen=True)
class Mark:
    """What a report said of some models at once, on one function."""

    models: tuple[str, ...]
    function: str
    caught: bool
    simplest: int
    """The most entries that are not zero in a tensor of the simplest smallest case that the report shows."""
    worst: int
    """The same of its least simple one."""
    named: tuple[tuple[str, ...], ...]
    seconds: float

    @property
    def right(self) -> bool:
        """Whether just these models are named, or cannot be told apart from those that are."""
        return any(sorted(names) == sorted(self.models) for names in self.named)

    @property
    def hidden(self) -> bool:
        """Whether one of two models alone gives all the same answers: the other cannot be seen."""
        return len(self.models) > 1 and any(len(n) == 1 and n[0] in self.models for n in self.named)


def mark(names: Sequence[str], level: str, seed: int) -> Mark:
    """Hold the reference with these mistakes in it, one inside the other, against the clauses."""
    started = perf_counter()
    function = _function_of([BUGS[name] for name in names])
    implementation: Implementation = implementation_of(cnn_reference)
    for name in names:
        implementation = BUGS[name].over(implementation)
    report = check(Functions("mistaken", implementation), level, seed, only=function)
    sizes = _sizes(report) or [0]
    diagnosis = next((v.diagnosis for v in report.violations if v.diagnosis), None)
    named = diagnosis.models if diagnosis else ()
    caught = bool(report.violations)
    return Mark(tuple(names), function, caught, min(sizes), max(sizes), named, perf_counter() - started)


def _function_of(bugs: Sequence[Bug]) -> str:
    """A function that all of them touch: that of images, where there is one."""
    common = [f for f in bugs[0].functions if all(f in bug.functions for bug in bugs)]
    return next((f for f in common if "2d" in f), common[0])


def _sizes(report: Report) -> list[int]:
    """For each counterexample, the most entries that are not zero in one of the arrays of its last call."""
    return [
        max(
            (int(np.count_nonzero(a)) for a in call.arguments.values() if isinstance(a, np.ndarray)),
            default=0,
        )
        for verdict in report.violations
        if verdict.counterexample
        for call in verdict.counterexample.calls[-1:]
    ]


def pairs(count: int, seed: int) -> list[tuple[str, str]]:
    """So many pairs of models that touch a common function, at random."""
    drawn = [bug for bug in BUGS.values() if not bug.not_yet]
    together = [
        (first.name, second.name)
        for at, first in enumerate(drawn)
        for second in drawn[:at]
        if set(first.functions) & set(second.functions)
    ]
    return random.Random(seed).sample(together, count)


def page(single: Sequence[Mark], double: Sequence[Mark], command: str, seconds: float) -> str:
    """The measurement as Markdown."""
    caught, both = [m for m in single if m.caught], [m for m in double if m.caught and not m.hidden]

    def share(marks: Sequence[Mark], of: Callable[[Mark], bool]) -> str:
        good = sum(map(of, marks))
        return f"{good} of {len(marks)} ({100 * good / max(1, len(marks)):.1f} %)"

    lines = [
        "# How well failures are explained",
        "",
        f"`{command}` with cnn-conformance {__version__}, NumPy {np.__version__}, Python {platform.python_version()}; "
        f"{seconds:.0f} s. Each bug model of the catalogue is a candidate on one function that it touches.",
        "",
        f"- The smallest case has at most {FEW} entries that are not zero in each tensor: "
        f"{share(caught, lambda m: m.simplest <= FEW)} of the models caught, in the simplest case that the report shows; "
        f"{share(caught, lambda m: m.worst <= FEW)} in every case that it shows.",
        f"- The right model is named: {share(caught, lambda m: m.right)}; "
        f"and no other beside it: {share(caught, lambda m: m.right and len(m.named) == 1)}.",
        f"- Two models at once are both named: {share(both, lambda m: m.right)} pairs in which both show; "
        f"at least one of them: {share(both, lambda m: any(set(n) & set(m.models) for n in m.named))}. "
        f"In {sum(m.hidden for m in double)} pairs more, one hides the other: alone it gives the same answers.",
        "",
        "## Not named",
        "",
        *(_line(m) for m in caught if not m.right),
        "",
        f"## More than {FEW} entries even in the simplest case",
        "",
        *(f"- {m.models[0]} ({m.function}): {m.simplest}" for m in caught if m.simplest > FEW),
        "",
        "## Pairs of which not both are named",
        "",
        *(_line(m) for m in both if not m.right),
    ]
    return "\n".join(lines) + "\n"


def _line(one: Mark) -> str:
    named = "; or ".join(" and ".join(names) for names in one.named[:3]) or "none"
    return f"- {' and '.join(one.models)} ({one.function}): named {named}"


@click.command()
@click.option("--level", default="quick", show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--models", type=int, help="Only so many models, at random [all].")
@click.option("--pairs", "count", default=100, show_default=True, help="Pairs of models.")
@click.option("--jobs", default=2, show_default=True, help="Processes.")
@click.option("--markdown", type=click.Path(path_type=Path), help="Write the page here.")
def main(level: str, seed: int, models: int | None, count: int, jobs: int, markdown: Path | None) -> None:
    """Measure, and write a page."""
    started = perf_counter()
    alone = [(bug.name,) for bug in BUGS.values() if not bug.not_yet]
    if models is not None:
        alone = random.Random(seed).sample(alone, models)
    work = partial(mark, level=level, seed=seed)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        single = list(pool.map(work, alone, chunksize=4))
        double = list(pool.map(work, pairs(count, seed), chunksize=4))
    sample = "" if models is None else f" --models {models}"
    command = f"python conformance/explanations.py --level {level} --seed {seed}{sample} --pairs {count}"
    text = page(single, double, command, perf_counter() - started)
    if markdown is not None:
        markdown.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
