"""The wire: what goes over it arrives as it was, and what should not have come is a broken clause, no more."""

import resource
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnn_conformance import check
from cnn_conformance.boundary import wire
from cnn_conformance.candidate import CandidateError, load
from cnn_conformance.report import Report, Status
from cnn_conformance.strides import FILLER
from cnn_spec.cases.layouts import EVERY_LAYOUT
from cnn_spec.operations import Call

SERVERS = Path(__file__).parents[2] / "conformance" / "examples" / "servers"
PYTHON = shlex.quote(sys.executable)


def conv(x: np.ndarray, w: np.ndarray, b: np.ndarray | None = None) -> Call:
    parameters = {"stride": (2, 1), "padding": ((1, 0), (0, 2)), "dilation": (1, 1), "groups": 1}
    return Call("conv", 2, {"x": x, "w": w, "b": b}, parameters)


def sent(call: Call) -> Call:
    return wire.call_of(*wire.unpack(wire.pack_call({}, call)[8:]))


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_call_arrives_with_its_numbers_and_layouts(layout: str, dtype: str) -> None:
    numbers = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(dtype)
    numbers[0, 0, 0, :3] = np.nan, np.inf, -0.0
    x, w = EVERY_LAYOUT[layout](numbers), EVERY_LAYOUT[layout](numbers[:, :, :2])
    arrived = sent(conv(x, w))
    assert arrived.parameters == conv(x, w).parameters
    assert arrived["b"] is None
    for name, was in (("x", x), ("w", w)):
        assert arrived[name].tobytes() == was.tobytes()
        assert arrived[name].strides == was.strides
        assert arrived[name].flags.writeable == was.flags.writeable


def test_slices_broadcasts_and_empty_arrays_arrive() -> None:
    whole = np.arange(120.0).reshape(2, 3, 4, 5)
    views = (
        whole[-1:],
        whole[:, ::2, ::-1],
        whole.transpose(3, 1, 0, 2),
        np.broadcast_to(whole[:1], (4, 3, 4, 5)),
    )
    for x in (*views, whole[:0], whole[:0, :, ::-1]):
        arrived = sent(conv(x, whole))["x"]
        assert arrived.shape == x.shape
        assert np.array_equal(arrived, x)
        assert x.size == 0 or x.flags.c_contiguous or arrived.strides == x.strides


def test_gaps_between_elements_are_no_zeros() -> None:
    """As in the layout itself: who reads them for elements shall notice."""
    arrived = sent(conv(EVERY_LAYOUT["strided"](np.zeros((1, 1, 2, 2))), np.zeros((1, 1, 1, 1))))["x"]
    assert arrived.base is not None
    assert set(np.unique(arrived.base)) == {0.0, FILLER}


def test_integers_and_their_answers_arrive() -> None:
    call = Call(
        "conv_param_count", 0, {"c_in": 3, "c_out": 4}, {"kernel_size": (3, 2), "groups": 1, "bias": True}
    )
    assert vars(sent(call)) == vars(call)
    for numbers in (np.array(7), np.array([1, 2])):
        message = wire.pack_results("1", Call("same_padding", 0, {"kernel_size": 3}, {}), (numbers,))
        assert np.array_equal(wire.answered_in(*wire.unpack(message[8:])), numbers.ravel())


ANSWERS = """
import json, os, struct, sys, time
requests = int(os.environ["CNN_CONFORMANCE_READ"])
answers = int(os.environ["CNN_CONFORMANCE_WRITE"])
def framed(blob): return struct.pack("<Q", len(blob)) + blob
def blob(header, data=b""):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(header)) + header + data
def say(message): os.write(answers, message)
def message(fields, tensors={}, data=b""): return framed(blob({"__metadata__": fields, **tensors}, data))
number = "0"
def y(kind=None, shape=(1,), end=None, id=None, results="y", data=None):
    size = 4 if dtype == "F32" else 8
    tensor = {"dtype": kind or dtype, "shape": shape, "data_offsets": [0, end or size]}
    return message({"id": id or number, "results": results}, {"y": tensor}, bytes(size) if data is None else data)
say(HELLO)
while request := os.read(requests, 1 << 20):
    size = struct.unpack("<Q", request[8:16])[0]
    header = json.loads(request[16:16 + size])
    number, dtype = header["__metadata__"]["id"], header["x"]["dtype"]
    ANSWER
"""
HELLO = 'message({"protocol": "1", "functions": "relu same_padding"})'


