"""`cnn-conformance run` as a user meets it: addresses, options, exit statuses and words."""

import json
import re
import signal
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from cnn_conformance import cli
from cnn_conformance.candidate import CandidateError, load
from cnn_conformance.terminal import LINES

HERE = Path(__file__).parent
PLANTED = str(HERE / "planted.py")
RIGHT = "from cnn_reference import *\n"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, [str(a) for a in arguments])


def test_the_built_in_reference_conforms_without_being_named() -> None:
    ran = call("run", "--only", "CONV-*")
    assert ran.exit_code == 0, ran.output
    assert "cnn_reference conforms (level quick, seed 0" in ran.stdout


@pytest.mark.parametrize("only", [["relu,DOWN-SIZE"], ["relu", "--only", "DOWN-SIZE"]])
def test_several_globs_select_what_any_of_them_matches(only: list[str], tmp_path: Path) -> None:
    report = report_of(tmp_path / "report.json", "--only", *only)
    functions = {verdict["operation"] for verdict in report["verdicts"]}
    assert functions == {"relu", "downsample1d", "downsample2d", "downsample3d"}


def test_a_violation_exits_with_one_and_its_report() -> None:
    ran = call("run", PLANTED, "--only", "CONV-XCORR")
    assert ran.exit_code == 1
    assert "✗ CONV-XCORR" in ran.stdout


@pytest.mark.parametrize("address", ["torch", "reference"])
def test_installed_candidates_conform(address: str) -> None:
    ran = call("run", address, "--only", "downsample*")
    assert ran.exit_code == 0, ran.output


def test_files_modules_and_names_in_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    (tmp_path / "package" / "mine.py").write_text(
        "import cnn_reference as plain\nclass Layers:\n    upsample1d = staticmethod(plain.upsample1d)\n",
        "utf-8",
    )
    (tmp_path / "mine.py").write_text(RIGHT, "utf-8")
    monkeypatch.chdir(tmp_path)
    addresses = (
        "mine.py",
        "package/mine.py:plain",
        "package/mine.py:Layers",
        "package.mine:plain",
        "cnn_reference",
    )
    for address in addresses:
        ran = call("run", address, "--only", "upsample1d")
        assert ran.exit_code == 0, (address, ran.output)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "no_such_file.py"], "There is no file"),
        (["run", "no_such_module"], "no candidate no_such_module"),
        (["run", "torhc"], "did you mean torch?"),
        (["run", "cnn_reference:conv2"], "there is no conv2 in cnn_reference"),
        (["run", "json"], "offers none of the interface's functions"),
        (["run", "--only", "CONV-XCOR"], "did you mean CONV-XCORR?"),
        (["run", "--only", "conv2x"], "did you mean conv2d?"),
        (["run", "--only", "relu,conv2x"], "--only conv2x matches no clause"),
        (["run", "--only", "conv2x", "--only", "relu"], "--only conv2x matches no clause"),
        (["run", "--json", "no/such/folder/report.json"], "there is no folder no/such/folder"),
        (["matrix", "reference", "--html", "no/such/folder/page.html"], "there is no folder no/such/folder"),
        (["mutants", "--markdown", "no/such/folder/page.md"], "there is no folder no/such/folder"),
    ],
)
def test_what_is_wrong_with_a_call_is_said_in_one_sentence(arguments: list[str], words: str) -> None:
    ran = call(*arguments)
    assert ran.exit_code == 2
    assert words in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1
    assert ran.stdout == ""


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import nothing_of_this_name", "cannot be imported: ModuleNotFoundError"),
        ("def conv2d(", "cannot be imported: SyntaxError"),
        ("def upsample1d(x): return x", "cannot be called as upsample1d(x, *, factor): got an unexpected"),
        ("def upsample1d(x, dy, *, factor): return x", "missing a required argument: 'dy'"),
        (RIGHT + "about = {'dtypes': ['float16']}", "may be float32, float64"),
        (RIGHT + "about = {'conventions': {'ties': 'one'}}", "has no 'ties'"),
        (RIGHT + "about = {'conventions': {'pool_nan': 'drop'}}", "may be propagate, ignore"),
        (RIGHT + "about = {'colour': 'red'}", "has no 'colour'"),
        (RIGHT + "about = 'mine'", "make it a mapping"),
        (RIGHT + "about = {'accuracy': 'high'}", "may be componentwise, normwise"),
    ],
)
def test_what_is_wrong_with_a_candidate_is_said_in_one_sentence(
    tmp_path: Path, source: str, words: str
) -> None:
    (tmp_path / "mine.py").write_text(source, "utf-8")
    ran = call("run", str(tmp_path / "mine.py"))
    assert ran.exit_code == 2
    assert words in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1


