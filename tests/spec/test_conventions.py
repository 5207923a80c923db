"""What a convention asks for, by both oracles and by hand; and that it excuses no wrong answer."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import cnn_reference
from cnn_conformance import check
from cnn_conformance.report import Report
from cnn_conformance.script import script_of
from cnn_spec.bounds import Oracle
from cnn_spec.conventions import Declared, answered_shapes, asked, judged_part
from cnn_spec.definitions import definition
from cnn_spec.operations import Call, Implementation, Results, implementation_of
from different import DIFFERENT
from different.conventions import keeping_windows
from different.forms import candidate, reference

ORACLES = (definition, implementation_of(cnn_reference))
ALL, COUNTED = (
    Declared(conventions={"ceil_windows": "all"}),
    Declared(conventions={"mean_overhang": "counted"}),
)


def pooling(operation: str, x: list[float], kernel: int, stride: int, padding: tuple[int, int]) -> Call:
    more = {"count_include_pad": True} if operation.startswith("avg") else {"dilation": (1,)}
    arguments = {"x": np.array([[x]])}
    if operation.endswith("backward"):
        size = -(-(len(x) + sum(padding) - kernel) // stride) + 1
        arguments = {"dy": np.arange(1.0, size + 1).reshape(1, 1, -1), **arguments}
    parameters = {"kernel_size": (kernel,), "stride": (stride,), "padding": (padding,), "ceil_mode": True}
    return Call(operation, 1, arguments, {**parameters, **more})


@pytest.mark.parametrize("answer", ORACLES)
def test_a_mean_may_count_what_lies_beyond(answer: Implementation) -> None:
    """Kernel 3 at -1 and 2 on (1, 2, 4, 8), stride 3: the second window, one beyond, has 4 + 8 and two more cells."""
    call = pooling("avg_pool", [1, 2, 4, 8, 16], 3, 3, (1, 0))
    assert Oracle(answer)(call)[0].tolist() == [[[1.0, 28 / 3]]]
    longer = pooling("avg_pool", [1, 2, 4, 8], 3, 3, (1, 0))
    assert Oracle(answer)(longer)[0].tolist() == [[[1.0, 6.0]]]
    np.testing.assert_allclose(Oracle(answer, COUNTED)(longer)[0], [[[1.0, 4.0]]])
    back = pooling("avg_pool_backward", [1, 2, 4, 8], 3, 3, (1, 0))
    np.testing.assert_allclose(Oracle(answer, COUNTED)(back)[0], [[[1 / 3, 1 / 3, 2 / 3, 2 / 3]]])


@pytest.mark.parametrize("answer", ORACLES)
def test_a_size_rounded_up_may_count_windows_beyond_the_input(answer: Implementation) -> None:
    """The notes' ceil((6 - 1) / 2) + 1 = 4, where only 3 windows start on the input."""
    parameters = {"kernel_size": 1, "stride": 2, "padding": (0, 0), "dilation": 1, "ceil_mode": True}
    call = Call("pool_output_size", 0, {"n": 6}, parameters)
    assert Oracle(answer)(call)[0] == 3
    assert Oracle(answer, ALL)(call)[0] == 4
    assert Oracle(answer, ALL)(call.but(ceil_mode=False))[0] == 3


def test_what_comes_of_windows_beyond_the_input_is_free_and_goes_nowhere() -> None:
    call = pooling("max_pool", [1, 2, 3, 4, 5, 6], 1, 2, (0, 0))
    assert answered_shapes(call, ALL) == ((1, 1, 4),)
    assert answered_shapes(call, Declared()) == ((1, 1, 3),)
    (y,) = judged_part((np.array([[[1.0, 3.0, 5.0, np.nan]]]),), call, ALL)
    assert y.tolist() == [[[1.0, 3.0, 5.0]]]
    back = call.on("max_pool_backward", dy=np.array([[[2.0, 2.0, 2.0]]]))
    assert asked(back, ALL)["dy"].tolist() == [[[2.0, 2.0, 2.0, 1.0]]]
    assert asked(back, Declared()) is back


def run(answer: Callable[[Call], Results], only: str, level: str = "quick", **conventions: str) -> Report:
    return check(candidate(answer, conventions=conventions), level, only=only, explain=False)


