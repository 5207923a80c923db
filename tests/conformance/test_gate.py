"""The regression gate: new, lost, known, fixed and stale, each on a candidate that changed in that way."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import cnn_reference
from cnn_conformance import check
from cnn_conformance.cli import main
from cnn_conformance.gate import GateError, Kind, baseline_of, changes, notes, read

Document = dict[str, Any]
Downsample = Callable[..., Any]


class Candidate:
    """Downsampling of signals, as a test wants it."""

    about = {"name": "candidate", "version": "1"}  # noqa: RUF012

    def __init__(self, downsample1d: Downsample) -> None:
        self.downsample1d = downsample1d


def right(x: Any, *, factor: Any) -> Any:
    return cnn_reference.downsample1d(x, factor=factor)


def wrong_from(least: int) -> Downsample:
    """Wrong for factors from some one on."""

    def downsample1d(x: Any, *, factor: Any) -> Any:
        y = right(x, factor=factor)
        return np.asarray(y + 1 if factor[0] >= least else y)

    return downsample1d


def declining_from(least: int, otherwise: Downsample = right) -> Downsample:
    def downsample1d(x: Any, *, factor: Any) -> Any:
        if factor[0] >= least:
            raise NotImplementedError
        return otherwise(x, factor=factor)

    return downsample1d


def document(
    downsample1d: Downsample, seed: int = 0, level: str = "quick", only: str | None = None
) -> Document:
    return check(Candidate(downsample1d), level, seed, only, explain=False).to_document()


def kinds(old: Downsample, new: Downsample, **run: Any) -> set[Kind]:
    return {change.kind for change in changes(baseline_of(document(old)), document(new, **run))}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (right, right, set()),
        (right, wrong_from(2), {Kind.NEW}),
        (wrong_from(3), wrong_from(3), {Kind.KNOWN}),
        (wrong_from(3), wrong_from(2), {Kind.NEW}),
        (wrong_from(2), wrong_from(3), {Kind.KNOWN}),
        (wrong_from(3), right, {Kind.FIXED}),
        (right, declining_from(1), {Kind.LOST}),
        (right, declining_from(3), {Kind.LOST}),
        (declining_from(3), declining_from(2), {Kind.LOST}),
        (declining_from(2), declining_from(3), set()),
    ],
)
def test_each_change_is_called_what_it_is(old: Downsample, new: Downsample, expected: set[Kind]) -> None:
    # NON-FINITE says nothing of who errs with finite numbers, so a new mistake may lose it.
    found = {c.kind for c in changes(baseline_of(document(old)), document(new)) if c.clause != "NON-FINITE"}
    assert expected <= found <= expected | {Kind.KNOWN}


def test_declining_what_failed_fixes_nothing() -> None:
    old, new = document(wrong_from(3)), document(declining_from(3))
    assert Kind.FIXED not in {c.kind for c in changes(old, new)}
    assert Kind.STALE in {c.kind for c in changes(old, new)}


def test_what_is_not_offered_any_more_is_lost() -> None:
    class Other:
        about = Candidate.about

        def upsample1d(self, x: Any, *, factor: Any) -> Any:
            return cnn_reference.upsample1d(x, factor=factor)

    new = check(Other(), "quick", explain=False).to_document()
    found = changes(document(right), new)
    assert {c.kind for c in found if c.operation == "downsample1d"} == {Kind.LOST}


def test_with_another_seed_the_recorded_region_is_known() -> None:
    assert kinds(wrong_from(2), wrong_from(2), seed=5) == {Kind.KNOWN}
    assert Kind.NEW in kinds(wrong_from(3), wrong_from(2), seed=5)
    assert notes(document(right), document(right, seed=5))


def test_a_clause_that_is_gone_is_stale_unless_less_was_asked() -> None:
    old, new = document(right), document(right)
    new["verdicts"] = [v for v in new["verdicts"] if v["clause"] != "DOWN-SIZE"]
    assert {c.kind for c in changes(old, new)} == {Kind.STALE}
    assert changes(old, document(right, only="DOWN-SIZE")) == []


def test_only_updates_only_what_ran() -> None:
    old = baseline_of(document(wrong_from(2)))
    partly = document(right, only="DOWN-SIZE")
    updated = baseline_of(partly, old)
    assert len(updated["verdicts"]) == len(old["verdicts"])
    assert Kind.FIXED in {c.kind for c in changes(updated, document(right))}
    with pytest.raises(GateError, match="update it without --only"):
        baseline_of(document(right, seed=1, only="DOWN-SIZE"), old)


SOURCE = """
import cnn_reference
def downsample1d(x, *, factor):
    y = cnn_reference.downsample1d(x, factor=factor)
    return {answer}
"""


def run(folder: Path, answer: str, *arguments: str) -> Result:
    (folder / "mine.py").write_text(SOURCE.format(answer=answer), encoding="utf-8")
    # A file of its own each time: modules are kept by their address.
    address = str((folder / "mine.py").rename(folder / f"mine_{abs(hash(answer))}.py"))
    return CliRunner().invoke(main, ["run", address, *arguments])


def test_the_command_line_gates(tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    against = ("--baseline", str(baseline))
    missing = run(tmp_path, "y", *against)
    assert missing.exit_code == 2
    assert "--update-baseline writes it" in missing.output
    assert run(tmp_path, "y + 1", *against, "--update-baseline").exit_code == 0
    known = run(tmp_path, "y + 1", *against)
    assert known.exit_code == 0
    assert "known" in known.output
    assert run(tmp_path, "y + (factor[0] > 1)", *against).exit_code == 0
    assert run(tmp_path, "y", *against, "--update-baseline").exit_code == 0
    new = run(tmp_path, "y + 1", *against)
    assert new.exit_code == 1
    assert "against the baseline" in new.output


def test_two_reports_are_compared(tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(document(right)), encoding="utf-8")
    new.write_text(json.dumps(document(wrong_from(2))), encoding="utf-8")
    assert CliRunner().invoke(main, ["compare", str(old), str(old)]).exit_code == 0
    changed = CliRunner().invoke(main, ["compare", str(old), str(new)])
    assert changed.exit_code == 1
    assert "on downsample1d: fails in" in changed.output


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "is not JSON"), ("{}", "neither a report nor a baseline"), (None, "cannot be read")],
)
def test_what_is_no_report_is_said_in_a_sentence(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "report.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(GateError, match=words):
        read(path)
