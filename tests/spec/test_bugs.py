"""The catalogue of bug models: each is wrong somewhere, and a run sees it."""

import json
from itertools import islice

import numpy as np
import pytest
from click.testing import CliRunner

import cnn_reference
from cnn_conformance import mutants, mutation, signatures
from cnn_conformance.mutants import Scores
from cnn_conformance.mutation import cases_of, score, units_of, violated
from cnn_conformance.signatures import signatures_of
from cnn_spec.bounds import Oracle
from cnn_spec.bugs import BUGS, THEMES, Bug, Functions
from cnn_spec.bugs.model import bug
from cnn_spec.cases.stream import FUNCTIONS, case_ids, case_of
from cnn_spec.definitions import definition
from cnn_spec.operations import OPERATIONS, implementation_of
from cnn_spec.sections import CLAUSES

DRAWN = [name for name, model in BUGS.items() if not model.not_yet]
UNITS = {BUGS[unit[0]].operations[0]: unit for unit in units_of(DRAWN)}


def test_names_are_unique() -> None:
    assert len(BUGS) == sum(map(len, THEMES.values()))


@pytest.mark.parametrize("theme", THEMES)
def test_models_name_operations_and_a_source(theme: str) -> None:
    for model in THEMES[theme]:
        assert set(model.operations) <= set(OPERATIONS), model.name
        thread = model.source.startswith("https://github.com/")
        assert not model.source or thread or model.source in CLAUSES, model.name


@pytest.mark.parametrize("operation", UNITS)
def test_every_model_is_caught_at_quick(operation: str) -> None:
    survivors = [s.bug for s in score(UNITS[operation], "quick", 0) if s.clause is None]
    assert [name for name in survivors if not BUGS[name].rare] == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_mistake_is_not_caught(function: str) -> None:
    right = implementation_of(cnn_reference)
    for _, case in islice(cases_of([function], "quick", 0), 12):
        assert violated(function, Functions("right", right), case, Oracle(right)) is None


def test_signatures_tell_models_apart() -> None:
    names = [
        "a window too few",
        "sizes are rounded up",
        "the padding counts once",
        "the leading padding counts twice",
    ]
    found = Scores("quick", (), (), 0, signatures_of(names))
    assert found.distinct.startswith("4 pairwise different sets")
    assert found.sharing() == found.indistinguishable() == []


def test_signatures_find_one_bug_under_two_names(monkeypatch: pytest.MonkeyPatch) -> None:
    again = bug("all padding after, too", "same_padding", BUGS["all padding after"].wrong)
    models = {again.name: again, **{name: BUGS[name] for name in ("all padding after", "a window too few")}}
    for module in (mutation, signatures):
        monkeypatch.setattr(module, "BUGS", models)
    found = Scores("quick", (), (), 0, signatures_of(list(models)))
    assert found.sharing() == found.indistinguishable() == [["all padding after, too", "all padding after"]]


def test_a_fault_that_only_further_calls_show_has_a_signature() -> None:
    name = "relu: a NaN becomes 0, undeclared"
    assert set(signatures_of([name])[name].values()) == {"RELU-NAN", "NON-FINITE"}


@pytest.mark.parametrize(
    "name",
    [
        "the kernel is flipped",
        "the stride is ignored, the result cut",
        "every group reads its neighbour's channels",
    ],
)
def test_a_model_works_over_the_definition_too(name: str) -> None:
    by_reference = BUGS[name].over(implementation_of(cnn_reference))
    by_definition = BUGS[name].over(definition)
    compared = 0
    for case_id in case_ids("conv1d", "pairs", range(0, 60, 12), ("float64",)):
        case = case_of(case_id, 0)
        if case is not None and case.exact and case.call["w"].size < 500:
            assert np.array_equal(by_reference(case.call)[0], by_definition(case.call)[0])
            compared += 1
    assert compared


HARMLESS = bug("nothing is wrong", "same_padding", lambda right: right)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> dict[str, Bug]:
    """A catalogue of one theme."""
    models = {model.name: model for model in THEMES["sizes"] if model.operations == ("same_padding",)}
    monkeypatch.setattr(mutants, "THEMES", {"sizes": tuple(models.values())})
    for module in (mutants, mutation, signatures):
        monkeypatch.setattr(module, "BUGS", models)
    return models


def test_the_command_counts(small: dict[str, Bug], tmp_path) -> None:
    arguments = [
        "--json",
        str(tmp_path / "m.json"),
        "--markdown",
        str(tmp_path / "m.md"),
        "--seeds",
        "2",
        "--distinct",
    ]
    result = CliRunner().invoke(mutants.mutants, arguments)
    assert result.exit_code == 0, result.output
    assert f"seed 1: {len(small)} of {len(small)} caught (100.0 %)" in result.output
    assert "wrong in the same cases" in result.output
    assert len(json.loads((tmp_path / "m.json").read_text())["scores"]) == 2 * len(small)
    page = (tmp_path / "m.md").read_text()
    assert "| sizes |" in page
    assert "pairwise different sets of wrong cases among" in page


def test_the_command_names_survivors(small: dict[str, Bug], tmp_path) -> None:
    small[HARMLESS.name] = HARMLESS
    mutants.THEMES["sizes"] += (HARMLESS,)
    result = CliRunner().invoke(mutants.mutants, ["--markdown", str(tmp_path / "m.md")])
    assert result.exit_code == 1
    assert "survived with seed 0: nothing is wrong (same_padding)" in result.output
    assert "- nothing is wrong (same_padding), seeds 0: no reason is known" in (tmp_path / "m.md").read_text()


def test_the_command_refuses_what_matches_nothing() -> None:
    assert CliRunner().invoke(mutants.mutants, ["--only", "nothing of the sort"]).exit_code == 2