def program(folder: Path, answer: str, hello: str = HELLO) -> str:
    script = folder / "answers.py"
    script.write_text(ANSWERS.replace("HELLO", hello).replace("ANSWER", answer), "utf-8")
    return f"cmd:{PYTHON} {shlex.quote(str(script))}"


NONSENSE = {
    "cut short, then the end": (
        "say(struct.pack('<Q', 1000) + bytes(9)); sys.exit()",
        "cut short after 17 bytes",
    ),
    "cut short, then nothing": ("say(struct.pack('<Q', 1000) + bytes(9))", "cut short after 17 bytes"),
    "cut short in its length": ("say(bytes(3)); sys.exit()", "cut short after 3 bytes"),
    "oversized": ("say(struct.pack('<Q', 1 << 62))", "announced an answer of 4611686018427387904 bytes"),
    "much announced, little sent": ("say(struct.pack('<Q', 60 << 20))", "cut short after 8 bytes"),
    "too much": ("say(y() + b'more')", "sent 4 bytes after its answer"),
    "nothing": ("say(framed(b''))", "no safetensors blob"),
    "no blob": ("say(framed(b'nonsense' * 9))", "a header of"),
    "no JSON": ("say(framed(blob(b'nonsense')))", "no safetensors blob"),
    "nested without end": ("say(framed(blob(b'[' * 100_000)))", "no safetensors blob"),
    "no metadata": ("say(framed(blob({})))", "no safetensors blob with metadata"),
    "a tensor beyond the blob": ("say(y(shape=(10**12,), end=4 * 10**12))", "no safetensors blob"),
    "a shape beyond numbers": ("say(y(shape=(2**62, 2**62)))", "no safetensors blob"),
    "a tensor of another size": ("say(y(shape=(3,)))", "no safetensors blob"),
    "an answer to something else": ("say(y(id='12345'))", "an answer to message 12345"),
    "an answer to nothing": ("say(message({'results': ''}))", "an answer to message None"),
    "no answer in it": ("say(message({'id': number}))", "neither integers nor the names"),
    "a tensor that is not there": ("say(y(results='dx'))", "neither integers nor the names"),
    "no integers": ("say(message({'id': number, 'integers': 'many'}))", "neither integers nor the names"),
    "a dtype beyond NumPy": ("say(y('BF16', end=2, data=bytes(2)))", "dtype BF16, which NumPy lacks"),
    "a clause of its own": ("say(message({'id': number, 'broke': 'MINE'}))", "a clause that there is not"),
    "closed": ("os.close(answers); time.sleep(1000)", "closed the wire"),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_a_violation_of_its_own(name: str, tmp_path: Path) -> None:
    answer, words = NONSENSE[name]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = check(program(tmp_path, answer), level="quick", only="relu", timeout=0.5)
    (broken,) = report.violations
    assert (broken.clause, broken.operation) == ("WIRE-FORMAT", "relu")
    assert broken.counterexample is not None
    assert words in broken.counterexample.words
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10


@pytest.mark.parametrize(
    ("answer", "clause", "words"),
    [
        ("pass", "ANSWERS-IN-TIME", "no answer within 0.5 s"),
        ("[(say(bytes([b])), time.sleep(0.1)) for b in y()]", "WIRE-FORMAT", ""),
        ("sys.exit(7)", "NO-CRASH", "exit status 7"),
        ("os.abort()", "NO-CRASH", "SIGABRT"),
        ("os.write(2, bytes(1 << 17))", "STANDARD-STREAMS", "wrote more than 65536 bytes"),
        ("held = bytearray(b'x') * (1 << 29); time.sleep(99)", "MEMORY-BOUNDED", "more than 200000000 bytes"),
        ("say(message({'id': number, 'raised': 'a fit'}))", "VALID-CALL-ANSWERED", "raised a fit"),
        ("say(y('F16', end=2, data=bytes(2)))", "RESULT-DTYPE", "float16"),
        ("say(y(shape=(1, 1, 1, 1, 1, 1)))", "RESULT-SHAPE", "shape (1, 1, 1, 1, 1, 1)"),
        ("say(message({'id': number, 'results': ''}))", "RESULT-KIND", ""),
        ("say(message({'id': number, 'integers': '1'}))", "RESULT-DTYPE", ""),
    ],
)
def test_other_faults_of_a_program_break_their_own_clauses(
    answer: str, clause: str, words: str, tmp_path: Path
) -> None:
    report = check(
        program(tmp_path, answer),
        level="quick",
        only="relu",
        timeout=10 if clause == "MEMORY-BOUNDED" else 0.5,
        memory=200_000_000,
        explain=bool(words),
    )
    (broken,) = report.violations
    assert (broken.clause, broken.operation) == (clause, "relu")
    assert broken.counterexample is None or words in broken.counterexample.words


def test_a_program_may_decline(tmp_path: Path) -> None:
    report = check(
        program(tmp_path, "say(message({'id': number, 'declined': ''}))"), level="quick", only="relu"
    )
    offered = {v.status for v in report.verdicts if v.status is not Status.NOT_OFFERED}
    assert offered == {Status.DECLINED}


def test_what_cannot_be_seen_of_a_program_is_not_offered(tmp_path: Path) -> None:
    report = check(
        program(tmp_path, "say(message({'id': number, 'declined': ''}))"), level="quick", only="relu"
    )
    assert "INPUTS-UNCHANGED" in {v.clause for v in report.verdicts if v.status is Status.NOT_OFFERED}


@pytest.mark.parametrize(
    ("hello", "words"),
    [
        ("b'Hello, world! How are you today?'", "cannot be loaded: it announced an answer of"),
        ("framed(b'Hello, world!')", "does not speak the wire format"),
        ('message({"protocol": "2", "functions": "relu"})', "speaks version 2 of the wire format, not 1"),
        ('message({"functions": "relu"})', "speaks version None of the wire format"),
        ('message({"protocol": "1", "functions": "reloo"})', "offers none of the interface's functions"),
        ('message({"protocol": "1", "functions": "relu", "about": "me"})', "what is no JSON"),
        ('message({"protocol": "1", "functions": "relu", "about": "[]"})', "make it a mapping"),
        ('message({"protocol": "1", "functions": "relu", "about": \'{"ranks": 3}\'})', "is 3, which is no"),
        (
            'message({"protocol": "1", "failed": "There is no candidate here."})',
            "There is no candidate here.",
        ),
        ("b''; sys.exit(4)", "cannot be loaded: it ended the process, with exit status 4"),
    ],
)
def test_a_program_that_introduces_itself_badly_cannot_be_loaded(
    hello: str, words: str, tmp_path: Path
) -> None:
    hello, _, then = hello.partition("; ")
    with pytest.raises(CandidateError) as error:
        load(program(tmp_path, "pass", f"{hello}); {then or 'pass'}; (0"))
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("command", "words"),
    [("cmd:./no-such-program", "cannot be"), ("cmd:'", "No closing quotation"), ("cmd:", "cannot be loaded")],
)
def test_a_program_that_is_none_cannot_be_loaded(command: str, words: str) -> None:
    with pytest.raises(CandidateError, match=words):
        load(command)


