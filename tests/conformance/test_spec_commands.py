"""The commands that show the specification."""

import json
import sys

import pytest
from click.testing import CliRunner

from cnn_conformance import spec_commands
from cnn_spec import checks
from cnn_spec.checks.check import Evidence, executed
from cnn_spec.sections import CLAUSES


def call(command, *arguments):
    return CliRunner().invoke(getattr(spec_commands, command), arguments)


def test_clauses_lists_them_all():
    shown = call("clauses").output
    assert all(id in shown for id in CLAUSES)


def test_clauses_as_json():
    listed = json.loads(call("clauses", "--json").output)
    assert sorted(clause["id"] for clause in listed) == sorted(CLAUSES)
    (size,) = (clause for clause in listed if clause["id"] == "CONV-STRIDE-SIZE")
    assert size["formula"]["text"] == "floor((N + 2*P - D*(K - 1) - 1)/S) + 1"
    assert {check["scope"] for check in size["checks"]} >= {"proved for all parameters"}
    assert "conv_output_size" in {law["operation"] for law in size["laws"]}


@pytest.mark.parametrize("id", CLAUSES)
def test_explain_says_what_the_clause_says(id):
    result = call("explain", id.lower())
    assert result.exit_code == 0
    assert CLAUSES[id].statement in result.output


def test_prove_says_which_kind_of_claim_it_proves():
    result = call("prove", "STRIDE-DECOMP")
    assert result.exit_code == 0
    assert "proved for all parameters" in result.output
    assert "proved for every real tensor at each of these shapes: " in result.output
    assert "negative control: " in result.output


def accepts_everything(variant):
    return True


def accepts_nothing(variant):
    return False


@pytest.mark.parametrize(
    ("test", "reason"),
    [(accepts_everything, "accepts the negative control, a wrong one"), (accepts_nothing, "does not hold")],
)
def test_prove_fails_if_a_check_does_not_hold_or_cannot_fail(monkeypatch, test, reason):
    check = executed("a statement", test, over="a case", right=1, wrong=2, wrong_says="a wrong one")
    monkeypatch.setattr(checks, "evidence", lambda: {"CONV-SIZE": Evidence(checks=(check,))})
    result = call("prove", "CONV-SIZE")
    assert result.exit_code == 1
    assert f"FAILS: {reason}" in result.output
    assert "1 of 1 checks FAIL" in result.output


def test_formula_equal():
    result = call("formula", "CONV-STRIDE-SIZE", "floor((N + 2*P - K)/S) + 1")
    assert result.exit_code == 0
    assert "EQUAL for all N, K, S, P in the domain, proved" in result.output


def test_formula_different():
    result = call("formula", "pool-size", "ceil((N - K)/S) + 1")
    assert result.exit_code == 1
    assert "N = 2, K = 1, S = 2: yours gives 2, the clause 1" in result.output


def test_formula_not_proved(monkeypatch):
    monkeypatch.delattr(checks, "solver", raising=False)
    monkeypatch.setitem(sys.modules, "cnn_spec.checks.solver", None)
    result = call("formula", "CONV-SIZE", "N - K + 1 + max(0, N - 100)")
    assert result.exit_code == 0
    assert "Equal for all N <= 12, K <= 12, not proved." in result.output


def test_formula_different_beyond_the_grid():
    pytest.importorskip("z3")
    result = call("formula", "CONV-SIZE", "N - K + 1 + max(0, N - 100)")
    assert result.exit_code == 1
    assert "N = 101, K = 1: yours gives 102, the clause 101" in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("explain", "CONV-SIZ"), "no clause is called 'CONV-SIZ'; did you mean CONV-SIZE"),
        (("explain", "CONV-*"), "means several clauses"),
        (("prove", "nothing-like-it"), "no clause is called"),
        (("prove", "univ-approx"), "UNIV-APPROX has nothing to prove"),
        (("formula", "CONV-SIZE", "N - Q"), "'Q' is not a symbol of this clause; its symbols are N, K."),
        (("formula", "RF-L1", "N"), "RF-L1 has no formula"),
    ],
)
def test_misuse_is_one_sentence(arguments, sentence):
    result = call(*arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1
