"""Planted bugs: each is found, on its own clause, with a smallest case that a person can check by hand."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnn_conformance import assert_conforms, check
from cnn_conformance.checking import NonconformanceError
from cnn_conformance.counterexample import Counterexample
from cnn_conformance.report import Report, Status, Verdict
from cnn_conformance.terminal import plain_text

PLANTED = str(Path(__file__).with_name("planted.py"))


@pytest.fixture(scope="module")
def report() -> Report:
    return check(PLANTED, level="quick")


def verdict(report: Report, clause: str, operation: str) -> Verdict:
    return next(v for v in report.verdicts if (v.clause, v.operation) == (clause, operation))


def example(report: Report, clause: str, operation: str) -> Counterexample:
    found = verdict(report, clause, operation).counterexample
    assert found is not None
    return found


def test_exactly_the_planted_clauses_are_violated(report: Report) -> None:
    assert {(v.clause, v.operation) for v in report.violations} == {
        ("CONV-AFFINE", "conv2d"),
        ("CONV-XCORR", "conv2d"),
        ("MAX-ROUTE", "max_pool1d_backward"),
        ("MAX-INDEX", "max_pool1d_backward"),
        ("MAX-COORD", "max_pool1d_backward"),
        ("POOL-SIZE", "max_pool2d"),
        ("RESULT-KIND", "downsample1d"),
        ("VALID-CALL-ANSWERED", "downsample2d"),
        ("INPUTS-UNCHANGED", "upsample1d"),
        ("RESULT-DTYPE", "upsample2d"),
        ("RESULT-SHAPE", "upsample3d"),
    }
    assert not report.conforms
    assert not report.contradictions


def test_a_flipped_kernel_shows_in_two_cells(report: Report) -> None:
    """Two cells in a row or column, all zero but one: unflipped their product is 1, flipped it is 0."""
    shown = example(report, "CONV-XCORR", "conv2d")
    (call,) = shown.calls
    assert call["x"].size == call["w"].size == 2
    assert shown.expected is not None
    assert shown.got is not None
    assert float(shown.expected.sum()) == float((call["x"] * call["w"]).sum())
    assert float(shown.got.sum()) == float((call["x"] * call["w"][..., ::-1, ::-1]).sum())


def test_an_assigned_gradient_shows_where_one_element_wins_two_windows(report: Report) -> None:
    shown = example(report, "MAX-ROUTE", "max_pool1d_backward")
    (call,) = shown.calls
    assert call["x"].size <= 4
    assert call["dy"].size == 2
    winner = int(np.argmax(call["x"]))
    assert shown.expected is not None
    assert float(shown.expected.flat[winner]) == float(call["dy"].sum())


def test_swapped_strides_show_on_an_input_with_two_elements(report: Report) -> None:
    shown = example(report, "POOL-SIZE", "max_pool2d")
    (call,) = shown.calls
    assert call["x"].size == 2
    assert len(set(call["stride"])) == 2
    assert "expected" in shown.words


def test_each_misconduct_says_in_its_own_words_what_is_wrong(report: Report) -> None:
    words = {v.operation: v.counterexample.words for v in report.violations if v.counterexample}
    assert words["downsample1d"] == "returned None"
    assert words["downsample2d"] == "raised ValueError: not today"
    assert words["upsample1d"] == "changed its input x"
    assert words["upsample2d"] == "y has dtype float64, expected float32"
    assert "y has shape" in words["upsample3d"]


def test_declining_is_no_violation(report: Report) -> None:
    assert verdict(report, "MEAN-COUNT", "avg_pool1d").status is Status.DECLINED
    partly = verdict(report, "CONV-AFFINE", "conv1d")
    assert partly.status is Status.HOLDS
    assert partly.declined
    assert verdict(report, "GROUPS", "conv1d").status is Status.DECLINED


def test_what_is_absent_is_not_offered(report: Report) -> None:
    assert verdict(report, "CONV-AFFINE", "conv3d").status is Status.NOT_OFFERED
    assert verdict(report, "YG-GENERAL", "conv2d_backward").status is Status.NOT_OFFERED


@pytest.mark.parametrize(
    ("clause", "operation"),
    [
        ("CONV-XCORR", "conv2d"),
        ("CONV-AFFINE", "conv2d"),
        ("MAX-ROUTE", "max_pool1d_backward"),
        ("POOL-SIZE", "max_pool2d"),
        ("RESULT-DTYPE", "upsample2d"),
        ("INPUTS-UNCHANGED", "upsample1d"),
        ("VALID-CALL-ANSWERED", "downsample2d"),
    ],
)
def test_the_script_runs_on_its_own_and_fails(
    report: Report, tmp_path: Path, clause: str, operation: str
) -> None:
    script = tmp_path / "case.py"
    script.write_text(example(report, clause, operation).script, encoding="utf-8")
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ran.returncode == 1
    assert "Error" in ran.stderr


def test_the_script_passes_once_the_bug_is_mended(report: Report, tmp_path: Path) -> None:
    mended = tmp_path / "planted.py"
    mended.write_text("from cnn_reference import *\n", encoding="utf-8")
    for clause, operation in (("CONV-XCORR", "conv2d"), ("MAX-ROUTE", "max_pool1d_backward")):
        script = tmp_path / f"{clause}.py"
        script.write_text(
            example(report, clause, operation).script.replace(PLANTED, str(mended)), encoding="utf-8"
        )
        ran = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr


def test_the_report_in_words_names_clause_case_and_script(report: Report) -> None:
    text = plain_text(report)
    for part in (
        "✗ CONV-XCORR",
        "smallest case",
        "expected [[[[1.]]]]",
        "np.testing.assert_allclose",
        "does not conform",
    ):
        assert part in text


def test_assert_conforms_raises_with_the_report() -> None:
    with pytest.raises(NonconformanceError, match="CONV-XCORR"):
        assert_conforms(PLANTED, level="quick", only="CONV-XCORR")
    assert assert_conforms("reference", level="quick", only="CONV-XCORR").conforms


def test_stopping_at_the_first_violation_judges_less(report: Report) -> None:
    first = check(PLANTED, level="quick", stop_at_first=True, explain=False)
    assert not first.complete
    assert first.violations
    assert first.violations[0].counterexample is None
    assert sum(v.cases for v in first.verdicts) < sum(v.cases for v in report.verdicts)


def test_a_candidate_that_is_an_object_needs_no_address() -> None:
    class Mine:
        def downsample1d(self, x, *, factor):  # type: ignore[no-untyped-def]
            return x[:, :, 1 :: factor[0]]

    report = check(Mine(), level="quick", only="downsample1d")
    assert {v.clause for v in report.violations} >= {"DOWN-SIZE"}
    assert json.loads(report.to_json())["conforms"] is False
