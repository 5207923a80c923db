"""False accusations: hold implementations that are right in other ways against the clauses, over many seeds.

`python conformance/accusations.py --seeds 0-19 --level standard --jobs 2` judges each of `different.DIFFERENT` in the
operations in which it differs. A case is drawn once for all of them. With `--results FILE.csv` each seed is written down
when it is done, with the commit at which it was judged, and what the file has is not judged again; `--markdown` makes a page of it all.
"""

import csv
import os
import platform
import shlex
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, fields
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import numpy as np

from cnn_conformance import __version__
from cnn_conformance.candidate import Candidate, load
from cnn_conformance.judging import judge_chunk
from cnn_conformance.plan import Chunk, chunks_of, sources_of
from cnn_conformance.tally import Tallies
from cnn_spec import SPEC_VERSION
from cnn_spec.cases.stream import FUNCTIONS
from different import DIFFERENT

HOME = Path(__file__).parent


@dataclass(frozen=True)
class Unit:
    """A function with a seed: what is done at once, by all implementations that differ in it."""

    function: str
    seed: int
    level: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """How an implementation fared in a unit; violations are (clause, law, case)."""

    name: str
    function: str
    seed: int
    cases: int
    declined: int
    error: float
    violations: tuple[tuple[str, str, str], ...]


@cache
def candidate(name: str) -> Candidate:
    """An implementation, loaded."""
    return load(DIFFERENT[name].candidate)


def concerned(function: str, names: Sequence[str]) -> list[str]:
    """The implementations that differ in a function's operation and offer the function."""
    operation, _ = FUNCTIONS[function]
    return [
        name
        for name in names
        if operation in DIFFERENT[name].operations and function in candidate(name).about.offered
    ]


def judged(unit: Unit) -> list[Outcome]:
    """Every implementation of a unit, judged in every case of its function."""
    chunks: dict[Chunk, list[str]] = defaultdict(list)
    for name in unit.names:
        for chunk in chunks_of(candidate(name).about, sources_of(unit.level), unit.seed, unit.function):
            chunks[chunk].append(name)
    found: dict[str, list[Tallies]] = {name: [] for name in unit.names}
    for chunk, names in chunks.items():
        for name, tallies in zip(names, judge_chunk([candidate(n) for n in names], chunk), strict=True):
            found[name].append(tallies)
    return [_outcome(name, unit, tallies) for name, tallies in found.items()]


def _outcome(name: str, unit: Unit, found: list[Tallies]) -> Outcome:
    """The sum of some chunks' tallies; the cases are those of the clause that has most."""
    tallies = [tally for chunk in found for tally in chunk.values()]
    violations = tuple(
        (clause, failure.law, failure.case_id)
        for chunk in found
        for (clause, _), tally in chunk.items()
        for failure in tally.failures.values()
    )
    return Outcome(
        name,
        unit.function,
        unit.seed,
        sum(max((len(t.judged) for t in chunk.values()), default=0) for chunk in found),
        sum(max((len(t.declined) for t in chunk.values()), default=0) for chunk in found),
        max((t.error for t in tallies), default=0.0),
        violations,
    )


@dataclass(frozen=True)
class Row:
    """How an implementation fared with a seed: a line of the results."""

    level: str
    seed: int
    name: str
    functions: int
    cases: int
    declined: int
    violations: int
    error: float
    worst: str
    commit: str


def row(level: str, seed: int, name: str, outcomes: Sequence[Outcome]) -> Row:
    """The sum of an implementation's outcomes with a seed."""
    worst = max(outcomes, key=lambda o: o.error)
    return Row(
        level,
        seed,
        name,
        len(outcomes),
        sum(o.cases for o in outcomes),
        sum(o.declined for o in outcomes),
        sum(len(o.violations) for o in outcomes),
        round(worst.error, 4),
        worst.function,
        commit(),
    )


