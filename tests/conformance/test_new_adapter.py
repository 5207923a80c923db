"""`init` writes an adapter that runs as it stands, and that can be filled in as its comments say."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnn_conformance import check
from cnn_conformance.candidate import ABOUT, about
from cnn_conformance.cli import main
from cnn_conformance.new_adapter import RETURNS
from cnn_spec.cases.stream import FUNCTIONS
from cnn_spec.conventions import CONVENTIONS
from cnn_spec.operations import OPERATIONS


def init(file: Path) -> Result:
    return CliRunner().invoke(main, ["init", str(file)])


def test_it_conforms_as_it_stands(tmp_path: Path) -> None:
    assert init(tmp_path / "mine.py").exit_code == 0
    report = check(str(tmp_path / "mine.py"), "standard")
    assert report.conforms
    assert {v.operation for v in report.verdicts if v.status != "not offered"} == {"conv2d"}
    assert report.candidate["name"] == "mine"


def test_what_is_commented_out_is_the_interface(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    init(file)
    file.write_text(
        re.sub(r"^( *)# (?=def |    \.\.\.|\"|\}|    \")", r"\1", file.read_text(), flags=re.MULTILINE),
        "utf-8",
    )
    described = about(str(file))
    assert described.offered == {function for function, (_, rank) in FUNCTIONS.items() if rank in (0, 2)}
    assert described.version == "1.0"


def test_a_stub_that_is_not_the_interface_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def relu(x, *, slope):\n    ...\n", "utf-8")
    with pytest.raises(Exception, match="mend its signature"):
        about(str(tmp_path / "mine.py"))


def test_every_operation_and_all_that_may_be_declared_is_explained(tmp_path: Path) -> None:
    init(tmp_path / "mine.py")
    text = (tmp_path / "mine.py").read_text("utf-8")
    assert RETURNS.keys() == OPERATIONS.keys()
    assert all(f'"{key}": ' in text for key in (*ABOUT, *CONVENTIONS))
    assert all(f'"{value}"' in text for values in CONVENTIONS.values() for value in values)


@pytest.mark.parametrize(
    ("name", "words"), [("there.py", "File exists"), ("no/mine.py", "No such file"), ("mine", "ends in .py")]
)
def test_what_cannot_be_written_is_said_in_one_sentence(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "there.py").write_text("precious = True", "utf-8")
    ran = init(tmp_path / name)
    assert ran.exit_code == 2
    assert words in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert (tmp_path / "there.py").read_text() == "precious = True"
