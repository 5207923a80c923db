"""How every operation behaves, whatever it computes: dtypes, empty batches, inputs and results left alone."""

from typing import Any

import numpy as np
import pytest
from drawing import laid_out

import cnn_reference as reference

RANKS = (1, 2, 3)


def calls(rank: int, batch: int, dtype: Any) -> list[tuple[str, list[Any], dict[str, Any]]]:
    """One valid call of every operation on arrays."""
    rng = np.random.default_rng(rank)

    def array(*shape: int) -> Any:
        return rng.standard_normal(shape).astype(dtype)

    ones, twos, threes, sixes = ((n,) * rank for n in (1, 2, 3, 6))
    moves: dict[str, Any] = {"stride": twos, "padding": ((1, 0),) * rank, "dilation": ones}
    grouped = moves | {"groups": 2}
    transposed = grouped | {"output_padding": ones}
    pool: dict[str, Any] = {
        "kernel_size": twos,
        "stride": twos,
        "padding": ((0, 0),) * rank,
        "ceil_mode": False,
    }
    largest, mean = pool | {"dilation": ones}, pool | {"count_include_pad": True}
    x, w, b, dy = array(batch, 4, *sixes), array(6, 2, *twos), array(6), array(batch, 6, *threes)
    x_in, w_in, dy_in = array(batch, 4, *threes), array(4, 3, *twos), array(batch, 6, *sixes)
    pooled, wide = array(batch, 4, *threes), array(batch, 4, *(11,) * rank)
    shuffled = array(batch, 4 * 2**rank, *threes)
    flat, dense, flat_dy = array(batch, 5), array(3, 5), array(batch, 3)
    d = f"{rank}d"
    ranked = [
        ("conv" + d, [x, w, b], grouped),
        (f"conv{d}_backward", [dy, x, w], grouped),
        ("conv_transpose" + d, [x_in, w_in, b], transposed),
        (f"conv_transpose{d}_backward", [dy_in, x_in, w_in], transposed),
        ("depthwise_conv" + d, [x, array(8, 1, *twos), array(8)], moves),
        ("separable_conv" + d, [x, array(8, 1, *twos), array(6, 8, *ones), b], moves),
        ("max_pool" + d, [x], largest),
        (f"max_pool{d}_with_indices", [x], largest),
        (f"max_pool{d}_backward", [pooled, x], largest),
        ("avg_pool" + d, [x], mean),
        (f"avg_pool{d}_backward", [pooled, x], mean),
        ("downsample" + d, [x], {"factor": twos}),
        (f"downsample{d}_backward", [pooled, x], {"factor": twos}),
        ("upsample" + d, [x], {"factor": twos}),
        (f"upsample{d}_backward", [wide, x], {"factor": twos}),
        ("pixel_unshuffle" + d, [x], {"factor": twos}),
        ("pixel_shuffle" + d, [shuffled], {"factor": twos}),
    ]
    plain = [
        ("linear", [flat, dense, array(3)], {}),
        ("linear_backward", [flat_dy, flat, dense], {}),
        ("softmax", [flat], {"axis": 1}),
        ("softmax_backward", [flat, flat.copy()], {"axis": 1}),
    ]
    for name in ("relu", "sigmoid", "tanh"):
        plain += [(name, [x], {}), (name + "_backward", [x, x.copy()], {})]
    return ranked + plain


def results(answer: Any) -> tuple[Any, ...]:
    return answer if isinstance(answer, tuple) else (answer,)


@pytest.mark.parametrize("rank", RANKS)
def test_every_ranked_operation_is_among_the_calls(rank: int) -> None:
    named = {name for name, _, _ in calls(rank, 1, float)}
    offered = {name for name in reference.__all__ if f"{rank}d" in name}
    assert offered <= named


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch", [0, 2])
@pytest.mark.parametrize("rank", RANKS)
def test_results_are_of_the_dtype_and_finite_and_the_batch_may_be_empty(
    rank: int, batch: int, dtype: Any
) -> None:
    for name, arrays, parameters in calls(rank, batch, dtype):
        for result in results(getattr(reference, name)(*arrays, **parameters)):
            assert result.dtype == (np.int64 if result.dtype.kind == "i" else dtype), name
            assert np.all(np.isfinite(result)), name
            assert batch or not result.any(), name


@pytest.mark.parametrize("layout", ["plain", "strided", "reversed", "fortran", "read-only"])
@pytest.mark.parametrize("rank", RANKS)
def test_inputs_stay_and_a_repeated_call_gives_the_same_bits_in_memory_of_its_own(
    rank: int, layout: str
) -> None:
    for name, arrays, parameters in calls(rank, 2, np.float32):
        arrays = [laid_out(a, layout) for a in arrays]
        before = [a.copy() for a in arrays]
        first = results(getattr(reference, name)(*arrays, **parameters))
        kept = [result.copy() for result in first]
        second = results(getattr(reference, name)(*arrays, **parameters))
        for a, b in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(a, b)
        for a, b, c in zip(first, kept, second, strict=True):
            assert a.tobytes() == b.tobytes() == c.tobytes(), name
            assert not np.shares_memory(a, c), name
            assert not any(np.shares_memory(a, given) for given in arrays), name


@pytest.mark.parametrize("rank", RANKS)
def test_a_broadcast_array_is_taken_like_any_other(rank: int) -> None:
    for name, arrays, parameters in calls(rank, 2, np.float64):
        same = [np.broadcast_to(a[:1], a.shape) for a in arrays]
        plain = [a.copy() for a in same]
        got = results(getattr(reference, name)(*same, **parameters))
        expected = results(getattr(reference, name)(*plain, **parameters))
        for a, b in zip(got, expected, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=name)
