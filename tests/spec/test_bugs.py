"""The catalogue of bug models: each is wrong somewhere, and a run sees it."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import cnn_reference
from cnn_conformance import mutation
from cnn_conformance.mutation import alike, mutants, score, units_of
from cnn_spec.bugs import BUGS, THEMES, Bug
from cnn_spec.bugs.model import bug
from cnn_spec.cases.stream import case_ids, case_of
from cnn_spec.definitions import definition
from cnn_spec.operations import OPERATIONS, implementation_of
from cnn_spec.sections import CLAUSES

DRAWN = [name for name, model in BUGS.items() if not model.not_yet]
UNITS = {BUGS[unit[0]].operations[0]: unit for unit in units_of(DRAWN)}


def test_names_are_unique() -> None:
    assert len(BUGS) == sum(map(len, THEMES.values()))


@pytest.mark.parametrize("name", BUGS)
def test_a_model_names_operations_and_a_source(name: str) -> None:
    model = BUGS[name]
    assert set(model.operations) <= set(OPERATIONS)
    assert not model.source or model.source in CLAUSES or model.source.startswith("https://github.com/")


MAY_SURVIVE = {"results are cached by the shapes in upsampling"}
"""Seen only where two draws happen to share a shape, which few rows do at quick; caught at standard."""


@pytest.mark.parametrize("operation", UNITS)
def test_every_model_is_caught_at_quick(operation: str) -> None:
    assert {s.bug for s in score(UNITS[operation], "quick", 0) if s.clause is None} <= MAY_SURVIVE


def test_size_models_differ_pairwise() -> None:
    for operation in ("conv_output_size", "pool_output_size"):
        assert alike(UNITS[operation], "quick", 0) == []


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
    monkeypatch.setattr(mutation, "THEMES", {"sizes": tuple(models.values())})
    monkeypatch.setattr(mutation, "BUGS", models)
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
    result = CliRunner().invoke(mutants, arguments)
    assert result.exit_code == 0, result.output
    assert f"seed 1: {len(small)} of {len(small)} caught (100.0 %)" in result.output
    assert "wrong in the same cases" in result.output
    assert len(json.loads((tmp_path / "m.json").read_text())["scores"]) == 2 * len(small)
    assert "| sizes |" in (tmp_path / "m.md").read_text()


def test_the_command_names_survivors(small: dict[str, Bug], tmp_path) -> None:
    small[HARMLESS.name] = HARMLESS
    mutation.THEMES["sizes"] += (HARMLESS,)
    result = CliRunner().invoke(mutants, ["--markdown", str(tmp_path / "m.md")])
    assert result.exit_code == 1
    assert "survived with seed 0: nothing is wrong (same_padding)" in result.output
    assert "- nothing is wrong (same_padding; seeds 0)" in (tmp_path / "m.md").read_text()


def test_the_command_refuses_what_matches_nothing() -> None:
    assert CliRunner().invoke(mutants, ["--only", "nothing of the sort"]).exit_code == 2
