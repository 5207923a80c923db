"""What memory shows, and whether earlier results are looked at again."""

import numpy as np
import pytest

import cnn_reference
from cnn_conformance.guard import MisconductError, guarded
from cnn_conformance.memory import INDEX_UNWRITTEN, Kept, litter, unwritten
from cnn_spec.bugs import Functions
from cnn_spec.bugs.state import one_buffer
from cnn_spec.cases.stream import case_of
from cnn_spec.operations import Call, implementation_of

REFERENCE = implementation_of(cnn_reference)


def upsampling(numbers: list[float]) -> Call:
    return Call("upsample", 1, {"x": np.array([[numbers]])}, {"factor": (3,)})


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1,), (2, 3, 5), (100, 40)])
def test_what_is_not_written_shows_what_was_left(dtype: type, shape: tuple[int, ...]) -> None:
    """Memory is the system's affair: most blocks come back, and no more is relied on."""
    shown = 0
    for _ in range(10):
        litter(upsampling([1.0]), [shape], np.dtype(dtype))
        shown += unwritten(np.empty(shape, dtype))
    assert shown > 5


def test_indices_show_it_too() -> None:
    case = case_of("max_pool1d_with_indices/pairs/0/float32/exact", 0)
    assert case is not None
    litter(case.call, [(3,), (3,)], np.dtype(np.float32))
    assert unwritten(np.array([1, INDEX_UNWRITTEN]))
    assert not unwritten(np.array([1, 2]))


def test_right_results_do_not_show_it() -> None:
    answer = guarded(cnn_reference)
    assert not any(unwritten(result) for result in answer(upsampling([1.0, 2.0])))


def test_a_result_that_shows_it_is_a_misconduct() -> None:
    def careless(call: Call) -> tuple[np.ndarray, ...]:
        unfinished = np.empty((1, 1, 7))
        unfinished[..., ::3] = call["x"]
        return (unfinished,)

    answer = guarded(Functions("careless", careless))
    with pytest.raises(MisconductError, match="never written") as caught:
        answer(upsampling([1.0, 2.0, 3.0]))
    assert caught.value.clause == "RESULT-WRITTEN"


def test_a_later_call_that_overwrites_a_result_is_a_misconduct() -> None:
    answer = guarded(Functions("careless", one_buffer(REFERENCE)))
    first = answer(upsampling([1.0, 2.0]))
    with pytest.raises(MisconductError, match="changed the result y of an earlier one") as caught:
        answer(upsampling([3.0, 4.0]))
    assert caught.value.clause == "RESULT-KEPT"
    assert first[0].max() == 2  # what was judged is a copy


def test_the_first_result_and_the_last_are_kept() -> None:
    kept, call = Kept(), upsampling([1.0])
    results = [np.array([float(n)]) for n in range(4)]
    for result in results:
        kept.keep(call, [("y", result)])
    assert kept.overwritten() is None
    results[1][0] = 7
    assert kept.overwritten() is None
    results[0][0] = 7
    assert kept.overwritten() == (call, "y")


def test_a_nan_that_stays_is_no_change() -> None:
    kept = Kept()
    kept.keep(upsampling([1.0]), [("y", np.array([np.nan]))])
    assert kept.overwritten() is None
