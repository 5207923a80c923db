"""An interrupted run goes on where it was, and comes to the same report as one that was not interrupted."""

import errno
import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cnn_conformance import check
from cnn_conformance.candidate import about
from cnn_conformance.cli import main
from cnn_conformance.executors import InlineExecutor
from cnn_conformance.journal import Journal, JournalError
from cnn_conformance.report import Report

ONLY = "*sample1d"
PATIENCE = 60
MINE = """
import time
from pathlib import Path
import cnn_reference as right

about = {"name": "mine", "version": "1"}

def downsample1d(x, *, factor):
    return right.downsample1d(x, factor=factor) + (x.shape[1] > 64)

def upsample1d(x, *, factor):
    while x.size and x.min() != x.min() and not Path(__file__).with_name("go").exists():
        time.sleep(0.01)
    return right.upsample1d(x, factor=factor)
"""
"""Some answers are wrong; the second function answers to NaN once it is allowed to."""
CHUNKS = 10
"""Of each of the two functions at level quick."""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(MINE, "utf-8")
    return tmp_path / "mine.py"


def started(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cnn_conformance", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def without_times(report: Path | Report) -> str:
    """The report as text, in which even the order of everything shows."""
    document = report.to_document() if isinstance(report, Report) else json.loads(report.read_text("utf-8"))
    del document["timing"]
    return json.dumps(document)


def wait_for(come: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not come():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.mark.parametrize(
    ("how", "jobs"),
    [(signal.SIGINT, 1), (signal.SIGTERM, 1), (signal.SIGKILL, 1), (signal.SIGTERM, 2), (signal.SIGKILL, 2)],
)
def test_a_killed_run_loses_nothing_that_was_reached(how: signal.Signals, jobs: int, mine: Path) -> None:
    journal, one, other = (mine.with_name(name) for name in ("journal", "one.json", "other.json"))
    options = ["--only", ONLY, "--jobs", str(jobs), "--resume", str(journal), "--json", str(one)]
    options += ["--timeout", str(PATIENCE)]
    with started("run", str(mine), *options) as running:
        wait_for(lambda: lines(journal) > CHUNKS)  # sooner or later it waits for leave to go on
        running.send_signal(how)
        said = running.communicate(timeout=PATIENCE)[1]
    reached = journal.read_bytes()
    assert not one.exists()
    mine.with_name("go").touch()
    if how is signal.SIGKILL:
        assert running.returncode == -signal.SIGKILL
        again = started("run", str(mine), *options)
    else:
        assert running.returncode == 130
        last = said.strip().splitlines()[-1]
        judged = reached.count(b'{"work":"run_chunk ')
        assert last.startswith(f"Interrupted: {judged} of {2 * CHUNKS} chunks are judged, and in {journal}; ")
        name, *command = shlex.split(last.split("`")[1])
        assert name == "cnn-conformance"
        again = started(*command)
    with started("run", str(mine), "--only", ONLY, "--json", str(other)) as uninterrupted:
        for process in (again, uninterrupted):
            process.communicate(timeout=PATIENCE)
            assert process.returncode == 1
    assert without_times(one) == without_times(other)
    assert journal.read_bytes().startswith(reached)
    works = [json.loads(line)["work"] for line in journal.read_bytes().splitlines()[1:]]
    assert len(works) == len(set(works))


def test_without_a_journal_nothing_is_kept(mine: Path) -> None:
    mine.write_text(
        MINE.replace("while x", "Path(__file__).with_name('waiting').touch()\n    while x"), "utf-8"
    )
    with started("run", str(mine), "--only", ONLY) as running:
        wait_for(mine.with_name("waiting").exists)
        running.send_signal(signal.SIGTERM)
        said = running.communicate(timeout=PATIENCE)[1]
    assert running.returncode == 130
    assert said.strip().splitlines()[-1] == "Interrupted."
    assert {path.name for path in mine.parent.iterdir() if path.is_file()} == {"mine.py", "waiting"}


class Wrong:
    """Answers wrongly, in some cases."""

    def upsample1d(self, x: Any, *, factor: Any) -> Any:
        import cnn_reference

        return cnn_reference.upsample1d(x, factor=factor) + (factor[0] > 2)


def checked(journal: Path, executor: Executor | None = None, **options: Any) -> Report:
    settings = {"level": "quick", "only": "upsample1d", "seed": 0, **options}
    return check(Wrong(), executor=executor, journal=Journal(journal), **settings)


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    checked(tmp_path / "journal")
    return tmp_path / "journal"


class Idle(InlineExecutor):
    """Does nothing but ask candidates about themselves."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        assert fn is about
        return super().submit(fn, *args, **kwargs)


def test_a_finished_run_is_answered_from_its_journal(finished: Path) -> None:
    unjournaled = check(Wrong(), level="quick", only="upsample1d")
    assert unjournaled.violations
    assert without_times(checked(finished, Idle())) == without_times(unjournaled)


def test_any_executor_will_do(tmp_path: Path, finished: Path) -> None:
    with ThreadPoolExecutor(2) as threads:
        report = checked(tmp_path / "other", threads)
    assert without_times(report) == without_times(checked(finished, Idle()))
    assert sorted((tmp_path / "other").read_bytes().splitlines()) == sorted(
        finished.read_bytes().splitlines()
    )


@pytest.mark.parametrize("left", [0.0, 0.0005, 0.3, 0.8, 0.9999])
def test_a_last_line_cut_short_counts_for_nothing(left: float, finished: Path) -> None:
    whole = finished.read_bytes()
    before = checked(finished, Idle())
    finished.write_bytes(whole[: int(left * len(whole))])
    assert without_times(checked(finished)) == without_times(before)
    assert finished.read_bytes() == whole
    checked(finished, Idle())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": 1}, "its seed was 0, and is 1;"),
        ({"level": "standard"}, "its level was quick, and is standard;"),
        ({"only": "upsample*"}, "its only was upsample1d, and is upsample"),
        ({"isolate": True}, "its candidate seat was inside, and is child;"),
    ],
)
def test_the_journal_of_another_run_is_refused(options: dict[str, Any], words: str, finished: Path) -> None:
    whole = finished.read_bytes()
    with pytest.raises(JournalError, match=words):
        checked(finished, **options)
    assert finished.read_bytes() == whole


def test_a_candidate_that_was_changed_is_another(mine: Path) -> None:
    mine.with_name("go").touch()

    def ran() -> Result:
        journal = str(mine.with_name("journal"))
        return CliRunner().invoke(main, ["run", str(mine), "--only", "upsample1d", "--resume", journal])

    assert ran().exit_code == 0
    mine.write_text(MINE + "\n# and a word more", "utf-8")
    refused = ran()
    assert refused.exit_code == 2
    assert refused.stderr.count("\n") == 1
    assert f"is the journal of another run: its source {mine} is another;" in refused.stderr


def test_what_is_no_journal_is_left_as_it_is(tmp_path: Path, finished: Path) -> None:
    for text in ("", "{", '{"cnn-conf'):
        (tmp_path / "short").write_text(text, "utf-8")
        checked(tmp_path / "short")
    for text in ("notes\n", '{"schema_version": 1}\n', "{}"):
        (tmp_path / "other").write_text(text, "utf-8")
        with pytest.raises(JournalError, match="is no journal, and is left as it is"):
            checked(tmp_path / "other")
        assert (tmp_path / "other").read_text("utf-8") == text
    with pytest.raises(JournalError, match="is no file"):
        checked(tmp_path)
    whole = finished.read_bytes().splitlines(keepends=True)
    finished.write_bytes(b"".join([*whole[:3], whole[3][:40] + b"\n", *whole[4:]]))
    with pytest.raises(JournalError, match="is damaged in line 4"):
        checked(finished)


def test_two_runs_do_not_write_one_journal(tmp_path: Path) -> None:
    refused = []

    def meanwhile(*_: object) -> None:
        with pytest.raises(JournalError, match="of a run that goes on"):
            checked(tmp_path / "journal")
        refused.append(True)

    checked(tmp_path / "journal", progress=meanwhile)
    assert refused


def test_a_full_disk_costs_the_journal_and_not_the_run(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = Journal._write, []

    def full(self: Journal, line: bytes) -> None:
        if len(written) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(line)
        write(self, line)

    monkeypatch.setattr(Journal, "_write", full)
    journal = Journal(tmp_path / "full")
    report = check(Wrong(), level="quick", only="upsample1d", journal=journal)
    assert without_times(report) == without_times(checked(finished, Idle()))
    assert journal.trouble.endswith("full lacks what came last: No space left on device.")
    assert (tmp_path / "full").read_bytes() == b"".join(line + b"\n" for line in written)


def test_a_deep_run_has_as_many_rounds_again(tmp_path: Path) -> None:
    before = checked(tmp_path / "deep", level="deep", budget=0.01)
    assert before.rounds == 1
    assert without_times(checked(tmp_path / "deep", Idle(), level="deep", budget=0.0)) == without_times(
        before
    )
    assert checked(tmp_path / "deep", level="deep", budget=2.0).rounds > 1
