"""Adapters against the libraries that are installed: nothing is red but what `FINDINGS.md` writes up."""

from pathlib import Path

import numpy as np
import pytest

from cnn_conformance import check
from cnn_conformance.candidate import ADAPTERS, CandidateError, find, load
from cnn_conformance.report import Report, Status

REFUSED = "IMPOSSIBLE-REFUSED"
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.filterwarnings("ignore")
"""What libraries warn of is their own."""

KNOWN = [
    ("scipy", "conv1d*", set()),
    ("scipy", "max_pool1d*", {"NON-FINITE"}),
    ("scipy", "softmax*", set()),
    ("autograd", "conv1d*", set()),
    ("autograd", "avg_pool2d*", set()),
    ("autograd", "softmax*", set()),
    ("onnxruntime", "conv2d*", set()),
    ("onnxruntime", "depthwise_conv1d", set()),
    ("onnxruntime", "max_pool1d_with_indices", {"NON-FINITE", REFUSED}),
    ("onnxruntime", "avg_pool1d*", set()),
    ("onnx", "conv1d*", {"NON-FINITE", REFUSED}),
    ("onnx", "downsample2d*", set()),
    ("onnx:onnxruntime.backend", "relu*", set()),
]


def seen(report: Report) -> set[str]:
    return {v.clause for v in report.violations}


@pytest.mark.parametrize(("address", "only", "known"), KNOWN)
def test_what_is_red_is_known(address: str, only: str, known: set[str]) -> None:
    pytest.importorskip(address.partition(":")[0])
    report = check(address, "quick", only=only, explain=False)
    assert report.summary["holds"] > 0
    assert seen(report) <= known


def test_layers_of_course_work_conform() -> None:
    report = check(str(ROOT / "conformance" / "examples" / "course_layers.py"), "quick", explain=False)
    assert report.violations == ()
    offered = {v.operation for v in report.verdicts if v.status is Status.HOLDS}
    assert {"conv2d", "conv2d_backward", "linear_backward", "relu"} <= offered


def test_onnx_infers_sizes() -> None:
    onnx = pytest.importorskip("cnn_conformance.adapters.onnx")
    options = {"kernel_size": 3, "stride": 2, "padding": (1, 0)}
    assert onnx.conv_output_size(8, dilation=2, **options) == 3
    assert onnx.pool_output_size(8, dilation=2, ceil_mode=True, **options) == 3
    assert onnx.conv_transpose_output_size(8, dilation=2, output_padding=1, **options) == 19


def test_what_is_no_onnx_backend_is_said() -> None:
    pytest.importorskip("onnx")
    with pytest.raises(CandidateError, match=r"no such\.module"):
        load("onnx:such.module")
    with pytest.raises(CandidateError, match="numpy"):
        load("onnx:numpy")


@pytest.mark.parametrize("name", ADAPTERS)
def test_each_adapter_answers_or_says_what_to_install(name: str) -> None:
    """The same small convolution, by every library that is there."""
    try:
        about = load(name).about
    except CandidateError as error:
        assert f"pip install {ADAPTERS[name]}" in str(error)  # noqa: PT017
        pytest.skip(str(error))
    assert about.version
    x, w = np.arange(12.0).reshape(1, 2, 2, 3), np.array([[[[1.0, 0.0], [2.0, 3.0]]]] * 4)
    options = {"stride": (1, 1), "padding": ((0, 0), (1, 0)), "dilation": (1, 1), "groups": 2}
    y = find(name).functions.conv2d(*(a.astype(about.dtypes[0]) for a in (x, w, np.zeros(4))), **options)
    first, second = [9, 18, 24], [27, 54, 60]
    np.testing.assert_array_equal(np.asarray(y).reshape(4, 3), [first, first, second, second])


def test_the_shared_part_of_adapters() -> None:
    from cnn_conformance.adapters.common import taps, whole_windows

    x = np.zeros((1, 1, 5))
    one = {"kernel_size": (2,), "stride": (2,), "padding": ((1, 0),)}
    assert list(whole_windows(x, ceil_mode=True, **one)) == [(1, 0)]  # 1 + 5 elements are three windows
    assert list(whole_windows(x, ceil_mode=True, **{**one, "padding": ((0, 0),)})) == [(0, 1)]
    beyond = {"kernel_size": (1,), "stride": (2,), "padding": ((0, 0),)}
    assert list(whole_windows(x[..., :2], ceil_mode=True, **beyond)) == [
        (0, 0)
    ]  # a second would start beyond
    assert taps((5,), (2,), (2,), (3,)) == [(slice(0, 1, 2),), (slice(3, 4, 2),)]
    with pytest.raises(ValueError, match="larger"):
        taps((3,), (2,), (1,), (3,))
