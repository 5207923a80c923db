"""The pytest plugin in a project of its own, with a configuration of its own."""

import os
import subprocess
import sys
import tomllib
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from cnn_conformance import check
from cnn_spec.sections.interface_process import PROCESS_CLAUSES

ROOT = Path(__file__).parents[2]
CONFIGURATION = """
[tool.pytest.ini_options]
testpaths = ["tests"]
addopts = "-q --strict-markers --strict-config"
filterwarnings = ["error"]
"""
CANDIDATE = """
import os
import warnings
import cnn_reference

def upsample1d(x, *, factor):
    warnings.warn("this is no fault")
    with open(os.path.join(os.path.dirname(__file__), "calls.txt"), "a") as calls:
        calls.write(f"{x.shape} {x.sum()}\\n")
    return cnn_reference.upsample1d(x, factor=factor)

def downsample1d(x, *, factor):
    return x[:, :, factor[0] - 1 :: factor[0]] * 2

def upsample2d(x, *, factor):
    raise NotImplementedError
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_own.py").write_text("def test_own(): pass\n", "utf-8")
    (tmp_path / "pyproject.toml").write_text(CONFIGURATION, "utf-8")
    (tmp_path / "mine.py").write_text(CANDIDATE, "utf-8")
    return tmp_path


def run(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """pytest in the project, with this plugin and no others but those that are named."""
    command = [sys.executable, "-m", "pytest", "-p", "cnn_conformance.pytest_plugin", *options]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=300)


def outcomes(project: Path, *options: str) -> dict[str, str]:
    """What became of each test."""
    run(project, "--cnn-candidate", "mine.py", "--junitxml", "report.xml", *options)
    found = {}
    for case in ET.parse(project / "report.xml").iter("testcase"):
        name = f"{case.attrib['classname']}::{case.attrib['name']}"
        found[name] = next(
            (child.tag for child in case if child.tag in ("failure", "skipped", "error")), "passed"
        )
    return found


@pytest.mark.filterwarnings("ignore:this is no fault")
def test_there_is_a_test_for_each_clause_on_each_operation(project: Path) -> None:
    found = list(outcomes(project).values())
    report = check(str(project / "mine.py"), "quick", explain=False)
    own = 1
    assert found.count("passed") == report.summary["holds"] + own
    assert found.count("failure") == report.summary["violated"] > 0
    assert (
        found.count("skipped") == len(report.verdicts) - report.summary["holds"] - report.summary["violated"]
    )
    assert len(found) == len(report.verdicts) + own


def test_they_are_selected_by_name_and_say_what_is_wrong(project: Path) -> None:
    ran = run(project, "--cnn-candidate", "mine.py", "-k", "DOWN-DROP and not 2d and not 3d")
    assert ran.returncode == 1
    assert "cnn-conformance::downsample1d::DOWN-DROP" in ran.stdout
    for words in ("✗ DOWN-DROP", "whatever their parameters", "got      [[[", "candidate.downsample1d(x"):
        assert words in ran.stdout
    assert "1 failed" in ran.stdout
    assert "passed" not in ran.stdout
    assert "pytest_plugin.py" not in ran.stdout


def test_an_operation_is_judged_once_however_many_tests_there_are(project: Path) -> None:
    calls = project / "calls.txt"
    found = outcomes(project, "-k", "upsample1d::")
    skipped = {name.split("::")[-1] for name, outcome in found.items() if outcome == "skipped"}
    assert set(found.values()) == {"passed", "skipped"}
    assert skipped == set(PROCESS_CLAUSES)  # nobody survives to tell of these in the tests' own process
    of_all = calls.read_text()
    calls.unlink()
    assert outcomes(project, "-k", "upsample1d:: and RESULT-KIND")
    assert calls.read_text() == of_all


def test_workers_find_the_same(project: Path) -> None:
    selected = ("-k", "upsample1d or downsample1d")
    alone = outcomes(project, *selected)
    assert len(alone) > 10
    assert outcomes(project, *selected, "-p", "xdist.plugin", "-n", "2") == alone


def test_an_operation_stays_together_whatever_shuffles_the_tests(project: Path) -> None:
    (project / "conftest.py").write_text(
        "def pytest_collection_modifyitems(items):\n    items.sort(key=lambda item: item.name.split('::')[-1])\n",
        "utf-8",
    )
    found = [name.split("::")[0] for name in outcomes(project, "-k", "upsample1d:: or downsample1d::")]
    assert len(found) > 10
    assert sum(one != other for one, other in pairwise(found)) == 1


def test_level_and_seed_are_passed_on(project: Path) -> None:
    def calls(*options: str) -> str:
        (project / "calls.txt").unlink(missing_ok=True)
        outcomes(project, "-k", "upsample1d:: and UP-ZEROS", *options)
        return (project / "calls.txt").read_text()

    plain = calls()
    assert plain == calls("--cnn-level", "quick", "--cnn-seed", "0")
    assert plain != calls("--cnn-seed", "1")
    assert len(plain) < len(calls("--cnn-level", "standard"))


@pytest.mark.parametrize("options", [(), ("-p", "xdist.plugin", "-n", "2")])
def test_a_candidate_that_cannot_be_loaded_is_one_sentence(project: Path, options: tuple[str, ...]) -> None:
    ran = run(project, "--cnn-candidate", "theirs.py", *options)
    assert ran.returncode != 0
    assert f"There is no file {project / 'theirs.py'}; give the path of a Python file" in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr


def test_without_the_option_nothing_is_imported(project: Path) -> None:
    (project / "conftest.py").write_text(
        "import sys\ndef pytest_sessionfinish():\n"
        "    print({'numpy', 'rich', 'cnn_spec', 'cnn_conformance.checking'} & {*sys.modules})\n",
        "utf-8",
    )
    ran = run(project)
    assert ran.returncode == 0
    assert "set()" in ran.stdout


def test_pytest_finds_the_plugin_by_itself() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"][
        "pytest11"
    ]
    (module,) = declared.values()
    assert import_module(module).pytest_addoption