def test_a_report_that_cannot_be_written_is_noticed_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert call("run", "--json", str(tmp_path / "folder")).exit_code == 2


def test_a_run_that_checked_nothing_exits_with_three(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def upsample1d(x, *, factor): raise NotImplementedError", "utf-8")
    ran = call("run", str(tmp_path / "mine.py"))
    assert ran.exit_code == 3
    assert "nothing was checked" in ran.stdout


def test_a_suite_that_contradicts_itself_exits_with_four(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reference is made wrong, the candidate is right: the definition tells them apart."""
    import cnn_reference

    right = cnn_reference.downsample1d
    monkeypatch.setattr(cnn_reference, "downsample1d", lambda x, *, factor: right(x, factor=factor) + 1)
    (tmp_path / "mine.py").write_text("def downsample1d(x, *, factor): return x[:, :, :: factor[0]]", "utf-8")
    ran = call("run", str(tmp_path / "mine.py"), "--only", "DOWN-DROP", "--in-process")
    assert ran.exit_code == 4
    assert "contradicts itself on DOWN-DROP" in " ".join(ran.stdout.split())


def test_an_interrupted_run_exits_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cnn_conformance.checking.check", interrupted)
    assert call("run").exit_code == 130


def test_ctrl_c_ends_a_run_of_several_processes() -> None:
    command = [sys.executable, "-m", "cnn_conformance", "run", "--level", "standard", "--jobs", "2"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        assert running.stderr.readline().startswith("judged ")
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=60)[1]
    assert running.returncode == 130
    assert said.strip().splitlines()[-1] == "Interrupted."


def schema() -> dict[str, object]:
    found: dict[str, object] = json.loads(
        (files("cnn_conformance") / "report.schema.json").read_text("utf-8")
    )
    return found


def report_of(path: Path, *arguments: str) -> dict[str, object]:
    call("run", PLANTED, "--json", str(path), *arguments)
    found: dict[str, object] = json.loads(path.read_text("utf-8"))
    return found


def test_the_json_report_fits_its_schema(tmp_path: Path) -> None:
    report = report_of(tmp_path / "report.json")
    jsonschema.validate(report, schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**report, "level": "leisurely"}, schema())


def test_the_counterexample_in_the_report_is_the_whole_case(tmp_path: Path) -> None:
    report = report_of(tmp_path / "report.json", "--only", "CONV-XCORR")
    verdicts = {(v["clause"], v["operation"]): v for v in report["verdicts"]}  # type: ignore[attr-defined]
    example = verdicts["CONV-XCORR", "conv2d"]["counterexample"]
    (made,) = example["calls"]
    assert made["function"] == "conv2d"
    assert set(made["arrays"]) == {"x", "w", "b"}
    assert set(made["parameters"]) == {"stride", "padding", "dilation", "groups"}


def test_one_job_and_two_write_the_same_report(tmp_path: Path) -> None:
    one = report_of(tmp_path / "one.json", "--only", "*pool*", "--seed", "5")
    two = report_of(tmp_path / "two.json", "--only", "*pool*", "--seed", "5", "--jobs", "2")
    assert {**one, "timing": {}} == {**two, "timing": {}}
    other = report_of(tmp_path / "other.json", "--only", "*pool*", "--seed", "6")
    assert {**one, "timing": {}} != {**other, "timing": {}}


def test_a_deep_run_goes_on_beyond_the_arrays() -> None:
    ran = call("run", "--level", "deep", "--only", "upsample1d", "--budget", "0.05")
    assert ran.exit_code == 0
    assert "rounds" in ran.stdout


def test_elsewhere_than_on_a_terminal_progress_is_plain_lines() -> None:
    ran = call("run", "--only", "upsample*")
    lines = ran.stderr.strip().splitlines()
    told = [re.fullmatch(r"judged (\d+) of (\d+) chunks", line) for line in lines]
    counts = [tuple(map(int, found.groups())) for found in told if found]
    assert len(counts) == len(lines) == LINES
    assert counts == sorted(counts)
    assert counts[-1][0] == counts[-1][1] == counts[0][1]
    assert "\x1b" not in ran.stderr + ran.stdout


def test_a_run_imports_neither_sympy_nor_a_framework() -> None:
    program = (
        "import sys\nfrom cnn_conformance import check\n"
        "assert check('reference', level='quick', only='downsample1d').conforms\n"
        "print(sorted({'sympy', 'torch', 'hypothesis', 'z3'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_a_library_that_is_not_installed_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    from cnn_conformance import candidate

    candidate._find_address.cache_clear()
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "cnn_conformance.adapters.torch", raising=False)
    with pytest.raises(CandidateError, match="torch is not installed; run `pip install torch`"):
        load("torch")
