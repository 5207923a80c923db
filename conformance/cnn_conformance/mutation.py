"""The mutation score: which of the catalogue's bug models does a run catch, and after how many cases?

Each model is held against the laws like any candidate, case by case in the order of the plan, until the
first violation. All models of an operation are taken through the cases together, so that a case is drawn,
and answered rightly, only once.
"""

import json
import platform
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter

import click
import numpy as np

import cnn_reference
from cnn_conformance import __version__
from cnn_conformance.guard import guarded
from cnn_conformance.judging import Violation, judge, remembering
from cnn_conformance.plan import Judged, laws_of, sources_of
from cnn_spec import SPEC_VERSION
from cnn_spec.bounds import Oracle
from cnn_spec.bugs import BUGS, THEMES, Bug, Functions
from cnn_spec.case import Case
from cnn_spec.cases.stream import DTYPES, FUNCTIONS, case_ids, case_of, row_count
from cnn_spec.operations import Call, Implementation, Results, implementation_of

MISUSE, SURVIVED = 2, 1


@dataclass(frozen=True)
class Score:
    """How a bug model fared with one seed: the violated clause and the cases until then; neither if it survived."""

    bug: str
    seed: int
    clause: str | None = None
    function: str | None = None
    cases: int = 0


class _Right:
    """The reference, asked once for the call of the case that is being judged."""

    def __init__(self) -> None:
        self._answer = implementation_of(cnn_reference)
        self._call: Call | None = None
        self._kept: Implementation = self._answer

    def turn_to(self, call: Call) -> None:
        """From now on this is the call that is asked again and again."""
        self._call, self._kept = call, remembering(self._answer, call)

    def __call__(self, call: Call) -> Results:
        return self._kept(call)


def cases_of(functions: Sequence[str], level: str, seed: int) -> Iterator[tuple[str, Case]]:
    """Every case of some functions at a level, in the order of the plan."""
    for function, (source, rounds) in product(functions, sources_of(level)):
        for case_id in case_ids(function, source, range(rounds * row_count(function, source)), DTYPES):
            case = case_of(case_id, seed)
            if case is not None:
                yield function, case


@cache
def _laws(function: str) -> list[Judged]:
    return laws_of(function)


def violated(function: str, functions: Functions, case: Case, oracle: Oracle) -> Violation | None:
    """The first violation of a law in a case."""
    implementation = remembering(guarded(functions), case.call)
    for judged in _laws(function):
        if judged.law.applies(case):
            outcome = judge(judged, implementation, case, oracle)
            if isinstance(outcome, Violation):
                return outcome
    return None


def score(names: Sequence[str], level: str, seed: int) -> list[Score]:
    """How each of these bug models fares."""
    right, oracle = _Right(), Oracle(implementation_of(cnn_reference))
    alive = {name: Functions(name, BUGS[name].over(right)) for name in names}
    found = {name: Score(name, seed) for name in names}
    for function, case in cases_of(_functions(names), level, seed):
        right.turn_to(case.call)
        for name in [name for name in alive if function in BUGS[name].functions]:
            violation = violated(function, alive[name], case, oracle)
            caught = violation is not None
            found[name] = Score(
                name,
                seed,
                violation.clause if violation else None,
                violation.function if violation else None,
                found[name].cases + 1,
            )
            if caught:
                del alive[name]
        if not alive:
            break
    return [found[name] for name in names]


def alike(names: Sequence[str], level: str, seed: int) -> list[list[str]]:
    """The bug models that are wrong in the very same cases: groups of two and more."""
    right, oracle = _Right(), Oracle(implementation_of(cnn_reference))
    made = {name: Functions(name, BUGS[name].over(right)) for name in names}
    groups = [list(names)]
    for function, case in cases_of(_functions(names), level, seed):
        right.turn_to(case.call)
        groups = [part for group in groups for part in _split(group, made, function, case, oracle)]
        if not groups:
            break
    return groups


def _split(
    group: list[str], made: dict[str, Functions], function: str, case: Case, oracle: Oracle
) -> list[list[str]]:
    """Those that are wrong in a case and those that are not, where more than one is."""
    parts: tuple[list[str], list[str]] = ([], [])
    for name in group:
        touched = function in BUGS[name].functions
        parts[touched and violated(function, made[name], case, oracle) is not None].append(name)
    return [part for part in parts if len(part) > 1]


