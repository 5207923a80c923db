"""What the README shows is so: its adapter, its commands, and the example in the picture."""

import re
from pathlib import Path

import pytest

from cnn_conformance import check

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


def test_the_test_command_is_the_one_that_ci_runs() -> None:
    (command,) = (line for line in BLOCKS[0][1].splitlines() if line.endswith("pytest"))
    assert command in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()


def test_the_adapter_in_the_readme_conforms(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    (code,) = (code for language, code in BLOCKS if language == "python" and "correlate" in code)
    assert len(code.strip().splitlines()) <= 20
    (tmp_path / "mine.py").write_text(code, "utf-8")
    report = check(str(tmp_path / "mine.py"), level="quick")
    assert report.conforms
    assert report.violations == ()


def test_the_example_in_the_picture_is_caught() -> None:
    report = check(str(ROOT / "conformance" / "examples" / "flipped_kernel.py"), level="quick")
    assert {v.clause for v in report.violations} == {"CONV-AFFINE", "CONV-XCORR"}


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)\)", README))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()
