"""The same seed gives the same report, byte for byte but for its times, however the work is shared out."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from cnn_conformance import check
from cnn_conformance.counterexample import Counterexample, of_plain, to_plain
from cnn_spec.cases.layouts import EVERY_LAYOUT
from cnn_spec.operations import Call

MISBEHAVING = """
import ctypes
import numpy as np
import cnn_reference as right

about = {"name": "misbehaving", "version": "1"}

def downsample1d(x, *, factor):
    if x.shape[2] == 66:
        ctypes.string_at(0)
    return right.downsample1d(x, factor=factor)

def upsample1d(x, *, factor):
    if factor[0] == 3:
        raise ValueError(f"{object()} was met")
    return right.upsample1d(x, factor=factor) + (x.shape[1] > 64)

def relu(x):
    return right.relu(x).astype(np.float64)
"""
CONFORMING = "from cnn_reference import downsample1d, relu, softmax"


def written(candidate: Path, name: str, *options: str) -> bytes:
    """The JSON of a run without the lines of its times, from a process with another hash seed each time."""
    report = candidate.with_name(name)
    command = [
        sys.executable,
        "-m",
        "cnn_conformance",
        "run",
        str(candidate),
        "--json",
        str(report),
        *options,
    ]
    seed = str(sum(name.encode()))
    subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed}, timeout=120)
    text = report.read_bytes()
    before, _, rest = text.partition(b'"timing": {')
    return before + b'"timing": {' + rest[rest.index(b"}") :]


@pytest.mark.parametrize(
    ("source", "broken"),
    [
        (CONFORMING, set()),
        (MISBEHAVING, {"NO-CRASH", "VALID-CALL-ANSWERED", "UP-ZEROS", "RESULT-DTYPE"}),
    ],
    ids=["conforming", "misbehaving"],
)
def test_one_job_or_two_interrupted_or_not(source: str, broken: set[str], tmp_path: Path) -> None:
    mine, journal = tmp_path / "mine.py", tmp_path / "journal"
    mine.write_text(source, "utf-8")
    whole = written(mine, "one.json")
    assert {v["clause"] for v in json.loads(whole)["verdicts"] if v["status"] == "violated"} >= broken
    assert written(mine, "two.json", "--jobs", "2", "--resume", str(journal)) == whole
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[: len(lines) // 2] + lines[-2:]))
    assert written(mine, "resumed.json", "--resume", str(journal)) == whole


class Forgetful:
    """Takes every array for one without gaps."""

    def upsample2d(self, x, *, factor):  # type: ignore[no-untyped-def]
        import cnn_reference

        return cnn_reference.upsample2d(x, factor=factor) * (x.flags.c_contiguous and x.flags.writeable)


def calls_of(example: Counterexample) -> tuple[Call, ...]:
    return (*example.calls, *example.case.calls)


def test_how_an_array_lies_in_memory_survives_the_report_and_other_processes() -> None:
    report = check(Forgetful(), level="quick", only="upsample2d")
    examples = [v.counterexample for v in report.violations if v.counterexample is not None]
    assert {example.layout for example in examples} - {"contiguous"} <= set(EVERY_LAYOUT)
    assert any(example.layout != "contiguous" for example in examples)
    for example in examples:
        again = of_plain(json.loads(json.dumps(to_plain(example))))
        for other in (again, pickle.loads(pickle.dumps(example))):
            assert to_plain(other) == to_plain(example)
            for call, same in zip(calls_of(example), calls_of(other), strict=True):
                assert call["x"].tobytes() == same["x"].tobytes()
                assert (call["x"].strides, call["x"].flags.writeable) == (
                    same["x"].strides,
                    same["x"].flags.writeable,
                )
