"""A candidate in another environment: it sees nothing of ours but our packages, and what it lacks is said."""

import os
import sys
import venv
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnn_conformance.cli import main

CANDIDATE = """
import sys
from importlib.util import find_spec
about = {"name": sys.prefix, "version": str(find_spec("sympy") is None)}
def relu(x): return x.clip(0)
"""


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """An environment without any package."""
    venv.create(tmp_path / "other", symlinks=True)
    (tmp_path / "mine.py").write_text(CANDIDATE, "utf-8")
    return tmp_path / "other"


def give(environment: Path, *packages: str) -> None:
    """Put this environment's packages into another, without what lies beside them."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for package in packages:
        spec = find_spec(package)
        assert spec
        assert spec.origin
        folder = Path(spec.origin).parent
        for part in folder.parent.glob(f"{package}*"):
            os.symlink(part, environment / "lib" / version / "site-packages" / part.name)


def run(environment: Path, python: str = "bin/python", *options: str) -> Result:
    candidate = str(environment.parent / "mine.py")
    return CliRunner().invoke(main, ["run", candidate, "--python", str(environment / python), *options])


def test_the_candidate_runs_there_and_sees_only_our_packages(environment: Path) -> None:
    give(environment, "numpy", "safetensors")
    ran = run(environment)
    assert ran.exit_code == 0, ran.output
    assert f"✓ {environment} True conforms" in " ".join(ran.stdout.split())


def test_what_is_missing_is_said_in_a_sentence(environment: Path) -> None:
    give(environment, "numpy")
    ran = run(environment)
    assert ran.exit_code == 2
    assert f"run `{environment}/bin/python -m pip install safetensors` first." in ran.stderr


def test_an_interpreter_that_is_not_there(environment: Path) -> None:
    ran = run(environment, "bin/nothing")
    assert ran.exit_code == 2
    assert "cannot be started" in ran.stderr


def test_no_process_of_its_own_no_interpreter(environment: Path) -> None:
    assert run(environment, "bin/python", "--in-process").exit_code == 2