def read(path: Path) -> list[Row]:
    """The rows of a file; none if it is absent."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        kinds: dict[str, Any] = {f.name: f.type for f in fields(Row)}
        return [
            Row(**{name: kinds[name](value) for name, value in line.items()}) for line in csv.DictReader(file)
        ]


def write(path: Path, rows: Sequence[Row]) -> None:
    """All rows, in the order of levels, seeds and implementations."""
    order = list(DIFFERENT)
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.DictWriter(file, [f.name for f in fields(Row)], lineterminator="\n")
        lines.writeheader()
        for one in sorted(rows, key=lambda r: (r.level, r.seed, order.index(r.name))):
            lines.writerow(asdict(one))


def versions() -> dict[str, str]:
    """The versions of what takes part."""
    import torch

    return {
        "cnn-conformance": __version__,
        "specification": SPEC_VERSION,
        "NumPy": np.__version__,
        "torch": torch.__version__,
        "Python": platform.python_version(),
    }


def commit() -> str:
    """The commit of the sources, marked where they differ from it."""
    said = subprocess.run(
        ["git", "-C", str(HOME), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout.strip() or "unknown"


def page(rows: Sequence[Row], command: str) -> str:
    """What came of it, as a page."""
    lines = [
        "# False accusations",
        "",
        f"`{command}`, {date.today()}, with "
        + ", ".join(f"{name} {version}" for name, version in versions().items())
        + ".",
        "",
        "Each implementation is right, in another way than the reference (`conformance/different`), and is judged by every "
        "clause in the operations in which it differs. A violation would be a false accusation.",
    ]
    for level in dict.fromkeys(r.level for r in rows):
        lines += ["", f"## Level {level}", "", *_of_level([r for r in rows if r.level == level])]
    return "\n".join(lines) + "\n"


def _of_level(rows: Sequence[Row]) -> Iterator[str]:
    seeds = sorted({r.seed for r in rows})
    commits: dict[str, list[int]] = defaultdict(list)
    for seed in seeds:
        commits[next(r.commit for r in rows if r.seed == seed)].append(seed)
    at = "; ".join(f"{', '.join(map(str, some))} at commit {name}" for name, some in commits.items())
    yield (
        f"{sum(r.cases for r in rows):,} cases judged with {len(seeds)} seeds ({at}); "
        f"**{sum(r.violations for r in rows)} violations**."
    )
    yield ""
    yield "| implementation | functions | seeds | cases | declined | violations | worst error, in units of the bound |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for name in dict.fromkeys(r.name for r in rows):
        of = [r for r in rows if r.name == name]
        worst = max(of, key=lambda r: r.error)
        yield (
            f"| {name} | {max(r.functions for r in of)} | {len({r.seed for r in of})} "
            f"| {sum(r.cases for r in of):,} | {sum(r.declined for r in of):,} | {sum(r.violations for r in of)} "
            f"| {worst.error:.2f} ({worst.worst}) |"
        )


def units(names: Sequence[str], seed: int, level: str, functions: str) -> Iterator[Unit]:
    """All there is to do with a seed."""
    for function in FUNCTIONS:
        if fnmatchcase(function, functions) and (some := concerned(function, names)):
            yield Unit(function, seed, level, tuple(some))


def rows_of(pool: ProcessPoolExecutor, wanted: Sequence[Unit]) -> list[Row]:
    """What came of a seed's units; violations are said as they are found."""
    found: dict[str, list[Outcome]] = defaultdict(list)
    futures = {pool.submit(judged, unit): unit for unit in wanted}
    for done, future in enumerate(as_completed(futures), start=1):
        unit = futures[future]
        click.echo(f"seed {unit.seed}: {done} of {len(wanted)}, {unit.function}")
        for outcome in future.result():
            found[outcome.name].append(outcome)
            for violation in outcome.violations:
                click.echo(f"  {outcome.name} is accused: {' '.join(violation)}")
    return [row(wanted[0].level, wanted[0].seed, name, outcomes) for name, outcomes in found.items()]


def _seeds(_: click.Context, __: click.Parameter, given: str) -> range:
    first, _dash, last = given.partition("-")
    try:
        return range(int(first), int(last or first) + 1)
    except ValueError:
        raise click.BadParameter(f"{given!r} is no seed, and no range such as 0-19") from None


@click.command()
@click.option("--level", type=click.Choice(["quick", "standard"]), default="standard", show_default=True)
@click.option("--seeds", callback=_seeds, default="0-19", show_default=True, help="The first and the last.")
@click.option("--only", default="*", metavar="GLOB", help="Only these implementations.")
@click.option("--functions", default="*", metavar="GLOB", help="Only these functions.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
@click.option(
    "--results", type=click.Path(path_type=Path), help="Where each seed is written down when it is done."
)
@click.option("--markdown", type=click.Path(path_type=Path), help="Write a page here.")
def main(
    level: str,
    seeds: range,
    only: str,
    functions: str,
    jobs: int,
    results: Path | None,
    markdown: Path | None,
) -> None:
    """Look for false accusations; exit status 1 if there is one."""
    names = [name for name in DIFFERENT if fnmatchcase(name, only)]
    rows = read(results) if results else []
    if results and (only, functions) != ("*", "*"):
        raise click.UsageError("--results keeps whole seeds: leave out --only and --functions, or --results.")
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for seed in seeds:
            if any((r.level, r.seed) == (level, seed) for r in rows):
                continue
            if wanted := list(units(names, seed, level, functions)):
                rows += rows_of(pool, wanted)
            if results:
                write(results, rows)
    text = page(rows, f"python {shlex.join(['conformance/accusations.py', *sys.argv[1:]])}")
    click.echo(text)
    if markdown:
        markdown.write_text(text, encoding="utf-8")
    sys.exit(any(r.violations for r in rows))


if __name__ == "__main__":
    for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(_threads, "1")
    main()
