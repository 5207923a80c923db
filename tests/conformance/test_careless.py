"""Each kind of carelessness is found, on its own clause, with a smallest case and a script that shows it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnn_conformance import check
from cnn_conformance.counterexample import Counterexample
from cnn_conformance.report import Report

CARELESS = str(Path(__file__).with_name("careless.py"))
EXPECTED = {
    ("IMPOSSIBLE-REFUSED", "conv1d"),
    ("EMPTY-BATCH", "conv1d_backward"),
    ("NON-FINITE", "max_pool1d"),
    ("RESULT-KEPT", "avg_pool1d"),
    ("RESULT-WRITTEN", "upsample1d"),
    ("LAYOUT-FREE", "downsample1d"),
    ("CALL-REPEATED", "sigmoid"),
    ("CALLS-INDEPENDENT", "pixel_unshuffle1d"),
}


@pytest.fixture(scope="module")
def report() -> Report:
    return check(CARELESS, level="quick")


def example(report: Report, clause: str, operation: str) -> Counterexample:
    found = next(v for v in report.violations if (v.clause, v.operation) == (clause, operation))
    assert found.counterexample is not None
    return found.counterexample


def test_each_carelessness_breaks_its_own_clause(report: Report) -> None:
    found = {(v.clause, v.operation) for v in report.violations}
    # What is not written in large results may also show some other numbers than those that were left there.
    shown = {(clause, "upsample1d") for clause in ("UP-ZEROS", "CALL-REPEATED", "CALLS-INDEPENDENT")}
    assert found - shown == EXPECTED
    assert not report.contradictions


@pytest.fixture(params=sorted(EXPECTED), ids="-".join)
def script(report: Report, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / "case.py"
    path.write_text(example(report, *request.param).script, encoding="utf-8")
    return path


def ran(script: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, script], capture_output=True, text=True, cwd=script.parent, check=False
    )


def test_the_script_shows_it(script: Path) -> None:
    found = ran(script)
    assert found.returncode == 1
    assert "AssertionError" in found.stderr


def test_the_script_passes_once_it_is_mended(script: Path, tmp_path: Path) -> None:
    mended = tmp_path / "careless.py"
    mended.write_text("from cnn_reference import *\n", encoding="utf-8")
    script.write_text(script.read_text("utf-8").replace(CARELESS, str(mended)), encoding="utf-8")
    found = ran(script)
    assert found.returncode == 0, found.stderr


def test_an_impossible_call_is_shown_beside_its_neighbour(report: Report) -> None:
    shown = example(report, "IMPOSSIBLE-REFUSED", "conv1d")
    neighbour, call = shown.calls
    assert neighbour.valid
    assert not call.valid
    assert call["x"].shape[2] == call["w"].shape[2] - 1 == neighbour["x"].shape[2] - 1 == 1
    assert shown.words == "answered a kernel larger than the padded input, with (1, 1, 0)"


def test_an_empty_batch_shows_in_one_weight(report: Report) -> None:
    shown = example(report, "EMPTY-BATCH", "conv1d_backward")
    (call,) = shown.calls
    assert len(call["x"]) == 0
    assert call["w"].size == 1


def test_a_nan_shows_in_one_window(report: Report) -> None:
    shown = example(report, "NON-FINITE", "max_pool1d")
    assert np.isnan(shown.calls[-1]["x"]).sum() == 1
    assert shown.calls[-1]["x"].size <= 2


def test_what_is_right_alone_is_shown_after_one_other_call(report: Report) -> None:
    shown = example(report, "CALLS-INDEPENDENT", "pixel_unshuffle1d")
    earlier, call = shown.calls
    assert earlier["x"].shape[1] > 64 > 8 > call["x"].shape[1]
    assert "after 1 earlier call, and not alone" in shown.words
    statuses = {v.status for v in report.verdicts if v.operation == "pixel_unshuffle1d"}
    assert statuses == {"holds", "violated", "not offered"}  # in this process none can show how it ends
