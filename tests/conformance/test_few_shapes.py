"""A candidate that compiles for each shape is asked for few of them, and judged no less strictly."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import cnn_reference
from cnn_conformance import check
from cnn_conformance.candidate import CandidateError, about
from cnn_conformance.plan import chunks_of, sources_of
from cnn_conformance.report import Report, Status
from cnn_conformance.terminal import plain_text
from cnn_spec.case import Situation
from cnn_spec.cases.situations import SITUATIONS
from cnn_spec.cases.stream import FEW_ROWS, FUNCTIONS, case_of, plain
from cnn_spec.operations import Call


class Compiling:
    """A candidate that counts the shapes for which it would have to compile."""

    def __init__(self, shapes: str | int, **functions: Callable[..., Any]) -> None:
        self.about = {"shapes": shapes}
        self.compiled = Counter[str]()
        self._known: set[Any] = set()
        for name, function in functions.items():
            setattr(self, name, self._counting(name, function))

    def _counting(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arrays: Any, **parameters: Any) -> Any:
            shapes = tuple((np.shape(a), str(np.asarray(a).dtype)) for a in arrays)
            found = (name, shapes, *parameters.items())
            self.compiled[name] += found not in self._known
            self._known.add(found)
            return function(*arrays, **parameters)

        return counted


def referring(shapes: str | int, *names: str) -> Compiling:
    return Compiling(shapes, **{name: getattr(cnn_reference, name) for name in names})


def run(candidate: object, level: str = "standard", only: str | None = None) -> Report:
    return check(candidate, level, only=only, explain=False)


NAMES = ("conv2d", "conv2d_backward", "max_pool2d", "avg_pool1d", "softmax")


def cases(name: str, shapes: str | int = "few", seed: int = 0, level: str = "standard") -> list[Any]:
    chunks = chunks_of(about(referring(shapes, name)), sources_of(level), seed, name)
    found = (case_of(case_id, seed) for chunk in chunks for case_id in chunk.case_ids())
    return [case for case in found if case is not None]


def shape_of(call: Call) -> Any:
    arrays = tuple((a.shape, a.dtype) for a in call.arguments.values() if a is not None)
    return arrays, tuple(call.parameters.items())


@pytest.mark.parametrize("name", NAMES)
def test_so_many_shapes_are_drawn_as_are_declared(name: str) -> None:
    four, few = (cases(name, shapes) for shapes in (4, "few"))
    shapes = {shape_of(case.call) for case in four if case.situation is Situation.ORDINARY}
    assert len(shapes) == 4
    assert shapes <= {shape_of(case.call) for case in few}
    assert {case.situation for case in four} == {case.situation for case in few}
    compiled = [referring(number, name) for number in (4, "few")]
    assert all(run(candidate, only=name).conforms for candidate in compiled)
    assert compiled[0].compiled[name] < 0.7 * compiled[1].compiled[name]


@pytest.mark.parametrize("name", ["conv2d_backward", "max_pool2d"])
def test_a_law_that_asks_for_several_shapes_is_not_left_half_way(name: str) -> None:
    report = run(referring(4, name), only=name)
    (verdict,) = (
        one for one in report.verdicts if (one.clause, one.operation) == ("CALLS-INDEPENDENT", name)
    )
    assert verdict.status is Status.HOLDS


@pytest.mark.parametrize("name", NAMES)
def test_cases_that_share_a_shape_are_judged_by_one_worker(name: str) -> None:
    few, many = (
        chunks_of(about(referring(shapes, name)), sources_of("standard"), 0, name)
        for shapes in ("few", "many")
    )
    (chunk,) = few
    assert {plain(rows.source) for rows in chunk.rows} == {"pairs", *SITUATIONS}
    assert len(many) > len(SITUATIONS)
    assert all(len(chunk.rows) == 1 for chunk in many)
    assert chunk.cost == sum(replace(chunk, rows=(rows,)).cost for rows in chunk.rows)


@pytest.mark.parametrize("shapes", [0, -4, 2.5, True, "several"])
def test_what_is_no_number_of_shapes_is_refused(shapes: Any) -> None:
    with pytest.raises(CandidateError, match="how many of each function"):
        about(referring(shapes, "conv2d"))


@pytest.mark.parametrize("name", NAMES)
def test_few_shapes_are_drawn_with_more_data_on_each(name: str) -> None:
    few, quick, many = cases(name), cases(name, level="quick"), cases(name, "many")
    ordinary = [case for case in few if case.situation is Situation.ORDINARY]
    shapes = Counter(shape_of(case.call) for case in ordinary)
    assert len(shapes) <= FEW_ROWS < len({shape_of(case.call) for case in many}) / 4
    assert min(shapes.values()) >= 2
    assert len({case.id for case in few}) == len(few)
    assert {shape_of(case.call) for case in quick} == {shape_of(case.call) for case in few}
    assert len(quick) < len(few)
    assert {case.data for case in ordinary} == {case.data for case in many}
    assert {case.dtype for case in ordinary} == {case.dtype for case in many}


@pytest.mark.parametrize("name", NAMES)
def test_situations_are_drawn_on_known_shapes(name: str) -> None:
    few = cases(name)
    known = {shape_of(case.call) for case in few if case.situation is Situation.ORDINARY}
    for situation in (Situation.NON_FINITE, Situation.LAID_OUT, Situation.REPEATED):
        met = [shape_of(case.call) in known for case in few if case.situation is situation]
        assert sum(met) > len(met) / 2, situation


def test_other_seeds_draw_other_shapes_and_the_same_one_the_same() -> None:
    one, again, other = ([shape_of(case.call) for case in cases("conv2d", seed=s)] for s in (0, 0, 1))
    assert one == again != other
    assert [case.levels for case in cases("conv2d")] == [case.levels for case in cases("conv2d", seed=1)]


def test_laws_ask_for_few_further_shapes_and_see_what_they_must() -> None:
    few, many = (referring(shapes, *NAMES) for shapes in ("few", "many"))
    report = run(few)
    run(many, level="quick")
    assert report.conforms
    assert {v.status for v in report.verdicts} == {Status.HOLDS, Status.NOT_OFFERED}
    for name in NAMES:
        assert few.compiled[name] < 80
        assert few.compiled[name] < many.compiled[name] / 2


def test_what_is_spared_holds_by_nothing() -> None:
    """One row, and laws with a clause of which it shows nothing: inconclusive, not holding."""
    quick = run(referring("few", "avg_pool3d"), "quick")
    assert all(v.cases for v in quick.verdicts if v.status is Status.HOLDS)
    assert any(v.status is Status.INCONCLUSIVE and v.unseen for v in quick.verdicts)


def test_arithmetic_on_sizes_compiles_nothing_and_is_drawn_as_ever() -> None:
    few, many = (run(referring(shapes, "conv_output_size")) for shapes in ("few", "many"))
    assert few.to_document()["verdicts"] == many.to_document()["verdicts"]
    assert few.coverage == many.coverage


def test_the_report_says_what_share_of_the_space_was_reached() -> None:
    report = run(referring("few", "conv2d"), only="conv2d")
    (seen,) = report.coverage
    assert 0.6 < seen.pairs.exercised / seen.pairs.feasible < 0.9
    assert "% of the feasible pairs" in plain_text(report)


@pytest.mark.parametrize(
    "name", [n for n in FUNCTIONS if n.startswith(("conv2d", "max_pool2d", "avg_pool2d"))]
)
def test_a_wrong_answer_is_seen_on_few_shapes(name: str) -> None:
    def wrong(*arrays: Any, **parameters: Any) -> Any:
        answer = getattr(cnn_reference, name)(*arrays, **parameters)
        if max(parameters.get("stride", (1,))) < 2:
            return answer
        return tuple(a + 1 for a in answer) if isinstance(answer, tuple) else answer + 1

    assert not run(SimpleNamespace(about={"shapes": "few"}, **{name: wrong}), "quick", only=name).conforms
