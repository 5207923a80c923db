"""The same report whoever does the work, whatever becomes of the workers: processes here, or those of a Dask cluster."""

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import cnn_conformance
from cnn_conformance import check
from cnn_conformance.cli import main
from cnn_conformance.executors import Pool, WorkError
from cnn_conformance.journal import Journal
from cnn_conformance.report import Report

ONLY = "*sample1d"
PATIENCE = 60
MINE = """
import os, time
import cnn_reference as right

about = {"name": "mine", "version": "1"}

def downsample1d(x, *, factor):
    if x.shape[2] > 64 and CRASHES:
        os.kill(os.getpid(), 9)
    return right.downsample1d(x, factor=factor)

def upsample1d(x, *, factor):
    return right.upsample1d(x, factor=factor) + (x.shape[1] > 64)
"""
"""Some answers are wrong; the first function may end the process that it is in."""
CLUSTER = """
import sys
from dask import config
from distributed import LocalCluster

if __name__ == "__main__":
    config.set({"distributed.deploy.lost-worker-timeout": "1h"})  # it is for the nannies to replace them
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler with two worker processes, on loopback; a worker that dies is replaced."""
    pytest.importorskip("distributed")
    program = tmp_path_factory.mktemp("cluster") / "cluster.py"
    program.write_text(CLUSTER, "utf-8")
    command = [sys.executable, str(program)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as running:
        assert running.stdout is not None
        yield running.stdout.readline().strip()
        assert running.stdin is not None
        running.stdin.close()


@pytest.fixture(params=["pool", "dask"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Two workers that are processes."""
    if request.param == "pool":
        with Pool(2) as pool:
            yield pool
        return
    from cnn_conformance.cluster import cluster

    with cluster(request.getfixturevalue("scheduler")) as workers:
        yield workers


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(MINE.replace("CRASHES", "False"), "utf-8")
    return tmp_path / "mine.py"


def without_times(report: Path | Report) -> str:
    """The report as text, in which even the order of everything shows."""
    document = report.to_document() if isinstance(report, Report) else json.loads(report.read_text("utf-8"))
    del document["timing"]
    return json.dumps(document)


def checked(subject: object, executor: Executor | None = None, **options: Any) -> Report:
    return check(subject, "quick", only=options.pop("only", ONLY), executor=executor, **options)


def call(*arguments: str | Path) -> Result:
    gc.collect()  # a client without a scheduler closes when it is collected, and locks up if that is while another starts
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


def test_the_report_is_the_same_whoever_does_the_work(mine: Path, executor: Executor) -> None:
    inline = checked(str(mine))
    assert "UP-ZEROS" in {v.clause for v in inline.violations}
    journal = mine.with_name("journal")
    elsewhere = checked(str(mine), executor, journal=Journal(journal))
    assert without_times(elsewhere) == without_times(inline)
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[: len(lines) // 2]))
    assert without_times(checked(str(mine), executor, journal=Journal(journal))) == without_times(inline)


def dying(executor: Executor, subject: str) -> Report:
    """A run in the middle of which a worker is killed."""
    victim = executor.submit(os.getpid).result()
    assert victim != os.getpid()
    judged = []

    def kill(_: str, done: int, total: int) -> None:
        judged.append(done)
        if done == 4:
            os.kill(victim, signal.SIGKILL)

    report = checked(subject, executor, progress=kill)
    assert max(judged) == len(judged) == 20
    assert has_ended(victim)
    return report


def has_ended(process: int) -> bool:
    """Whether a process is gone, or will be within seconds."""
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_a_worker_that_dies_loses_no_verdict(mine: Path, executor: Executor) -> None:
    inline = checked(str(mine))
    mine.write_text(
        mine.read_text("utf-8").replace("return right", "time.sleep(0.01); return right"), "utf-8"
    )
    assert without_times(dying(executor, str(mine))) == without_times(inline)


def test_an_executor_that_breaks_for_good_loses_none_either(mine: Path) -> None:
    inline = checked(str(mine))
    with ProcessPoolExecutor(2, get_context("spawn")) as broken:
        assert without_times(dying(broken, str(mine))) == without_times(inline)


@pytest.fixture(scope="module")
def crashing(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Report]:
    """A candidate that ends its process, and the report on it in a process of its own."""
    mine = tmp_path_factory.mktemp("crashing") / "mine.py"
    mine.write_text(MINE.replace("CRASHES", "True"), "utf-8")
    return str(mine), checked(str(mine), only="downsample1d", isolate=True)


def test_what_kills_its_workers_has_crashed(crashing: tuple[str, Report], executor: Executor) -> None:
    mine, apart = crashing
    report = checked(mine, executor, only="downsample1d")
    (broken,) = report.violations
    assert (broken.clause, broken.operation) == ("NO-CRASH", "downsample1d")
    assert broken.counterexample is not None
    assert "SIGKILL" in broken.counterexample.words
    assert broken.counterexample.calls[-1]["x"].shape == (1, 1, 65)
    assert without_times(report) == without_times(apart)


def test_a_pool_is_whole_again_after_a_death() -> None:
    with Pool(2) as pool:
        before = {pool.submit(os.getpid).result() for _ in range(20)}
        others = [pool.submit(pow, n, 2) for n in range(50)]
        with pytest.raises(BrokenExecutor):
            pool.submit(os._exit, 0).result()
        assert [other.result() for other in others] == [n * n for n in range(50)]
        after = {pool.submit(os.getpid).result() for _ in range(20)}
        assert len(before) == len(after) == 2
        assert len(before & after) == 1
        with pytest.raises(ZeroDivisionError):
            pool.submit(divmod, 1, 0).result()
        with pytest.raises((TypeError, AttributeError)):
            pool.submit(lambda: 1).result()


def test_a_pool_that_is_not_waited_for_leaves_no_process() -> None:
    for _ in range(3):
        before = set(active_children())
        pool = Pool(2)
        asked = [pool.submit(time.sleep, 60) for _ in range(3)]
        while not asked[1].running():
            time.sleep(0.01)
        pool.shutdown(wait=False)
        assert set(active_children()) <= before
        assert asked[2].cancelled()


class Patient:
    """Answers for the first dtype once it is allowed to."""

    def __init__(self) -> None:
        self.allowed, self.waiting = threading.Event(), threading.Event()

    def upsample1d(self, x: Any, *, factor: Any) -> Any:
        import cnn_reference

        if not self.waiting.is_set():
            self.waiting.set()
            assert self.allowed.wait(PATIENCE)
        return cnn_reference.upsample1d(x, factor=factor)


def test_progress_is_told_when_a_chunk_is_done_and_not_when_its_turn_comes() -> None:
    """The chunk that was begun first is done last."""
    patient, told = Patient(), list[int]()

    def progress(_: str, done: int, total: int) -> None:
        told.append(done)
        if done == total - 1:
            patient.allowed.set()

    with ThreadPoolExecutor(2) as threads:
        assert checked(patient, threads, only="upsample1d", progress=progress).conforms
    assert told == list(range(1, 11))


def test_at_the_first_violation_the_rest_is_cancelled(mine: Path) -> None:
    asked: list[Future[Any]] = []

    class Watched(ThreadPoolExecutor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            asked.append(super().submit(fn, *args, **kwargs))
            return asked[-1]

    with Watched(1) as threads:
        report = checked(str(mine), threads, stop_at_first=True, explain=False)
    assert without_times(report) == without_times(checked(str(mine), stop_at_first=True, explain=False))
    assert not report.complete
    assert any(future.cancelled() for future in asked)


class Stubborn(Patient):
    """Says by itself that it cannot be pickled."""

    def __reduce__(self) -> Any:
        raise RuntimeError("not me")


@pytest.mark.parametrize("kind", [Patient, Stubborn])
def test_a_candidate_that_cannot_be_sent_is_said_to_be_so(kind: type[Patient], executor: Executor) -> None:
    words = rf"The {kind.__name__} cannot be sent to a worker: .*; give its address"
    with pytest.raises(WorkError, match=words):
        checked(kind(), executor)


def sentence(ran: Result) -> str:
    assert ran.exit_code == 2, ran.output
    assert ran.stdout == ""
    (said,) = ran.stderr.strip().splitlines()
    return said


def test_what_is_wrong_with_a_scheduler_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "leave one of them out" in sentence(call("run", "--jobs", "2", "--scheduler", "tcp://localhost:1"))
    pytest.importorskip("distributed")
    monkeypatch.setattr("cnn_conformance.cluster.ANSWER", 0.5)
    for address in ("tcp://127.0.0.1:1", "127.0.0.1:1", "nowhere", "gopher://127.0.0.1:1"):
        said = sentence(call("run", "--scheduler", address))
        assert f"No Dask scheduler answers at {address}; start one with" in said
    monkeypatch.setitem(sys.modules, "distributed", None)
    said = sentence(call("matrix", "reference", "--scheduler", "tcp://127.0.0.1:1"))
    assert "pip install 'cnn-conformance[dask]'" in said


@pytest.mark.parametrize("trouble", [OSError, TypeError, AssertionError, RuntimeError, ImportError])
def test_whatever_keeps_a_scheduler_from_being_reached_is_said_in_one_sentence(
    trouble: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: Any, **__: Any) -> None:
        raise trouble

    monkeypatch.setattr(pytest.importorskip("distributed"), "Client", unreachable)
    assert "No Dask scheduler answers at tcp://here:1" in sentence(call("run", "--scheduler", "tcp://here:1"))


@contextmanager
def changed(scheduler: str, change: Callable[[], None], undo: Callable[[], None]) -> Iterator[None]:
    """Workers that are not as they were."""
    from distributed import Client

    with Client(scheduler, set_as_default=False) as client:
        client.run(change)
        try:
            yield
        finally:
            client.run(undo)


def test_a_worker_of_another_version_is_said_to_be_so(scheduler: str) -> None:
    here, module = cnn_conformance.__version__, "cnn_conformance.steadfast"
    older = changed(
        scheduler,
        lambda: setattr(import_module(module), "__version__", "0.0.1"),
        lambda: setattr(import_module(module), "__version__", here),
    )
    with older:
        said = sentence(call("run", "--only", "relu", "--scheduler", scheduler))
    assert f"has cnn-conformance 0.0.1, and this run wants {here}" in said
    other = changed(
        scheduler, lambda: sys.modules.update({module: None}), lambda: sys.modules.pop(module, None)
    )
    with other:
        said = sentence(call("run", "--only", "relu", "--scheduler", scheduler))
    assert "A worker cannot do the work (ModuleNotFoundError: " in said
    assert f"install cnn-conformance {here}" in said
    assert call("run", "--only", "relu", "--scheduler", scheduler).exit_code == 0


def test_a_worker_without_the_candidates_file_is_said_to_be_so(
    scheduler: str, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(mine.parent)
    said = sentence(call("run", "mine.py", "--only", ONLY, "--scheduler", scheduler))
    assert "has no file mine.py in " in said
    assert call("run", str(mine), "--only", "downsample1d", "--scheduler", scheduler).exit_code == 0


def test_a_file_that_has_changed_is_judged_as_it_is_now(scheduler: str, mine: Path) -> None:
    """Workers outlive a run, and the programs of candidates do not."""
    from psutil import Process

    from cnn_conformance.cluster import cluster

    def programs(workers: Any) -> int:
        """How many children the workers have that are candidates."""
        found = workers._client.run(lambda: sum("child" in str(c.cmdline()) for c in Process().children()))
        return sum(found.values())

    with cluster(scheduler) as workers:
        for source, violations in ((MINE, 1), (MINE.replace("64", "10_000"), 0)):
            mine.write_text(source.replace("CRASHES", "False"), "utf-8")
            for isolate in (False, True):
                report = checked(str(mine), workers, only="UP-ZEROS", isolate=isolate, explain=False)
                assert len(report.violations) == violations
        assert programs(workers) > 0
    with cluster(scheduler) as workers:
        assert programs(workers) == 0


@pytest.mark.parametrize("executing", [("--jobs", "2"), ("--scheduler",)], ids=["pool", "dask"])
def test_several_candidates_side_by_side(
    executing: tuple[str, ...], mine: Path, request: pytest.FixtureRequest
) -> None:
    if "--scheduler" in executing:
        executing = (*executing, request.getfixturevalue("scheduler"))
    columns = ["matrix", mine, "reference", mine, "--only", "upsample1d"]
    one = call(*columns, "--json", mine.with_name("one.json"))
    other = call(*columns, "--json", mine.with_name("other.json"), *executing)
    assert one.exit_code == other.exit_code == 1
    assert mine.with_name("one.json").read_bytes() == mine.with_name("other.json").read_bytes()
