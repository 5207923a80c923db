"""A reader's own formula against a clause's."""

import re
import sys

import pytest
import sympy as sp

from cnn_spec import checks
from cnn_spec.checks import rounding
from cnn_spec.checks.agreement import compare
from cnn_spec.checks.reader import FormulaError, read

FORMULAS = {id: found.formula for id, found in checks.evidence().items() if found.formula}


def compared(clause, text):
    return compare(FORMULAS[clause], read(text, list(FORMULAS[clause].means)))


@pytest.fixture
def without_z3(monkeypatch):
    monkeypatch.delattr(checks, "solver", raising=False)
    monkeypatch.setitem(sys.modules, "cnn_spec.checks.solver", None)


EQUAL = [
    ("CONV-SIZE", "N - (K - 1)"),
    ("CONV-STRIDE-SIZE", "floor((N + 2*P - K)/S) + 1"),
    ("CONV-STRIDE-SIZE", "floor((H_in + 2*padding - dilation*(kernel_size - 1) - 1)/stride + 1)"),
    ("CONV-STRIDE-SIZE", "(W - F + 2*P)//S + 1"),
    ("CONV-STRIDE-SIZE", "ceil((N - K + 1)/S)"),
    ("CONV-STRIDE-SIZE", "⌊(N + 2⋅P − K)/S⌋ + 1"),
    ("CONV-STRIDE-SIZE", "int((N - K)/S) + 1"),
    ("POOL-OUTSIDE", "min(math.ceil((N - K)/S) + 1, (N + S - 1)//S)"),
    ("PAD-OUT", "(N + S - 1)//S"),
    ("PAD-ODD", "L//2"),
    ("DILATION", "(N + 2*P - K - (K - 1)*(D - 1))//S + 1"),
    ("SEP-LIGHT", "M*((N - 1)*(K**2 - 1) - 1)"),
]


@pytest.mark.parametrize(("clause", "text"), EQUAL)
def test_equal_formulas_are_proved_without_z3(without_z3, clause, text):
    result = compared(clause, text)
    assert result.counterexample is None
    assert result.proved


@pytest.mark.parametrize(
    ("clause", "text", "at", "yours", "right"),
    [
        ("POOL-SIZE", "ceil((N - K)/S) + 1", {"N": 2, "K": 1, "S": 2}, 2, 1),
        ("POOL-OUTSIDE", "ceil((N - K)/S) + 1", {"N": 2, "K": 1, "S": 2}, 2, 1),
        ("TRANSPOSE-SIZE", "(N - 1)*S - 2*P + K", {"N": 1, "K": 2, "S": 1, "D": 2}, 2, 3),
        ("DILATION", "floor((N + 2*P - K)/S) + 1", {"N": 1, "K": 2, "S": 1, "P": 1, "D": 2}, 2, 1),
        ("CONV-STRIDE-SIZE", "(N - K)/S + 1", {"N": 2, "K": 1, "S": 2}, sp.Rational(3, 2), 1),
        ("CONV-SIZE", "N - K", {"N": 1, "K": 1}, 0, 1),
        ("CONV-SIZE", "(N - K + 1)/(K - 1)", {"N": 1, "K": 1}, None, 1),
    ],
)
def test_wrong_formulas_have_a_smallest_counterexample(clause, text, at, yours, right):
    found = compared(clause, text).counterexample
    assert {name: found.at[name] for name in at} == at
    assert (found.yours, found.clause) == (yours, right)


@pytest.mark.parametrize(
    ("clause", "text", "part"),
    [
        ("POOL-SIZE", "ceil((N - K)/S) + 1", "exactly where S divides N - K"),
        ("DILATION", "floor((N + 2*P - K)/S) + 1", "where D = 1"),
        ("UP-FRAC", "S*N - K + 1", "exactly where S = 1"),
        ("CONV-SIZE", "N + 7", ""),
    ],
)
def test_the_part_on_which_they_agree(clause, text, part):
    assert compared(clause, text).part == part