def violated(report: Report) -> set[str]:
    return {verdict.clause for verdict in report.violations}


def answering(declared: str) -> Callable[[Call], Results]:
    return implementation_of(DIFFERENT[declared].candidate)


@pytest.mark.parametrize(
    ("way", "convention", "only", "clause"),
    [
        ("windows beyond the input kept, declared", {"ceil_windows": "all"}, "max_pool1d", "POOL-SIZE"),
        ("all of a window counted, declared", {"mean_overhang": "counted"}, "avg_pool2d", "MEAN-COUNT"),
        ("maxima from the lowest on, declared", {"pool_start": "lowest"}, "max_pool1d", "NON-FINITE"),
        ("nothing of too large a kernel, declared", {"no_output": "empty"}, "conv2d", "IMPOSSIBLE-REFUSED"),
    ],
)
def test_who_declares_a_convention_is_held_to_it_and_nobody_else(
    way: str, convention: dict[str, str], only: str, clause: str
) -> None:
    other = answering(way)
    assert clause in violated(run(other, only, "standard"))
    assert not violated(run(other, only, "standard", **convention))
    if clause != "IMPOSSIBLE-REFUSED":  # to refuse is right by either
        assert clause in violated(run(reference, only, "standard", **convention))


def off_by_one(answer: Implementation) -> Implementation:
    """Wrong in the last window that has an element of the input, and right in all else."""

    def wrong(call: Call) -> Results:
        found = tuple(np.array(a) for a in answer(call))
        if call.parameters.get("ceil_mode") and found[0].ndim:
            inside = reference(call)[0].shape
            found[0][tuple(n - 1 for n in inside)] += 1
        return found

    return wrong


@pytest.mark.parametrize(
    ("answer", "convention", "only"),
    [
        (keeping_windows, {"ceil_windows": "all"}, "max_pool2d"),
        (keeping_windows, {"ceil_windows": "all"}, "avg_pool1d"),
        (answering("all of a window counted, declared"), {"mean_overhang": "counted"}, "avg_pool1d"),
    ],
)
def test_a_convention_excuses_no_wrong_number(
    answer: Implementation, convention: dict[str, str], only: str
) -> None:
    assert not violated(run(answer, only, **convention))
    assert violated(run(off_by_one(answer), only, **convention))


def test_a_kernel_larger_than_the_input_is_not_answered_with_a_number() -> None:
    def truncating(x: Any, w: Any, b: Any, **parameters: Any) -> Any:
        try:
            return cnn_reference.conv1d(x, w, b, **parameters)
        except ValueError:
            return np.zeros((len(x), len(w), 1), x.dtype)

    given = SimpleNamespace(conv1d=truncating, about={"conventions": {"no_output": "empty"}})
    assert "IMPOSSIBLE-REFUSED" in violated(check(given, "quick", only="conv1d", explain=False))


@pytest.mark.parametrize("operation", ["max_pool", "max_pool_backward"])
def test_a_script_leaves_out_what_is_free(operation: str) -> None:
    call = pooling(operation, [1, 2, 3, 4, 5, 6], 1, 2, (0, 0))
    if "dy" in call.arguments:
        call = call.but(dy=call["dy"][..., :3])
    script = script_of("Title.", "", "contiguous", "POOL-SIZE", [(call, reference(call), (0.0,))], ALL)
    exec(script, {"candidate": candidate(keeping_windows)})
    with pytest.raises((AssertionError, ValueError)):
        exec(script, {"candidate": candidate(off_by_one(reference))})


@pytest.mark.parametrize(
    ("only", "convention"), [("max_pool1d", {"pool_nan": "ignore"}), ("relu", {"relu_nan": "zero"})]
)
def test_a_script_expects_what_the_convention_says(only: str, convention: dict[str, str]) -> None:
    report = check(candidate(reference, conventions=convention), "quick", only=only)
    (broken,) = (verdict for verdict in report.violations if verdict.clause == "NON-FINITE")
    assert broken.counterexample is not None
    script = broken.counterexample.script.replace("candidate = ...", "")
    with pytest.raises(AssertionError, match="Not equal"):
        exec(script, {"candidate": candidate(reference)})
