"""Counterexamples of a report, judged again."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnn_conformance import check
from cnn_conformance.cli import main
from cnn_conformance.replay import Fate, judged_again

BROKEN = """
import os
import numpy as np
import cnn_reference as right

about = {"name": "mine", "version": "1"}

def upsample1d(x, *, factor):
    return right.upsample1d(x, factor=factor) + (factor[0] > 2)

def same_padding(kernel_size):
    if kernel_size > 20:
        os.abort()
    return right.same_padding(kernel_size)
"""
FORGETFUL = """
import cnn_reference as right
calls = []

def downsample1d(x, *, factor):
    calls.append(x.shape)
    return right.downsample1d(x, factor=factor) + (len(calls) > 40)
"""
RIGHT = 'from cnn_reference import *\nabout = {"name": "mine", "version": "2"}\n'
DECLINING = RIGHT + "def upsample1d(x, *, factor): raise NotImplementedError\n"
OTHERWISE = RIGHT + "def upsample1d(x, *, factor): raise ValueError('not today')\n"


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("replay")
    (folder / "mine.py").write_text(BROKEN, "utf-8")
    ran = call("run", folder / "mine.py", "--only", "*sam*", "--json", folder / "report.json")
    assert ran.exit_code == 1
    return folder / "report.json"


def recorded(report: Path) -> list[str]:
    verdicts = json.loads(report.read_text("utf-8"))["verdicts"]
    return [f"{v['clause']} on {v['operation']}" for v in verdicts if v["status"] == "violated"]


def test_what_was_not_mended_still_fails(report: Path) -> None:
    ran = call("replay", report)
    assert ran.exit_code == 1
    failures = recorded(report)
    assert {"UP-ZEROS on upsample1d", "NO-CRASH on same_padding"} <= set(failures)
    lines = ran.stdout.splitlines()
    assert [line.split("  ")[1].partition(":")[0] for line in lines] == failures
    assert {line.split("  ")[0] for line in lines} == {"STILL FAILS"}


def test_what_shows_only_after_earlier_calls_is_judged_after_them(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(FORGETFUL, "utf-8")
    (broken,) = check(str(mine), level="quick", only="downsample1d").violations
    assert broken.clause == "CALLS-INDEPENDENT"
    assert broken.counterexample is not None
    assert broken.counterexample.earlier
    assert judged_again(str(mine), broken.counterexample)[0] is Fate.STILL_FAILS
    assert judged_again(str(mine), replace(broken.counterexample, earlier=0))[0] is Fate.FIXED
    assert judged_again(str(mine), replace(broken.counterexample, earlier=None))[0] is Fate.CANNOT_RUN


def test_what_was_mended_is_fixed(report: Path, tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(RIGHT, "utf-8")
    ran = call("replay", report, "--candidate", tmp_path / "right.py")
    assert ran.exit_code == 0
    assert [line.split(maxsplit=1) for line in ran.stdout.splitlines()] == [
        ["FIXED", f] for f in recorded(report)
    ]


@pytest.mark.parametrize(
    ("source", "words", "status"),
    [
        (DECLINING, "CANNOT RUN   UP-ZEROS on upsample1d: it is declined", 3),
        ("from cnn_reference import relu\n", "CANNOT RUN   UP-ZEROS on upsample1d: it is not offered", 3),
        (
            OTHERWISE,
            "STILL FAILS  UP-ZEROS on upsample1d: breaks VALID-CALL-ANSWERED: raised ValueError: not today",
            1,
        ),
    ],
)
def test_one_failure_of_another_candidate(
    source: str, words: str, status: int, report: Path, tmp_path: Path
) -> None:
    (tmp_path / "other.py").write_text(source, "utf-8")
    ran = call("replay", report, "UP-ZEROS:upsample1d", "--candidate", tmp_path / "other.py")
    assert ran.stdout.startswith(words)
    assert ran.stdout.count("\n") == 1
    assert ran.exit_code == status


def test_what_cannot_be_replayed_is_said_in_one_sentence(report: Path, tmp_path: Path) -> None:
    document = json.loads(report.read_text("utf-8"))
    for name, changes in (("nowhere", {"address": None}), ("lost", {"address": "no/such/file.py"})):
        (tmp_path / name).write_text(json.dumps({**document, **changes}), "utf-8")
    for verdict in document["verdicts"]:
        if verdict["counterexample"]:
            del verdict["counterexample"]["case"]
    (tmp_path / "old").write_text(json.dumps(document), "utf-8")
    for given, words, status in (
        ([tmp_path / "nowhere"], "give --candidate ADDRESS", 2),
        ([tmp_path / "lost"], "There is no file", 2),
        ([tmp_path / "old"], "write a report anew", 2),
        ([tmp_path / "none"], "cannot be read", 2),
        ([report, "UP-ZEROES"], "has no failure of UP-ZEROES to judge again", 3),
    ):
        ran = call("replay", *given)
        assert (ran.exit_code, ran.stdout, ran.stderr.count("\n")) == (status, "", 1)
        assert words in ran.stderr
