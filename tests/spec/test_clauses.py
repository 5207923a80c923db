"""Every claim of the notes is there, and stands on something."""

import re
from pathlib import Path

import pytest

import cnn_spec
from cnn_spec import document
from cnn_spec.checks import evidence
from cnn_spec.checks.check import Kind
from cnn_spec.clause import Standing
from cnn_spec.contents import SECTIONS
from cnn_spec.sections import CLAUSES

SPEC = Path(cnn_spec.__file__).parents[1] / "SPEC.md"


def test_no_evidence_without_a_clause():
    assert evidence().keys() <= CLAUSES.keys()


def test_every_part_of_the_notes_has_clauses():
    assert {clause.section for clause in CLAUSES.values()} == SECTIONS.keys()


@pytest.mark.parametrize("clause", CLAUSES.values(), ids=CLAUSES)
def test_a_clause_has_what_its_standing_asks_for(clause):
    behind = evidence().get(clause.id)
    checks = behind.checks if behind else ()
    if clause.section == "interface":
        assert checks or clause.laws
    elif clause.standing is not Standing.NOT_EXECUTABLE:
        assert checks
    if clause.standing is Standing.AMBIGUOUS:
        assert sum(reading.normative for reading in behind.readings) == 1 < len(behind.readings)
    if clause.standing in (Standing.CORRECTED, Standing.AMBIGUOUS, Standing.DOMAIN):
        assert clause.notes_say
        assert clause.counterexample
    if clause.standing is Standing.DOMAIN:
        assert clause.domain


@pytest.mark.parametrize("clause", CLAUSES.values(), ids=CLAUSES)
def test_a_corrected_claim_has_an_executed_counterexample(clause):
    if clause.standing is Standing.CORRECTED and clause.id != "REF-CITED":
        assert any(check.kind is Kind.SMALLEST for check in evidence()[clause.id].checks)


@pytest.mark.parametrize("id", [id for id, behind in evidence().items() if behind.formula])
def test_a_formula_is_what_a_check_is_put_to(id):
    formula = evidence()[id].formula
    rights = [check.right for check in evidence()[id].checks]
    stated = [part for right in rights for part in (right if isinstance(right, tuple) else (right,))]
    assert any(part is formula or part == formula.expression for part in stated)


def test_the_page_is_up_to_date():
    assert SPEC.read_text(encoding="utf-8") == document.page(), (
        "the clauses have changed: run python -m cnn_spec.document > spec/SPEC.md"
    )


def test_every_link_on_the_page_has_its_heading():
    page = document.page()
    links = set(re.findall(r"\]\(#([^)]*)\)", page))
    assert links == {heading.lower() for heading in re.findall(r"^### ([A-Z0-9-]+)$", page, re.MULTILINE)}
