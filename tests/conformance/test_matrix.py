"""Several candidates side by side."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnn_conformance.cli import main
from cnn_conformance.matrix import markdown, matrix, page

PLANTED = str(Path(__file__).parent / "planted.py")
HALF = "from cnn_reference import conv1d as whole, conv2d\ndef conv1d(x, w, b, **p): return whole(x, w, b, **p) / 2\n"


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("matrix")
    (folder / "half.py").write_text(HALF, "utf-8")
    ran = call("run", folder / "half.py", "--only", "conv[12]d", "--json", folder / "half.json")
    assert ran.exit_code == 1, ran.output
    return folder


def test_a_run_and_a_report_side_by_side(folder: Path) -> None:
    views = [f"--{kind}={folder / f'matrix.{kind}'}" for kind in ("json", "html", "markdown")]
    ran = call("matrix", "reference", folder / "half.json", "--only", "conv[12]d", *views)
    assert ran.exit_code == 1, ran.output
    made = json.loads((folder / "matrix.json").read_text("utf-8"))
    assert [c["name"] for c in made["candidates"]] == ["cnn_reference", "half"]
    cells = {
        row["clause"]: [(c["status"], c["count"], c["judged"]) for c in row["cells"]]
        for row in made["clauses"]
    }
    assert cells["CONV-XCORR"] == [("holds", 2, 2), ("violated", 1, 2)]
    assert cells["RESULT-DTYPE"] == [("holds", 2, 2), ("holds", 2, 2)]
    assert "MAX-SELECT" not in cells  # nobody offers it
    lines = ran.stdout.splitlines()
    assert next(line.split() for line in lines if "CONV-XCORR" in line) == ["CONV-XCORR", "✓", "✗", "1/2"]


def test_a_red_cell_shows_the_smallest_case(folder: Path) -> None:
    report = json.loads((folder / "half.json").read_text("utf-8"))
    made = matrix([report])
    red = {clause.id: cells[0] for clause, cells in made.rows}["CONV-XCORR"]
    (broken,) = red.broken
    assert broken.words.startswith("conv1d: in ")
    assert any(line.startswith("conv1d(x, w, b, stride=(1,)") for line in broken.lines)
    assert any(line.startswith("got ") for line in broken.lines)
    assert broken.lines[-1] in markdown(made)
    tags: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append(tag)  # type: ignore[method-assign]
    text = page(made)
    parser.feed(text)
    assert "script" not in tags
    assert tags.count("details") == sum(bool(cells[0].broken) for _, cells in made.rows)
    assert "conv1d(x, w, b, stride=(1,)" in text


def test_what_is_wrong_with_the_call_is_said(folder: Path) -> None:
    assert "no candidate nothing_such" in call("matrix", "nothing_such").stderr
    ran = call("matrix", "reference", "--python", "scipy=python3")
    assert ran.exit_code == 2
    assert "not among the candidates" in ran.stderr
    (folder / "other.json").write_text("{}", "utf-8")
    assert call("matrix", folder / "other.json").exit_code == 2
