"""The GitHub action: its steps, run as the shell that they are written for."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "conformance" / "action"
ACTION = yaml.safe_load((FOLDER / "action.yml").read_text("utf-8"))
INSTALL, JUDGE = ACTION["runs"]["steps"]

pytestmark = pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")


def step(step: dict[str, object], folder: Path, path: str, **inputs: str) -> subprocess.CompletedProcess[str]:
    """A step as a runner runs it: inputs in the environment, stopping at the first error."""
    given = {name: declared.get("default") for name, declared in ACTION["inputs"].items()} | inputs

    def value(text: str) -> str:
        return re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda found: given[found[1]], text)

    assert "${{" not in str(step["run"])
    environment = {
        **os.environ,
        **{name: value(text) for name, text in step["env"].items()},  # type: ignore[attr-defined]
        "PATH": path,
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "GITHUB_ACTION_PATH": str(FOLDER),
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", str(step["run"])]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def judge(folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    return step(JUDGE, folder, f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", **inputs)


def candidate(path: Path, answer: str) -> str:
    path.write_text(
        f"import cnn_reference\n\ndef downsample1d(x, *, factor):\n    return {answer}\n", "utf-8"
    )
    return str(path)


RIGHT, WRONG = (
    "cnn_reference.downsample1d(x, factor=factor)",
    "cnn_reference.downsample1d(2 * x, factor=factor)",
)


def test_it_fails_with_the_candidate_and_shows_why_in_the_summary_of_the_job(tmp_path: Path) -> None:
    ran = judge(tmp_path, candidate=candidate(tmp_path / "mine.py", WRONG))
    assert ran.returncode == 1
    summary = (tmp_path / "summary.md").read_text("utf-8")
    assert "## ✗ `mine` does not conform" in summary
    assert "### ✗ DOWN-DROP" in summary
    assert sorted(file.name for file in tmp_path.iterdir() if file.name != "__pycache__") == [
        "mine.py",
        "summary.md",
    ]


def test_it_passes_with_the_candidate_at_the_level_that_is_asked_for(tmp_path: Path) -> None:
    ran = judge(tmp_path, candidate=candidate(tmp_path / "mine.py", RIGHT), level="standard")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "level standard" in (tmp_path / "summary.md").read_text("utf-8")


def test_what_a_baseline_knows_does_not_fail(tmp_path: Path) -> None:
    mine, baseline = candidate(tmp_path / "mine.py", WRONG), str(tmp_path / "known.json")
    command = [
        sys.executable,
        "-m",
        "cnn_conformance",
        "run",
        mine,
        "--baseline",
        baseline,
        "--update-baseline",
    ]
    subprocess.run(command, capture_output=True, check=True)
    assert judge(tmp_path, candidate=mine, baseline=baseline).returncode == 0
    assert "**known**: DOWN-DROP" in (tmp_path / "summary.md").read_text("utf-8")


def test_inputs_are_words_and_no_shell(tmp_path: Path) -> None:
    name = "my $(touch hacked); mine.py"
    ran = judge(tmp_path, candidate=candidate(tmp_path / name, RIGHT))
    assert ran.returncode == 0, ran.stderr
    assert judge(tmp_path, candidate="--help").returncode == 2
    assert judge(tmp_path, candidate="mine.py", baseline="'; touch hacked; '").returncode == 2
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize(
    ("version", "wanted"), [("", str(FOLDER / ".." / "..")), ("1.2", "cnn-conformance==1.2")]
)
def test_it_installs_what_it_came_with_or_a_release(tmp_path: Path, version: str, wanted: str) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > called\n', "utf-8")
    python.chmod(0o755)
    assert (
        step(INSTALL, tmp_path, f"{tmp_path}{os.pathsep}{os.environ['PATH']}", version=version).returncode
        == 0
    )
    assert (tmp_path / "called").read_text().splitlines() == ["-m", "pip", "install", "--quiet", wanted]
    assert (FOLDER / ".." / ".." / "pyproject.toml").is_file()