def _functions(names: Sequence[str]) -> list[str]:
    touched = {function for name in names for function in BUGS[name].functions}
    return [function for function in FUNCTIONS if function in touched]


def units_of(names: Sequence[str]) -> list[list[str]]:
    """The models by the first operation that they touch: what is taken through the cases together."""
    units: dict[str, list[str]] = {}
    for name in names:
        units.setdefault(BUGS[name].operations[0], []).append(name)
    return list(units.values())


def alike_all(names: Sequence[str], level: str, seed: int, jobs: int = 1) -> list[list[str]]:
    """The bug models that are wrong in the very same cases, operation by operation."""
    units = [(unit, level, seed) for unit in units_of(names)]
    if jobs == 1:
        return [group for unit in units for group in alike(*unit)]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(alike, *unit) for unit in units]
        return [group for future in futures for group in future.result()]


def score_all(names: Sequence[str], level: str, seeds: Sequence[int], jobs: int = 1) -> list[Score]:
    """How each of these bug models fares with each seed."""
    units = [(unit, level, seed) for seed in seeds for unit in units_of(names)]
    if jobs == 1:
        return [one for unit in units for one in score(*unit)]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(score, *unit) for unit in units]
        return [one for future in futures for one in future.result()]


@dataclass(frozen=True)
class Scores:
    """The mutation score of the suite at a level."""

    level: str
    scores: tuple[Score, ...]
    not_yet: tuple[str, ...]
    seconds: float
    alike: tuple[list[str], ...] | None = None
    """The models that are wrong in the very same cases, where that was asked."""

    @property
    def distinct(self) -> str:
        """How many different sets of wrong cases there are."""
        sets = len(self.of(self.seeds[0])) - sum(len(group) - 1 for group in self.alike or ())
        return (
            f"{sets} pairwise different sets of wrong cases at level {self.level} with seed {self.seeds[0]}"
        )

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, in order."""
        return tuple(sorted({s.seed for s in self.scores}))

    def survivors(self, seed: int) -> list[str]:
        """The models that were not caught with a seed."""
        return [s.bug for s in self.scores if s.seed == seed and s.clause is None]

    def of(self, seed: int) -> list[Score]:
        """What came of each model with a seed."""
        return [s for s in self.scores if s.seed == seed]

    @property
    def lines(self) -> list[str]:
        """For each seed: caught of total, and how many cases that took."""
        found = []
        for seed in self.seeds:
            caught = [s.cases for s in self.of(seed) if s.clause]
            total = len(self.of(seed))
            share = 100 * len(caught) / max(total, 1)
            speed = (
                f"first counterexample after {median(caught):.0f} cases in the median, {max(caught)} at most"
                if caught
                else ""
            )
            found.append(f"seed {seed}: {len(caught)} of {total} caught ({share:.1f} %); {speed}")
        return found

    def to_json(self) -> str:
        """All there is to know."""
        return (
            json.dumps(
                {
                    "spec_version": SPEC_VERSION,
                    "level": self.level,
                    "seconds": round(self.seconds, 1),
                    "scores": [asdict(s) for s in self.scores],
                    "not_yet": {name: BUGS[name].not_yet for name in self.not_yet},
                },
                indent=1,
            )
            + "\n"
        )

    def to_markdown(self, command: str) -> str:
        """A page: the command, the versions, the score by seed and by theme, and every survivor."""
        versions = (
            f"cnn-conformance {__version__}, NumPy {np.__version__}, Python {platform.python_version()}"
        )
        lines = [
            "# Mutation score",
            "",
            f"`{command}` with {versions}; {self.seconds:.0f} s.",
            "",
            "A bug model is a named wrong variant of an operation (`cnn_spec.bugs`). It is caught if some clause is "
            "violated. Models that are marked as not drawn yet count neither as caught nor in the total.",
            "",
            *(f"- {line}" for line in self.lines),
            "",
            "| theme | models | " + " | ".join(f"seed {seed}" for seed in self.seeds) + " |",
            "| --- | --- |" + " --- |" * len(self.seeds),
            *self._themes(),
            "",
            *self._alike(),
            "## Survivors",
            "",
        ]
        survivors = dict.fromkeys(name for seed in self.seeds for name in self.survivors(seed))
        for name in survivors:
            seeds = ", ".join(str(seed) for seed in self.seeds if name in self.survivors(seed))
            lines.append(f"- {name} ({', '.join(BUGS[name].operations)}; seeds {seeds})")
        if not survivors:
            lines.append("None.")
        lines += ["", "## Not drawn yet", ""]
        lines += [f"- {n} ({', '.join(BUGS[n].operations)}): {BUGS[n].not_yet}" for n in self.not_yet] or [
            "None."
        ]
        return "\n".join(lines) + "\n"

    def _alike(self) -> Iterator[str]:
        if self.alike is None:
            return
        yield from (
            "## Models that are wrong in the same cases",
            "",
            f"{self.distinct}. The models of a row share one; they stay apart because their wrong answers differ.",
            "",
        )
        yield from (f"- {'; '.join(group)}" for group in self.alike)
        yield ""

    def _themes(self) -> Iterator[str]:
        scored = {s.bug for s in self.scores}
        for theme, bugs in THEMES.items():
            names = [bug.name for bug in bugs if bug.name in scored]
            if names:
                caught = (len(names) - sum(n in self.survivors(seed) for n in names) for seed in self.seeds)
                yield f"| {theme} | {len(names)} | " + " | ".join(map(str, caught)) + " |"


def _selected(only: str | None) -> list[Bug]:
    if only is None:
        return list(BUGS.values())
    return [
        bug
        for theme, bugs in THEMES.items()
        for bug in bugs
        if any(fnmatchcase(word, only) for word in (bug.name, theme, *bug.operations, *bug.functions))
    ]


@click.command()
@click.option("--level", type=click.Choice(["quick", "standard"]), default="quick", show_default=True)
@click.option("--seed", "seeds", type=int, multiple=True, help="May be repeated [0].")
@click.option("--seeds", "count", type=click.IntRange(min=1), help="So many seeds, from 0 on.")
@click.option("--only", metavar="GLOB", help="Only these models, themes or operations, such as 'dw: *'.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
@click.option("--distinct", is_flag=True, help="Look for models that are wrong in the very same cases, too.")
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the scores here."
)
@click.option(
    "--markdown", type=click.Path(dir_okay=False, path_type=Path), help="Write them as a page here."
)
def mutants(
    level: str,
    seeds: tuple[int, ...],
    count: int | None,
    only: str | None,
    jobs: int,
    distinct: bool,
    json_file: Path | None,
    markdown: Path | None,
) -> None:
    """Measure the suite: hold each of the catalogue's bug models against it.

    Exit status 1 if a model survives that is not marked as not drawn yet.
    """
    selected = _selected(only)
    if not selected:
        click.echo(f"cnn-conformance: --only {only} matches no bug model, theme or operation.", err=True)
        sys.exit(MISUSE)
    drawn = [bug.name for bug in selected if not bug.not_yet]
    not_yet = tuple(bug.name for bug in selected if bug.not_yet)
    started = perf_counter()
    scores = score_all(drawn, level, tuple(range(count)) if count else seeds or (0,), jobs)
    result = Scores(level, tuple(scores), not_yet, perf_counter() - started)
    for line in result.lines:
        click.echo(line)
    survived = False
    for seed in result.seeds:
        for name in result.survivors(seed):
            survived = True
            click.echo(f"  survived with seed {seed}: {name} ({', '.join(BUGS[name].operations)})")
    for name in not_yet:
        click.echo(f"  not drawn yet: {name} ({', '.join(BUGS[name].operations)}): {BUGS[name].not_yet}")
    if distinct:
        result = replace(result, alike=tuple(alike_all(drawn, level, result.seeds[0], jobs)))
        click.echo(result.distinct)
        for group in result.alike or ():
            click.echo(f"  wrong in the same cases: {'; '.join(group)}")
    if json_file is not None:
        json_file.write_text(result.to_json(), encoding="utf-8")
    if markdown is not None:
        given = f" --seeds {count}" if count else "".join(f" --seed {seed}" for seed in seeds)
        pattern = (f" --only '{only}'" if only else "") + (" --distinct" if distinct else "")
        markdown.write_text(
            result.to_markdown(f"cnn-conformance mutants --level {level}{given}{pattern}"), encoding="utf-8"
        )
    sys.exit(SURVIVED if survived else 0)
