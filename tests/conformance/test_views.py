"""All views of a run on the command line, whatever a candidate says of itself."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from cnn_conformance.cli import main
from cnn_conformance.legible import legible

FILES = {"--json": "report.json", "--junit": "junit.xml", "--html": "report.html", "--markdown": "report.md"}
SAID = '<b>"""\\ \x1b[31m\x00\x07\ud800\u202e]]>\n'
CANDIDATE = f"""
about = {{"name": {SAID!a}, "version": 2}}

def upsample1d(x, *, factor):
    raise ValueError({SAID!a})
"""


@pytest.mark.parametrize("option", FILES)
def test_a_view_that_cannot_be_written_is_noticed_before_the_work(option: str) -> None:
    ran = CliRunner().invoke(main, ["run", "no_such_module", option, "no/such/folder/file"])
    assert ran.exit_code == 2
    assert "there is no folder no/such/folder" in ran.stderr


def test_what_a_candidate_says_is_legible_in_every_view(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(CANDIDATE, "utf-8")
    views = [part for option, name in FILES.items() for part in (option, str(tmp_path / name))]
    ran = CliRunner().invoke(main, ["run", str(tmp_path / "mine.py"), "--only", "upsample1d", *views])
    assert ran.exit_code == 1, ran.output
    name, raised = legible(SAID), legible(SAID.strip())
    assert name == '<b>"""\\ \\x1b[31m\\x00\\x07\\ud800\\u202e]]>\\n'
    written = {option: (tmp_path / file).read_text("utf-8") for option, file in FILES.items()}
    for text in (ran.stdout, *written.values()):
        assert not set(text) & set("\x1b\x00\x07\ud800\u202e")
    assert f"{name} 2 does not conform" in ran.stdout
    assert f"raised ValueError: {raised}" in "".join(ET.fromstring(written["--junit"]).itertext())
    report = json.loads(written["--json"])
    assert report["candidate"] == {"name": name, "version": "2"}
    (example,) = (v["counterexample"] for v in report["verdicts"] if v["counterexample"])
    assert example["words"] == f"raised ValueError: {raised}"
    compile(example["script"], "script", "exec")


def test_only_the_page_wants_sympy(tmp_path: Path) -> None:
    def imported(*options: str) -> str:
        views = [part for option in options for part in (option, str(tmp_path / FILES[option]))]
        code = (
            "import sys\nfrom cnn_conformance.cli import main\ntry:\n"
            f"    main(['run', '--only', 'downsample1d', *{views!r}])\n"
            "finally:\n    print({'sympy', 'jinja2'} & {*sys.modules}, file=sys.stderr)"
        )
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return ran.stderr.strip().splitlines()[-1]

    assert imported("--json", "--junit", "--markdown") == "set()"
    assert "sympy" in imported("--html")
