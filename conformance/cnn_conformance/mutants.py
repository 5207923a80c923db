"""The command `mutants`: the mutation score as lines, as JSON and as a page."""

import json
import platform
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from statistics import median
from time import perf_counter

import click
import numpy as np

from cnn_conformance import __version__
from cnn_conformance.command import Output, fail
from cnn_conformance.mutation import Score, score_all
from cnn_conformance.signatures import Signature, grouped, signatures_of
from cnn_conformance.workers import workers, working
from cnn_spec import SPEC_VERSION
from cnn_spec.bugs import BUGS, THEMES, Bug

SURVIVED = 1


@dataclass(frozen=True)
class Scores:
    """The mutation score of the suite at a level."""

    level: str
    scores: tuple[Score, ...]
    not_yet: tuple[str, ...]
    seconds: float
    signatures: Mapping[str, Signature] | None = None
    """In which cases each model is wrong, where that was asked."""

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, in order."""
        return tuple(sorted({s.seed for s in self.scores}))

    def of(self, seed: int) -> list[Score]:
        """What came of each model with a seed."""
        return [s for s in self.scores if s.seed == seed]

    def survivors(self, seed: int) -> list[str]:
        """The models that were not caught with a seed."""
        return [s.bug for s in self.of(seed) if s.clause is None]

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

    def sharing(self) -> list[list[str]]:
        """Groups of models that are wrong in the very same cases."""
        cases = {name: frozenset(wrong) for name, wrong in (self.signatures or {}).items()}
        return grouped([name for name in cases if cases[name]], cases)

    def indistinguishable(self) -> list[list[str]]:
        """Groups of models that answer alike in every case: one bug under several names."""
        answers = {name: tuple(sorted(wrong.items())) for name, wrong in (self.signatures or {}).items()}
        return grouped([name for name in answers if answers[name]], answers)

    @property
    def distinct(self) -> str:
        """How many different sets of wrong cases there are."""
        found = self.signatures or {}
        sets = len({frozenset(wrong) for wrong in found.values() if wrong})
        return f"{sets} pairwise different sets of wrong cases among {len(found)} models, on the cases of level quick"

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
            "## Survivors",
            "",
            *(list(self._survivors()) or ["None."]),
            "",
            "## Not drawn yet",
            "",
            *([f"- {described(name)}: {BUGS[name].not_yet}" for name in self.not_yet] or ["None."]),
            *self._sets(),
        ]
        return "\n".join(lines) + "\n"

    def _themes(self) -> Iterator[str]:
        scored = {s.bug for s in self.scores}
        for theme, bugs in THEMES.items():
            names = [bug.name for bug in bugs if bug.name in scored]
            if names:
                caught = (len(names) - sum(n in self.survivors(seed) for n in names) for seed in self.seeds)
                yield f"| {theme} | {len(names)} | " + " | ".join(map(str, caught)) + " |"

    def _survivors(self) -> Iterator[str]:
        for name in dict.fromkeys(name for seed in self.seeds for name in self.survivors(seed)):
            seeds = ", ".join(str(seed) for seed in self.seeds if name in self.survivors(seed))
            yield f"- {described(name)}, seeds {seeds}: {BUGS[name].rare or 'no reason is known'}"

    def _sets(self) -> Iterator[str]:
        if self.signatures is None:
            return
        yield from ("", "## Sets of wrong cases", "", f"{self.distinct}, seed 0. ")
        yield "The models of a row share one, and differ in what they answer there."
        yield ""
        yield from (f"- {'; '.join(group)}" for group in self.sharing())
        yield from ("", "The models of a row answer alike in every case:", "")
        yield from ([f"- {'; '.join(group)}" for group in self.indistinguishable()] or ["None do."])


def described(name: str) -> str:
    """A model with its operations."""
    return f"{name} ({', '.join(BUGS[name].operations)})"


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
@workers
@click.option("--distinct", is_flag=True, help="Look for models that are wrong in the very same cases, too.")
@click.option("--json", "json_file", type=Output(), help="Write the scores here.")
@click.option("--markdown", type=Output(), help="Write them as a page here.")
def mutants(
    level: str,
    seeds: tuple[int, ...],
    count: int | None,
    only: str | None,
    jobs: int | None,
    scheduler: str | None,
    distinct: bool,
    json_file: Path | None,
    markdown: Path | None,
) -> None:
    """Measure the suite: hold each of the catalogue's bug models against it.

    Exit status 1 if a model survives that is not marked as not drawn yet.
    """
    selected = _selected(only)
    if not selected:
        fail(f"--only {only} matches no bug model, theme or operation.")
    drawn = [bug.name for bug in selected if not bug.not_yet]
    not_yet = tuple(bug.name for bug in selected if bug.not_yet)
    started = perf_counter()
    with working(jobs, scheduler) as executor:
        scores = score_all(drawn, level, tuple(range(count)) if count else seeds or (0,), executor)
        seconds = perf_counter() - started
        signatures = signatures_of(drawn, 0, executor) if distinct else None
    result = Scores(level, tuple(scores), not_yet, seconds, signatures)
    for line in result.lines:
        click.echo(line)
    survived = False
    for seed in result.seeds:
        for name in result.survivors(seed):
            survived = True
            click.echo(f"  survived with seed {seed}: {described(name)}: {BUGS[name].rare or '?'}")
    for name in not_yet:
        click.echo(f"  not drawn yet: {described(name)}: {BUGS[name].not_yet}")
    if distinct:
        click.echo(result.distinct)
        for group in result.sharing():
            click.echo(f"  wrong in the same cases: {'; '.join(group)}")
        for group in result.indistinguishable():
            click.echo(f"  the same bug: {'; '.join(group)}")
    if json_file is not None:
        json_file.write_text(result.to_json(), encoding="utf-8")
    if markdown is not None:
        given = f" --seeds {count}" if count else "".join(f" --seed {seed}" for seed in seeds)
        pattern = (f" --only '{only}'" if only else "") + (" --distinct" if distinct else "")
        markdown.write_text(
            result.to_markdown(f"cnn-conformance mutants --level {level}{given}{pattern}"), encoding="utf-8"
        )
    sys.exit(SURVIVED if survived else 0)
