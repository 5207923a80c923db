"""What a run has seen of the case space, and says so."""

import json
import random

import pytest

from cnn_conformance import check
from cnn_conformance.coverage import coverage_of
from cnn_conformance.report import Share
from cnn_conformance.terminal import plain_text
from cnn_spec.cases.covering import distinct_tuples, feasible_count, feasible_tuples, numbered, tuples_of
from cnn_spec.cases.space import Space, all_spaces, space_of
from cnn_spec.cases.stream import FUNCTIONS, row_count, rows
from different import DIFFERENT

SPACES = {space.name: space for space in all_spaces()}


def everything(function: str, source: str) -> list[str]:
    return [f"{function}/{source}/{number}/float32/exact" for number in range(row_count(function, source))]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_pairs_cover_all_pairs_and_triples_all_triples(function: str) -> None:
    by_pairs, by_triples = (coverage_of(function, everything(function, s)) for s in ("pairs", "triples"))
    assert by_pairs.pairs.exercised == by_pairs.pairs.feasible
    assert by_triples.triples.exercised == by_triples.triples.feasible
    assert by_triples.pairs == by_pairs.pairs


@pytest.mark.parametrize("name", ["conv-nd", "avg_pool-1d", "linear", "same_padding"])
@pytest.mark.parametrize("strength", [2, 3])
def test_tuples_are_counted_as_sets_count_them(name: str, strength: int) -> None:
    space: Space = SPACES[name]
    function = next(f for f, (operation, rank) in FUNCTIONS.items() if space_of(operation, rank).name == name)
    some = random.Random(0).sample(rows(function, "triples"), min(9, row_count(function, "triples")))
    assert distinct_tuples(numbered(space, some), strength) == len(
        set().union(*(tuples_of(row, strength) for row in some))
    )
    assert feasible_count(space, strength) == len(feasible_tuples(space, strength))


def test_what_is_not_judged_is_not_exercised() -> None:
    half = everything("conv2d", "pairs")[::2]
    seen = coverage_of("conv2d", half)
    assert 0 < seen.pairs.exercised < seen.pairs.feasible
    assert coverage_of("conv2d", ["conv2d/empty/0/float32/exact"]).pairs.exercised == 0


def test_rounds_of_exploration_add_to_it() -> None:
    explored = [f"linear/round-1/{number}/float32/exact" for number in range(3)]
    at_quick = everything("linear", "pairs")
    together = coverage_of("linear", [*at_quick, *explored]).triples.exercised
    assert together >= coverage_of("linear", at_quick).triples.exercised > 0
    assert coverage_of("linear", explored).pairs.exercised > 0


def test_a_report_says_what_was_exercised() -> None:
    report = check("reference", level="quick", only="linear*", explain=False)
    assert [c.operation for c in report.coverage] == ["linear", "linear_backward"]
    assert all(c.pairs.exercised == c.pairs.feasible for c in report.coverage)
    assert json.loads(report.to_json())["coverage"][0]["pairs"] == {"exercised": 136, "feasible": 136}
    triples = sum(c.triples.exercised for c in report.coverage) / sum(
        c.triples.feasible for c in report.coverage
    )
    words = f"case space exercised: 100 % of the feasible pairs of levels, {triples:.0%} of the triples"
    assert words.replace("%", " %").replace("  ", " ") in plain_text(report)


def test_who_declines_exercises_less() -> None:
    report = check(DIFFERENT["no groups"].candidate, level="quick", only="conv2d", explain=False)
    (seen,) = report.coverage
    assert 0.5 < seen.pairs.exercised / seen.pairs.feasible < 0.95
    assert "case space exercised: 100 %" not in plain_text(report)


def test_who_offers_one_rank_exercises_nothing_of_the_others() -> None:
    report = check(DIFFERENT["2-d only"].candidate, level="quick", only="downsample?d", explain=False)
    exercised = {c.operation: c.pairs.exercised for c in report.coverage}
    assert exercised == {"downsample1d": 0, "downsample2d": 310, "downsample3d": 0}
    assert Share(310, 310) == report.coverage[1].pairs
