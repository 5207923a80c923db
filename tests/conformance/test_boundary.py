"""Nothing that a candidate does ends a run: it breaks one clause, and leaves every other verdict as it was."""

from pathlib import Path

import pytest

from cnn_conformance import check
from cnn_conformance.report import Report, Status

HONEST = """
import ctypes, gc, os, random, signal, subprocess, sys, threading, time, warnings
import numpy as np
from cnn_reference import downsample1d as right, upsample1d

held = []

class Secretive(Exception):
    def __str__(self): raise ValueError
    def __reduce__(self): raise ValueError

class Opaque:
    def __init__(self, error): self.error = error
    def __array__(self, *arguments, **options): raise self.error

def eat():
    while True: held.append(np.ones(10**6))

def recurse(): recurse()

def deep():
    sys.setrecursionlimit(10**9)
    return sorted([0], key=lambda _: deep())

def loop():
    while True: pass

def flood():
    while True: print("all work and no play")

def scribble():
    for descriptor in range(3, 1024):
        try: os.write(descriptor, b"nonsense" * 8)
        except OSError: pass

def throw(error): raise error

def downsample1d(x, *, factor):
    if x.shape[2] > 64:
        {misdeed}
    return right(x, factor=factor)
"""
MISDEEDS = {
    "segmentation fault": ("ctypes.string_at(0)", "NO-CRASH", "SIGSEGV"),
    "abort": ("os.abort()", "NO-CRASH", "SIGABRT"),
    "exit": ("os._exit(3)", "NO-CRASH", "exit status 3"),
    "exit as if all were well": ("os._exit(0)", "NO-CRASH", "exit status 0"),
    "recursion beyond the stack": ("deep()", "NO-CRASH", "SIGSEGV"),
    "descriptors closed": ("os.closerange(3, 64)", "NO-CRASH", "ended the process"),
    "hang in Python": ("loop()", "ANSWERS-IN-TIME", "no answer within 0.5 s"),
    "hang in C with the interpreter locked": (
        "ctypes.PyDLL(None).sleep(1000)",
        "ANSWERS-IN-TIME",
        "no answer within 0.5 s",
    ),
    "memory": ("eat()", "MEMORY-BOUNDED", "more than 300000000 bytes"),
    "recursion": ("recurse()", "VALID-CALL-ANSWERED", "raised RecursionError"),
    "KeyboardInterrupt": ("throw(KeyboardInterrupt)", "VALID-CALL-ANSWERED", "raised KeyboardInterrupt"),
    "SystemExit": ("sys.exit(3)", "VALID-CALL-ANSWERED", "raised SystemExit: 3"),
    "an exception that cannot be told": ("throw(Secretive)", "VALID-CALL-ANSWERED", "raised Secretive"),
    "flood": ("flood()", "STANDARD-STREAMS", "wrote more than 65536 bytes"),
    "flood beneath Python": ("os.write(1, bytes(70_000))", "STANDARD-STREAMS", "wrote more than 65536 bytes"),
    "standard output closed": ("sys.stdout.close()", "STANDARD-STREAMS", "closed its standard output"),
    "standard error closed": ("os.close(2)", "STANDARD-STREAMS", "closed its standard error"),
    "nonsense on the wire": ("scribble()", "WIRE-FORMAT", "announced an answer of"),
    "no array": ("return Opaque(ValueError())", "RESULT-KIND", "which NumPy cannot turn into an array"),
    "no array, but an exit": ("return Opaque(SystemExit())", "RESULT-KIND", "which NumPy cannot turn into"),
    "an array of objects": ("return np.array([object()])", "RESULT-KIND", "expected an array"),
    "an enormous array": (
        "return np.broadcast_to(x[..., :1], (*x.shape[:2], 10**15))",
        "DOWN-SIZE",
        "y has shape (1, 1, 1000000000000000)",
    ),
}
"""What is done, the clause that it breaks, and words of what is said of it."""
MEDDLING = {
    "signal handlers": "[signal.signal(s, lambda *_: None) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)]",
    "NumPy's errors": "np.seterr(all='raise')",
    "print options": "np.set_printoptions(threshold=1, formatter={'all': lambda n: 'x'})",
    "random state": "np.random.seed(0), random.seed(0)",
    "working directory": "os.chdir('/')",
    "threads": "threading.Thread(target=time.sleep, args=(1000,)).start() if threading.active_count() < 4 else None",
    "processes": "held or held.append(subprocess.Popen(['sleep', '1000']))",
    "warnings": "warnings.simplefilter('error')",
    "no standard output": "setattr(sys, 'stdout', None)",
    "a little output": "print('thinking', flush=True)",
    "environment": "os.environ.clear()",
    "collection of garbage": "gc.disable()",
    "import path": "sys.path.clear()",
}
"""What leaves the answers as they are."""


def checked(folder: Path, misdeed: str, timeout: float = 10.0) -> Report:
    mine = folder / "mine.py"
    mine.write_text(HONEST.replace("{misdeed}", misdeed), "utf-8")
    return check(
        str(mine), level="quick", only="*sample1d", isolate=True, timeout=timeout, memory=300_000_000
    )


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return checked(tmp_path_factory.mktemp("honest"), "pass")


def statuses(report: Report) -> dict[tuple[str, str], Status]:
    return {(v.clause, v.operation): v.status for v in report.verdicts}


def test_an_honest_candidate_keeps_every_clause(honest: Report) -> None:
    assert set(statuses(honest).values()) == {Status.HOLDS}


@pytest.mark.parametrize("name", MISDEEDS)
def test_a_misdeed_breaks_its_own_clause_and_no_other(name: str, tmp_path: Path, honest: Report) -> None:
    misdeed, clause, words = MISDEEDS[name]
    report = checked(tmp_path, misdeed, timeout=0.5 if "hang" in name else 10.0)
    (broken,) = report.violations
    assert (broken.clause, broken.operation) == (clause, "downsample1d")
    assert broken.counterexample is not None
    assert words in broken.counterexample.words
    assert broken.counterexample.calls[-1]["x"].shape == (1, 1, 65)
    assert statuses(report) == {**statuses(honest), (clause, "downsample1d"): Status.VIOLATED}


@pytest.mark.parametrize("name", MEDDLING)
def test_meddling_changes_no_verdict(name: str, tmp_path: Path, honest: Report) -> None:
    assert checked(tmp_path, MEDDLING[name]).verdicts == honest.verdicts
