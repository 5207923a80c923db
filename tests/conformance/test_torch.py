"""The torch adapter: what torch answers, it answers right; what it cannot, it declines."""

import numpy as np
import pytest

from cnn_conformance import check
from cnn_conformance.adapters import torch as adapter
from cnn_conformance.report import Status


def test_torch_conforms_at_quick() -> None:
    report = check("torch", level="quick")
    assert report.violations == ()
    assert report.summary["inconclusive"] == 0
    seen = {v.operation for v in report.verdicts if v.status is not Status.NOT_OFFERED}
    assert {v.operation for v in report.verdicts} - seen == {
        "same_padding",
        *(f"pixel_{way}{rank}d" for way in ("shuffle", "unshuffle") for rank in (1, 3)),
    }


def test_torch_declines_little_of_the_convolutions() -> None:
    report = check("torch", level="quick", only="conv*")
    assert not any(v.declined for v in report.verdicts if "size" not in v.operation)


@pytest.mark.parametrize("padding", [((1, 1),) * 3, ((0, 1),) * 3])
def test_avg_pool3d_declines_what_torch_refuses(padding: tuple[tuple[int, int], ...]) -> None:
    x = np.ones((1, 1, 2, 2, 2), np.float32)
    ones = (1, 1, 1)
    options = {"kernel_size": (3, 3, 3), "stride": ones, "ceil_mode": False, "count_include_pad": True}
    with pytest.raises(NotImplementedError):
        adapter.avg_pool3d(x, padding=padding, **options)  # type: ignore[attr-defined]