def run(command: str, only: str | None = None) -> Report:
    return check(command, level="quick", only=only)


def test_a_server_in_python_without_any_import_of_ours_conforms() -> None:
    server = SERVERS / "server.py"
    assert "cnn_" not in server.read_text("utf-8").split("import", 1)[1]
    report = run(f"cmd:{PYTHON} {shlex.quote(str(server))}")
    assert report.conforms
    held = {v.operation for v in report.verdicts if v.status is Status.HOLDS}
    assert held == {"conv2d", "conv_output_size", "downsample2d", "linear", "relu", "same_padding"}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> str:
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler is at hand: neither c++, g++ nor clang++")
    built = tmp_path_factory.mktemp("server") / "server"
    command = [
        compiler,
        "-std=c++17",
        "-O1",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-o",
        built,
        SERVERS / "server.cpp",
    ]
    subprocess.run(command, check=True)
    return f"cmd:{shlex.quote(str(built))}"


def test_a_server_in_c_plus_plus_conforms(compiled: str) -> None:
    report = run(compiled)
    assert report.conforms
    held = {v.operation for v in report.verdicts if v.status is Status.HOLDS}
    assert held == {
        f"{name}{n}d{way}" for name in ("conv", "max_pool") for n in "123" for way in ("", "_backward")
    }


def test_a_bug_in_a_server_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "server.py"
    wrong.write_text(
        (SERVERS / "server.py").read_text("utf-8").replace("w[(..., *cell)]", "w[..., ::-1][(..., *cell)]"),
        "utf-8",
    )
    report = run(f"cmd:{PYTHON} {shlex.quote(str(wrong))}", "conv2d")
    (found,) = (v for v in report.violations if v.clause == "CONV-XCORR")
    example = found.counterexample
    assert example is not None
    script = tmp_path / "case.py"
    script.write_text(example.script, "utf-8")
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "AssertionError" in ran.stderr
