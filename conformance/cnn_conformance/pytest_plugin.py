"""The pytest plugin: `pytest --cnn-candidate mine.py` adds a test for each clause on each operation.

Nothing of the harness is imported unless that is asked for. Each process judges the operations of which it runs a
test, each once, however many tests there are of it.
"""

import warnings
from collections.abc import Generator, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cnn_conformance.report import Report

NAME = "cnn-conformance"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options; without the first, the others do nothing."""
    group = parser.getgroup(NAME, "CNN operations, held against their specification")
    group.addoption(
        "--cnn-candidate",
        metavar="ADDRESS",
        help="add a test for each clause on each operation of this candidate, such as mine.py or package.module:name",
    )
    group.addoption("--cnn-level", choices=("quick", "standard"), default="quick", help="[quick]")
    group.addoption("--cnn-seed", type=int, default=0, help="varies the numbers, not the coverage [0]")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> Generator[None]:
    """Add the tests before others select among all, and keep those of an operation together after others shuffle."""
    if config.getoption("cnn_candidate") is not None:
        items += session.genitems(Conformance.from_parent(session, name=NAME, nodeid=NAME))
    yield
    places = [place for place, item in enumerate(items) if isinstance(item, ClauseTest)]
    ours = [item for item in items if isinstance(item, ClauseTest)]
    order = list(dict.fromkeys(item.operation for item in ours))
    for place, item in zip(places, sorted(ours, key=lambda item: order.index(item.operation)), strict=True):
        items[place] = item


class Conformance(pytest.Collector):
    """The tests of a candidate."""

    def collect(self) -> "Iterator[ClauseTest]":
        """A test for each clause on each operation, offered or not."""
        from cnn_conformance.candidate import CandidateError, about
        from cnn_conformance.plan import functions_of, laws_of

        try:
            about(self.config.option.cnn_candidate)
        except CandidateError as error:
            raise self.CollectError(str(error)) from error
        for operation in functions_of():
            for clause in dict.fromkeys(judged.clause for judged in laws_of(operation)):
                yield ClauseTest.from_parent(self, name=f"{operation}::{clause}")


class ViolationError(Exception):
    """A clause is broken; the message shows how."""


class ClauseTest(pytest.Item):
    """A clause on an operation."""

    def __init__(self, name: str, **others: Any) -> None:
        super().__init__(name, **others)
        self.operation, _, self.clause = name.partition("::")

    def runtest(self) -> None:
        """Fail where the clause is violated, skip where it does not hold for another reason."""
        from cnn_conformance.plan import laws_of
        from cnn_conformance.report import Status
        from cnn_conformance.terminal import violation_text
        from cnn_conformance.wording import contradicts, why_not

        options = self.config.option
        report = _report(options.cnn_candidate, options.cnn_level, options.cnn_seed, self.operation)
        said = [contradicts(one) for one in report.contradictions if one.clause == self.clause]
        # What no test is for must not pass unseen.
        others = {verdict.clause for verdict in report.verdicts} - {
            law.clause for law in laws_of(self.operation)
        }
        said += [violation_text(one) for one in report.violations if one.clause in (self.clause, *others)]
        if said:
            raise ViolationError("\n\n".join(said))
        (verdict,) = (one for one in report.verdicts if one.clause == self.clause)
        if verdict.status is not Status.HOLDS:
            pytest.skip(why_not(verdict))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What is wrong with the candidate, without the harness's own frames."""
        if isinstance(excinfo.value, ViolationError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, None, str]:
        """Where the test is: in no file."""
        return self.path, None, self.name


@cache
def _report(address: str, level: str, seed: int, function: str) -> "Report":
    """The report on one operation. A project may turn warnings into errors, which would accuse whoever warns."""
    from cnn_conformance.checking import check

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return check(address, level, seed, only=function)