def test_symbols_that_it_does_not_have_are_named_with_where_they_matter():
    result = compared("CONV-STRIDE-SIZE", "floor((N - K)/S) + 1")
    assert result.fixed == {"P": 0, "D": 1}
    assert result.counterexample is None
    assert result.beyond.at["P"] > 0 or result.beyond.at["D"] > 1


BEYOND = [
    ("N - K + 1 + max(0, N - 100)", 101),
    ("N - K + 1 + floor(N/1000)", 1000),
    ("N - K + 1 + 0/(N - 50)", 50),
]


@pytest.mark.parametrize(("text", "at"), BEYOND)
def test_what_agrees_on_the_grid_alone_is_not_proved(without_z3, text, at):
    result = compared("CONV-SIZE", text)
    assert result.counterexample is None
    assert not result.proved


@pytest.mark.parametrize(("text", "at"), BEYOND)
def test_z3_finds_the_smallest_counterexample_beyond_the_grid(text, at):
    pytest.importorskip("z3")
    result = compared("CONV-SIZE", text)
    assert result.differing == 0
    assert result.counterexample.at == {"N": at, "K": 1}


@pytest.mark.parametrize(("clause", "text"), [row for row in EQUAL if row[0] != "PAD-ODD"])
def test_z3_proves_what_the_kernel_proves(clause, text):
    solver = pytest.importorskip("cnn_spec.checks.solver")
    formula = FORMULAS[clause]
    yours = read(text, list(formula.means))
    fixed = [sp.Eq(s, n) for s, n in formula.neutral.items() if s not in yours.expression.free_symbols]
    assert solver.equal_on((*formula.domain, *fixed), formula.expression, yours) is True


def test_what_the_kernel_cannot_prove_is_left_open_without_z3(without_z3):
    assert not compared("POOL-OUTSIDE", "min(ceil((N + 2*P - K)/S), (N + P - 1)//S) + 1").proved


def test_z3_proves_what_the_kernel_cannot():
    pytest.importorskip("z3")
    assert compared("POOL-OUTSIDE", "min(ceil((N + 2*P - K)/S), (N + P - 1)//S) + 1").proved == "by z3"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("N - Q + 1", "'Q' is not a symbol"),
        ("2N", "cannot be read"),
        ("(N - K", "cannot be read"),
        ("", "cannot be read"),
        ("N^2", "**"),
        ("N**K", "power"),
        ("N**99", "power"),
        ("(N**9)**9", "too large"),
        ("(9**9)**9", "too large"),
        ("N/0", "divides by 0"),
        ("round(N)", "'round' is not a known function"),
        ("floor(N, K)", "one argument"),
        ("max()", "at least one"),
        ("__import__('os').system('true')", "not part of a formula"),
        ("(lambda: N)()", "not part of a formula"),
        ("N if K else S", "not part of a formula"),
        ("'N'", "not part of a formula"),
        ("N - 1e999", "not part of a formula"),
        ("True", "not part of a formula"),
        ("N" + " + N" * 200, "longer than"),
    ],
)
def test_what_is_no_formula_is_refused_in_a_sentence(text, complaint):
    with pytest.raises(FormulaError, match=re.escape(complaint)) as refusal:
        read(text, list(FORMULAS["CONV-SIZE"].means))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("id", FORMULAS)
def test_a_formula_agrees_with_itself_as_it_is_printed(id):
    result = compared(id, FORMULAS[id].text.replace("Min", "min").replace("Max", "max"))
    assert result.points > 5
    assert result.counterexample is None


def test_the_kernel_rejects_what_it_cannot_decide():
    (a, b) = rounding.naturals("a b")
    assert not rounding.nonnegative(a - b)
    assert not rounding.positive(a)
    assert rounding.positive(a + 1)
    assert not rounding.is_floor(rounding.SPAN / rounding.STRIDE, rounding.q + 1)
    assert rounding.resolve(sp.floor(a / (b + 1))).has(sp.floor)
