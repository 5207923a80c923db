"""A chunk that is judged by the child at one go, and the same chunk call by call."""

from pathlib import Path

import pytest

from cnn_conformance.boundary.home import COMPILING, TIMEOUT, Isolated, home_of, isolated, visiting
from cnn_conformance.boundary.whole import TROUBLES, judged_at_home
from cnn_conformance.candidate import load
from cnn_conformance.judging import judge_chunk, run_chunk
from cnn_conformance.plan import Chunk, Rows
from cnn_conformance.tally import of_plain, to_plain

CHUNK = Chunk("downsample1d", (Rows("pairs", 0, 12),), ("float32", "float64"), 0, None)
CANDIDATE = """
import os, sys, time
from cnn_reference import downsample1d as right
def downsample1d(x, *, factor):
    {deed}
    return right(x, factor=factor)
"""
WRONG = "x = x[:, :, ::-1] if x.shape[2] > 8 else x"
FOR_THE_OTHER_SIDE = {
    "a crash": "x.shape[2] > 8 and os._exit(3)",
    "a hang": "x.shape[2] > 8 and time.sleep(5)",
    "a call that takes too long": "x.shape[2] > 8 and time.sleep(0.6)",
    "an interrupt": "if x.shape[2] > 8: raise KeyboardInterrupt",
    "a closed stream": "sys.stdout.close()",
    "a flood": "print('x' * 70_000, flush=True)",
}
"""What the child cannot judge by itself."""


def candidate(folder: Path, deed: str) -> Isolated:
    mine = folder / "mine.py"
    mine.write_text(CANDIDATE.format(deed=deed), "utf-8")
    return isolated(str(mine), timeout=0.5)


@pytest.mark.parametrize("deed", ["pass", WRONG, "raise NotImplementedError"])
def test_the_same_is_found_at_one_go_and_call_by_call(deed: str, tmp_path: Path) -> None:
    subject = candidate(tmp_path, deed)
    with visiting(subject):
        assert judged_at_home(subject, CHUNK) == judge_chunk([load(subject)], CHUNK)[0]


@pytest.mark.parametrize("deed", FOR_THE_OTHER_SIDE.values(), ids=FOR_THE_OTHER_SIDE)
def test_what_the_child_cannot_judge_is_left_to_the_other_side(deed: str, tmp_path: Path) -> None:
    subject = candidate(tmp_path, deed)
    with visiting(subject):
        assert judged_at_home(subject, CHUNK) is None
        assert home_of(subject).troubles == 1


def test_after_some_troubles_calls_are_made_one_by_one(tmp_path: Path) -> None:
    subject = candidate(tmp_path, "pass")
    with visiting(subject):
        home_of(subject).troubles = TROUBLES
        assert judged_at_home(subject, CHUNK) is None
        assert run_chunk(subject, CHUNK)


def test_a_call_may_take_its_time_and_a_chunk_longer(tmp_path: Path) -> None:
    subject = candidate(tmp_path, "time.sleep(0.15)")
    with visiting(subject):
        assert judged_at_home(subject, CHUNK) is not None


@pytest.mark.parametrize(
    ("shapes", "asked", "granted"),
    [("many", None, TIMEOUT), ("few", None, COMPILING), (4, None, COMPILING), ("few", 2.5, 2.5)],
)
def test_what_compiles_for_each_shape_may_take_longer(
    shapes: str | int, asked: float | None, granted: float, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(f"from cnn_reference import relu\nabout = {{'shapes': {shapes!r}}}\n", "utf-8")
    subject = isolated(str(mine), asked)
    with visiting(subject):
        load(subject)
        assert home_of(subject).timeout == granted


def test_tallies_are_written_and_read(tmp_path: Path) -> None:
    subject = candidate(tmp_path, WRONG).address
    (found,) = judge_chunk([load(subject)], CHUNK)
    assert any(tally.failures for tally in found.values())
    assert of_plain(to_plain(found)) == found
