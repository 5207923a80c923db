"""False accusations: hold implementations that are right in other ways against the clauses, over many seeds.

`python conformance/accusations.py --seeds 20 --level standard --jobs 2` judges each of `different.DIFFERENT` in the
operations in which it differs, and writes a page. A case is drawn once for all of them. What is done is kept in a
journal, so that an interrupted run goes on where it was, if nothing has changed meanwhile.
"""

import hashlib
import json
import os
import platform
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from multiprocessing import get_context
from pathlib import Path

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
SOURCES = [HOME.parent / "spec", HOME.parent / "reference", HOME]


@dataclass(frozen=True)
class Unit:
    """A function with a seed: what is done at once, by all implementations that differ in it."""

    function: str
    seed: int
    level: str
    names: tuple[str, ...]

    @property
    def key(self) -> str:
        """Its name in the journal."""
        return f"{self.level}/{self.seed}/{self.function}/{hashlib.sha256(repr(self.names).encode()).hexdigest()[:8]}"


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


class Journal:
    """What is done, a line for each unit; another state of the sources starts it anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.done: dict[str, list[Outcome]] = {}
        lines = path.read_text().splitlines() if path.exists() else []
        if not lines or lines[0] != json.dumps(state()):
            path.write_text(json.dumps(state()) + "\n")
            return
        for line in lines[1:]:
            key, outcomes = json.loads(line)
            self.done[key] = [
                Outcome(**{**o, "violations": tuple(map(tuple, o["violations"]))}) for o in outcomes
            ]

    def add(self, unit: Unit, outcomes: list[Outcome]) -> None:
        """Note a unit as done."""
        self.done[unit.key] = outcomes
        with self._path.open("a") as file:
            file.write(json.dumps([unit.key, [asdict(o) for o in outcomes]]) + "\n")


def state() -> dict[str, str]:
    """What the outcomes depend on: the sources, and the libraries that are judged."""
    text = hashlib.sha256()
    for folder in SOURCES:
        for path in sorted(folder.rglob("*.py")):
            text.update(path.read_bytes())
    return {"sources": text.hexdigest()[:16], **versions()}


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


def page(outcomes: Sequence[Outcome], command: str) -> str:
    """What came of it, as a page."""
    seeds = sorted({o.seed for o in outcomes})
    total = sum(len(o.violations) for o in outcomes)
    lines = [
        "# False accusations",
        "",
        f"`{command}`, {date.today()}, commit {commit()}, with "
        + ", ".join(f"{name} {version}" for name, version in versions().items())
        + ".",
        "",
        "Each implementation is right, in another way than the reference (`conformance/different`), and is judged by every "
        "clause in the operations in which it differs. A violation would be a false accusation.",
        "",
        f"{sum(o.cases for o in outcomes):,} cases judged with {len(seeds)} seeds ({seeds[0]} to {seeds[-1]}); "
        f"**{total} violations**.",
        "",
        "| implementation | functions | seeds | cases | declined | violations | worst error, in units of the bound |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in dict.fromkeys(name for name in DIFFERENT if any(o.name == name for o in outcomes)):
        of = [o for o in outcomes if o.name == name]
        worst = max(of, key=lambda o: o.error)
        lines.append(
            f"| {name} | {len({o.function for o in of})} | {len({o.seed for o in of})} "
            f"| {sum(o.cases for o in of):,} | {sum(o.declined for o in of):,} | {sum(len(o.violations) for o in of)} "
            f"| {worst.error:.2f} ({worst.function}) |"
        )
    lines += [f"- {o.name}: {' '.join(v)}" for o in outcomes for v in o.violations]
    return "\n".join(lines) + "\n"


def units(names: Sequence[str], seeds: Sequence[int], level: str, functions: str) -> Iterator[Unit]:
    """All there is to do, seed by seed."""
    for seed in seeds:
        for function in FUNCTIONS:
            if fnmatchcase(function, functions) and (some := concerned(function, names)):
                yield Unit(function, seed, level, tuple(some))


@click.command()
@click.option("--level", type=click.Choice(["quick", "standard"]), default="standard", show_default=True)
@click.option("--seeds", type=click.IntRange(min=1), default=20, show_default=True, help="From 0 on.")
@click.option("--only", default="*", metavar="GLOB", help="Only these implementations.")
@click.option("--functions", default="*", metavar="GLOB", help="Only these functions.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
@click.option("--journal", type=click.Path(path_type=Path), help="Where to keep what is done.")
@click.option("--markdown", type=click.Path(path_type=Path), help="Write the result here.")
def main(
    level: str,
    seeds: int,
    only: str,
    functions: str,
    jobs: int,
    journal: Path | None,
    markdown: Path | None,
) -> None:
    """Look for false accusations; exit status 1 if there is one."""
    names = [name for name in DIFFERENT if fnmatchcase(name, only)]
    kept = Journal(journal) if journal else None
    wanted = list(units(names, range(seeds), level, functions))
    found = {unit: kept.done[unit.key] for unit in wanted if kept and unit.key in kept.done}
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(judged, unit): unit for unit in wanted if unit not in found}
        for future in as_completed(futures):
            unit, outcomes = futures[future], future.result()
            found[unit] = outcomes
            if kept:
                kept.add(unit, outcomes)
            click.echo(f"{len(found)} of {len(wanted)}: seed {unit.seed}, {unit.function}")
            for outcome in outcomes:
                for violation in outcome.violations:
                    click.echo(f"  {outcome.name} is accused: {' '.join(violation)}")
    outcomes = [outcome for unit in wanted for outcome in found[unit]]
    options = "".join(
        f" --{name} '{value}'" for name, value in (("only", only), ("functions", functions)) if value != "*"
    )
    text = page(outcomes, f"python conformance/accusations.py --level {level} --seeds {seeds}{options}")
    click.echo(text)
    if markdown:
        markdown.write_text(text, encoding="utf-8")
    sys.exit(any(o.violations for o in outcomes))


if __name__ == "__main__":
    for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(_threads, "1")
    main()
